/// All facts of one look at the deployment.
package struct Observation: Sendable, Hashable, Codable {
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var nodes: [NodeID: NodeFacts]
    /// HTTP status of each asked site's `/-/readiness`, from the operator's machine.
    package var siteReadiness: [SiteID: Observed<Int>]

    package init(
        startedAt: Timestamp, endedAt: Timestamp, nodes: [NodeID: NodeFacts],
        siteReadiness: [SiteID: Observed<Int>] = [:]
    ) {
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.nodes = nodes
        self.siteReadiness = siteReadiness
    }

    package subscript(node: NodeID) -> NodeFacts {
        nodes[node] ?? .unreachable("was not visited")
    }
}

/// Which questions to ask which nodes; a visit to a node asks all its questions in one exec.
package struct ObservationScope: Sendable, Hashable {
    package var probes: [NodeID: Set<Probe>]
    package var siteURLs: Set<SiteID>

    package init(probes: [NodeID: Set<Probe>] = [:], siteURLs: Set<SiteID> = []) {
        self.probes = probes
        self.siteURLs = siteURLs
    }

    package mutating func formUnion(_ other: ObservationScope) {
        probes.merge(other.probes) { $0.union($1) }
        siteURLs.formUnion(other.siteURLs)
    }

    package mutating func ask(_ wanted: Set<Probe>, of nodes: [Node]) {
        for node in nodes {
            let applicable = wanted.filter { $0.applies(to: node) }
            if !applicable.isEmpty { probes[node.id, default: []].formUnion(applicable) }
        }
    }
}
