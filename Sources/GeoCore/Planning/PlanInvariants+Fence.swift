/// Promise 1 in plans: one writable site, whatever became of the other.
extension PlanInvariants {
    // MARK: Fence before promote

    static func fenceViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        let fenced = (plan.inventory.site(plan.from)?.nodes ?? []).filter(\.isManagedByOmnibus)
        let fences = plan.steps.filter {
            [.stopAndDisable, .isolateNode].contains($0.action) && $0.until?.check.check == "node.fenced"
                && $0.onFailure == .halt
        }
        let vouchedFor = Set(plan.attestations.map(\.node))
        let fencing = Dictionary(grouping: fences, by: \.node)
        let acting = plan.steps.filter { isOn(plan.from, $0, plan) }.map(\.id)
        let asking = plan.steps.filter { $0.action == .confirm }.map(\.id)
        let proving = plan.steps.filter { $0.until?.check.check == "database.zero-loss" }.map(\.id)
        // These promote nothing: what they must keep stands in their own rules.
        let irreversible = [.reseed, .dropSlots].contains(plan.scenario) ? [] : plan.steps.filter(\.isIrreversible)
        let ancestors = graph.ancestors(ofEach: irreversible.map(\.id))
        return irreversible.flatMap { step -> [InvariantViolation] in
            let before = ancestors[step.id] ?? []
            var found: [InvariantViolation] = []
            func broken(_ invariant: String, _ detail: String) {
                found.append(.init(invariant: invariant, step: step.id, detail: detail))
            }
            for node in fenced
            where !vouchedFor.contains(node.id) && fencing[node.id]?.contains(where: { before.contains($0.id) }) != true
            {
                broken("fence-before-promote", "\(node.id) of \(plan.from) would not be fenced before it")
            }
            if !asking.contains(where: before.contains) {
                broken("asked-before-promote", "nobody is asked before it")
            }
            if plan.scenario == .planned, !proving.contains(where: before.contains) {
                broken("zero-loss-before-promote", "nothing before it proves that no write is lost")
            }
            if let node = step.node.flatMap(plan.inventory.node), node.runs(.postgresql) || node.runs(.patroni),
                !step.requires.contains(where: { $0.check.check == "site.fenced" && $0.when == .always })
            {
                broken("fence-seen-again", "does not look at the fence again just before it acts")
            }
            // Whatever still acts on the former primary must be over by then.
            for other in acting where !before.contains(other) {
                broken("nothing-after-fence", "\(other) could act on \(plan.from) after it")
            }
            return found
        }
    }

    private static func isOn(_ site: SiteID, _ step: Step, _ plan: Plan) -> Bool {
        guard case .commands(_, let node, _) = step.operation else { return false }
        return plan.inventory.site(of: node)?.id == site
    }

    /// A node may be isolated by a program, or vouched for by a person, only while it cannot be reached: what answers is
    /// stopped, and seen to be stopped. And only a site that is lost is given up like this.
    static func givenUpViolations(of plan: Plan) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        func check(_ node: NodeID, _ step: StepID?, _ what: String) {
            if plan.scenario != .unplanned {
                found.append(
                    .init(
                        invariant: "given-up-only-when-lost", step: step,
                        detail: "\(node) is \(what) in a planned failover"))
            }
            if plan.inventory.site(of: node)?.id != plan.from {
                found.append(
                    .init(
                        invariant: "given-up-only-when-lost", step: step,
                        detail: "\(node) is \(what) and not of \(plan.from)"))
            }
            if plan.basis[node].identity.value != nil {
                found.append(
                    .init(
                        invariant: "given-up-only-when-lost", step: step,
                        detail: "\(node) is \(what) although it answers: it can be stopped, and seen to be stopped"))
            }
        }
        for word in plan.attestations { check(word.node, nil, "vouched for") }
        for step in plan.steps {
            guard case .isolation(let node, _) = step.operation else { continue }
            check(node, step.id, "isolated")
            if step.subject != .node(id: node) {
                found.append(
                    .init(
                        invariant: "right-place", step: step.id, detail: "says \(step.subject) and isolates \(node)"))
            }
        }
        return found
    }
}
