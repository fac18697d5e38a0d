/// What the runs of one machine amount to: what they left without a proof of its fence, and the failovers they finished.
package struct RunHistory: Sendable {
    package private(set) var unproven: [UnprovenNode] = []
    /// The newest first.
    package private(set) var failovers: [FinishedFailover] = []
    /// When the last run of any kind finished.
    package private(set) var lastFinishedAt: Timestamp?
    /// Sites that a later run brought into service or seeded anew.
    private var renewed: Set<Place> = []

    private struct Place: Hashable {
        var deployment: String
        var site: SiteID
    }

    package init() {}

    /// Adds a run; the newest has to come first.
    package mutating func add(_ run: RunID, _ state: RunState) {
        let plan = state.plan
        let deployment = plan.inventory.deployment
        if state.phase == .finished, let at = state.endedAt {
            lastFinishedAt = lastFinishedAt ?? at
            // A way back brings nobody forward, whichever run it undoes.
            if plan.runbookName != AbortPlanner.name { renewed.insert(Place(deployment: deployment, site: plan.to)) }
            if [.planned, .unplanned].contains(state.scenario) {
                failovers.append(
                    FinishedFailover(deployment: deployment, run: run, from: plan.from, to: plan.to, at: at))
            }
        }
        guard state.phase == .finished || state.isPastPointOfNoReturn,
            !renewed.contains(Place(deployment: deployment, site: plan.from))
        else { return }
        unproven += zip(state.unprovenNodes, RunStatus(run: run, state: state).unproven).map { node, text in
            UnprovenNode(deployment: deployment, run: run, node: node, text: text)
        }
    }

    /// Of a run that cannot be read nobody knows what it left.
    package mutating func add(unreadable run: RunID, because reason: String) {
        unproven.append(
            UnprovenNode(deployment: nil, run: run, node: nil, text: "its record cannot be read: \(reason)"))
    }
}
