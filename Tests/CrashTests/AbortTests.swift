import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The way back, from wherever a planned failover stopped before the point of no return.
@Suite struct AbortTests {
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
            guard let back = try await WayBack.rig(undoing: rig) else {
                #expect(try rig.state().acted.isEmpty, "\(number)")
                continue
            }
            let end = await back.process()
            #expect(end == .ended(.finished), "\(number): \(back.story)")
            #expect(back.faults == [] && back.gaps == [], "\(number): \(back.faults) \(back.gaps)\n\(back.story)")
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
        let back = try #require(try await WayBack.rig(undoing: rig))
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.gaps == [] && back.faults == [], "\(back.faults) \(back.gaps)")
        #expect(back.deployment.withState { $0.cronJobsOff } == ["stuck_ci_jobs_worker"])
    }

    @Test func nothingIsStartedBesideACandidateThatWasPromotedMeanwhile() async throws {
        let rig = Rig()
        _ = await rig.process(answers: { _ in nil })
        let back = try #require(try await WayBack.rig(undoing: rig))
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

    /// Found by random history 2707: cron jobs stayed off, since the copy did not know that they had been stopped.
    @Test func whatACopyOfTheJournalDoesNotKnowOfIsUndoneToo() async throws {
        let whole = Rig()
        _ = await whole.process()
        let started = try #require(
            whole.disk.decoded().firstIndex { record in
                if case .commandStarted("stop-cron-jobs", _, _, _) = record.entry { return true }
                return false
            })
        let rig = Rig()
        _ = await rig.process(dies: Death(kind: .afterWriting, record: started + 1))
        rig.deployment.clock.advance(seconds: 120)
        #expect(rig.deployment.withState { $0.runsOrdinaryCronJobs[Fixtures.tokyo] } == false, "\(rig.story)")
        for records in 1...4 {
            let copy = Rig(branchingFrom: rig)
            let other = Rig(takingOver: copy, behindBy: records)
            #expect(try !other.state().acted.contains("stop-cron-jobs") || records < 2)
            let back = try #require(try await WayBack.rig(undoing: other))
            #expect(await back.process() == .ended(.finished), "\(back.story)")
            #expect(back.faults == [] && back.gaps == [], "\(records): \(back.faults) \(back.gaps)\n\(back.story)")
        }
    }

    @Test func aRunThatChangedNothingHasNothingToUndo() async throws {
        let rig = Rig()
        _ = await rig.process(dies: Death(kind: .afterWriting, record: 1))
        #expect(try await WayBack.rig(undoing: rig) == nil)
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
