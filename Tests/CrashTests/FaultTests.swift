import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
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

    /// From the first promotion to the end of the last: where a half-done node costs most.
    @Test func afterAnyTwoFaultsInThePromotionTheRunFinishesOrHaltsAndCanBeResumed() async throws {
        let whole = Rig()
        let tier = Mutex((first: 0, last: 0))
        let deployment = whole.deployment
        _ = await whole.process(watching: { event in
            guard case .recorded(let record) = event else { return }
            switch record.entry {
            case .stepStarted("promote-database", _): tier.withLock { $0.first = deployment.operations }
            case .stepSucceeded("promote-tracking", _, _, _): tier.withLock { $0.last = deployment.operations }
            default: break
            }
        })
        let operations = tier.withLock { Array($0.first..<$0.last) }
        let kinds = SimulatedDeployment.Fault.allCases
        let pairs = operations.flatMap { one in operations.filter { $0 > one }.map { (one, $0) } }
        let all = UInt64(pairs.count * kinds.count * kinds.count)
        // All of them with GEO_FAILOVER_TESTS=thorough; a prime stride meets every kind at every operation.
        let stride: UInt64 = Thoroughness.isThorough ? 1 : 991
        let tried = await Parallel.each(0..<(all / stride)) { number in
            let index = Int(number * stride)
            let (pair, kind) = (pairs[index / (kinds.count * kinds.count)], index % (kinds.count * kinds.count))
            let faults = [pair.0: kinds[kind / kinds.count], pair.1: kinds[kind % kinds.count]]
            let rig = Rig()
            rig.deployment.inject(faults, seed: number)
            let end = await rig.runToTheEnd(processes: 8)
            let isGood = end == .ended(.finished) && rig.faults.isEmpty && rig.gaps.isEmpty
            if !isGood { Issue.record("\(faults): \(end), \(rig.faults), \(rig.gaps)\n\(rig.story)") }
            return isGood
        }
        print("pairs of faults in the promotion: \(tried) of \(all)")
        #expect(tried == Int(all / stride) && tried > 50)
    }
}
