/// Who waits for whom. Built once, asked often.
package struct StepGraph: Sendable {
    private let after: [StepID: [StepID]]
    private let order: [StepID]

    package init(_ steps: [Step]) {
        self.after = Dictionary(steps.map { ($0.id, $0.after) }, uniquingKeysWith: { first, _ in first })
        self.order = steps.map(\.id)
    }

    /// Everything that has succeeded when this step may start. Linear in the edges above it.
    package func ancestors(of step: StepID) -> Set<StepID> {
        var found: Set<StepID> = []
        var open = after[step] ?? []
        while let next = open.popLast() {
            if found.insert(next).inserted { open += after[next] ?? [] }
        }
        return found
    }

    /// The ancestors of each of these steps. Steps of one tier wait for the same steps and share one answer, so that a
    /// tier of hundreds costs no more than one step.
    package func ancestors(ofEach steps: [StepID]) -> [StepID: Set<StepID>] {
        var shared: [[StepID]: Set<StepID>] = [:]
        var found: [StepID: Set<StepID>] = [:]
        for step in steps {
            let key = after[step] ?? []
            let answer = shared[key] ?? ancestors(of: step)
            shared[key] = answer
            found[step] = answer
        }
        return found
    }

    /// Whether a person may go on without the step after it failed.
    ///
    /// Never without a fence, a question, a proof, or anything that a step of the point of no return waits for and that
    /// keeps data safe: before that point only a command that users do not notice, such as pausing cron jobs, may be
    /// missing; after it everything but promotion itself, since data is as safe then as it gets.
    package static func isSkippable(_ id: StepID, in plan: Plan) -> Bool {
        guard let step = plan.step(id), !step.isIrreversible, step.action != .stopAndDisable else { return false }
        if let check = step.until.flatMap({ CheckCatalog.check($0.check.check) }), check.isInvariant { return false }
        if case .confirmation = step.operation { return false }
        let graph = StepGraph(plan.steps)
        let isBeforeThePoint = plan.steps.contains { $0.isIrreversible && graph.ancestors(of: $0.id).contains(id) }
        return !isBeforeThePoint || step.changesSomething && step.blastRadius.effect == .none
    }

    /// A step that waits for itself; `nil` for a graph that can be run.
    package var stepInCycle: StepID? {
        var remaining = after
        var isProgressing = true
        while isProgressing {
            isProgressing = false
            for (step, dependencies) in remaining where !dependencies.contains(where: { remaining[$0] != nil }) {
                remaining[step] = nil
                isProgressing = true
            }
        }
        return order.first { remaining[$0] != nil }
    }

    /// When each step would start and end, and the chain that makes the whole as long as it is.
    ///
    /// - Returns: seconds of the longest chain, and its steps from first to last; groups limited by `atOnce` count as
    ///   many rounds as they need.
    package static func criticalPath(of plan: Plan) -> (seconds: Int, steps: [StepID]) {
        var ends: [StepID: (seconds: Int, through: StepID?)] = [:]
        let groups = Dictionary(grouping: plan.steps, by: \.group)
        for step in plan.steps {
            let members = groups[step.group] ?? []
            let position = members.firstIndex { $0.id == step.id } ?? 0
            let rounds = position / max(1, step.atOnce ?? members.count)
            let slowest = step.after.max { (ends[$0]?.seconds ?? 0) < (ends[$1]?.seconds ?? 0) }
            let start = slowest.flatMap { ends[$0]?.seconds } ?? 0
            ends[step.id] = (start + (rounds + 1) * step.expectedSeconds, slowest)
        }
        guard var last = ends.max(by: { $0.value.seconds < $1.value.seconds }) else { return (0, []) }
        let total = last.value.seconds
        var path = [last.key]
        while let through = last.value.through, let value = ends[through] {
            path.append(through)
            last = (through, value)
        }
        return (total, path.reversed())
    }

    /// How long users are expected to be without service: the part of the critical path from the first step that takes
    /// it away to the last that promotes a node; `nil` for a plan without an outage.
    package static func outageSeconds(of plan: Plan) -> Int? {
        let path = criticalPath(of: plan).steps.compactMap(plan.step)
        guard let first = path.firstIndex(where: { $0.blastRadius.effect == .outage }),
            let last = path.lastIndex(where: { $0.action == .promoteNode })
        else { return nil }
        return path[first...max(first, last)].map(\.expectedSeconds).reduce(0, +)
    }
}
