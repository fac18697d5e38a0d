package import GeoCore

/// Runs a plan: takes the next directive, appends its record, performs its effect, appends what came of it.
///
/// There is one loop, and it is the only writer of the journal. Effects run side by side as child tasks and never
/// write anything themselves.
package struct Executor: Sendable {
    private let ports: ExecutionPorts
    private let journal: Journal
    private let interruption: Interruption

    package init(ports: ExecutionPorts, journal: Journal, interruption: Interruption) {
        self.ports = ports
        self.journal = journal
        self.interruption = interruption
    }

    /// Something that came back to the loop.
    private enum Arrival: Sendable {
        case effect(step: StepID, effect: Effect, result: EffectResult)
        case interruption(Interruption.Level)
        /// A node that was given up answers again; `nil` when the watch was cancelled.
        case contact(ReturnWatch.Contact?)
        case fencedAgain(node: NodeID, entry: JournalEntry)
    }

    private var watch: ReturnWatch { ReturnWatch(ports: ports, journal: journal) }

    /// Runs until the plan is done, halts, or is refused.
    ///
    /// - Throws: ``JournalError`` when a record cannot be written, ``JournalContradiction`` when the journal is not
    ///   this plan's, `CancellationError` when the task was cancelled. Nothing is started after that; commands that run
    ///   on nodes go on and are found by resume.
    package func run(_ start: ExecutionStateMachine) async throws -> RunOutcome {
        try await withThrowingTaskGroup(of: Arrival.self) { group in
            var loop = Loop(machine: start)
            group.addTask { .interruption(await interruption.next(above: .none)) }
            watchForReturns(&loop, in: &group)
            defer { group.cancelAll() }
            do {
                while loop.outcome == nil {
                    // Effects of a cancelled task come back at once and empty-handed: they would be begun for ever.
                    try Task.checkCancellation()
                    try await startEverythingReady(&loop, in: &group)
                    if loop.outcome != nil { break }
                    guard let arrival = try await group.next() else { break }
                    try await take(arrival, &loop, in: &group)
                }
            } catch {
                await interruption.release()
                throw error
            }
            await interruption.release()
            return loop.outcome ?? .halted(reason: "nothing was left to do")
        }
    }

    private struct Loop {
        var machine: ExecutionStateMachine
        var outcome: RunOutcome?
        /// Why the run will end otherwise than halted, once its halt is recorded.
        var verdict: RunOutcome?
        var hasStoppedWaiting = false
        /// Nodes that were given up and are watched, or being fenced.
        var watched: Set<NodeID> = []
    }

    /// Beside everything else, while a node is only said to be gone.
    private func watchForReturns(_ loop: inout Loop, in group: inout ThrowingTaskGroup<Arrival, any Error>) {
        let state = loop.machine.state
        for node in state.unprovenNodes where loop.watched.insert(node).inserted {
            group.addTask { .contact(await watch.next(node, state)) }
        }
    }

    private func startEverythingReady(_ loop: inout Loop, in group: inout ThrowingTaskGroup<Arrival, any Error>)
        async throws
    {
        while let directive = loop.machine.next() {
            if let record = directive.record { try await append(record, &loop) }
            switch directive.effect {
            case .none:
                if let step = directive.step { loop.machine.effectReturned(step) }
            case .finish:
                loop.outcome = .finished
                return
            case .halt(let reason):
                loop.outcome = loop.verdict ?? .halted(reason: reason)
                return
            default:
                guard let step = directive.step else { preconditionFailure("an effect on a node without a step") }
                let performer = EffectPerformer(
                    ports: ports, journal: journal, interruption: interruption, state: loop.machine.state)
                let effect = directive.effect
                group.addTask {
                    .effect(step: step, effect: effect, result: await performer.perform(effect))
                }
            }
        }
    }

    private func take(
        _ arrival: Arrival, _ loop: inout Loop, in group: inout ThrowingTaskGroup<Arrival, any Error>
    ) async throws {
        switch arrival {
        case .interruption(let level):
            loop.machine.stop(await interruption.reason)
            if level < .stopWaiting {
                group.addTask { .interruption(await interruption.next(above: level)) }
            } else if !loop.hasStoppedWaiting {
                loop.hasStoppedWaiting = true
                try await leaveInDoubt(&loop)
            }
        case .contact(let contact):
            guard let contact, !loop.hasStoppedWaiting else { return }
            try await append(contact.record, &loop)
            let state = loop.machine.state
            group.addTask { .fencedAgain(node: contact.id, entry: try await watch.fence(contact, state)) }
        case .fencedAgain(let node, let entry):
            loop.watched.remove(node)
            guard !loop.hasStoppedWaiting else { return }
            try await append(entry, &loop)
            watchForReturns(&loop, in: &group)
        case .effect(let step, let effect, let result):
            // After the second Ctrl-C the steps are in doubt; what still arrives is not waited for and not recorded.
            guard !loop.hasStoppedWaiting else { return }
            switch result {
            case .advance: loop.machine.advance(effect)
            case .entries(let entries):
                for entry in entries { try await append(entry, &loop) }
            case .verdict(let outcome, let entries):
                loop.verdict = outcome
                for entry in entries { try await append(entry, &loop) }
                loop.machine.stop(outcome.sentence)
            case .failed(let error): throw error
            }
            loop.machine.effectReturned(step)
            watchForReturns(&loop, in: &group)
        }
    }

    private func leaveInDoubt(_ loop: inout Loop) async throws {
        for step in loop.machine.inFlight.sorted() {
            if case .running(let running) = loop.machine.state.progress(of: step) {
                try await append(
                    .stepLeftInDoubt(
                        step: step, attempt: running.attempt, reason: "the operator stopped waiting for it"),
                    &loop)
            }
            loop.machine.effectReturned(step)
        }
        try await append(.runHalted(reason: "the operator stopped waiting"), &loop)
        loop.outcome = .halted(reason: "the operator stopped waiting")
    }

    private func append(_ entry: JournalEntry, _ loop: inout Loop) async throws {
        let record = try await journal.append(entry)
        try loop.machine.apply(entry, at: record.at)
        ports.announce(.recorded(record: record))
    }
}

/// What an effect brings back.
enum EffectResult: Sendable {
    /// Nothing to record: the way is free.
    case advance
    case entries([JournalEntry])
    /// The run ends with this, after the entries.
    case verdict(RunOutcome, [JournalEntry])
    /// The tool itself cannot go on.
    case failed(any Error)
}

extension RunOutcome {
    /// Why the run stops, for the journal.
    package var sentence: String {
        switch self {
        case .finished: "the run finished"
        case .halted(let reason): reason
        case .refused(let drift): "\(drift.count) facts that the plan stands on have changed"
        case .notReady(let findings):
            "\(findings.count) checks do not hold any more: \(findings.prefix(3).map { "\($0.check) of \($0.subject)" }.joined(separator: ", "))"
        case .declined(let step): "the operator declined at \(step)"
        }
    }
}
