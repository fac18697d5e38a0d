/// A site that is given up: nodes of it may be silent, and each is fenced in the way it can be.
extension Expansion {
    /// The site to leave in an unplanned failover: nodes of it may be silent, and each is fenced in the way it can be.
    func isGivenUp(_ part: Part) -> Bool { request.runbook.scenario == .unplanned && part == .from }

    func isObserved(_ node: Node) -> Bool { request.observation[node.id].identity.value != nil }

    private func attestation(of node: Node) -> Attestation? { request.attestations.last { $0.node == node.id } }

    /// What stands in for a command on a node that cannot be reached.
    func instead(of node: Node) -> String {
        if let word = attestation(of: node) { return "\(word.by) says \"\(word.words)\"" }
        let names = request.inventory.fences(for: node).map(\.name)
        return names.isEmpty ? "nothing fences it" : "it is isolated by \(names.joined(separator: " or "))"
    }

    mutating func isolation(_ step: RunbookStep, _ action: Action, _ nodes: [Node], _ after: [StepID]) -> [Step] {
        let silent = nodes.filter { !isObserved($0) && attestation(of: $0) == nil }
        let open = silent.filter { request.inventory.fences(for: $0).isEmpty }
        if !open.isEmpty {
            let names = open.map(\.id.rawValue).joined(separator: ",")
            problems.append(
                "not proven to be fenced, and nobody vouches for it: "
                    + open.map { "\n    \(request.observation[$0.id].identity.reason ?? "\($0.id) was not observed")" }
                    .joined()
                    + "\n    Reach it, register a fence for it in the inventory, or have it switched off and say so:"
                    + "\n    --attest \(names)='what was done to it, and by whom'")
        }
        guard !silent.isEmpty else { return omit(step, "every node of \(request.from) answers, or is vouched for") }
        return silent.map { node in
            let programs = request.inventory.fences(for: node)
            var made = base(step, action, id: silent.count > 1 ? "\(step.id)@\(node.id)" : step.id.rawValue, after)
            made.title = step.title ?? action.summary
            made.subject = .node(id: node.id)
            made.operation = .isolation(node: node.id, programs: programs)
            made.until = verification(step, node: node)
            made.reversibility = ActionCommands.undo(step.action, on: node)
            return made
        }
    }

    /// A proof that needs a node which is silent would only be waited for in vain.
    func silentNodes(neededBy step: RunbookStep) -> [NodeID] {
        guard request.runbook.scenario == .unplanned, step.isOptional, let until = verification(step, node: nil),
            let check = CheckCatalog.check(until.check.check)
        else { return [] }
        let context = CheckContext(
            inventory: request.inventory, subject: until.check.subject, from: request.from, to: request.to)
        let asked = check.needs(context).probes.keys
        return (request.inventory.site(request.from)?.nodes ?? []).filter { asked.contains($0.id) && !isObserved($0) }
            .map(\.id)
    }

    /// In front of the question of an unplanned failover: whoever answers it has been told what it costs.
    var lossToAcknowledge: String {
        guard request.runbook.scenario == .unplanned else { return "" }
        let loss = LossStatement(
            inventory: request.inventory, from: request.from, to: request.to, observation: request.observation,
            lastKnown: request.lastKnown)
        return "This gives \(request.from) up. \(loss.sentence) "
    }
}
