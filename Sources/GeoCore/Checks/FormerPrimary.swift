/// The site that was primary before a failover: another site's database has no row for it any more.
///
/// Its services are down on purpose. Whoever starts its database has two writable primaries, so no answer about it may
/// say so: it has to be re-seeded first (promise 1).
package enum FormerPrimary {
    /// Sites that a promotion elsewhere has removed from Geo's tables.
    package static func sites(in inventory: Inventory, _ observation: Observation) -> Set<SiteID> {
        let primaries = inventory.sites.compactMap { site -> GeoFacts? in
            let leader = site.databaseNodes.first { observation[$0.id].database.value?.isInRecovery == false }
            guard let facts = leader.flatMap({ observation[$0.id].geo.value }) else { return nil }
            return facts.primaries.contains { $0.name == site.geoNodeName } ? facts : nil
        }
        return Set(
            inventory.sites.filter { site in
                // A standby without a row is a secondary that was not registered yet.
                let isStandby = site.databaseNodes.contains { observation[$0.id].database.value?.isInRecovery == true }
                return !isStandby && primaries.contains { $0.node(named: site.geoNodeName) == nil }
            }.map(\.id))
    }

    /// The findings with every remedy that would start such a site replaced.
    package static func guarded(
        _ findings: [Finding], in inventory: Inventory, _ observation: Observation
    ) -> [Finding] {
        let former = sites(in: inventory, observation)
        guard !former.isEmpty else { return findings }
        return findings.map { finding in
            // The tool's own commands fence it, look, or plan: none starts it.
            guard let remedy = finding.remedy, !remedy.hasPrefix("geo-failover "),
                let site = site(of: finding.subject, inventory), former.contains(site)
            else { return finding }
            var finding = finding
            finding.remedy = "leave it off: \(site) is the former primary and must be re-seeded before it may run"
            return finding
        }
    }

    private static func site(of subject: Subject, _ inventory: Inventory) -> SiteID? {
        switch subject {
        case .deployment: nil
        case .site(let id): id
        case .node(let id): inventory.site(of: id)?.id
        case .failover(_, let to): to
        }
    }
}
