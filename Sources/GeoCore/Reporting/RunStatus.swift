/// Where a run is, what is safe, and which command comes next. Works for every state; needs plan and journal only.
package struct RunStatus: Sendable, Hashable {
    package var run: RunID
    package var from: SiteID
    package var to: SiteID
    package var done: Int
    package var total: Int
    package var isPastPointOfNoReturn: Bool
    package var isFinished: Bool
    package var scenario: Scenario
    package var isDrill: Bool
    /// The run that undoes this one, which was given up.
    package var undoneBy: RunID?
    /// Steps that run, with when they started.
    package var running: [(step: StepID, since: Timestamp?)]
    /// Steps that failed or are in doubt, with why.
    package var troubled: [(step: StepID, reason: String)]
    /// Of nodes that were given up and not seen to be fenced since: why they are believed to write nothing.
    package var unproven: [String]
    /// Nodes of a lost site at which a step is in trouble, and which a fence of the inventory could isolate.
    package var nodesToIsolate: [Node]
    /// Until when nothing of the site that was left is to be given up; `nil` unless a failover finished.
    package var observedUntil: Timestamp?
    package var haltReason: String?
    /// Of a failback.
    package var stage: PlanStage?
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
        let troubled = Set(self.troubled.map(\.step))
        let nodes = Set(plan.steps.filter { troubled.contains($0.id) }.compactMap(\.node))
        self.nodesToIsolate =
            state.scenario != .unplanned || state.isPastPointOfNoReturn
            ? []
            : (plan.inventory.site(plan.from)?.nodes ?? []).filter {
                nodes.contains($0.id) && !plan.inventory.fences(for: $0).isEmpty
            }
        self.unproven = state.unprovenNodes.map { node in
            state.attestations.last { $0.node == node }.map { "\(node): \($0.by) says \"\($0.words)\"" }
                ?? "\(node): isolated by a fence of the inventory"
        }
        if state.phase == .finished, [.planned, .unplanned].contains(state.scenario) {
            self.observedUntil = state.endedAt?.adding(seconds: Double(FinishedFailover.observationSeconds))
        }
        if case .halted(let reason) = state.phase { self.haltReason = reason }
        self.scenario = state.scenario
        self.isDrill = plan.isDrill
        self.stage = plan.stage
        if case .abandoned(let other) = state.phase { self.undoneBy = other }
        self.nextCommand =
            switch state.phase {
            case .abandoned(let other): "geo-failover status \(other)"
            case .finished where !state.unprovenNodes.isEmpty: "geo-failover guard \(run)"
            case .finished: "geo-failover report \(run)"
            case .halted where state.acted.isEmpty:
                // Nothing was changed; what stopped it would stop it again.
                plan.planCommand
            case .ready, .running, .halted:
                "geo-failover resume \(run)" + (state.failedDeeds.isEmpty ? "" : " --reason TEXT")
            }
    }

    /// What is writable now, as far as the journal tells; observing is `check`'s business.
    package var writability: String {
        if scenario == .changeURL {
            return undoneBy.map { "It was aborted; \($0) gives \(to) its former URL back." }
                ?? "\(to) is the primary, whatever becomes of its URL."
        }
        if scenario == .dropSlots { return "\(from) is the primary, whatever becomes of its slots." }
        if scenario == .reseed {
            if let undoneBy { return "It was aborted; \(undoneBy) leaves \(to) as it was." }
            if isFinished { return "\(from) is the primary, and \(to) its secondary." }
            return isPastPointOfNoReturn
                ? "\(from) is the primary. The point of no return is passed: the database of \(to) is being replaced. Go forward."
                : "\(from) is the primary. The point of no return is not passed: \(to) has its own database still, and stays off."
        }
        if scenario == .abort {
            return isFinished
                ? "\(from) is the primary, as before."
                : "\(from) is being put back into service; \(to) stays a secondary."
        }
        if let undoneBy { return "It was aborted; \(undoneBy) puts \(from) back into service." }
        if isFinished {
            let wait = observedUntil.map {
                " Until \($0.toSeconds) UTC change nothing of \(from) that cannot be undone: what only it has may be missed."
            }
            return "\(to) is the primary." + (wait ?? "")
        }
        return isPastPointOfNoReturn
            ? "The point of no return is passed: \(from) stays fenced, \(to) is being promoted. Go forward."
            : scenario == .unplanned
                ? "The point of no return is not passed: \(to) is still a secondary, and what answers of \(from) is being stopped."
                : "The point of no return is not passed: \(from) is still the primary and holds everything."
    }

    /// Whether the site that was to be left can be put back into service.
    package var canGoBack: Bool { !isFinished && !isPastPointOfNoReturn && undoneBy == nil && scenario != .abort }

    /// What `abort` brings back.
    package var wayBack: String {
        switch scenario {
        case .changeURL: "gives \(to) its former URL again"
        case .reseed: "leaves \(to) as it was"
        case .dropSlots: "changes nothing"
        case .planned, .unplanned, .failback, .abort: "puts \(from) into service again"
        }
    }

    /// One sentence to paste into a chat.
    package var sentence: String {
        let place = "\(done) of \(total) steps done"
        let what =
            switch scenario {
            case .reseed: "Re-seed of \(to) from \(from)"
            case .planned, .unplanned, .failback: "\(isDrill ? "DRILL, failover" : "Failover") \(from) -> \(to)"
            case .dropSlots: "Dropping slots of \(from)"
            case .abort: "Abort of the failover \(from) -> \(to)"
            case .changeURL: "Change of the URL of \(to)"
            }
        if undoneBy != nil { return "\(what) was aborted, \(place)." }
        if isFinished { return "\(what) finished, \(place)." }
        if let haltReason { return "\(what) halted, \(place): \(haltReason)." }
        return "\(what) running, \(place)."
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.run == right.run && left.sentence == right.sentence && left.nextCommand == right.nextCommand
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(run)
        hasher.combine(sentence)
    }
}

extension RunState {
    /// Steps that did something to a node and failed: they are tried again only with a word about what was mended.
    package var failedDeeds: [StepID] {
        plan.steps.map(\.id).filter { step in
            guard case .failed = progress(of: step) else { return false }
            return acted.contains(step) && !isOver(step)
        }
    }
}
