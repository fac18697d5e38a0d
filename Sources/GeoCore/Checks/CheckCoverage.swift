extension Check {
    /// Whom a check asks what, in a deployment that has one node per component in each site.
    ///
    /// Found by asking the check itself, so that what is documented is what is done.
    package struct Coverage: Sendable, Hashable {
        /// Components whose nodes are asked, in the catalogue's order; empty for questions to no node.
        package var components: [Component]
        package var probes: [Probe]
        /// Whether it asks the sites' own URLs from the operator's machine.
        package var asksURLs: Bool
        /// Whether it asks the operator's machine: its resolver, its addresses, what it remembers.
        package var asksHere: Bool

        /// Whether an answer costs a start of Rails on a node, 20 to 60 s.
        package var isSlow: Bool { probes.contains(where: \.isSlow) }
    }

    package var coverage: Coverage {
        let inventory = Self.everyComponent
        var asked = ObservationScope()
        let sites = inventory.sites
        let (from, to) = (sites[0].id, sites[1].id)
        let subjects: [Subject] =
            switch scope {
            case .deployment: [.deployment]
            case .failover: [.failover(from: from, to: to)]
            case .site: [.site(id: from), .site(id: to)]
            case .node: inventory.nodes.map { .node(id: $0.id) }
            }
        for subject in subjects {
            asked.formUnion(needs(CheckContext(inventory: inventory, subject: subject, from: from, to: to)))
        }
        let components = asked.probes.keys.compactMap { inventory.node($0)?.components.first }
        let probes = asked.probes.values.reduce(into: Set<Probe>()) { $0.formUnion($1) }
        return Coverage(
            components: Component.allCases.filter(components.contains), probes: Probe.allCases.filter(probes.contains),
            asksURLs: !asked.siteURLs.isEmpty,
            asksHere: !asked.siteNames.isEmpty || !asked.siteRecords.isEmpty || asked.asksOperator)
    }

    /// Two sites, one node per component each.
    private static let everyComponent = Inventory(
        deployment: "example", objectives: Objectives(),
        sites: ["left", "right"].map { site in
            Site(
                id: SiteID(site), url: "https://\(site).example.com", geoNodeName: site,
                nodes: Component.allCases.map { component in
                    Node(
                        id: NodeID("\(site)-\(component.rawValue)"), components: [component],
                        access: NodeAccess(
                            address: "\(site)-\(component.rawValue).example.com", user: "geo-ops", identity: Identity(),
                            knownHosts: "known_hosts"))
                })
        },
        source: DocumentReference(path: "example.yaml", digest: Digest(of: [])))
}
