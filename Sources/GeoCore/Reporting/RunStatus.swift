/// Where a run is, what is safe, and which command comes next. Works for every state; needs plan and journal only.
package struct RunStatus: Sendable, Hashable {
    package var run: RunID
    package var from: SiteID
    package var to: SiteID
    package var done: Int
    package var total: Int
    package var isPastPointOfNoReturn: Bool
    package var isFinished: Bool
    /// Steps that run, with when they started.
    package var running: [(step: StepID, since: Timestamp?)]
    /// Steps that failed or are in doubt, with why.
    package var troubled: [(step: StepID, reason: String)]
    package var haltReason: String?
    /// The command that is safe to give next.
    package var nextCommand: String

    package init(run: RunID, state: RunState) {
        let plan = state.plan
        self.run = run
        self.from = plan.from
        self.to = plan.to
        self.done = state.succeededCount
        self.total = plan.steps.count
        self.isPastPointOfNoReturn = state.isPastPointOfNoReturn
        self.isFinished = state.phase == .finished
        self.running = plan.steps.compactMap { step in
            guard case .running = state.progress(of: step.id) else { return nil }
            return (step.id, state.times[step.id]?.startedAt)
        }
        self.troubled = plan.steps.compactMap { step in
            switch state.progress(of: step.id) {
            case .failed(_, let reason), .inDoubt(_, let reason): (step.id, reason)
            case .pending, .running, .succeeded, .skipped: nil
            }
        }
        if case .halted(let reason) = state.phase { self.haltReason = reason }
        self.nextCommand =
            switch state.phase {
            case .finished: "geo-failover report \(run)"
            case .halted where state.acted.isEmpty:
                // Nothing was changed; what stopped it would stop it again.
                "geo-failover plan \(plan.runbookName) --from \(plan.from) --to \(plan.to)"
            case .ready, .running, .halted: "geo-failover resume \(run)"
            }
    }

    /// What is writable now, as far as the journal tells; observing is `check`'s business.
    package var writability: String {
        if isFinished { return "\(to) is the primary." }
        return isPastPointOfNoReturn
            ? "The point of no return is passed: \(from) stays fenced, \(to) is being promoted. Go forward."
            : "The point of no return is not passed: \(from) is still the primary and holds everything."
    }

    /// One sentence to paste into a chat.
    package var sentence: String {
        let place = "\(done) of \(total) steps done"
        if isFinished { return "Failover \(from) -> \(to) finished, \(place)." }
        if let haltReason { return "Failover \(from) -> \(to) halted, \(place): \(haltReason)." }
        return "Failover \(from) -> \(to) running, \(place)."
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.run == right.run && left.sentence == right.sentence && left.nextCommand == right.nextCommand
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(run)
        hasher.combine(sentence)
    }
}
