import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Programs that say one thing and did another.
@Suite struct LieTests {
    private static let promoted = [
        "seoul-pg-1", "seoul-gitaly-1", "seoul-sidekiq-1", "seoul-rails-1", "seoul-rails-2", "seoul-geo-1",
    ]

    @Test(arguments: promoted)
    func aPromotionWhoseReconfigureFailsOnceIsRepairedByItsOwnReconfigure(node: String) async throws {
        let rig = Rig()
        rig.deployment.withState { $0[NodeID(node)].failingReconfigures = 1 }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [], "\(rig.story)")
        #expect(rig.gaps == [])
    }

    @Test(arguments: promoted)
    func aPromotionThatSaysNotOKHaltsThereAndGoesOnAfterItWasRepaired(node: String) async throws {
        let rig = Rig()
        rig.deployment.withState { $0[NodeID(node)].failingReconfigures = 1_000 }
        let end = await rig.process()
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(reason.contains("gitlab-ctl reconfigure on \(node) exited with 1, after"), "\(reason)")
        let step = try #require(rig.file.plan.steps.first { $0.action == .promoteNode && $0.node == NodeID(node) })
        #expect(reason.hasPrefix(step.id.rawValue))
        // No later tier has begun.
        let after = rig.file.plan.steps.filter { StepGraph(rig.file.plan.steps).ancestors(of: $0.id).contains(step.id) }
        let halted = try rig.state()
        for later in after { #expect(halted.progress(of: later.id) == .pending) }
        let text = try rig.disk.decoded().compactMap { Timeline.text($0.entry) }
        #expect(text.contains { $0.contains("its output says NOT OK") })

        rig.deployment.withState { $0[NodeID(node)].failingReconfigures = 0 }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [], "\(rig.story)")
        #expect(rig.gaps == [])
        // The stub was seen, and reconfigured away before the promotion was given again.
        let second = rig.deployment.withState { $0[NodeID(node)].jobs.filter { $0.key.contains("~2~") } }
        #expect(second.map(\.arguments.last) == ["reconfigure", "--force"], "\(second.map(\.arguments))")
    }

    @Test(arguments: ["tokyo-rails-1", "tokyo-sidekiq-1", "tokyo-gitaly-1", "tokyo-redis-1"])
    func aStopThatLeavesAServiceRunningIsNoFence(node: String) async throws {
        let rig = Rig()
        let service = rig.deployment.withState { state -> String in
            let name = state[NodeID(node)].node.expectedServices.first ?? "logrotate"
            state[NodeID(node)].stuckServices = [name]
            return name
        }
        let end = await rig.process()
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(reason.contains(service) && reason.contains("not proven within"), "\(reason)")
        #expect(rig.promotions.isEmpty)
        #expect(await rig.runToTheEnd() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [], "\(rig.story)")
    }

    @Test(arguments: promoted)
    func anEmptyClusterFileIsSetAsideBeforeThePromotion(node: String) async throws {
        let rig = Rig()
        rig.deployment.withState { $0[NodeID(node)].clusterFile = .empty }
        // The preflight of the plan saw no such file.
        #expect(await rig.process() != .ended(.finished))
        #expect(rig.promotions.isEmpty)

        let late = Rig()
        _ = await late.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted("confirm", _) = record.entry {
                late.deployment.withState { $0[NodeID(node)].clusterFile = .empty }
            }
        })
        #expect(late.gaps == [], "\(late.story)")
        #expect(late.faults == [], "\(late.story)")
    }

    @Test(arguments: ["tokyo-pg-1", "seoul-pg-1", "seoul-rails-1"])
    func aCommandThatOutlivesItsLimitIsLeftInDoubtAndFoundByTheResume(node: String) async throws {
        let rig = Rig()
        rig.deployment.withState { $0[NodeID(node)].nextCommandHangsSeconds = 7_000 }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("on \(node) runs beyond its limit of"), "\(reason)")
        // Resumed while it still runs: the same key is followed, nothing is started beside it.
        guard case .ended(.halted(let again)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(again.contains("runs beyond its limit of"), "\(again)")
        rig.deployment.clock.advance(seconds: 7_000)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [], "\(rig.story)")
        #expect(rig.gaps == [])
    }

    @Test func replicationThatIsCutIsNotTakenForComplete() async throws {
        let rig = Rig()
        let end = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted("wait-for-replication", _) = record.entry {
                rig.deployment.withState { $0.isReplicationCut = true }
            }
        })
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(reason.hasPrefix("wait-for-replication failed: not proven within"))
        #expect(rig.faults == [])
        #expect(await rig.runToTheEnd() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [])
    }
}
