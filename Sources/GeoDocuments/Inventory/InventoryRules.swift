import GeoCore

/// What must hold between the sites and nodes of one inventory.
struct InventoryRules {
    let problems: Problems

    func check(_ sites: [PlacedSite], at position: Position) {
        switch sites.count {
        case 0: problems.error("there is no site", at: position, expected: "one site at least, and two for a failover")
        case 1:
            problems.warning(
                "there is one site only: nothing can fail over to it or from it", at: position, expected: "two sites")
        default: break
        }
        for site in sites {
            checkRoleName(site)
            checkComponents(site)
        }
        checkUnique(sites)
    }

    private func checkRoleName(_ site: PlacedSite) {
        guard let role = Names.role(in: site.name) else { return }
        problems.warning(
            "site \(quoted(site.name)) is named after a role (\(role)): a failover swaps roles, but not names",
            at: site.position, suggestion: "name it after its place")
    }

    private func checkComponents(_ site: PlacedSite) {
        if site.isWhole, site.nodes.isEmpty {
            problems.error("site \(quoted(site.name)) has no nodes", at: site.position)
        } else if site.isWhole {
            let present = Set(site.nodes.flatMap { $0.components ?? [] })
            if !present.contains(.rails) {
                problems.error(
                    "site \(quoted(site.name)) has no node with the component rails", at: site.position,
                    expected: "one at least; a site is promoted on it")
            }
            if present.isDisjoint(with: [.postgresql, .patroni]) {
                problems.error(
                    "site \(quoted(site.name)) has no database node", at: site.position,
                    expected: "a node with the component postgresql or patroni")
            }
        }
        let tracking = site.nodes.filter { $0.components?.contains(.trackingDB) == true }
        if let first = tracking.first {
            for node in tracking.dropFirst() {
                problems.error(
                    "node \(quoted(node.name)) is another tracking database of site \(quoted(site.name)); "
                        + "the first is \(quoted(first.name)) in line \(first.position.line)",
                    at: node.position, expected: "one node with tracking-db in a site")
            }
        }
    }

    private func checkUnique(_ sites: [PlacedSite]) {
        var names: [String: Position] = [:]
        var places: [Place: PlacedNode] = [:]
        var urls: [String: Position] = [:]
        var geoNames: [String: Position] = [:]
        for site in sites {
            if let url = site.url, let first = urls.updateValue(url.position, forKey: url.text.lowercased()) {
                problems.error(
                    "site \(quoted(site.name)) has the same 'url' as the site in line \(first.line)", at: url.position,
                    expected: "a URL that reaches this site only (with a unified URL: its internal one)")
            }
            let geoName = site.geoNodeName
            if let first = geoNames.updateValue(geoName.position, forKey: geoName.text) {
                problems.error(
                    "site \(quoted(site.name)) has the same 'geo_node_name' \(quoted(geoName.text)) "
                        + "as the site in line \(first.line)",
                    at: geoName.position, expected: "the name of this site's own row in Geo's list of sites")
            }
            for node in site.nodes {
                if let first = names.updateValue(node.position, forKey: node.name) {
                    problems.error(
                        "the name \(quoted(node.name)) was given to a node of another site in line \(first.line)",
                        at: node.position, expected: "names that are unique in the deployment")
                }
                guard let place = node.access.map(Place.init), let first = places.updateValue(node, forKey: place)
                else { continue }
                problems.error(
                    "node \(quoted(node.name)) has the address and port of node \(quoted(first.name)) "
                        + "in line \(first.position.line)",
                    at: node.addressPosition, expected: "one name for one node; list all its components there")
            }
        }
    }

    /// Where a connection ends. Behind different bastions the same private address is a different node.
    private struct Place: Hashable {
        var address: String
        var port: Int
        var jump: [JumpHost]

        init(_ access: NodeAccess) {
            address = access.address.lowercased()
            port = access.port
            jump = access.jump
        }
    }
}
