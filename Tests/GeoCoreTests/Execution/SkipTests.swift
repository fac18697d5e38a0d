import GeoCore
import GeoTestSupport
import Testing

/// Going on without a step that failed.
@Suite struct SkipTests {
    private static let writeFailed = JournalEntry.stepFailed(
        step: "write", attempt: 1, reason: "read-only", findings: [])
    private static let begunToWrite =
        StateMachineTests.upTo("write") + [
            .stepStarted(step: "write", attempt: 1),
            .commandStarted(step: "write", attempt: 1, index: 0, key: "write~1~0"), writeFailed,
        ]

    @Test func aFailureIsAskedAboutWhereTheRunbookSaysAsk() throws {
        let plan = PlanFixture.plan.changing("write") { $0.onFailure = .ask }
        var machine = try StateMachineTests.machine(Self.begunToWrite, plan: plan)
        #expect(machine.next()?.effect == .askWhetherToSkip(step: "write", attempt: 1, reason: "read-only"))
        #expect(machine.next() == nil, "nothing starts while the question is open")
        try machine.apply(
            .stepSkipped(step: "write", attempt: 1, reason: "known", by: StateMachineTests.actor),
            at: Fixtures.moment(99))
        machine.effectReturned("write")
        #expect(machine.next()?.record == .stepStarted(step: "push", attempt: 1))
    }

    @Test func aFailureThatMayPassDoesNotKeepTheRunFromItsEnd() throws {
        let plan = PlanFixture.plan.changing("write") { $0.onFailure = .continue }
        let rest: [JournalEntry] = ["push", "move"].flatMap { step -> [JournalEntry] in
            [
                .stepStarted(step: step, attempt: 1),
                .stepSucceeded(step: step, attempt: 1, how: .performed, findings: []),
            ]
        }
        var machine = try StateMachineTests.machine(Self.begunToWrite + rest, plan: plan)
        #expect(machine.next()?.record == .runFinished)
    }

    @Test func onlyWhatNoPromiseStandsOnCanBeSkipped() throws {
        let plan = PlanFixture.plan
        let skippable = plan.steps.map(\.id).filter { StepGraph.isSkippable($0, in: plan) }
        #expect(skippable == ["open", "write", "push", "move"])
        for step in plan.steps.map(\.id) {
            let failed =
                StateMachineTests.upTo(step) + [
                    .stepStarted(step: step, attempt: 1),
                    .stepFailed(step: step, attempt: 1, reason: "x", findings: []),
                    .stepSkipped(step: step, attempt: 1, reason: "y", by: StateMachineTests.actor),
                ]
            if skippable.contains(step) {
                #expect(try StateMachineTests.machine(failed).state.isOver(step))
            } else {
                #expect(throws: JournalContradiction.self, "\(step)") { try StateMachineTests.machine(failed) }
            }
        }
        let unfailed: [JournalEntry] = [
            .stepSkipped(step: "write", attempt: 1, reason: "y", by: StateMachineTests.actor)
        ]
        #expect(throws: JournalContradiction.self) {
            try StateMachineTests.machine(StateMachineTests.upTo("open") + unfailed)
        }
        #expect(throws: JournalContradiction.self) {
            try StateMachineTests.machine(StateMachineTests.upTo("push") + unfailed)
        }
    }
}
