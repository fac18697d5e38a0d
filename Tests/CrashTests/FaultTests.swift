import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// One thing goes wrong at one remote operation, for every operation.
@Suite struct FaultTests {
    @Test(arguments: SimulatedDeployment.Fault.allCases)
    func afterAnySingleFaultTheRunFinishesOrHaltsAndCanBeResumed(fault: SimulatedDeployment.Fault) async throws {
        let whole = Rig()
        _ = await whole.process()
        let exchanges = whole.deployment.exchanges
        let kind = SimulatedDeployment.Fault.allCases.firstIndex(of: fault) ?? 0
        for operation in 0..<whole.deployment.operations {
            // Of the many operations another part for each fault; all of them with GEO_FAILOVER_TESTS=thorough.
            let share = exchanges.contains(operation) ? 2 : 8
            guard Thoroughness.isThorough || operation % share == kind % share else { continue }
            let rig = Rig()
            rig.deployment.inject([operation: fault], seed: UInt64(operation))
            let what = "\(fault.rawValue) at operation \(operation)"
            var end = await rig.process()
            if end != .ended(.finished) {
                guard case .ended = end else {
                    Issue.record("\(what): \(end)\n\(rig.story)")
                    return
                }
                end = await rig.runToTheEnd(processes: 6)
            }
            #expect(end == .ended(.finished), "\(what)\n\(rig.story)")
            #expect(rig.faults == [], "\(what)\n\(rig.story)")
            #expect(rig.gaps == [], "\(what)\n\(rig.story)")
            if end != .ended(.finished) || !rig.faults.isEmpty { return }
        }
    }
}
