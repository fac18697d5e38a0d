import GeoCore
import GeoTestSupport
import Testing

/// What comes next, from what is written.
@Suite struct StateMachineTests {
    /// A machine after entries, each a second after the one before.
    static func machine(_ entries: [JournalEntry], plan: Plan = PlanFixture.plan) throws -> ExecutionStateMachine {
        var machine = ExecutionStateMachine(state: RunState(plan: plan))
        for (second, entry) in entries.enumerated() { try machine.apply(entry, at: Fixtures.moment(Double(second))) }
        return machine
    }

    static let actor = Actor(user: "anna", host: "laptop")
    static let started = JournalEntry.runStarted(plan: Digest(of: [1]), by: actor, toolVersion: "1", epoch: 1)
    static let resumed = JournalEntry.runResumed(by: actor, toolVersion: "1", epoch: 2)

    /// Everything up to a step has succeeded.
    static func upTo(_ id: StepID) -> [JournalEntry] {
        [started]
            + PlanFixture.plan.steps.prefix { $0.id != id }.flatMap { step -> [JournalEntry] in
                let sent: [JournalEntry] =
                    step.changesSomething
                    ? [.commandStarted(step: step.id, attempt: 1, index: 0, key: "key of \(step.id)")] : []
                return [.stepStarted(step: step.id, attempt: 1)] + sent
                    + [.stepSucceeded(step: step.id, attempt: 1, how: .performed, findings: [])]
            }
    }

    private static func exited(_ step: StepID, _ index: Int, _ status: Int, saysNotOK: Bool = false) -> JournalEntry {
        .commandFinished(
            step: step, attempt: 1, index: index, outcome: .exited(status: status, seconds: 1),
            transcript: TranscriptReference(
                path: "p", digest: Digest(of: [1]), bytes: 0,
                summary: TranscriptSummary(saysNotOK: saysNotOK, lastLines: [])))
    }

    @Test func nothingHappensInARunThatHasNotBegun() throws {
        var machine = try Self.machine([])
        #expect(machine.next() == nil)
    }

    @Test func theFirstChangeIsPrecededByALook() throws {
        var plan = PlanFixture.plan
        plan.steps.removeFirst()
        plan.steps[0].after = []
        var machine = try Self.machine([Self.started], plan: plan)
        #expect(machine.next()?.effect == .checkDrift(step: "block", moment: .firstChange))
        #expect(machine.next() == nil)
    }

    @Test func thePointOfNoReturnIsPrecededByALook() throws {
        var machine = try Self.machine(Self.upTo("promote-db") + [.driftChecked(before: "block", drift: [])])
        #expect(machine.next()?.effect == .checkDrift(step: "promote-db", moment: .pointOfNoReturn))
    }

    @Test func onlyAStepThatDidSomethingAndFailedNeedsAWordBeforeItIsTriedAgain() throws {
        let failed = [
            JournalEntry.stepFailed(step: "open", attempt: 1, reason: "x", findings: []), .runHalted(reason: "x"),
        ]
        let begun = Self.upTo("open") + [.stepStarted(step: "open", attempt: 1)]
        let before = try Self.machine(begun + failed).state
        #expect(before.failedDeeds == [])
        #expect(RunStatus(run: "run", state: before).nextCommand == "geo-failover resume run")
        let sent = JournalEntry.commandStarted(step: "open", attempt: 1, index: 0, key: "open~1~0")
        let after = try Self.machine(begun + [sent] + failed).state
        #expect(after.failedDeeds == ["open"])
        #expect(RunStatus(run: "run", state: after).nextCommand == "geo-failover resume run --reason TEXT")
        let said = JournalEntry.runResumed(by: Self.actor, toolVersion: "1", epoch: 2, reason: "the disk is mounted")
        #expect(Timeline.text(said)?.hasSuffix(", because: the disk is mounted") == true)
    }

    @Test func theRecordOfAStartComesBeforeTheCommand() throws {
        let entries = Self.upTo("open") + [.stepStarted(step: "open", attempt: 1)]
        var machine = try Self.machine(entries)
        let directive = machine.next()
        #expect(directive?.record == .commandStarted(step: "open", attempt: 1, index: 0, key: "open~1~0"))
        #expect(directive?.effect == .run(step: "open", attempt: 1, index: 0, key: "open~1~0"))
    }

    @Test func requirementsAreAskedAgainInEveryProcessBeforeAnythingIsSent() throws {
        let begun =
            Self.upTo("promote-db") + [
                .driftChecked(before: "promote-db", drift: []), .stepStarted(step: "promote-db", attempt: 1),
            ]
        var machine = try Self.machine(begun)
        guard case .checkRequirements("promote-db", 1, let all)? = machine.next()?.effect else {
            Issue.record("no requirements")
            return
        }
        #expect(all.map(\.check.check) == ["site.fenced", "database.zero-loss"])
        // Once it was sent, the proof of no loss cannot be seen any more; the fence can.
        let sent = begun + [.commandStarted(step: "promote-db", attempt: 1, index: 2, key: "k"), Self.resumed]
        var again = try Self.machine(sent)
        guard case .checkRequirements("promote-db", 1, let rest)? = again.next()?.effect else {
            Issue.record("no requirements")
            return
        }
        #expect(rest.map(\.check.check) == ["site.fenced"])
        again.effectReturned("promote-db")
        again.advance(.checkRequirements(step: "promote-db", attempt: 1, requirements: rest))
        #expect(again.next() == Directive.attach("promote-db", 2))
    }

    @Test func whatMayStillRunIsFoundUnderItsKeyAndNotStartedAgain() throws {
        for doubt in [
            [JournalEntry.stepLeftInDoubt(step: "open", attempt: 1, reason: "stopped waiting")],
            [
                .commandFinished(
                    step: "open", attempt: 1, index: 0, outcome: .unreachable(text: "gone"), transcript: nil),
                .stepLeftInDoubt(step: "open", attempt: 1, reason: "gone"),
            ],
        ] {
            let entries =
                Self.upTo("open") + [
                    .stepStarted(step: "open", attempt: 1),
                    .commandStarted(step: "open", attempt: 1, index: 0, key: "open~1~0"),
                ] + doubt + [.runHalted(reason: "x"), Self.resumed]
            var machine = try Self.machine(entries)
            #expect(machine.next() == Directive.attach("open", 0))
        }
    }

    @Test(arguments: [CommandOutcome.lost(text: "rebooted"), .timedOut(afterSeconds: 5)])
    func whatIsOverWithoutAnEndIsLookedUp(outcome: CommandOutcome) throws {
        let entries =
            Self.upTo("open") + [
                .stepStarted(step: "open", attempt: 1),
                .commandStarted(step: "open", attempt: 1, index: 0, key: "open~1~0"),
                .commandFinished(step: "open", attempt: 1, index: 0, outcome: outcome, transcript: nil),
                .stepLeftInDoubt(step: "open", attempt: 1, reason: "x"), .runHalted(reason: "x"), Self.resumed,
            ]
        var machine = try Self.machine(entries)
        #expect(machine.next()?.effect == .settle(step: "open", attempt: 1))
    }

    @Test func aFailedStepIsTriedAgainOnlyAfterAResume() throws {
        let failed =
            Self.upTo("open") + [
                .stepStarted(step: "open", attempt: 1),
                .stepFailed(step: "open", attempt: 1, reason: "x", findings: []),
            ]
        var machine = try Self.machine(failed)
        #expect(machine.next()?.record == .runHalted(reason: "open failed: x"))
        var resumed = try Self.machine(failed + [.runHalted(reason: "x"), Self.resumed])
        #expect(resumed.next()?.record == .stepStarted(step: "open", attempt: 2))
    }

    @Test func aSecondReconfigureFollowsOnlyAPromotionThatSaidNotOK() throws {
        let before =
            Self.upTo("promote-geo") + [
                .driftChecked(before: "block", drift: []),
                .stepStarted(step: "promote-geo", attempt: 1),
                .commandStarted(step: "promote-geo", attempt: 1, index: 2, key: "k"),
            ]
        var quiet = try Self.machine(before + [Self.exited("promote-geo", 2, 0)])
        guard case .commandSkipped("promote-geo", 1, 3, _)? = quiet.next()?.record else {
            Issue.record("not skipped")
            return
        }
        var loud = try Self.machine(before + [Self.exited("promote-geo", 2, 0, saysNotOK: true)])
        #expect(
            loud.next()?.record == .commandStarted(step: "promote-geo", attempt: 1, index: 3, key: "promote-geo~1~3"))
        // Its exit status is honest, and counts.
        let failed =
            before + [
                Self.exited("promote-geo", 2, 0, saysNotOK: true),
                .commandStarted(step: "promote-geo", attempt: 1, index: 3, key: "l"), Self.exited("promote-geo", 3, 1),
            ]
        var stopped = try Self.machine(failed)
        guard case .stepFailed("promote-geo", 1, let reason, _)? = stopped.next()?.record else {
            Issue.record("not failed")
            return
        }
        #expect(reason.contains("exited with 1"))
    }

    /// A Sidekiq node that was never promoted looks as one that was.
    @Test(arguments: [1, 3], [false, true])
    func aPromotionThatDoesNotExitWithZeroIsNone(status: Int, saysNotOK: Bool) throws {
        var machine = try Self.machine(
            Self.upTo("promote-geo") + [
                .driftChecked(before: "block", drift: []),
                .stepStarted(step: "promote-geo", attempt: 1),
                .commandStarted(step: "promote-geo", attempt: 1, index: 2, key: "k"),
                Self.exited("promote-geo", 2, status, saysNotOK: saysNotOK),
            ])
        guard case .stepFailed("promote-geo", 1, let reason, _)? = machine.next()?.record else {
            Issue.record("not failed")
            return
        }
        #expect(reason.contains("geo promote --force on") && reason.contains("exited with \(status)"), "\(reason)")
        #expect(!machine.state.ranThrough.contains("promote-geo"))
    }

    @Test func noMoreStepsOfAGroupRunAtOnceThanItAllows() throws {
        var machine = try Self.machine(Self.upTo("fence@tokyo-rails-1") + [.driftChecked(before: "block", drift: [])])
        var running = 0
        while let directive = machine.next() {
            guard let record = directive.record, case .stepStarted(let step, _) = record else { continue }
            running += 1
            try machine.apply(record, at: Fixtures.moment())
            machine.effectReturned(step)
            if running > 6 { break }
        }
        #expect(running == 2)
    }

    @Test func aProgramThatFailedIsNotTakenForDoneWhenTheToolDiedBeforeSayingSo() throws {
        for step in ["push", "move"] as [StepID] {
            let entries =
                Self.upTo(step) + [
                    .stepStarted(step: step, attempt: 1),
                    .commandStarted(step: step, attempt: 1, index: 0, key: "local"),
                    Self.exited(step, 0, 1), Self.resumed,
                ]
            var machine = try Self.machine(entries)
            guard case .stepFailed(step, 1, _, _)? = machine.next()?.record else {
                Issue.record("\(step) was not recorded as failed")
                return
            }
        }
    }

    @Test func aHookThatFailedRunsAgainOnResumeWhateverTheSiteAnswers() throws {
        let entries =
            Self.upTo("move") + [
                .stepStarted(step: "move", attempt: 1),
                .commandStarted(step: "move", attempt: 1, index: 0, key: "local"),
                .stepFailed(step: "move", attempt: 1, reason: "exited with 1", findings: []), .runHalted(reason: "x"),
                Self.resumed,
            ]
        var machine = try Self.machine(entries)
        #expect(machine.next()?.record == .stepStarted(step: "move", attempt: 2))
    }

    @Test func aStepThatActsWithoutHavingStartedIsAContradiction() {
        for entry in [
            JournalEntry.commandStarted(step: "open", attempt: 1, index: 0, key: "k"),
            .stepStarted(step: "nobody", attempt: 1),
            .stepSucceeded(step: "nobody", attempt: 1, how: .performed, findings: []),
            .answered(step: "confirm", attempt: 1, answer: "seoul", by: Self.actor, how: "typed"),
        ] {
            #expect(throws: JournalContradiction.self, "\(entry)") { try Self.machine([Self.started, entry]) }
        }
        #expect(throws: JournalContradiction.self) {
            try Self.machine([
                Self.started, .stepStarted(step: "open", attempt: 2),
                .commandStarted(step: "open", attempt: 1, index: 0, key: "k"),
            ])
        }
    }

    @Test func keysTellStepsAttemptsAndCommandsApartAndAreFileNames() {
        let key = ExecutionStateMachine.key(step: "fence@tokyo-pg-1", attempt: 2, index: 1)
        #expect(key == "fence_tokyo-pg-1~2~1")
        #expect(!key.contains("/"))
        #expect(!ExecutionStateMachine.key(step: "a/../b c", attempt: 1, index: 0).contains("/"))
    }
}

extension Directive {
    /// No new record: the command was started before.
    fileprivate static func attach(_ step: StepID, _ index: Int) -> Directive? {
        let entries =
            StateMachineTests.upTo(step) + [
                .driftChecked(before: step, drift: []), .stepStarted(step: step, attempt: 1),
                .commandStarted(step: step, attempt: 1, index: index, key: "k"),
            ]
        guard var machine = try? StateMachineTests.machine(entries) else { return nil }
        guard let first = machine.next() else { return nil }
        guard case .checkRequirements = first.effect else { return first }
        machine.effectReturned(step)
        machine.advance(first.effect)
        return machine.next()
    }
}

/// What a look at a step in doubt means.
@Suite struct SettlementTests {
    private static func finding(_ verdict: Verdict) -> [Finding] {
        [Finding(check: "x", subject: .deployment, verdict: verdict, summary: "x")]
    }

    private static func settle(_ step: StepID, _ findings: [Finding], ranThrough: Bool) throws -> JournalEntry {
        let step = try #require(PlanFixture.plan.step(step))
        return ExecutionStateMachine.settle(step, attempt: 3, findings: findings, ranThrough: ranThrough)
    }

    @Test(arguments: ["open", "stop-db", "fence@tokyo-pg-1", "block"] as [StepID])
    func aStateThatOnlyTheStepMakesProvesIt(step: StepID) throws {
        for verdict in [Verdict.pass, .warn] {
            guard
                case .stepSucceeded(step, 3, .recovered, _) = try Self.settle(
                    step, Self.finding(verdict), ranThrough: false)
            else {
                Issue.record("\(step), \(verdict)")
                return
            }
        }
    }

    @Test(arguments: ["promote-rails", "promote-db", "write"] as [StepID])
    func aStateThatWasThereBeforeProvesNothingUnlessTheCommandsRanThrough(step: StepID) throws {
        #expect(try Self.settle(step, Self.finding(.pass), ranThrough: false) == .stepStarted(step: step, attempt: 4))
        guard case .stepSucceeded = try Self.settle(step, Self.finding(.pass), ranThrough: true) else {
            Issue.record("\(step)")
            return
        }
    }

    @Test func whatCannotBeSeenIsNeverDoneAndNeverRepeated() throws {
        for findings in [Self.finding(.unknown), []] {
            guard case .stepFailed = try Self.settle("open", findings, ranThrough: true) else {
                Issue.record("\(findings)")
                return
            }
        }
    }

    @Test func whatDidNotTakeEffectIsRunAgainWhereThatIsSafe() throws {
        #expect(
            try Self.settle("open", Self.finding(.fail), ranThrough: true) == .stepStarted(step: "open", attempt: 4))
        var step = try #require(PlanFixture.plan.step("open"))
        step.repeatability = .once(because: "x")
        guard
            case .stepFailed = ExecutionStateMachine.settle(
                step, attempt: 3, findings: Self.finding(.fail), ranThrough: true)
        else {
            Issue.record("repeated")
            return
        }
    }
}
