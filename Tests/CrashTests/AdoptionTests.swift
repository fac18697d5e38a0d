import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The machine is lost, and the copy that another one goes on from lacks the last records.
@Suite struct AdoptionTests {
    /// Found by random history 349: the promotion was under way, the copy did not know it, and every look before the
    /// point of no return called the promoted database a change that somebody else had made.
    @Test func aCopyThatLacksItsEndGoesOnWithWhatTheNodesWereToldToStart() async throws {
        let whole = Rig()
        _ = await whole.process()
        for record in stride(from: 6, to: whole.disk.records, by: Thoroughness.isThorough ? 1 : 5) {
            for behind in [1, 3, 6] {
                let old = Rig()
                _ = await old.process(dies: Death(kind: .afterWriting, record: record))
                let new = Rig(takingOver: old, behindBy: behind)
                let end = await new.runToTheEnd(processes: 4)
                let what = "died after record \(record), the copy lacks \(behind)"
                #expect(end == .ended(.finished), "\(what)\n\(new.story)")
                #expect(new.faults == [] && old.faults == [] && new.gaps == [], "\(what)\n\(new.story)")
                #expect(new.promotions.values.allSatisfy { $0 == 1 }, "\(what)\n\(new.story)")
            }
        }
    }

    @Test func onlyUnknownCommandsOfThisRunOnTheirOwnNodesAreTakenUp() throws {
        let plan = ShippedPlan.plan
        let step = try #require(plan.step("promote-database"))
        let node = try #require(step.node)
        var state = RunState(plan: plan)
        func job(_ key: String, run: RunID = "run") -> NodeJob {
            NodeJob(run: run, key: key, state: .running, ageSeconds: 1, kibibytes: 4, command: "")
        }
        func entries(_ jobs: [NodeJob], on node: NodeID, known: Set<String> = []) -> [JournalEntry] {
            Adoption.entries(
                of: "run", in: state, known: known, jobs: [NodeJobs(node: node, jobs: .success(jobs))]
            ).filter { if case .stepPassed = $0 { false } else { true } }
        }
        let key = "promote-database~1~2"
        let taken: [JournalEntry] = [
            .stepStarted(step: step.id, attempt: 1),
            .commandStarted(step: step.id, attempt: 1, index: 2, key: key),
        ]
        // All of an attempt, in their order: the journal has each command that was ever sent.
        let before = JournalEntry.commandStarted(step: step.id, attempt: 1, index: 0, key: "promote-database~1~0")
        #expect(entries([job(key), job("promote-database~1~0")], on: node) == [taken[0], before, taken[1]])
        #expect(entries([job(key)], on: node) == taken)
        #expect(entries([job(key), job("promote-database~1~0")], on: node, known: ["promote-database~1~0"]) == taken)
        #expect(entries([job(key)], on: node, known: [key]) == [])
        #expect(entries([job(key, run: "other")], on: node) == [])
        #expect(entries([job(key)], on: "seoul-rails-1") == [])
        #expect(entries([job("promote-database~x~2"), job("what~1~0"), job("")], on: node) == [])
        try state.apply(.stepStarted(step: step.id, attempt: 1), at: Fixtures.moment(0))
        #expect(entries([job(key)], on: node) == [taken[1]])
        // Found by random history 14422: a second takeover took up what the first had left as older than the newest, in
        // the middle of the next attempt.
        try state.apply(
            .stepFailed(step: step.id, attempt: 1, reason: "test", findings: []), at: Fixtures.moment(1))
        try state.apply(.stepStarted(step: step.id, attempt: 2), at: Fixtures.moment(2))
        #expect(entries([job(key)], on: node) == [])
        for index in 0..<3 {
            try state.apply(
                .commandSkipped(step: step.id, attempt: 2, index: index, because: "test"), at: Fixtures.moment(3))
        }
        #expect(entries([job("promote-database~2~1")], on: node) == [])
        let next = JournalEntry.commandStarted(step: step.id, attempt: 2, index: 3, key: "promote-database~2~3")
        #expect(entries([job("promote-database~2~3")], on: node) == [next])
        #expect(entries([job("promote-database~2~3"), job("promote-database~2~2")], on: node) == [next])
    }

    /// A wait before the stop of a database cannot be seen to hold after it; the proof that nothing is lost can, until the
    /// promotion.
    @Test(arguments: [
        ("stop-database", "tokyo-pg-1", ["drain-queues", "wait-for-replication", "wait-for-last-wal"]),
        ("fence@tokyo-redis-1", "tokyo-redis-1", ["drain-queues", "wait-for-replication", "wait-for-last-wal"]),
        (
            "promote-database", "seoul-pg-1",
            ["drain-queues", "wait-for-replication", "wait-for-last-wal", "prove-zero-loss"]
        ),
    ])
    func waitsThatTheRunHadGonePastAreOverAndNeverProven(step: String, node: String, passed: [String]) throws {
        var state = RunState(plan: ShippedPlan.plan)
        let job = NodeJob(
            run: "run", key: ExecutionStateMachine.key(step: StepID(step), attempt: 1, index: 0),
            state: .exited(status: 0), ageSeconds: 1, kibibytes: 4, command: "")
        let entries = Adoption.entries(
            of: "run", in: state, known: [], jobs: [NodeJobs(node: NodeID(node), jobs: .success([job]))])
        let over = entries.compactMap { entry -> StepID? in
            if case .stepPassed(let step, 1, _) = entry { step } else { nil }
        }
        #expect(over == passed.map { StepID($0) })
        for entry in entries { try state.apply(entry, at: Fixtures.moment(0)) }
        for step in over { #expect(!state.hasSucceeded(step) && state.isOver(step)) }
    }
}
