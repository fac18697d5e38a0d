package import GeoCore

/// The inventory as it was understood, with every default filled in. Secrets are shown by where they are found.
package enum InventoryView {
    package static func text(_ inventory: Inventory, style: Style) -> String {
        var page = Page(style)
        page.say(
            "\(inventory.deployment): \(CountText.of(inventory.sites.count, "site")),"
                + " \(CountText.of(inventory.nodes.count, "node")) (\(inventory.source.path))", tone: .strong)
        page.table(settings(inventory), indent: 2)
        for site in inventory.sites {
            page.blank()
            page.heading(["\(site.id)", site.url, "geo_node_name \(site.geoNodeName)"], tone: .strong)
            nodes(site, &page)
            for entry in site.secondaryConfiguration ?? [] {
                page.say("as a secondary, \(entry.component.rawValue): \(text(entry.source))", indent: 2, hanging: 2)
            }
        }
        return page.text
    }

    private static func settings(_ inventory: Inventory) -> Table {
        var table = Table()
        table.add("objectives", ObjectiveText.of(inventory.objectives))
        table.add("database", database(inventory.database))
        for hook in inventory.hooks.values.sorted(by: { $0.name < $1.name }) { table.add("hook", text(hook)) }
        for (index, fence) in inventory.fences.enumerated() { table.add("fence \(index + 1)", text(fence)) }
        if let rule = inventory.approvals {
            table.add("approvals", "\(rule.people), by the keys in \(rule.allowedSigners)")
        }
        table.add("canary", inventory.canary?.repository ?? "none")
        return table
    }

    private static func text(_ fence: FenceProgram) -> String {
        let limited = fence.sites.map(\.rawValue) + fence.nodes.map(\.rawValue)
        return "\(fence.name): \(CommandText.shell(fence.run)), proved by \(CommandText.shell(fence.prove))"
            + " (at most \(DurationText.of(fence.timeLimitSeconds)) each)"
            + (limited.isEmpty ? "" : ", for \(limited.joined(separator: ", "))")
    }

    private static func text(_ hook: Hook) -> String {
        "\(hook.name): \(CommandText.shell(hook.run)) (at most \(DurationText.of(hook.timeLimitSeconds)))"
    }

    private static func text(_ source: ConfigurationSource) -> String {
        switch source {
        case .managed: "left to configuration management"
        case .file(let file): "\(file.path.text), from \(file.content.shown)"
        }
    }

    private static func database(_ access: DatabaseAccess) -> String {
        guard access.via != .shell else { return "by gitlab-psql on the node (shell)" }
        let words = [
            "\(access.via.rawValue), port \(access.port)", access.user.map { "as \($0)" },
            access.password.map { "password from \($0.shown)" }, access.sslMode.map { "sslmode \($0)" },
        ]
        return words.compactMap(\.self).joined(separator: ", ")
    }

    private static func nodes(_ site: Site, _ page: inout Page) {
        var table = Table()
        for node in site.nodes {
            table.add(node.id.rawValue, target(node.access), node.components.map(\.rawValue).joined(separator: ", "))
        }
        page.table(table, indent: 2)
        // Most nodes share how they are logged in to; it is told once for all that do.
        var ways: [String] = []
        var members: [String: [NodeID]] = [:]
        for node in site.nodes {
            let way = login(node.access)
            if members[way] == nil { ways.append(way) }
            members[way, default: []].append(node.id)
        }
        for way in ways {
            let isAll = ways.count == 1
            let lead = isAll ? "all nodes:" : (members[way] ?? []).map(\.rawValue).joined(separator: ", ") + ":"
            page.say("\(lead) \(way)", indent: 2, tone: .faint, hanging: 2)
        }
    }

    private static func target(_ access: NodeAccess) -> String {
        CommandText.target(JumpHost(address: access.address, port: access.port, user: access.user))
    }

    static func login(_ access: NodeAccess) -> String {
        let identity = access.identity
        let keys = [
            identity.file.map { "key \($0)" }, identity.passphrase.map { "passphrase from \($0.shown)" },
            identity.usesAgent ? "the agent" : nil,
        ].compactMap(\.self)
        let words = [
            keys.isEmpty ? "no key" : keys.joined(separator: ", "),
            access.jump.isEmpty ? nil : "through \(access.jump.map(CommandText.target).joined(separator: " and "))",
            "host keys in \(access.knownHosts)", "become \(access.become.rawValue)",
            "by \(access.transport.rawValue), connects within \(DurationText.of(access.connectTimeLimitSeconds))",
        ]
        return words.compactMap(\.self).joined(separator: "; ")
    }

    /// A `site` line per site, and a `node` line per node.
    package static func json(_ inventory: Inventory) -> [String] {
        inventory.sites.flatMap { site in
            [
                JSONLine.of(
                    .site,
                    SiteBody(
                        deployment: inventory.deployment, site: site.id, url: site.url, geoNodeName: site.geoNodeName,
                        nodes: site.nodes.map(\.id), objectives: inventory.objectives))
            ] + site.nodes.map { JSONLine.of(.node, NodeBody($0, of: site)) }
        }
    }
}

private struct SiteBody: Encodable {
    var deployment: String
    var site: SiteID
    var url: String
    var geoNodeName: String
    var nodes: [NodeID]
    var objectives: Objectives
}

private struct NodeBody: Encodable {
    var node: NodeID
    var site: SiteID
    var components: [Component]
    var address: String
    var port: Int
    var user: String
    var jump: [String]
    var login: String

    init(_ node: Node, of site: Site) {
        self.node = node.id
        self.site = site.id
        self.components = node.components
        self.address = node.access.address
        self.port = node.access.port
        self.user = node.access.user
        self.jump = node.access.jump.map(CommandText.target)
        self.login = InventoryView.login(node.access)
    }
}
