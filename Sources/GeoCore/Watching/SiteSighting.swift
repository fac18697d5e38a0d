/// What each vantage point makes out of one site in one look: which nodes are within the operator's reach, and which are
/// alive although they are not. Pure; a fact that is too old is as good as none.
package struct SiteSighting: Sendable, Hashable, Codable {
    /// What one vantage point says of one node.
    package struct Report: Sendable, Hashable, Codable {
        package var vantage: VantagePoint
        /// Whether a machine is there; `nil` when this place could not look, or cannot tell.
        package var sees: Bool?
        /// A clause: `ssh answered, postgresql refused`.
        package var text: String
        package var at: Timestamp?
        package init(vantage: VantagePoint, sees: Bool?, text: String, at: Timestamp?) {
            self.vantage = vantage
            self.sees = sees
            self.text = text
            self.at = at
        }
    }

    package enum State: String, Sendable, Hashable, Codable {
        /// The operator gets onto it over SSH, so it can be fenced.
        case withinReach = "within-reach"
        /// Somebody sees that it is there, and the operator does not get onto it.
        case beyondReach = "beyond-reach"
        /// Neither the operator nor any other place that could look sees anything of it, and at least one other could.
        case silent
        /// Nobody but the operator could look.
        case notLooked = "not-looked"
    }

    package struct NodeSighting: Sendable, Hashable, Codable {
        package var node: NodeID
        package var state: State
        /// The operator first, then peers, then replicas.
        package var reports: [Report]

        /// Other places than the operator that see a machine.
        package var witnesses: [VantagePoint] { reports.filter { $0.sees == true }.map(\.vantage) }
        /// Peers that tried and saw nothing.
        package var blindPeers: [VantagePoint] {
            reports.filter { $0.sees == false && $0.vantage.kind == .peer }.map(\.vantage)
        }
    }

    package var site: SiteID
    package var nodes: [NodeSighting]
    /// HTTP status of the site's `/-/readiness` by vantage point; `nil` in `sees` when nobody answered or nobody asked.
    package var pages: [Report]

    package init(
        of site: Site, in inventory: Inventory, _ observation: Observation, factAgeSeconds: Int = 300
    ) {
        let reader = SightingReader(
            site: site, inventory: inventory, observation: observation, factAgeSeconds: Double(factAgeSeconds))
        self.site = site.id
        self.nodes = site.nodes.map(reader.sighting)
        self.pages = reader.pages()
    }

    package func nodes(_ state: State) -> [NodeSighting] { nodes.filter { $0.state == state } }
    package func node(_ id: NodeID) -> NodeSighting? { nodes.first { $0.node == id } }

    /// Vantage points other than the operator that see any node of the site.
    package var witnesses: [VantagePoint] {
        var found: [VantagePoint] = []
        for witness in nodes.flatMap(\.witnesses) where witness != .operatorMachine && !found.contains(witness) {
            found.append(witness)
        }
        return found
    }
}

/// What a standby says of the primary that it streams from.
package struct Hearing: Sendable, Hashable {
    /// A message that is older is no sign of life: a busy primary sends several a second, an idle one every 30 s
    /// (`wal_sender_timeout` / 2). Silence is no sign of death either before ``deafAfterSeconds``.
    package static let liveSeconds = 3.0
    /// `wal_receiver_timeout`: by then the receiver itself would have given up.
    package static let deafAfterSeconds = 60.0

    package var hears: Bool?
    package var text: String

    package init(_ standby: DatabaseFacts.Standby) {
        guard let receiver = standby.receiver else {
            self.hears = false
            self.text = "no WAL receiver runs"
            return
        }
        guard receiver.status == "streaming" else {
            self.hears = false
            self.text = "its WAL receiver is \"\(receiver.status)\""
            return
        }
        guard let silence = receiver.secondsSinceMessage else {
            self.hears = nil
            self.text = "its WAL receiver does not say when it last heard"
            return
        }
        self.hears = silence <= Self.liveSeconds ? true : silence > Self.deafAfterSeconds ? false : nil
        self.text = "it last heard \(Quantity.seconds(silence)) ago"
    }
}

private struct SightingReader {
    var site: Site
    var inventory: Inventory
    var observation: Observation
    var factAgeSeconds: Double
    let vantagePoints: [Node]

    init(site: Site, inventory: Inventory, observation: Observation, factAgeSeconds: Double) {
        self.site = site
        self.inventory = inventory
        self.observation = observation
        self.factAgeSeconds = factAgeSeconds
        self.vantagePoints = inventory.vantagePoints(at: site.id)
    }

    /// One name for both sites, or a name that was moved to the other one already: its page says nothing of this site.
    private var leadsElsewhere: Bool {
        let host = URLHost.of(site.url)
        let addresses = observation.siteAddresses[site.id]?.value ?? []
        return inventory.sites.contains { other in
            other.id != site.id
                && (URLHost.of(other.url) == host || other.nodes.contains { addresses.contains($0.access.address) })
        }
    }

    /// The value of a fact that is young enough, or why it does not count.
    private func fresh<Value>(_ fact: Observed<Value>) -> Observed<Value> {
        guard let at = fact.at else { return fact }
        let age = observation.endedAt.seconds(since: at)
        if age > factAgeSeconds || age < -1 { return .unknown(reason: "was seen \(Quantity.seconds(age)) ago") }
        return fact
    }

    func sighting(of node: Node) -> SiteSighting.NodeSighting {
        let facts = observation[node.id]
        let connection = fresh(facts.connection)
        let own = operatorReport(facts, connection)
        let others = peers(of: node) + replicas(of: node)
        let state: SiteSighting.State =
            if connection.value != nil {
                .withinReach
            } else if own.sees == true || others.contains(where: { $0.sees == true }) {
                .beyondReach
            } else if others.contains(where: { $0.sees == false && $0.vantage.kind == .peer }) {
                .silent
            } else {
                .notLooked
            }
        return SiteSighting.NodeSighting(node: node.id, state: state, reports: [own] + others)
    }

    private func operatorReport(_ facts: NodeFacts, _ connection: Observed<Int>) -> SiteSighting.Report {
        if case .known(let milliseconds, let at, _) = connection {
            return .init(vantage: .operatorMachine, sees: true, text: "visited within \(milliseconds) ms", at: at)
        }
        let reason = connection.reason ?? "not asked"
        guard case .known(let contact, let at, _) = fresh(facts.contact) else {
            return .init(vantage: .operatorMachine, sees: nil, text: "not visited: \(reason)", at: nil)
        }
        return .init(
            vantage: .operatorMachine, sees: contact.seesMachine, text: "not visited, ssh \(contact.word): \(reason)",
            at: at)
    }

    private func peers(of node: Node) -> [SiteSighting.Report] {
        vantagePoints.map { peer in
            let vantage = VantagePoint.peer(id: peer.id)
            switch fresh(observation[peer.id].views) {
            case .unknown(let reason):
                return .init(vantage: vantage, sees: nil, text: "did not look: \(reason)", at: nil)
            case .known(let views, let at, _):
                let ports = views.nodes[node.id] ?? []
                let text = ports.map { "\($0.service) \($0.sight.word)" }.joined(separator: ", ")
                return .init(
                    vantage: vantage, sees: views.seesMachine(node.id), text: text.isEmpty ? "did not look" : text,
                    at: at)
            }
        }
    }

    /// Standbys of other sites, of the node that they stream from.
    private func replicas(of node: Node) -> [SiteSighting.Report] {
        guard site.databaseNodes.contains(node) else { return [] }
        return inventory.sites.filter { $0.id != site.id }.flatMap(\.databaseNodes).compactMap { standby in
            guard case .known(let facts, let at, _) = fresh(observation[standby.id].database),
                let state = facts.standby, streams(state, from: node)
            else { return nil }
            let hearing = Hearing(state)
            // A receiver that is gone is no look at a machine.
            return .init(
                vantage: .replica(id: standby.id), sees: hearing.hears == true ? true : nil, text: hearing.text, at: at)
        }
    }

    private func streams(_ standby: DatabaseFacts.Standby, from node: Node) -> Bool {
        guard let host = standby.receiver?.senderHost else { return false }
        return host == node.access.address || host == node.id.rawValue
            || host == observation[node.id].identity.value?.hostName
    }

    func pages() -> [SiteSighting.Report] {
        let elsewhere = leadsElsewhere ? ", and leads to another site" : ""
        func report(_ vantage: VantagePoint, _ fact: Observed<Int>) -> SiteSighting.Report {
            switch fresh(fact) {
            case .known(let status, let at, _):
                .init(
                    vantage: vantage, sees: elsewhere.isEmpty ? status < 500 : nil,
                    text: "\(site.url) answers \(status)\(elsewhere)", at: at)
            case .unknown(let reason): .init(vantage: vantage, sees: nil, text: "\(site.url): \(reason)", at: nil)
            }
        }
        var found = [report(.operatorMachine, observation.siteReadiness[site.id] ?? .notAsked)]
        for peer in vantagePoints {
            guard let views = fresh(observation[peer.id].views).value, let page = views.readiness[site.id] else {
                continue
            }
            found.append(report(.peer(id: peer.id), page))
        }
        return found
    }
}

extension Sight {
    /// For sentences.
    package var word: String {
        switch self {
        case .answered: "answers"
        case .refused: "refuses"
        case .silent: "is silent"
        case .noRoute: "has no route"
        case .unresolved: "has no address"
        case .failed: "could not be tried"
        }
    }
}
