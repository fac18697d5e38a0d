/// At what one node is asked to look: ports of nodes of other sites, and those sites' URLs.
package struct PeerLooks: Sendable, Hashable {
    package struct Port: Sendable, Hashable {
        package var node: NodeID
        package var address: String
        package var port: Int
        package var service: String
        package init(node: NodeID, address: String, port: Int, service: String) {
            self.node = node
            self.address = address
            self.port = port
            self.service = service
        }
    }

    package struct URL: Sendable, Hashable {
        package var site: SiteID
        package var url: String
        package init(site: SiteID, url: String) {
            self.site = site
            self.url = url
        }
    }

    package var ports: [Port]
    package var urls: [URL]

    package init(ports: [Port] = [], urls: [URL] = []) {
        self.ports = ports
        self.urls = urls
    }

    package static let none = PeerLooks()

    /// Every node of the sites: its SSH port, and a port for each component that has one. In the inventory's order.
    package init(at sites: Set<SiteID>, in inventory: Inventory) {
        let watched = inventory.sites.filter { sites.contains($0.id) }
        self.ports = watched.flatMap { site in site.nodes.flatMap { Self.ports(of: $0, url: site.url) } }
        self.urls = watched.map { URL(site: $0.id, url: $0.url) }
    }

    /// What one node looks at in one visit: whole sites, and of others only what Geo needs of them: their databases and
    /// their URL. No SSH port, in whose log every look would be a stranger at the door.
    package init(at sites: Set<SiteID>, linkedTo linked: Set<SiteID>, in inventory: Inventory) {
        self.init(at: sites, in: inventory)
        for site in inventory.sites where linked.contains(site.id) && !sites.contains(site.id) {
            for node in site.databaseNodes {
                guard let component = node.components.first(where: { $0 == .postgresql || $0 == .patroni }),
                    let port = Self.servicePort(of: component, url: site.url)
                else { continue }
                ports.append(
                    Port(node: node.id, address: node.access.address, port: port, service: component.rawValue))
            }
            urls.append(URL(site: site.id, url: site.url))
        }
    }

    private static func ports(of node: Node, url: String) -> [Port] {
        ([(node.access.port, "ssh")] + services(of: node, url: url)).map { port, service in
            Port(node: node.id, address: node.access.address, port: port, service: service)
        }
    }

    private static func services(of node: Node, url: String) -> [(Int, String)] {
        var seen: Set<Int> = [node.access.port]
        return node.components.compactMap { component in
            guard let port = servicePort(of: component, url: url), seen.insert(port).inserted else { return nil }
            return (port, component.rawValue)
        }
    }

    /// Where other machines reach a component, by the package's defaults; `nil` for what listens nowhere, or on the
    /// node itself only. Rails and load balancers listen where the site's URL says.
    package static func servicePort(of component: Component, url: String) -> Int? {
        switch component {
        case .rails, .loadBalancer: URLHost.port(of: url)
        case .postgresql, .patroni, .praefectPostgreSQL: 5432
        case .trackingDB: 5431
        case .pgbouncer: 6432
        case .gitaly: 8075
        case .praefect: 2305
        case .redis: 6379
        case .sentinel: 26379
        case .sidekiq, .logcursor, .consul, .monitoring: nil
        }
    }
}

extension URLHost {
    /// The port of an http URL: the one that it names, else its scheme's.
    package static func port(of url: String) -> Int {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let authority = rest.prefix { $0 != "/" }
        let afterHost = authority.hasPrefix("[") ? authority.drop { $0 != "]" } : authority
        if let colon = afterHost.lastIndex(of: ":"), let port = Int(afterHost[afterHost.index(after: colon)...]) {
            return port
        }
        return isSecure(url) ? 443 : 80
    }
}

extension Inventory {
    /// How many nodes of each other site look at a site: enough that one of them may be wrong, few enough that a
    /// hundred nodes are not asked by a hundred.
    package static let vantagePointsPerSite = 3

    /// The nodes of the other sites that look at a site: of each site the first with a database, the first with Rails,
    /// and the first of the rest, since nodes with different work have different ways through the network.
    package func vantagePoints(at site: SiteID) -> [Node] {
        sites.filter { $0.id != site }.flatMap { other in
            let databases = other.databaseNodes
            let rails = other.nodes(running: .rails)
            let rest = other.nodes.filter { node in !databases.contains(node) && !rails.contains(node) }
            let others = rest.filter { !$0.runs(.loadBalancer) } + rest.filter { $0.runs(.loadBalancer) }
            var chosen: [Node] = []
            for node in [databases.first, rails.first, others.first].compactMap(\.self) + other.nodes
            where chosen.count < Self.vantagePointsPerSite && !chosen.contains(node) {
                chosen.append(node)
            }
            return chosen
        }
    }
}

extension Site {
    /// The nodes that try whether the site reaches another one: the first with a database, and the first with Rails.
    package var linkTesters: [Node] {
        let chosen = [databaseNodes.first, nodes(running: .rails).first].compactMap(\.self)
        return chosen.count == 2 && chosen[0] == chosen[1] ? [chosen[0]] : chosen
    }
}

extension ObservationScope {
    /// Asks nodes of a site whether they reach what Geo needs of another one.
    package mutating func askLinks(from site: Site, to other: SiteID) {
        for node in site.linkTesters {
            ask([.views], of: [node])
            linked[node.id, default: []].insert(other)
        }
    }

    /// Asks nodes of the other sites what they see of a site.
    package mutating func askViews(of site: SiteID, in inventory: Inventory) {
        for node in inventory.vantagePoints(at: site) {
            ask([.views], of: [node])
            watched[node.id, default: []].insert(site)
        }
    }
}
