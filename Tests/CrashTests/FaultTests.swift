import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// One thing goes wrong at one remote operation, for every operation.
@Suite struct FaultTests {
    @Test(arguments: Story.allCases, SimulatedDeployment.Fault.allCases)
    func afterAnySingleFaultTheRunFinishesOrHaltsAndCanBeResumed(story: Story, fault: SimulatedDeployment.Fault)
        async throws
    {
        let whole = try await story.measure()
        let kind = SimulatedDeployment.Fault.allCases.firstIndex(of: fault) ?? 0
        for operation in 0..<whole.operations {
            // Of the many operations another part for each fault; all of them with GEO_FAILOVER_TESTS=thorough, but for
            // what is the same look, whatever cut it off.
            let isLook = !whole.exchanges.contains(operation)
            let share = Self.share(story, isLook: isLook)
            guard Thoroughness.isThorough || operation % share == kind * 3 % share else { continue }
            if Thoroughness.isThorough, isLook, fault.onlyCutsALook, fault != .refusesConnection { continue }
            let rig = try await story.rig()
            rig.deployment.inject([operation: fault], seed: UInt64(operation))
            let what = "\(story.rawValue), \(fault.rawValue) at operation \(operation)"
            var end = await rig.process()
            if end != .ended(.finished) {
                guard case .ended = end else {
                    Issue.record("\(what): \(end)\n\(rig.story)")
                    return
                }
                end = await rig.runToTheEnd(processes: 6)
            }
            #expect(end == .ended(.finished), "\(what)\n\(rig.story)")
            #expect(rig.faults == [] && rig.overdue == [], "\(what)\n\(rig.faults) \(rig.overdue)\n\(rig.story)")
            #expect(rig.gaps == [], "\(what)\n\(rig.gaps)\n\(rig.story)")
            if end != .ended(.finished) || !rig.faults.isEmpty { return }
        }
    }

    /// Every so many operations in the usual run.
    private static func share(_ story: Story, isLook: Bool) -> Int {
        switch story {
        case .planned: isLook ? 13 : 3
        case .unplanned: isLook ? 64 : 13
        case .changeURL, .wayBack, .formerURL: isLook ? 20 : 8
        case .drill: isLook ? 96 : 24
        }
    }

    /// From the first promotion to the end of the last: where a half-done node costs most.
    ///
    /// All of them with GEO_FAILOVER_TESTS=thorough, but for those that cannot be told apart: a look whose answer does not
    /// come is the same look, whatever cut it off. GEO_FAILOVER_FROM and GEO_FAILOVER_HISTORIES choose a part of them.
    @Test func afterAnyTwoFaultsInThePromotionTheRunFinishesOrHaltsAndCanBeResumed() async throws {
        let before = try await Self.beforeThePromotion()
        let whole = Rig(branchingFrom: before)
        let tier = Mutex((first: 0, last: 0))
        let deployment = whole.deployment
        let end = await whole.process(watching: { event in
            guard case .recorded(let record) = event else { return }
            switch record.entry {
            case .stepStarted("promote-database", _): tier.withLock { $0.first = deployment.operations }
            case .stepSucceeded("promote-tracking", _, _, _): tier.withLock { $0.last = deployment.operations }
            default: break
            }
        })
        #expect(end == .ended(.finished) && whole.faults == [], "\(whole.faults) \(whole.story)")
        let operations = tier.withLock { Array($0.first..<$0.last) }
        let exchanges = deployment.exchanges
        let firsts = operations.flatMap { one in
            Self.kinds(isLook: !exchanges.contains(one)).flatMap { kind in
                operations.filter { $0 > one }.map { (one: one, kind: kind, two: $0) }
            }
        }
        // A prime stride meets every kind at every operation.
        let stride = Thoroughness.isThorough ? 1 : 83
        let histories = Mutex(0)
        let units = Thoroughness.part(of: UInt64(firsts.count / stride))
        let tried = await Parallel.each(units) { number in
            let first = firsts[Int(number) * stride]
            var kinds = SimulatedDeployment.Fault.allCases
            if !Thoroughness.isThorough { kinds = [kinds[Int(number) % kinds.count]] }
            while let kind = kinds.popLast() {
                let rig = Rig(branchingFrom: before)
                // The seed is that of the first fault: until the second one strikes, all its histories are one.
                rig.deployment.inject([first.one: first.kind, first.two: kind], seed: number)
                let end = await rig.runToTheEnd(processes: 8)
                histories.withLock { $0 += 1 }
                guard end == .ended(.finished), rig.faults.isEmpty, rig.gaps.isEmpty else {
                    Issue.record("\(first), \(kind): \(end), \(rig.faults), \(rig.gaps)\n\(rig.story)")
                    return false
                }
                if kind.onlyCutsALook, rig.deployment.faultsThatStruck.last?.contains("(look at ") == true {
                    kinds.removeAll(where: \.onlyCutsALook)
                }
            }
            return true
        }
        print(
            "pairs of faults in the promotion: \(histories.withLock { $0 }) told apart, \(tried) of \(firsts.count) firsts"
        )
        #expect(tried == units.count && tried > 0)
        #expect(firsts.count > 10_000)
    }

    /// A planned failover whose process ended where the promotion begins, so that its way there is gone once.
    private static func beforeThePromotion() async throws -> Rig {
        let whole = Rig()
        _ = await whole.process()
        let begin = try whole.disk.decoded().firstIndex { record in
            guard case .stepStarted("promote-database", _) = record.entry else { return false }
            return true
        }
        let rig = Rig()
        #expect(await rig.process(dies: Death(kind: .beforeWriting, record: try #require(begin))) == .died)
        _ = try rig.disk.read()
        return rig
    }

    private static func kinds(isLook: Bool) -> [SimulatedDeployment.Fault] {
        SimulatedDeployment.Fault.allCases.filter { !isLook || !$0.onlyCutsALook || $0 == .refusesConnection }
    }
}

extension SimulatedDeployment.Fault {
    /// Of a look nothing is known but that its answer did not come.
    fileprivate var onlyCutsALook: Bool {
        switch self {
        case .refusesConnection, .cutBeforeEffect, .cutAfterEffect, .garbage, .truncated: true
        case .hangs, .reboot, .partition, .fails: false
        }
    }
}
