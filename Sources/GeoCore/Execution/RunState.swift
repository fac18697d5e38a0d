/// Where a run stands, rebuilt from its journal alone. ``apply(_:)`` is the only way it changes, live or on replay.
package struct RunState: Sendable, Hashable {
    package enum Progress: Sendable, Hashable {
        /// -> running
        case pending
        /// -> running (next command), succeeded, failed, inDoubt
        case running(Running)
        /// The run stopped, or stopped waiting, before its outcome was known. -> running (again), succeeded, failed, skipped
        case inDoubt(attempt: Int, reason: String)
        /// -> running (next attempt), succeeded (its verification passed later), skipped
        case failed(attempt: Int, reason: String)
        case succeeded(attempt: Int, how: JournalEntry.Success)
        /// Given up by a person, or passed before its record was lost, with a reason; what comes after it may go on.
        case skipped(attempt: Int, reason: String)
    }

    package enum Phase: Sendable, Hashable {
        case ready, running
        case halted(reason: String)
        case finished
        case abandoned(undoneBy: RunID)
    }

    /// A node that was given up and answered again.
    package struct Return: Sendable, Hashable {
        package var attempt: Int
        package var at: Timestamp
        /// Of its fence, after it was fenced; empty until then.
        package var findings: [Finding] = []
        package var isFenced: Bool { !findings.isEmpty && findings.worst <= .warn }
    }

    package struct Times: Sendable, Hashable {
        package var startedAt: Timestamp
        package var endedAt: Timestamp?
    }

    package let plan: Plan
    package private(set) var phase: Phase = .ready
    package private(set) var progress: [StepID: Progress]
    package private(set) var times: [StepID: Times] = [:]
    package private(set) var findings: [StepID: [Finding]] = [:]
    package private(set) var startedAt: Timestamp?
    package private(set) var endedAt: Timestamp?
    /// Who sits at the run: started or resumed it last.
    package private(set) var actor: Actor?
    package private(set) var epoch = 0
    /// The steps before which a fresh look was compared with the plan and nothing had drifted.
    package private(set) var driftFree: Set<StepID> = []
    /// Steps of which a command was started in any attempt.
    package private(set) var acted: Set<StepID> = []
    /// Steps whose commands all came to their end in the last attempt: only the proof was missing.
    package private(set) var ranThrough: Set<StepID> = []
    /// Set when the primary died in the middle and was given up.
    package private(set) var givenUp: GivingUp?
    /// What was seen lost since the plan was made; `nil` while that is what the plan says.
    package private(set) var lossSeen: LossStatement?
    /// Words for nodes of the site to leave that do not answer: the plan's, and those given since.
    package private(set) var attestations: [Attestation]
    /// Nodes that answered again after that.
    package private(set) var returned: [NodeID: Return] = [:]
    /// Steps left in doubt whose attempt goes on when the run is resumed: what was started is found under its key.
    private var detached: [StepID: Running] = [:]

    package init(plan: Plan) {
        self.plan = plan
        self.attestations = plan.attestations
        self.progress = Dictionary(uniqueKeysWithValues: plan.steps.map { ($0.id, .pending) })
    }

    package func progress(of step: StepID) -> Progress { progress[step] ?? .pending }

    package func hasSucceeded(_ step: StepID) -> Bool {
        if case .succeeded = progress(of: step) { true } else { false }
    }

    /// Whether a step of the point of no return has sent anything to a node.
    package var isPastPointOfNoReturn: Bool {
        plan.steps.contains { $0.isIrreversible && (acted.contains($0.id) || hasSucceeded($0.id)) }
    }

    /// Nodes of the site to leave that were given up: only a program or a person says that they can write nothing.
    ///
    /// Watched for as long as the run goes on, and longer: whichever answers again is fenced at once.
    package var unprovenNodes: [NodeID] {
        let isolated = plan.steps.compactMap { step -> NodeID? in
            guard case .isolation(let node, _) = step.operation, isOver(step.id) else { return nil }
            return node
        }
        var seen: Set<NodeID> = []
        return (attestations.map(\.node) + isolated).filter {
            seen.insert($0).inserted && returned[$0]?.isFenced != true
        }
    }

    /// Whether a step is over for this run: nothing will be tried again, and those after it may start.
    ///
    /// A failure that the plan lets pass counts: its step changes nothing that users notice.
    package func isOver(_ step: StepID) -> Bool {
        switch progress(of: step) {
        case .succeeded, .skipped: true
        case .failed: plan.step(step)?.onFailure == .continue
        case .pending, .running, .inDoubt: false
        }
    }

    /// Whether no process will go on with it.
    package var isOver: Bool {
        switch phase {
        case .finished, .abandoned: true
        case .ready, .running, .halted: false
        }
    }

    /// The command of a step that was recorded as started and not as finished: it may run on its node still.
    package func commandInDoubt(of step: StepID) -> (attempt: Int, index: Int)? {
        let running: Running? =
            if case .running(let now) = progress(of: step) { now } else { detached[step] }
        return running.flatMap { $0.isCommandStarted ? ($0.attempt, $0.command) : nil }
    }

    package var succeededCount: Int { plan.steps.count { hasSucceeded($0.id) } }

    package mutating func apply(_ entry: JournalEntry, at: Timestamp) throws(JournalContradiction) {
        switch entry {
        case .runStarted(_, let by, _, let epoch):
            self.epoch = epoch
            actor = by
            phase = .running
            startedAt = at
        case .runResumed(let by, _, let epoch, _):
            self.epoch = epoch
            actor = by
            phase = .running
            endedAt = nil
            // What was seen before the pause says nothing about now.
            driftFree = []
            for (step, running) in detached {
                progress[step] = .running(running)
                times[step]?.endedAt = nil
            }
            detached = [:]
        case .approved, .signed: break
        case .leaseTaken(let epoch, _, _, _): self.epoch = epoch
        case .driftChecked(let step, let drift):
            if drift.isEmpty { driftFree.insert(step) }
        case .stepStarted(let step, let attempt):
            try known(step)
            progress[step] = .running(Running(attempt: attempt))
            ranThrough.remove(step)
            if times[step] == nil { times[step] = Times(startedAt: at) }
        case .commandSkipped(let step, let attempt, let index, _):
            try update(step, attempt) { running in
                running.command = index + 1
            }
            noteWhetherRunThrough(step)
        case .commandStarted(let step, let attempt, let index, _):
            try update(step, attempt) { running in
                running.command = index
                running.isCommandStarted = true
            }
            acted.insert(step)
        case .commandFinished(let step, let attempt, let index, let outcome, let transcript):
            // Of a program on the operator's machine the exit status is all that is known.
            let mustBeZero = command(step, index).map { $0.exitStatus == .mustBeZero } ?? true
            try update(step, attempt) { running in
                running.finish(index, outcome, transcript?.summary, mustBeZero: mustBeZero)
            }
            noteWhetherRunThrough(step)
        case .commandCancelled(let step, _, _, _, _, _):
            guard commandInDoubt(of: step) != nil else {
                throw JournalContradiction(detail: "a command of \(step) was cancelled, and none of it was in doubt")
            }
        case .lossSeen(let loss): lossSeen = loss
        case .answered(let step, let attempt, _, _, _): try update(step, attempt) { $0.isAnswered = true }
        case .stepSucceeded(let step, let attempt, let how, let findings):
            try known(step)
            end(step, .succeeded(attempt: attempt, how: how), findings, at)
        case .stepFailed(let step, let attempt, let reason, let findings):
            try known(step)
            end(step, .failed(attempt: attempt, reason: reason), findings, at)
        case .stepLeftInDoubt(let step, let attempt, let reason):
            try known(step)
            if case .running(let running) = progress(of: step) { detached[step] = running.detached }
            end(step, .inDoubt(attempt: attempt, reason: reason), [], at)
        case .stepSkipped(let step, let attempt, let reason, _): try skip(step, attempt, reason, at)
        case .stepPassed(let step, let attempt, let reason):
            guard case .wait = plan.step(step)?.operation, !isOver(step) else {
                throw JournalContradiction(detail: "\(step) was passed, and is over or does more than wait")
            }
            detached[step] = nil
            end(step, .skipped(attempt: attempt, reason: reason), [], at)
        case .siteGivenUp(let by, let reason, let loss, let dropped):
            try giveUp(GivingUp(by: by, reason: reason, loss: loss, at: at), dropped, at)
        case .nodeAttested(let word): try attest(word, at)
        case .nodeReturned(let node, let attempt, _, _):
            returned[node] = Return(attempt: attempt, at: at)
        case .nodeFencedAgain(let node, _, let findings): returned[node]?.findings = findings
        case .runHalted(let reason):
            phase = .halted(reason: reason)
            endedAt = at
        case .runAbandoned(_, _, let undoneBy):
            phase = .abandoned(undoneBy: undoneBy)
            endedAt = at
        case .runFinished:
            phase = .finished
            endedAt = at
        }
    }

    private mutating func noteWhetherRunThrough(_ step: StepID) {
        guard case .running(let running) = progress(of: step), running.stopped == nil,
            case .commands(let commands, _, _)? = plan.step(step)?.operation, running.command >= commands.count
        else { return }
        ranThrough.insert(step)
    }

    private func command(_ step: StepID, _ index: Int) -> RemoteCommand? {
        guard case .commands(let commands, _, _)? = plan.step(step)?.operation, commands.indices.contains(index)
        else { return nil }
        return commands[index]
    }

    private func known(_ step: StepID) throws(JournalContradiction) {
        guard progress[step] != nil else { throw JournalContradiction(detail: "the plan has no step \(step)") }
    }

    private mutating func update(_ step: StepID, _ attempt: Int, _ change: (inout Running) -> Void)
        throws(JournalContradiction)
    {
        guard case .running(var running)? = progress[step], running.attempt == attempt else {
            throw JournalContradiction(detail: "step \(step), attempt \(attempt), acts without having been started")
        }
        change(&running)
        progress[step] = .running(running)
    }

    private mutating func skip(_ step: StepID, _ attempt: Int, _ reason: String, _ at: Timestamp)
        throws(JournalContradiction)
    {
        guard StepGraph.isSkippable(step, in: plan) else {
            throw JournalContradiction(detail: "\(step) was skipped, and its plan does not allow that")
        }
        switch progress(of: step) {
        case .failed, .inDoubt: break
        case .pending, .running, .succeeded, .skipped:
            throw JournalContradiction(detail: "\(step) was skipped and had neither failed nor been in doubt")
        }
        detached[step] = nil
        end(step, .skipped(attempt: attempt, reason: reason), findings[step] ?? [], at)
    }

    private mutating func giveUp(_ giving: GivingUp, _ dropped: [StepID], _ at: Timestamp)
        throws(JournalContradiction)
    {
        guard [.planned, .unplanned].contains(plan.scenario), !isPastPointOfNoReturn else {
            throw JournalContradiction(detail: "\(plan.from) was given up, and its plan does not allow that")
        }
        let all = Set(GivingUp.dropped(of: self, silent: Set(plan.inventory.site(plan.from)?.nodes.map(\.id) ?? [])))
        for step in dropped where !all.contains(step) {
            throw JournalContradiction(detail: "\(step) was dropped, and a lost primary is no reason for that")
        }
        givenUp = giving
        for step in dropped {
            detached[step] = nil
            end(step, .skipped(attempt: 0, reason: "\(plan.from) is lost: \(giving.reason)"), findings[step] ?? [], at)
        }
    }

    private mutating func attest(_ word: Attestation, _ at: Timestamp) throws(JournalContradiction) {
        guard scenario == .unplanned, plan.inventory.site(of: word.node)?.id == plan.from else {
            throw JournalContradiction(detail: "\(word.node) was vouched for, and its plan does not allow that")
        }
        attestations.append(word)
        for step in plan.steps where step.node == word.node && !hasSucceeded(step.id) {
            let attempt =
                switch progress(of: step.id) {
                case .failed(let attempt, _), .inDoubt(let attempt, _), .skipped(let attempt, _): attempt
                case .running(let running): running.attempt
                case .pending, .succeeded: 0
                }
            detached[step.id] = nil
            end(
                step.id, .skipped(attempt: attempt, reason: "\(word.by) says \"\(word.words)\""),
                findings[step.id] ?? [], at)
        }
    }

    private mutating func end(_ step: StepID, _ value: Progress, _ findings: [Finding], _ at: Timestamp) {
        progress[step] = value
        self.findings[step] = findings
        times[step, default: Times(startedAt: at)].endedAt = at
    }
}

/// A journal that cannot be the journal of this plan.
package struct JournalContradiction: Error, Sendable, Hashable, CustomStringConvertible {
    package var detail: String
    package init(detail: String) { self.detail = detail }
    package var description: String { "the journal contradicts the plan: \(detail)" }
}
