/// What each site's primary database said when it was seen last, kept for the day on which it does not answer any more.
///
/// Every part carries when it was seen. A part that a later look could not see keeps its older answer, but only as long
/// as the database is the same one: positions and counts of another lineage or timeline say nothing about this one.
package struct LastKnown: Sendable, Hashable, Codable {
    /// Of the file that holds it; grows when a member changes its meaning.
    package static let schema = 1

    package struct Primary: Sendable, Hashable, Codable {
        package var node: NodeID
        /// Always known, and of a primary.
        package var database: Observed<DatabaseFacts>
        package var geo: Observed<GeoFacts>
        package var projects: Observed<ProjectFacts>

        package init(
            node: NodeID, database: Observed<DatabaseFacts>, geo: Observed<GeoFacts>, projects: Observed<ProjectFacts>
        ) {
            self.node = node
            self.database = database
            self.geo = geo
            self.projects = projects
        }
    }

    package var schema: Int
    package var deployment: String
    /// By the site that was primary; a site that never was one has no entry.
    package var primaries: [SiteID: Primary]

    package init(deployment: String, primaries: [SiteID: Primary] = [:]) {
        self.schema = Self.schema
        self.deployment = deployment
        self.primaries = primaries
    }

    /// Takes over what a look saw of the one primary. Learns nothing while two sites are writable: neither is then the
    /// one that a loss is measured against.
    package mutating func learn(from observation: Observation, of inventory: Inventory) {
        let writable = inventory.sites.flatMap { site in
            site.databaseNodes.filter { observation[$0.id].database.value?.isInRecovery == false }
                .map { (site: site.id, node: $0.id) }
        }
        guard writable.count == 1, let (site, node) = writable.first else { return }
        let facts = observation[node]
        var seen = Primary(node: node, database: facts.database, geo: facts.geo, projects: facts.projects)
        if let old = primaries[site] {
            guard let before = old.database.at, let now = seen.database.at, now >= before else { return }
            if old.node == node, old.database.value?.isOfTheSameHistory(as: seen.database.value) == true {
                if seen.geo.value == nil { seen.geo = old.geo }
                if seen.projects.value == nil { seen.projects = old.projects }
            }
        }
        primaries[site] = seen
    }
}

extension DatabaseFacts {
    /// Whether positions of the two are positions in one log.
    func isOfTheSameHistory(as other: DatabaseFacts?) -> Bool {
        guard let other, !systemIdentifier.isEmpty else { return false }
        return systemIdentifier == other.systemIdentifier && timeline == other.timeline
    }
}
