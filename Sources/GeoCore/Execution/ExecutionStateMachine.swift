/// What to write down, and then what to do. Never the other way round: there is no way to get the effect alone.
package struct Directive: Sendable, Hashable {
    package let step: StepID?
    package let record: JournalEntry?
    package let effect: Effect
}

/// What the executor does in the world. What it learns comes back as journal entries, or as ``Advance``.
package enum Effect: Sendable, Hashable {
    /// Nothing: the record was all.
    case none
    /// Observe anew and compare with the plan's basis.
    case checkDrift(step: StepID, moment: DriftMoment)
    /// Evaluate what must hold before the step, on a fresh look.
    case checkRequirements(step: StepID, attempt: Int, requirements: [Requirement])
    /// Look whether a conditional command is needed.
    case decide(step: StepID, attempt: Int, index: Int, condition: RemoteCommand.Condition)
    /// Start the command under its key, or re-attach to it if the key is known on the node; then wait for its end.
    case run(step: StepID, attempt: Int, index: Int, key: String)
    /// Run a program on the operator's machine.
    case runLocally(step: StepID, attempt: Int)
    case ask(step: StepID, attempt: Int)
    /// Ask whether to go on without a step that failed.
    case askWhetherToSkip(step: StepID, attempt: Int, reason: String)
    /// Poll the step's verification until it holds or its time is over.
    case verify(step: StepID, attempt: Int)
    /// Look once at the verification of a step that failed or is in doubt.
    case settle(step: StepID, attempt: Int)
    case halt(reason: String)
    case finish
}

package enum DriftMoment: String, Sendable, Hashable { case firstChange, pointOfNoReturn }

/// Decides what comes next. A pure value: no clock, no I/O; the journal's entries are its only input, beside what is
/// in flight in this process and whether the operator asked to stop.
package struct ExecutionStateMachine: Sendable {
    package private(set) var state: RunState
    /// Steps with an effect that has not come back.
    package private(set) var inFlight: Set<StepID> = []
    /// Why nothing new may start; set by the operator's interrupt or by a failed step.
    package private(set) var stopping: String?
    /// Gates that were passed in this process. Not journaled: after a crash they are looked at again.
    private var passed: Set<Gate> = []
    /// Steps that had failed or were in doubt when the operator resumed the run. Only these are tried again.
    private var retriable: Set<StepID> = []

    /// Steps that failed in this process, of which the operator has to say whether the run goes on without them.
    private var asking: Set<StepID> = []

    private enum Gate: Hashable {
        case requirements(StepID, Int)
        case condition(StepID, Int, Int)
    }

    package init(state: RunState) { self.state = state }

    /// Applies a recorded entry.
    package mutating func apply(_ entry: JournalEntry, at: Timestamp) throws(JournalContradiction) {
        try state.apply(entry, at: at)
        if case .stepFailed(let step, _, let reason, _) = entry {
            retriable.remove(step)
            fail(step, reason)
        }
        if case .stepLeftInDoubt(let step, _, let reason) = entry {
            retriable.remove(step)
            stop("\(step) is in doubt: \(reason)")
        }
        if case .driftChecked(_, let drift) = entry, !drift.isEmpty {
            stop("what the plan was made from has changed")
        }
        if case .runResumed = entry {
            stopping = nil
            retriable = Set(state.plan.steps.map(\.id).filter(isUnsettled))
        }
    }

    /// Nothing new is started from now on; what is in flight goes on to its end.
    package mutating func stop(_ reason: String) {
        if stopping == nil { stopping = reason }
    }

    package mutating func effectReturned(_ step: StepID) { inFlight.remove(step) }

    /// An effect found nothing to record and the way free.
    package mutating func advance(_ effect: Effect) {
        switch effect {
        case .checkRequirements(let step, let attempt, _): passed.insert(.requirements(step, attempt))
        case .decide(let step, let attempt, let index, _): passed.insert(.condition(step, attempt, index))
        default: break
        }
    }

    /// The next thing to record and do; `nil` while everything waits for what is in flight, or when the run is over.
    package mutating func next() -> Directive? {
        guard state.phase == .running else { return nil }
        for step in state.plan.steps where !inFlight.contains(step.id) {
            if let directive = directive(for: step) {
                inFlight.insert(step.id)
                return directive
            }
        }
        guard inFlight.isEmpty else { return nil }
        if state.plan.steps.allSatisfy({ state.isOver($0.id) }) {
            return Directive(step: nil, record: .runFinished, effect: .finish)
        }
        let reason = stopping ?? "no step can start"
        return Directive(step: nil, record: .runHalted(reason: reason), effect: .halt(reason: reason))
    }

    private func isUnsettled(_ step: StepID) -> Bool {
        switch state.progress(of: step) {
        case .failed, .inDoubt: true
        case .pending, .running, .succeeded, .skipped: false
        }
    }

    private mutating func fail(_ step: StepID, _ reason: String) {
        guard let policy = state.plan.step(step)?.onFailure, policy != .continue else { return }
        if policy == .ask, stopping == nil {
            asking.insert(step)
            return
        }
        stop("\(step) failed: \(reason)")
    }

    private mutating func directive(for step: Step) -> Directive? {
        switch state.progress(of: step.id) {
        case .succeeded, .skipped: return nil
        case .pending: return start(step, attempt: 1)
        case .running(let running): return proceed(step, running)
        case .failed(let attempt, let reason) where asking.contains(step.id):
            asking.remove(step.id)
            return Directive(
                step: step.id, record: nil,
                effect: .askWhetherToSkip(step: step.id, attempt: attempt, reason: reason))
        case .failed(let attempt, _), .inDoubt(let attempt, _):
            guard stopping == nil, retriable.contains(step.id), dependenciesHold(step) else { return nil }
            // Nothing was sent to a node: there is nothing to look up, and every gate is passed anew.
            if step.until == nil || !step.runsOnNode || !state.acted.contains(step.id) {
                return start(step, attempt: attempt + 1)
            }
            return Directive(step: step.id, record: nil, effect: .settle(step: step.id, attempt: attempt))
        }
    }

    private func start(_ step: Step, attempt: Int) -> Directive? {
        guard stopping == nil, dependenciesHold(step), hasRoom(step) else { return nil }
        if let moment = driftCheckDue(step) {
            // Alone: a look at the deployment while a step is changing it would compare nothing with nothing.
            guard inFlight.isEmpty else { return nil }
            return Directive(step: step.id, record: nil, effect: .checkDrift(step: step.id, moment: moment))
        }
        return Directive(step: step.id, record: .stepStarted(step: step.id, attempt: attempt), effect: .none)
    }

    private func dependenciesHold(_ step: Step) -> Bool {
        step.after.allSatisfy(state.isOver)
    }

    private func hasRoom(_ step: Step) -> Bool {
        guard let limit = step.atOnce else { return true }
        let running = state.plan.steps.count { other in
            guard other.group == step.group, case .running = state.progress(of: other.id) else { return false }
            return true
        }
        return running < limit
    }

    /// Before the first change, before the point of no return, and before the first change after each resume until then.
    private func driftCheckDue(_ step: Step) -> DriftMoment? {
        let group = state.plan.steps.filter(\.isIrreversible)
        guard step.changesSomething, !group.contains(where: { state.acted.contains($0.id) }) else { return nil }
        if step.isIrreversible {
            return group.contains { state.driftFree.contains($0.id) } ? nil : .pointOfNoReturn
        }
        guard state.driftFree.isEmpty else { return nil }
        return state.acted.isEmpty ? .firstChange : .pointOfNoReturn
    }

    private func proceed(_ step: Step, _ running: RunState.Running) -> Directive? {
        let id = step.id
        let attempt = running.attempt
        if let outcome = running.stopped { return stopped(step, running, outcome) }
        if hasMoreToSend(step, running) {
            // Those who looked before the step started were another process: a key that is not on the node starts now.
            if let moment = driftCheckDue(step) {
                guard stopping == nil, inFlight.isEmpty else { return nil }
                return Directive(step: id, record: nil, effect: .checkDrift(step: id, moment: moment))
            }
            let requirements = due(step, running)
            if !requirements.isEmpty, !passed.contains(.requirements(id, attempt)) {
                return Directive(
                    step: id, record: nil,
                    effect: .checkRequirements(step: id, attempt: attempt, requirements: requirements))
            }
        }
        switch step.operation {
        case .commands(let commands, _, _):
            guard running.command < commands.count else { break }
            return nextCommand(step, running, commands[running.command])
        case .hook, .pushCanary, .isolation:
            guard running.command == 0 else { break }
            // Started by a process that is gone: a program on the operator's machine cannot be re-attached.
            if running.isCommandStarted { return lostLocally(step, attempt) }
            return Directive(
                step: id, record: .commandStarted(step: id, attempt: attempt, index: 0, key: "local"),
                effect: .runLocally(step: id, attempt: attempt))
        case .confirmation, .manual:
            guard !running.isAnswered else { break }
            return Directive(step: id, record: nil, effect: .ask(step: id, attempt: attempt))
        case .wait: break
        }
        if step.until == nil {
            return Directive(
                step: id,
                record: .stepSucceeded(step: id, attempt: attempt, how: .performed, findings: []), effect: .none)
        }
        return Directive(step: id, record: nil, effect: .verify(step: id, attempt: attempt))
    }

    private func hasMoreToSend(_ step: Step, _ running: RunState.Running) -> Bool {
        switch step.operation {
        case .commands(let commands, _, _): running.command < commands.count
        case .hook, .pushCanary, .isolation: running.command == 0
        case .confirmation, .manual, .wait: false
        }
    }

    /// Its verification is not asked: that the site is ready says nothing of what the program did.
    private func lostLocally(_ step: Step, _ attempt: Int) -> Directive {
        let record: JournalEntry
        switch step.repeatability {
        case .idempotent: record = .stepStarted(step: step.id, attempt: attempt + 1)
        case .once(let because):
            record = .stepFailed(
                step: step.id, attempt: attempt,
                reason: "its outcome was not recorded, and \(because); resume again to run it once more", findings: [])
        }
        return Directive(step: step.id, record: record, effect: .none)
    }

    private func due(_ step: Step, _ running: RunState.Running) -> [Requirement] {
        let asked = step.requires.filter { $0.check.check != "database.zero-loss" || state.needsZeroLoss }
        // Once a node is promoted they cannot hold any more: nothing is replayed.
        let isFirstPromotion = step.isIrreversible && !state.isPastPointOfNoReturn
        let gates = state.givenUp != nil && isFirstPromotion ? GivingUp.gates(of: state.plan) : []
        return (asked + gates).filter { requirement in
            switch requirement.when {
            case .always: true
            // What only made ready for it takes nothing away; whether an earlier attempt came further, nobody knows.
            case .untilStarted: !state.acted.contains(step.id) || running.attempt == 1 && !step.hasBegun(running)
            case .beforeStart: !step.hasBegun(running)
            }
        }
    }

    private func nextCommand(_ step: Step, _ running: RunState.Running, _ command: RemoteCommand) -> Directive {
        let (id, attempt, index) = (step.id, running.attempt, running.command)
        let key = Self.key(step: id, attempt: attempt, index: index)
        let run = Effect.run(step: id, attempt: attempt, index: index, key: key)
        // Started and not ended: the same key finds the job on the node, or starts it if it never began.
        if running.isCommandStarted { return Directive(step: id, record: nil, effect: run) }
        let isNeeded =
            switch command.condition {
            case .previousSaysNotOK: running.lastTranscript?.saysNotOK == true
            case .previousFailed: running.hasLastFailed
            case .always, .attributeFileIsStub, .clusterFileIsEmpty: true
            }
        guard isNeeded else {
            let because = "the command before it said nothing of a failure"
            return Directive(
                step: id, record: .commandSkipped(step: id, attempt: attempt, index: index, because: because),
                effect: .none)
        }
        if command.condition == .attributeFileIsStub || command.condition == .clusterFileIsEmpty,
            !passed.contains(.condition(id, attempt, index))
        {
            return Directive(
                step: id, record: nil,
                effect: .decide(step: id, attempt: attempt, index: index, condition: command.condition))
        }
        return Directive(
            step: id, record: .commandStarted(step: id, attempt: attempt, index: index, key: key), effect: run)
    }

    /// What a command that did not end as hoped means for its step.
    private func stopped(_ step: Step, _ running: RunState.Running, _ outcome: CommandOutcome) -> Directive {
        let attempt = running.attempt
        let record: JournalEntry
        switch outcome {
        case .exited(let status, _):
            record = .stepFailed(
                step: step.id, attempt: attempt, reason: Self.failure(of: step, running, status), findings: [])
        case .refused(let text):
            record = .stepFailed(
                step: step.id, attempt: attempt, reason: "the node refused the command: \(text)", findings: [])
        case .timedOut(let seconds):
            record = .stepLeftInDoubt(
                step: step.id, attempt: attempt, reason: "the command was stopped on the node after \(seconds) s")
        case .lost(let text), .unreachable(let text):
            record = .stepLeftInDoubt(step: step.id, attempt: attempt, reason: text)
        }
        return Directive(step: step.id, record: record, effect: .none)
    }

    /// Which command failed, why it was run, and the last of what it printed: enough to mend it without the transcript.
    private static func failure(of step: Step, _ running: RunState.Running, _ status: Int) -> String {
        var reason = "the command exited with \(status)"
        var transcript = running.lastTranscript
        if case .commands(let commands, let node, _) = step.operation,
            commands.indices.contains(running.command - 1)
        {
            let command = commands[running.command - 1]
            reason = "\(command.shownText) on \(node) exited with \(status)"
            if command.condition == .previousSaysNotOK {
                reason += ", after the command before it said NOT OK and exited with 0"
            }
            // It only looked whether that one had done its work nevertheless.
            if command.judgesTheOneBefore, running.command > 1, let failed = running.failedBefore {
                reason = "\(commands[running.command - 2].shownText) on \(node) exited with \(failed.status)"
                transcript = failed.transcript
            }
        }
        // The line that names the file or the error is rarely the very last.
        let lines = (transcript?.lastLines ?? []).suffix(6)
        return lines.isEmpty ? reason : reason + "; it printed: " + lines.joined(separator: " / ")
    }

    /// Names one start of one command; the node starts a key at most once.
    package static func key(step: StepID, attempt: Int, index: Int) -> String {
        "\(step.rawValue.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." ? String($0) : "_" }.joined())~\(attempt)~\(index)"
    }
}
