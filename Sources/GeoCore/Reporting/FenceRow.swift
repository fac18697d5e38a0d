/// One row of the fence ledger: whether a node of the site that was left can write nothing any more, and who says so.
package struct FenceRow: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Seen on the node, or by a program of the inventory.
        case proven
        /// A named person vouches for it.
        case vouched = "vouched-for"
        /// Not seen, or seen not to hold.
        case unproven
    }

    package var node: NodeID
    package var state: State
    /// What was seen last, or the person's words.
    package var summary: String
    /// Where it was seen from and when, each look for itself.
    package var evidence: [Evidence]
    /// The newest look; `nil` when nothing was seen.
    package var at: Timestamp?

    package init(node: NodeID, state: State, summary: String, evidence: [Evidence], at: Timestamp?) {
        self.node = node
        self.state = state
        self.summary = summary
        self.evidence = evidence
        self.at = at
    }

    /// In the inventory's order; of runs that leave no site, nothing.
    static func ledger(of state: RunState) -> [FenceRow] {
        let plan = state.plan
        guard [.planned, .unplanned].contains(plan.scenario), !state.acted.isEmpty else { return [] }
        let nodes = (plan.inventory.site(plan.from)?.nodes ?? []).filter(\.isManagedByOmnibus)
        let seen = state.findings.values.joined().filter { FenceChecks.all.map(\.id).contains($0.check) }
        return nodes.map { node in
            let own = seen.filter { $0.subject == .node(id: node.id) } + (state.returned[node.id]?.findings ?? [])
            let last = own.max { left, right in
                guard let later = right.newestLook else { return false }
                return left.newestLook.map { $0 < later } ?? true
            }
            if let last, last.verdict == .pass {
                return FenceRow(
                    node: node.id, state: .proven, summary: last.summary, evidence: last.evidence, at: last.newestLook)
            }
            if let word = state.attestations.last(where: { $0.node == node.id }) {
                return FenceRow(
                    node: node.id, state: .vouched, summary: "\(word.by) says \"\(word.words)\"",
                    evidence: last?.evidence ?? [], at: word.at)
            }
            return FenceRow(
                node: node.id, state: .unproven, summary: last?.summary ?? "its fence was not looked at",
                evidence: last?.evidence ?? [], at: last?.newestLook)
        }
    }
}

extension Finding {
    fileprivate var newestLook: Timestamp? { evidence.compactMap(\.at).max() }
}
