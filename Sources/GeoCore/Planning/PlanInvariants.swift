/// A promise that a plan would break, and by which step.
package struct InvariantViolation: Sendable, Hashable, CustomStringConvertible {
    package var invariant: String
    package var step: StepID?
    package var detail: String
    package var description: String {
        (step.map { "step \($0): " } ?? "") + detail + " (\(invariant))"
    }
}

/// What every plan must keep, whatever the runbook says (docs/INVARIANTS.md). The planner refuses to make a
/// plan that breaks one, and the executor refuses to run it.
package enum PlanInvariants {
    package static func violations(of plan: Plan) -> [InvariantViolation] {
        let shape = shapeViolations(of: plan)
        // Order can only be judged on a graph.
        guard shape.isEmpty else { return shape }
        let graph = StepGraph(plan.steps)
        return boundViolations(of: plan) + placeViolations(of: plan) + turnViolations(of: plan, graph)
            + fenceViolations(of: plan, graph) + givenUpViolations(of: plan)
            + urlViolations(of: plan, graph) + orderViolations(of: plan, graph) + abortViolations(of: plan)
            + drillViolations(of: plan) + reseedViolations(of: plan, graph) + slotViolations(of: plan, graph)
            + unsupportedViolations(of: plan)
    }

    // MARK: Shape

    private static func shapeViolations(of plan: Plan) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        var known: Set<StepID> = []
        if plan.from == plan.to {
            found.append(.init(invariant: "two-sites", detail: "a site cannot fail over to itself"))
        }
        for step in plan.steps {
            if !known.insert(step.id).inserted {
                found.append(.init(invariant: "unique-steps", step: step.id, detail: "the name is used twice"))
            }
        }
        for step in plan.steps {
            for dependency in step.after where !known.contains(dependency) {
                found.append(
                    .init(
                        invariant: "known-steps", step: step.id,
                        detail: "waits for \(dependency), which is not in the plan"))
            }
        }
        if found.isEmpty, let cyclic = StepGraph(plan.steps).stepInCycle {
            found.append(.init(invariant: "no-cycles", step: cyclic, detail: "waits for itself"))
        }
        return found
    }

    // MARK: Bounded

    private static func boundViolations(of plan: Plan) -> [InvariantViolation] {
        plan.steps.flatMap { step -> [InvariantViolation] in
            var found: [InvariantViolation] = []
            func broken(_ invariant: String, _ detail: String) {
                found.append(.init(invariant: invariant, step: step.id, detail: detail))
            }
            switch step.operation {
            case .commands(let commands, _, _):
                if commands.isEmpty { broken("says-what-runs", "has no command") }
                for command in commands where command.timeLimitSeconds <= 0 {
                    broken("bounded", "\(command.shownText) has no time limit")
                }
            case .isolation(_, let programs):
                if programs.isEmpty { broken("says-what-runs", "has no program") }
                for program in programs where program.timeLimitSeconds <= 0 || program.prove.isEmpty {
                    broken("bounded", "the fence \(program.name) has no time limit or no proof")
                }
            case .hook(_, let arguments, let limit):
                if arguments.isEmpty { broken("says-what-runs", "has no program") }
                if limit <= 0 { broken("bounded", "the program has no time limit") }
            case .pushCanary(_, let limit):
                if limit <= 0 { broken("bounded", "the push has no time limit") }
            case .wait, .manual:
                if step.until == nil { broken("verified", "waits for nothing that could be seen") }
            case .confirmation(_, let answer):
                // Before a database is replaced, with the name of its node.
                let isNode =
                    plan.scenario == .reseed && plan.inventory.site(of: NodeID(answer))?.id == plan.to
                if answer != plan.to.rawValue, !isNode, plan.scenario != .dropSlots {
                    broken("named-site", "is not answered with the site's name")
                }
            }
            switch step.operation {
            case .commands, .isolation:
                if step.until == nil { broken("verified", "changes a node and nothing proves that it did") }
            case .hook, .pushCanary, .wait, .manual, .confirmation: break
            }
            if let until = step.until {
                if until.withinSeconds <= 0 { broken("bounded", "its verification has no time limit") }
                if CheckCatalog.check(until.check.check) == nil {
                    broken("known-checks", "is verified by \(until.check.check), which does not exist")
                }
            }
            if step.onFailure == .continue, step.blastRadius.effect != .none {
                broken(
                    "failure-is-seen",
                    "may not `continue` after a failure: its blast radius is \(step.blastRadius.effect.rawValue)")
            }
            if step.onFailure == .ask, !StepGraph.isSkippable(step.id, in: plan) {
                broken("failure-is-seen", "may not `ask` after a failure: what comes after it stands on it")
            }
            return found
        }
    }

    // MARK: Right place

    private static func placeViolations(of plan: Plan) -> [InvariantViolation] {
        plan.steps.compactMap { step in
            guard case .commands(_, let node, let expected) = step.operation else { return nil }
            guard let site = plan.inventory.site(of: node), [plan.from, plan.to].contains(site.id) else {
                return .init(
                    invariant: "right-place", step: step.id,
                    detail: "\(node) belongs to neither \(plan.from) nor \(plan.to)")
            }
            if step.subject != .node(id: node) {
                return .init(
                    invariant: "right-place", step: step.id, detail: "says \(step.subject) and acts on \(node)")
            }
            if let other = otherSite(of: node, than: site, plan) {
                return .init(
                    invariant: "right-place", step: step.id,
                    detail: "\(node) says that it belongs to \(other), and the inventory has it in \(site.id):"
                        + " is its address another node's?")
            }
            if step.action == .promoteNode, site.id != plan.to {
                return .init(
                    invariant: "promote-only-the-candidate", step: step.id,
                    detail: "would promote \(node) of \(site.id)")
            }
            if plan.basis[node].identity.value != expected {
                return .init(
                    invariant: "promoted-only-if-observed", step: step.id,
                    detail: "expects an identity of \(node) that was not observed")
            }
            if let part = ActionCatalog.action(step.action).part(in: plan.scenario),
                site.id != (part == .from ? plan.from : plan.to)
            {
                return .init(
                    invariant: "right-place", step: step.id,
                    detail: "\(step.action.rawValue) does not belong on \(site.id)")
            }
            return nil
        }
    }

    /// The other site whose name the node bears, by its own gitlab.rb. Nobody can waive that (promise 6): its address may
    /// lead to a node of that site.
    private static func otherSite(of node: NodeID, than site: Site, _ plan: Plan) -> SiteID? {
        guard case .text(let name)? = plan.basis[node].configuration.value?.nodeName, name != site.geoNodeName else {
            return nil
        }
        return plan.inventory.sites.first { $0.geoNodeName == name }?.id
    }

    // MARK: One at a time

    /// Two commands side by side on one node would judge each other's work, and two reconfigures wait for one lock.
    private static func turnViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        let acting = plan.steps.filter { if case .commands = $0.operation { true } else { false } }
        let ancestors = graph.ancestors(ofEach: acting.map(\.id))
        return Dictionary(grouping: acting, by: \.node).values.flatMap { steps -> [InvariantViolation] in
            // In a chain every step has one more of these before it than the last; then each pair is in order.
            let ids = Set(steps.map(\.id))
            func turn(_ step: Step) -> Int { ancestors[step.id]?.count(where: ids.contains) ?? 0 }
            return steps.sorted { turn($0) < turn($1) }.enumerated().compactMap { position, step in
                guard turn(step) < position else { return nil }
                return .init(
                    invariant: "one-at-a-time", step: step.id,
                    detail: "could run on \(step.subject) beside another step; say which comes `after` which")
            }
        }
    }

    // MARK: Data nodes, one Rails node, the other Rails nodes

    private static func orderViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        let promotions = plan.steps.filter { $0.action == .promoteNode }
        guard !promotions.isEmpty else { return [] }
        func promoting(_ components: Component...) -> [StepID] {
            promotions.filter { step in
                guard let node = step.node.flatMap(plan.inventory.node) else { return false }
                return components.contains(where: node.runs)
            }.map(\.id)
        }
        var found: [InvariantViolation] = []
        let databases = promoting(.postgresql, .patroni)
        let data = promoting(.postgresql, .patroni, .gitaly, .praefect, .sidekiq)
        let rails = promoting(.rails)
        let ancestors = graph.ancestors(ofEach: promotions.map(\.id))
        for step in promotions.map(\.id) where !databases.contains(step) {
            let before = ancestors[step] ?? []
            for database in databases where !before.contains(database) {
                found.append(.init(invariant: "database-first", step: step, detail: "does not wait for \(database)"))
            }
        }
        let beforeRails = Dictionary(uniqueKeysWithValues: rails.map { ($0, ancestors[$0] ?? []) })
        for (step, before) in rails.map({ ($0, beforeRails[$0] ?? []) }) {
            for other in data where other != step && beforeRails[other] == nil && !before.contains(other) {
                found.append(.init(invariant: "data-before-rails", step: step, detail: "does not wait for \(other)"))
            }
        }
        let first = rails.filter { step in rails.allSatisfy { $0 == step || beforeRails[$0]?.contains(step) == true } }
        if !rails.isEmpty, first.count != 1 {
            found.append(
                .init(
                    invariant: "one-rails-node-first", step: rails[0],
                    detail: "no Rails node is promoted alone before the others"))
        }
        let promoted = Set(promotions.compactMap(\.node))
        for node in (plan.inventory.site(plan.to)?.nodes ?? []) where node.components.contains(where: \.isPromoted) {
            if !promoted.contains(node.id) {
                found.append(.init(invariant: "every-node-promoted", detail: "\(node.id) would be left a secondary"))
            }
        }
        return found
    }

    // MARK: The way back

    /// The former primary is started only on the way back, and only beside a candidate that is seen to be none, each time.
    private static func abortViolations(of plan: Plan) -> [InvariantViolation] {
        plan.steps.compactMap { step in
            guard plan.scenario == .abort else {
                guard step.action == .startAndEnable, step.node.flatMap(plan.inventory.site(of:))?.id == plan.from
                else {
                    return nil
                }
                return .init(
                    invariant: "stays-fenced", step: step.id, detail: "would start \(plan.from) in a failover from it")
            }
            if step.isIrreversible || [.stopApplication, .stopDatabase, .stopAndDisable].contains(step.action) {
                return .init(invariant: "abort-restores", step: step.id, detail: "does not belong on the way back")
            }
            guard case .commands(_, let node, _) = step.operation else { return nil }
            guard plan.inventory.site(of: node)?.id == plan.from,
                step.requires.contains(where: { $0.check.check == "candidate.not-promoted" && $0.when == .always })
            else {
                return .init(
                    invariant: "candidate-not-promoted", step: step.id,
                    detail: "does not look whether \(plan.to) is promoted just before it acts")
            }
            return nil
        }
    }

    // MARK: What this release cannot do

    private static func unsupportedViolations(of plan: Plan) -> [InvariantViolation] {
        unsupportedNodes(in: plan.inventory, from: plan.from, to: plan.to, plan.scenario)
    }

    /// What makes every plan for these sites impossible, whatever the runbook says.
    static func unsupportedNodes(
        in inventory: Inventory, from: SiteID, to: SiteID, _ scenario: Scenario
    ) -> [InvariantViolation] {
        // A standby cluster is seeded anew from whatever the primary runs; what a copy by `gitlab-ctl
        // replicate-geo-database` needs of a Patroni primary (a slot that Patroni keeps) nobody has tried.
        let allowsPatroni = scenario == .reseed && inventory.site(to)?.runsPatroni == true
        let nodes = [from, to].compactMap(inventory.site).flatMap(\.nodes)
        return nodes.filter { $0.runs(.patroni) && !allowsPatroni || $0.runs(.praefect) }.map {
            .init(
                invariant: "supported",
                detail:
                    "\($0.id) runs \($0.runs(.praefect) ? "Praefect" : "Patroni"): this release executes failovers of sites with a single PostgreSQL node and Gitaly only; `check` works"
            )
        }
    }
}
