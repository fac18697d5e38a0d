import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The way back, from wherever a planned failover stopped before the point of no return.
@Suite struct AbortTests {
    /// The plan of the way back, as the command makes it: from what is true now.
    private static func way(back rig: Rig) throws -> Rig? {
        let (state, plan) = (try rig.state(), rig.file.plan)
        guard let runbook = AbortPlanner.runbook(undoing: "run", state, digest: rig.file.digest) else { return nil }
        let basis = rig.deployment.observe(SimulatedState.everything(plan.inventory))
        let check = try #require(CheckCatalog.check("candidate.not-promoted"))
        let findings = check.findings(
            CheckContext(
                inventory: plan.inventory, subject: .failover(from: plan.from, to: plan.to), from: plan.from,
                to: plan.to), basis)
        #expect(findings.worst == .pass)
        let request = PlanRequest(
            inventory: plan.inventory, runbook: runbook, from: plan.from, to: plan.to, observation: basis,
            findings: findings, waivers: [], cronJobsLeftOff: plan.cronJobsLeftOff ?? [], createdAt: basis.endedAt,
            createdBy: "t", toolVersion: "t")
        return Rig(undoing: rig, with: try PlanFile(try Planner.plan(request)))
    }

    private static func wrong(_ rig: Rig) -> [String] {
        rig.deployment.withState { state -> [String] in
            var found: [String] = []
            if !state.isWritable(state.from) { found.append("the primary's database is not writable") }
            if state.isWritable(state.to) { found.append("the candidate is writable") }
            if state.database(of: state.from).rows.isInMaintenanceMode { found.append("maintenance mode is on") }
            if state.runsOrdinaryCronJobs[state.from] != true { found.append("cron jobs are off") }
            for node in state.nodes(of: state.from) {
                if !node.startsAtBoot || node.isBootMasked { found.append("\(node.node.id) does not start at boot") }
                if node.services.contains(where: { !$0.isRunning }) {
                    found.append("\(node.node.id) has services down")
                }
            }
            return found
        }
    }

    @Test func fromEveryRecordBeforeThePointOfNoReturnTheSiteServesAgain() async throws {
        let whole = Rig()
        _ = await whole.process()
        let records = try whole.disk.decoded()
        let point = try #require(
            records.firstIndex { record in
                if case .stepStarted(let step, _) = record.entry {
                    return whole.file.plan.step(step)?.isIrreversible == true
                }
                return false
            })
        for number in stride(from: 2, to: point, by: Thoroughness.isThorough ? 1 : 5) {
            let rig = Rig()
            _ = await rig.process(dies: Death(kind: .afterWriting, record: number))
            // What was under way on nodes goes on to its end without the tool.
            rig.deployment.clock.advance(seconds: 120)
            rig.deployment.withState { _ in }
            guard let back = try Self.way(back: rig) else {
                #expect(try rig.state().acted.isEmpty, "\(number)")
                continue
            }
            let end = await back.process()
            #expect(end == .ended(.finished), "\(number): \(back.story)")
            #expect(back.faults == [], "\(number): \(back.faults)")
            #expect(Self.wrong(back) == [], "\(number): \(back.story)")
        }
    }

    /// One job that somebody had switched off before the plan was made.
    private static func rigWithAJobOff() throws -> Rig {
        let job: Set<String> = ["stuck_ci_jobs_worker"]
        let deployment = SimulatedDeployment(inventory: ShippedPlan.inventory)
        deployment.withState { $0.cronJobsOff = job }
        var request = ShippedPlan.request()
        request.observation = deployment.observe(SimulatedState.everything(ShippedPlan.inventory))
        let rig = Rig(try PlanFile(try Planner.plan(request)))
        rig.deployment.withState { $0.cronJobsOff = job }
        return rig
    }

    @Test func cronJobsThatWereOffBeforeARunAreOffAfterItOnEitherWay() async throws {
        let forward = try Self.rigWithAJobOff()
        #expect(await forward.process() == .ended(.finished), "\(forward.story)")
        #expect(forward.gaps == [] && forward.faults == [])
        #expect(forward.deployment.withState { $0.cronJobsOff } == ["stuck_ci_jobs_worker"])

        let whole = try Self.rigWithAJobOff()
        _ = await whole.process()
        let stopped = try #require(
            whole.disk.decoded().firstIndex { record in
                if case .stepStarted(let step, _) = record.entry { return step == "drain-queues" }
                return false
            })
        let rig = try Self.rigWithAJobOff()
        _ = await rig.process(dies: Death(kind: .afterWriting, record: stopped))
        let back = try #require(try Self.way(back: rig))
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(Self.wrong(back) == [] && back.faults == [], "\(back.faults)")
        #expect(back.deployment.withState { $0.cronJobsOff } == ["stuck_ci_jobs_worker"])
    }

    @Test func theWayBackSurvivesBeingKilledAtEveryRecord() async throws {
        let rig = Rig()
        _ = await rig.process(answers: { _ in nil })
        #expect(try rig.state().hasSucceeded("fence@tokyo-pg-1"))
        var number = 2
        while true {
            let again = Rig()
            _ = await again.process(answers: { _ in nil })
            let back = try #require(try Self.way(back: again))
            if await back.process(dies: Death(kind: .afterWriting, record: number)) == .ended(.finished) { break }
            #expect(await back.runToTheEnd(processes: 5) == .ended(.finished), "\(number): \(back.story)")
            #expect(back.faults == [] && Self.wrong(back) == [], "\(number): \(back.faults) \(Self.wrong(back))")
            number += Thoroughness.isThorough ? 1 : 6
        }
        #expect(number > 10)
    }

    @Test func nothingIsStartedBesideACandidateThatWasPromotedMeanwhile() async throws {
        let rig = Rig()
        _ = await rig.process(answers: { _ in nil })
        let back = try #require(try Self.way(back: rig))
        let end = await back.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted = record.entry {
                back.deployment.withState { $0[NodeID("seoul-pg-1")].database?.isPrimary = true }
            }
        })
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end) \(back.story)")
            return
        }
        #expect(reason.contains("seoul is promoted"), "\(reason)")
        #expect(back.deployment.withState { state in state.nodes(of: state.from).allSatisfy(\.isFenced) })
    }

    @Test func aRunThatChangedNothingHasNothingToUndo() async throws {
        let rig = Rig()
        _ = await rig.process(dies: Death(kind: .afterWriting, record: 1))
        #expect(try Self.way(back: rig) == nil)
    }

    @Test func anAbandonedRunIsOverForGood() throws {
        var machine = ExecutionStateMachine(state: RunState(plan: ShippedPlan.plan))
        let actor = Actor(user: "anna", host: "laptop")
        for entry in [
            JournalEntry.runStarted(plan: ShippedPlan.file.digest, by: actor, toolVersion: "1", epoch: 1),
            .runHalted(reason: "x"), .runAbandoned(by: actor, reason: "y", undoneBy: "back"),
        ] { try machine.apply(entry, at: Fixtures.moment()) }
        #expect(machine.next() == nil)
        #expect(machine.state.isOver)
        let status = RunStatus(run: "run", state: machine.state)
        #expect(!status.canGoBack && status.nextCommand == "geo-failover status back")
    }
}
