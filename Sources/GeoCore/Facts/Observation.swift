/// All facts of one look at the deployment.
package struct Observation: Sendable, Hashable, Codable {
    package var startedAt: Timestamp
    package var endedAt: Timestamp
    package var nodes: [NodeID: NodeFacts]
    /// HTTP status of each asked site's `/-/readiness`, from the operator's machine.
    package var siteReadiness: [SiteID: Observed<Int>]
    /// Addresses that the host of each asked site's URL stands for, by the operator's resolver.
    package var siteAddresses: [SiteID: Observed<[String]>]
    /// What DNS says of the host of each asked site's URL, by the operator's resolver.
    package var siteRecords: [SiteID: Observed<NameRecord>]
    /// The machine that the tool runs on.
    package var operatorMachine: Observed<OperatorFacts>
    /// What the inventory's fencing programs say of each asked node.
    package var isolation: [NodeID: Observed<Isolation>]

    package init(
        startedAt: Timestamp, endedAt: Timestamp, nodes: [NodeID: NodeFacts],
        siteReadiness: [SiteID: Observed<Int>] = [:], siteAddresses: [SiteID: Observed<[String]>] = [:],
        siteRecords: [SiteID: Observed<NameRecord>] = [:],
        operatorMachine: Observed<OperatorFacts> = .notAsked, isolation: [NodeID: Observed<Isolation>] = [:]
    ) {
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.nodes = nodes
        self.siteReadiness = siteReadiness
        self.siteAddresses = siteAddresses
        self.siteRecords = siteRecords
        self.operatorMachine = operatorMachine
        self.isolation = isolation
    }

    package subscript(node: NodeID) -> NodeFacts {
        nodes[node] ?? .unreachable("was not visited")
    }
}

/// What the inventory's fencing programs found when they looked at a node.
package enum Isolation: Sendable, Hashable, Codable {
    /// This program proved that the node can write nothing any more.
    case proven(by: String)
    /// All that could look say that it is not isolated.
    case open
}

/// Which questions to ask which nodes; a visit to a node asks all its questions in one exec.
package struct ObservationScope: Sendable, Hashable {
    package var probes: [NodeID: Set<Probe>]
    package var siteURLs: Set<SiteID>
    /// Sites whose URLs' hosts are looked up.
    package var siteNames: Set<SiteID>
    /// Sites whose URLs' hosts are looked up in DNS, for how long others may keep the answer.
    package var siteRecords: Set<SiteID>
    package var asksOperator: Bool
    /// Nodes of which the inventory's fencing programs are asked whether they are isolated.
    package var isolation: Set<NodeID>
    /// At which sites a node looks whose ``Probe/views`` is asked.
    package var watched: [NodeID: Set<SiteID>]
    /// Of which sites a node, whose ``Probe/views`` is asked, tries only what Geo needs: the databases and the URL.
    package var linked: [NodeID: Set<SiteID>]

    package init(
        probes: [NodeID: Set<Probe>] = [:], siteURLs: Set<SiteID> = [], siteNames: Set<SiteID> = [],
        siteRecords: Set<SiteID> = [], asksOperator: Bool = false, isolation: Set<NodeID> = [],
        watched: [NodeID: Set<SiteID>] = [:], linked: [NodeID: Set<SiteID>] = [:]
    ) {
        self.probes = probes
        self.siteURLs = siteURLs
        self.siteNames = siteNames
        self.siteRecords = siteRecords
        self.asksOperator = asksOperator
        self.isolation = isolation
        self.watched = watched
        self.linked = linked
    }

    package mutating func formUnion(_ other: ObservationScope) {
        probes.merge(other.probes) { $0.union($1) }
        siteURLs.formUnion(other.siteURLs)
        siteNames.formUnion(other.siteNames)
        siteRecords.formUnion(other.siteRecords)
        asksOperator = asksOperator || other.asksOperator
        isolation.formUnion(other.isolation)
        watched.merge(other.watched) { $0.union($1) }
        linked.merge(other.linked) { $0.union($1) }
    }

    package mutating func ask(_ wanted: Set<Probe>, of nodes: [Node]) {
        for node in nodes {
            let applicable = wanted.filter { $0.applies(to: node) }
            if !applicable.isEmpty { probes[node.id, default: []].formUnion(applicable) }
        }
    }
}
