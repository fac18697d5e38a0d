import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Goes through what can befall one run: everything where it was asked for, else a part of it, another for each kind.
enum Search {
    /// The tool dies at a record, and the run goes on in another process, which has to finish it. Of `step` records one is
    /// tried, beginning `apart` for each kind of death, and a third of those `around` what matters most.
    static func deaths(
        of make: () async throws -> Rig, one step: Int, apart: Int, and around: [Int] = [],
        _ expect: (_ rig: Rig, _ death: String) -> Void
    ) async throws {
        let whole = try await make()
        _ = await whole.process()
        let isWhole = Thoroughness.isThorough
        let sampled = isWhole ? around : around.enumerated().filter { $0.offset % 3 == 1 }.map(\.element)
        for (number, kind) in Death.Kind.allCases.enumerated() {
            let records = stride(from: isWhole ? 1 : 1 + apart * number, to: whole.disk.records, by: isWhole ? 1 : step)
            for record in Set(records).union(sampled).sorted() {
                let rig = try await make()
                #expect(await rig.process(dies: Death(kind: kind, record: record)) == .died)
                #expect(await rig.process() == .ended(.finished), "\(kind) \(record): \(rig.story)")
                expect(rig, "\(kind) \(record)")
            }
        }
    }

    /// One exchange with a node goes wrong, and the run is resumed until it is finished.
    static func faults(
        of make: () async throws -> Rig, one step: Int, processes: Int = 12,
        _ expect: (_ rig: Rig, _ fault: String) -> Void
    ) async throws {
        let whole = try await make()
        let before = whole.deployment.operations
        _ = await whole.process()
        let exchanges = whole.deployment.exchanges.filter { $0 >= before }.map { $0 - before }.sorted()
        #expect(exchanges.count > 20)
        for (kind, fault) in SimulatedDeployment.Fault.allCases.enumerated() {
            for exchange in exchanges where Thoroughness.isThorough || exchange % step == kind * 3 {
                let rig = try await make()
                rig.deployment.inject([rig.deployment.operations + exchange: fault])
                #expect(
                    await rig.runToTheEnd(processes: processes) == .ended(.finished),
                    "\(fault) at \(exchange): \(rig.story)")
                expect(rig, "\(fault) at \(exchange)")
            }
        }
    }
}
