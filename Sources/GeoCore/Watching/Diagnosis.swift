/// What one look at the deployment amounts to, why, and who says so. One look proves nothing: see ``WatchState``.
package struct Diagnosis: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case healthy
        /// The primary serves, and something is not as it should be.
        case degraded
        /// The operator does not get onto the primary, and somebody else sees it, or nobody else could look.
        case unreachableFromHere = "primary-unreachable-from-here"
        /// Neither the operator nor any other place that could look sees anything of the primary.
        case unreachableFromEverywhere = "primary-unreachable-from-everywhere"
        /// Machines of the primary answer, and its database does not.
        case databaseDown = "primary-database-down"
        /// The primary is writable, and a standby does not follow it.
        case replicationStalled = "replication-stalled"
        case twoWritableSites = "two-writable-sites"
        /// Every database answers, and all of them are in recovery.
        case noWritableSite = "no-writable-site"
        /// Too little was seen to say any of these.
        case unknown

        /// Whether it may be a reason to fail over, or to act at once.
        package var isDisaster: Bool {
            switch self {
            case .unreachableFromEverywhere, .databaseDown, .twoWritableSites, .noWritableSite: true
            case .healthy, .degraded, .unreachableFromHere, .replicationStalled, .unknown: false
            }
        }
    }

    /// What one vantage point says to a diagnosis.
    package struct Vote: Sendable, Hashable, Codable {
        package var vantage: VantagePoint
        /// `nil`: it could not look, or its answer says nothing about this.
        package var agrees: Bool?
        package var text: String
        package var at: Timestamp?
        package init(_ vantage: VantagePoint, agrees: Bool?, _ text: String, at: Timestamp? = nil) {
            self.vantage = vantage
            self.agrees = agrees
            self.text = text
            self.at = at
        }
    }

    package var kind: Kind
    /// The site that is or was primary, by its database or else by `geo_nodes` of the others; `nil` when nobody tells.
    package var primary: SiteID?
    /// Sentences, the most telling first; empty for healthy.
    package var reasons: [String]
    /// Empty where one place is enough to say it.
    package var votes: [Vote]
    /// By peer that looked, whether it sees anything of the primary.
    package var peers: [NodeID: Bool]
    /// When the look ended.
    package var at: Timestamp

    package init(
        _ kind: Kind, primary: SiteID?, reasons: [String] = [], votes: [Vote] = [], peers: [NodeID: Bool] = [:],
        at: Timestamp
    ) {
        self.kind = kind
        self.primary = primary
        self.reasons = reasons
        self.votes = votes
        self.peers = peers
        self.at = at
    }

    /// More than half of the places that were asked agree, those that could not look counted against it, and they are of
    /// two kinds: one cut cable or one wrong login must not be a disaster. Two databases that each say of themselves that
    /// they are writable need no witness.
    package var hasQuorum: Bool {
        if kind == .twoWritableSites { return true }
        let agreeing = votes.filter { $0.agrees == true }
        return agreeing.count * 2 > votes.count && Set(agreeing.map(\.vantage.kind)).count >= 2
    }

    /// With the votes of peers that never saw the primary counted as no looks: what they do not see says nothing.
    package func discounting(_ blind: Set<NodeID>) -> Diagnosis {
        guard !blind.isEmpty else { return self }
        var copy = self
        for index in votes.indices {
            guard case .peer(let node) = votes[index].vantage, blind.contains(node), votes[index].agrees == true else {
                continue
            }
            copy.votes[index].agrees = nil
            copy.votes[index].text += "; but it did not see it while all was well either"
        }
        return copy
    }
}

extension Inventory {
    /// What a look has to ask for a ``Diagnosis``: every node whether it can be reached, databases for their role and
    /// Geo's tables, a few nodes of each site for what they see of the others, and the sites' pages.
    package var watchScope: ObservationScope {
        let all = Set(sites.map(\.id))
        var scope = ObservationScope(siteURLs: all, siteNames: all)
        scope.ask([.identity], of: nodes)
        for site in sites {
            scope.ask([.database, .geo], of: site.databaseNodes)
            scope.askViews(of: site.id, in: self)
        }
        return scope
    }
}
