/// A change of the URL is harmless as long as it is nothing else: on the primary's nodes only, each node before the tables.
extension PlanInvariants {
    private static let belonging: Set<ActionName> = [
        .setExternalURL, .reconfigure, .updatePrimaryURL, .wait, .confirm, .hook, .manual,
    ]

    static func urlViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        guard plan.scenario == .changeURL else {
            return plan.steps.filter { [.setExternalURL, .updatePrimaryURL].contains($0.action) }.map {
                .init(
                    invariant: "url-alone", step: $0.id,
                    detail: "changes a URL, which is a run of its own: with it a promotion could not tell its own site")
            }
        }
        var found = plan.steps.flatMap { misplaced($0, plan) }
        if let reason = SiteURL.whyNot(plan.inventory.site(plan.to)?.url ?? "") {
            found.append(.init(invariant: "url-is-one", detail: "the URL of \(plan.to) cannot be set: \(reason)"))
        }
        let edits = plan.steps.filter { $0.action == .setExternalURL }
        let applied = plan.steps.filter { $0.action == .reconfigure }
        let ancestors = graph.ancestors(ofEach: plan.steps.map(\.id))
        for step in plan.steps where step.action == .updatePrimaryURL {
            for edit in edits {
                let isApplied = applied.contains {
                    $0.node == edit.node && ancestors[$0.id]?.contains(edit.id) == true
                        && ancestors[step.id]?.contains($0.id) == true
                }
                if !isApplied {
                    found.append(
                        .init(
                            invariant: "nodes-before-tables", step: step.id,
                            detail: "does not wait until \(edit.subject) was edited and reconfigured"))
                }
            }
        }
        return found
    }

    private static func misplaced(_ step: Step, _ plan: Plan) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        if !belonging.contains(step.action) || step.isIrreversible {
            found.append(
                .init(
                    invariant: "url-only", step: step.id,
                    detail: "\(step.action.rawValue) does not belong in a change of the URL"))
        }
        if case .commands(_, let node, _) = step.operation, plan.inventory.site(of: node)?.id != plan.to {
            found.append(
                .init(
                    invariant: "never-the-other-site", step: step.id,
                    detail: "would act on \(node), which is not of \(plan.to)"))
        }
        return found
    }
}
