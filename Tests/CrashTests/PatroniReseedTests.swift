import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@Suite struct PatroniReseedTests {
    @Test func theFormerPrimaryComesBackAsAStandbyCluster() async throws {
        let rig = try PatroniReseed.rig()
        let plan = rig.file.plan
        let against = plan.findings.filter { $0.verdict > .warn && $0.check != "operator.independent" }
        #expect(against.map(\.summary) == [])
        #expect(plan.pointOfNoReturn == "seed-leader")
        // The second member leads there, whatever the inventory's order.
        #expect(plan.step("write-something")?.node == "seoul-pg-2")
        #expect(plan.omitted.map(\.id).contains("save-divergence@tokyo-pg-2"))
        #expect(
            plan.edits.flatMap(\.edit.lines).map(\.new).contains("patroni['standby_cluster']['enable'] = true"))
        guard case .confirmation(let question, let answer)? = plan.step("confirm")?.operation else {
            Issue.record("nobody is asked")
            return
        }
        #expect(answer == "tokyo-pg-1")
        for part in ["tokyo-pg-1 (", "seoul-pg-2 (", "timeline 2", "WRITABLE", "other members (tokyo-pg-2)"] {
            #expect(question.contains(part), "\(part): \(question)")
        }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        let wrong = PatroniReseed.wrong(rig)
        #expect(rig.faults == [] && wrong == [], "\(rig.faults) \(wrong) \(rig.story)")
        #expect(rig.deployment.withState { state in PatroniReseed.members.map { state[$0].database?.kept } } == [1, 1])
    }

    @Test func killedAtAnyRecordItComesBackAsIfNothingHadHappened() async throws {
        try await Search.deaths(of: { try PatroniReseed.rig() }, one: 31, apart: 9) { rig, death in
            let wrong = PatroniReseed.wrong(rig)
            #expect(rig.faults == [] && wrong == [], "\(wrong) \(rig.faults) \(death): \(rig.story)")
            let kept = rig.deployment.withState { state in PatroniReseed.members.map { state[$0].database?.kept } }
            #expect(kept == [1, 1], "\(death): \(kept)")
        }
    }

    @Test func afterAnySingleFaultItComesBack() async throws {
        try await Search.faults(of: { try PatroniReseed.rig() }, one: 29, processes: 16) { rig, fault in
            let wrong = PatroniReseed.wrong(rig)
            #expect(rig.faults == [] && wrong == [], "\(rig.faults) \(wrong) \(fault) \(rig.story)")
        }
    }

    @Test func aRateThatPatroniDoesNotKeepIsSaid() throws {
        var request = PatroniReseed.request(PatroniReseed.failedOver())
        request.inventory.replication = ReplicationAccess(
            password: .environment(name: "PASSWORD"), copyRate: CopyRate(kilobytesPerSecond: 32))
        let plan = try Planner.plan(request)
        let seeding = try #require(plan.steps.first { $0.action == .seedStandbyLeader })
        #expect(seeding.why.contains("copy_rate is not kept: Patroni copies as its own settings say"), "\(seeding.why)")
    }

    /// After a re-seed, when its slot is gone: a secondary that runs, whose leader nothing feeds and whose replica follows it.
    @Test func aStandbyClusterThatFollowsNobodyIsStoppedAndSeededAnew() async throws {
        let first = try PatroniReseed.rig()
        #expect(await first.process() == .ended(.finished), "\(first.story)")
        let blocking = PatroniReseed.request(first.deployment).findings.filter { $0.verdict >= .fail }.map(\.check)
        #expect(blocking.contains("reseed.direction") && blocking.contains("reseed.stands-still"), "\(blocking)")
        first.deployment.withState { $0["tokyo-pg-1"].hasLostSlot = true }
        let file = try PlanFile(try Planner.plan(PatroniReseed.request(first.deployment)))
        #expect(file.plan.steps.filter { $0.group == "stop-site" }.compactMap(\.node).contains("tokyo-pg-2"))
        let again = Rig(file, on: first.deployment, as: "again")
        #expect(await again.process() == .ended(.finished), "\(again.story)")
        let wrong = PatroniReseed.wrong(again)
        #expect(again.faults == [] && wrong == [], "\(again.faults) \(wrong) \(again.story)")
        #expect(
            again.deployment.withState { state in PatroniReseed.members.map { state[$0].database?.kept } } == [2, 2])
    }

    @Test func beforeTheFirstMoveTheWayBackLeavesTheSiteFenced() async throws {
        let rig = try PatroniReseed.rig()
        let before = rig.deployment.withState { $0 }
        guard case .ended(.declined) = await rig.process(answers: { _ in "tokyo" }) else {
            Issue.record("the site's name is no node's: \(rig.story)")
            return
        }
        let state = try rig.state()
        #expect(!state.isPastPointOfNoReturn && !state.acted.isEmpty)
        var request = PatroniReseed.request(rig.deployment)
        request.runbook = try #require(AbortPlanner.runbook(undoing: "reseed", state, digest: rig.file.digest))
        request.inventory = AbortPlanner.inventory(rig.file.plan)
        request.undo = AbortPlanner.undo(state)
        request.findings = []
        let back = Rig(try PlanFile(try Planner.plan(request)), on: rig.deployment, as: "way-back")
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [], "\(back.story)")
        let after = back.deployment.withState { $0 }
        for (old, new) in zip(before.nodes, after.nodes) where old.site == Fixtures.tokyo {
            #expect(new.isFenced && new.held == old.held && new.clusterFile == old.clusterFile, "\(new.node.id)")
            #expect(new.url?.lines == old.url?.lines, "\(new.node.id)")
            #expect(new.database?.kept == 0 || new.database == nil)
        }
        #expect(after.stores[Fixtures.tokyo]?.isInitialized == true)
    }

    /// Patroni says "standby leader, running" all the while.
    @Test(arguments: [true, false])
    func aLeaderThatNothingStreamsToIsNoSuccessAndNoOtherMemberIsTouched(isCopied: Bool) async throws {
        let rig = try PatroniReseed.rig()
        rig.deployment.withState { state in
            if isCopied {
                state["tokyo-pg-1"].streamsNothing = true
            } else {
                state["tokyo-pg-1"].member.copiesNothing = true
            }
        }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("seed-leader failed"), "\(reason)")
        #expect(reason.contains(isCopied ? "no WAL receiver" : "answers yet"), "\(reason)")
        rig.deployment.withState { state in
            #expect(!state["tokyo-rails-1"].hasRunningService)
            #expect(state["tokyo-pg-2"].database?.kept == 0 && !state["tokyo-pg-2"].isRunning("patroni"))
        }
        rig.heal()
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        let wrong = PatroniReseed.wrong(rig)
        #expect(rig.faults == [] && wrong == [], "\(rig.faults) \(wrong) \(rig.story)")
    }

    /// Somebody starts what is to be seeded: Patroni makes it a primary again, since its store knows no better.
    @Test func aMemberThatWasStartedByHandStopsTheRunBeforeAnythingIsMoved() async throws {
        let rig = try PatroniReseed.rig()
        let answers: Rig.Answers = { question in
            rig.deployment.withState { $0.start("patroni", $0.index("tokyo-pg-2")) }
            return question.expected
        }
        guard case .ended(.halted(let reason)) = await rig.process(answers: answers) else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("it is a primary, and is not replaced"), "\(reason)")
        rig.deployment.withState { state in
            for id in PatroniReseed.members { #expect(state[id].database?.kept == 0) }
            #expect(state.stores[Fixtures.tokyo]?.isInitialized == true)
        }
    }

    @Test func theWrongDirectionTheWrongRunbookAndWrongSettingsAreRefused() throws {
        let deployment = PatroniReseed.failedOver()
        func blocking(_ change: (inout SimulatedState) -> Void, from: SiteID = "seoul", to: SiteID = "tokyo") -> Set<
            CheckID
        > {
            let copy = SimulatedDeployment(copying: deployment.withState { $0 })
            copy.withState(change)
            let findings = PatroniReseed.request(copy, from: from, to: to).findings
            return Set(findings.filter { $0.verdict >= .unknown && $0.check != "operator.independent" }.map(\.check))
        }
        #expect(blocking({ _ in }) == [])
        #expect(blocking({ _ in }, from: "tokyo", to: "seoul").contains("reseed.direction"))
        let single = refusal(of: PatroniReseed.request(deployment, ShippedPlan.load("reseed-secondary")))
        #expect(single.contains { $0.contains("plan reseed-patroni --from seoul --to tokyo") }, "\(single)")
        var request = PatroniReseed.request(deployment)
        request.inventory = ReseedTests.inventory
        let other = refusal(of: request)
        #expect(other.contains { $0.contains("plan reseed-secondary --from seoul --to tokyo") }, "\(other)")
        request = PatroniReseed.request(deployment)
        request.observation.change("tokyo-pg-2") { $0.patroniScope = Fixtures.seen("postgresql-ha") }
        #expect(refusal(of: request).contains { $0.contains("name 2 clusters") })
        request.observation.change("tokyo-pg-2") { $0.patroniScope = .unknown(reason: "grep: no such file") }
        #expect(refusal(of: request).contains { $0.contains("is not known: grep") })
        // A single node would need a slot that a Patroni primary keeps.
        request.inventory.sites[0] = ReseedTests.inventory.sites[0]
        request.runbook = ShippedPlan.load("reseed-secondary")
        #expect(refusal(of: request).contains { $0.contains("seoul-pg-1 runs Patroni") })
        request.inventory = PatroniReseed.inventory
        // A failover of the same two sites is refused as ever.
        request.runbook = ShippedPlan.runbook
        #expect(refusal(of: request).contains { $0.contains("runs Patroni") })
    }

    @Test func noPlanMovesAMemberUnaskedUnseenOrOutOfItsTurn() throws {
        let plan = try PatroniReseed.rig().file.plan
        #expect(PlanInvariants.violations(of: plan) == [])
        func broken(_ change: (inout Plan) -> Void) -> Set<String> { plan.broken(change) }
        func without(_ group: StepID) -> Set<String> { plan.broken(without: group) }
        func at(_ group: StepID, _ change: (inout Step) -> Void) -> Set<String> { plan.broken(at: group, change) }
        func proved(_ group: StepID, by check: CheckID) -> Set<String> {
            at(group) { step in step.until?.check.check = check }
        }
        #expect(without("confirm").contains("asked-before-wipe"))
        #expect(without("save-divergence").contains("divergence-saved-first"))
        #expect(without("seed-leader").contains("one-database-replaced"))
        #expect(without("seed-replicas").contains("every-member-seeded"))
        #expect(without("write-something").contains("replicas-after-leader"))
        #expect(without("see-it-arrive").contains("replicas-after-leader"))
        #expect(at("seed-leader") { $0.requires = [] }.contains("seen-before-wipe"))
        #expect(at("seed-replicas") { $0.requires = [] }.contains("seen-before-wipe"))
        #expect(proved("seed-leader", by: "node.returned").contains("streams-or-failed"))
        #expect(proved("seed-replicas", by: "node.returned").contains("streams-or-failed"))
        #expect(at("seed-replicas") { $0.reversibility = .changesNothing }.contains("one-database-replaced"))
        #expect(at("seed-replicas") { $0.after = ["confirm"] }.contains("replicas-after-leader"))
        #expect(at("start-replicas") { $0.after = ["confirm"] }.contains("standby-before-services"))
        #expect(at("start-leader") { $0.after = ["confirm"] }.contains("standby-before-services"))
        #expect(proved("lift-database", by: "node.in-service").contains("members-stopped-first"))
        #expect(at("start-jobs") { $0.after = ["confirm"] }.contains("standby-before-services"))
        // A member that ran when the plan was made has to be stopped by it.
        let running = broken { plan in
            plan.basis.change("tokyo-pg-2") { $0.startsAtBoot = Fixtures.seen(true) }
        }
        #expect(running.contains("members-stopped-first"))
        #expect(broken { $0.scenario = .planned }.isSuperset(of: ["reseed-alone", "supported"]))
    }
}
