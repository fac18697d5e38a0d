/// How far a connection to one TCP port came, from one place.
package enum Sight: String, Sendable, Hashable, Codable, CaseIterable {
    /// The connection was made: a machine is there, and something listens.
    case answered
    /// The connection was refused: a machine (or a firewall that speaks for it) is there, and nothing listens.
    case refused
    /// Nothing came back within the limit.
    case silent
    /// The network said that there is no way to the machine, or that nobody has its address.
    case noRoute = "no-route"
    /// The name stands for no address there, so nothing was tried.
    case unresolved
    /// The place itself could not try: its own rules, or a lack of programs.
    case failed

    /// Whether a machine is there; `nil` when the place could not look at all. A machine that is not seen is not known
    /// to be off: from another place it may be seen.
    package var seesMachine: Bool? {
        switch self {
        case .answered, .refused: true
        case .silent, .noRoute: false
        case .unresolved, .failed: nil
        }
    }
}

/// What one node saw of nodes of other sites, on its own way through the network.
package struct PeerViews: Sendable, Hashable, Codable {
    /// One port of a watched node.
    package struct Port: Sendable, Hashable, Codable {
        package var port: Int
        /// `ssh`, or the component that listens there.
        package var service: String
        package var sight: Sight
        package init(port: Int, service: String, sight: Sight) {
            self.port = port
            self.service = service
            self.sight = sight
        }
    }

    /// By watched node, the SSH port first.
    package var nodes: [NodeID: [Port]]
    /// HTTP status of each watched site's `/-/readiness` as seen from this node; unknown with the reason for none.
    package var readiness: [SiteID: Observed<Int>]
    /// Sites whose URL could be tried and did not answer, sorted; of others without a status nothing is known.
    package var silentSites: [SiteID]

    package init(
        nodes: [NodeID: [Port]] = [:], readiness: [SiteID: Observed<Int>] = [:], silentSites: [SiteID] = []
    ) {
        self.nodes = nodes
        self.readiness = readiness
        self.silentSites = silentSites
    }

    /// Whether any port of a node showed that a machine is there; `nil` when none could be tried.
    package func seesMachine(_ node: NodeID) -> Bool? {
        let seen = (nodes[node] ?? []).compactMap(\.sight.seesMachine)
        return seen.isEmpty ? nil : seen.contains(true)
    }
}
