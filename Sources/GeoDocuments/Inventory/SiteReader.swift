import GeoCore

/// A site as far as it could be read, with the places of what other sites must not repeat.
struct PlacedSite {
    var name: String
    var position: Position
    var url: (text: String, position: Position)?
    var geoNodeName: (text: String, position: Position)
    var nodes: [PlacedNode]
    var secondaryConfiguration: [ComponentConfiguration]?
    /// Whether the list of nodes could be read as a whole; rules about what is missing need that.
    var isWhole: Bool
}

/// A node as far as it could be read; `nil` for what could not.
struct PlacedNode {
    var name: String
    var position: Position
    var components: [Component]?
    var access: NodeAccess?
    var addressPosition: Position
}

/// Reads `sites` and applies the defaults of the levels above.
struct SiteReader {
    static let keys = ["url", "geo_node_name", "ssh", "nodes", "secondary_configuration"]
    static let nodeKeys = ["address", "components"] + SSHSettings.keys

    let inventory: InventoryReader
    let ssh: SSHSettings
    private var problems: Problems { inventory.problems }

    init(inventory: InventoryReader, ssh: SSHSettings) {
        self.inventory = inventory
        self.ssh = ssh
    }

    /// The sites that could be read; every rule about them has been applied.
    func read(_ fields: Fields) -> [Site] {
        guard let value = fields.required("sites", expected: "a mapping of names of sites, named by place"),
            let entries = value.mapping(fields.label("sites"), problems, expected: "a mapping of names to sites")
        else { return [] }
        let placed = entries.map(site)
        InventoryRules(problems: problems).check(placed, at: fields.entry("sites")?.keyPosition ?? value.position)
        return placed.map { site in
            Site(
                id: SiteID(site.name), url: site.url?.text ?? "", geoNodeName: site.geoNodeName.text,
                nodes: site.nodes.compactMap { node in
                    guard let access = node.access else { return nil }
                    return Node(id: NodeID(node.name), components: node.components ?? [], access: access)
                }, secondaryConfiguration: site.secondaryConfiguration)
        }
    }

    private func site(_ entry: YAMLEntry) -> PlacedSite {
        Names.check(entry.key, "the name of a site", at: entry.keyPosition, problems)
        let subject = "site \(quoted(entry.key))"
        var site = PlacedSite(
            name: entry.key, position: entry.keyPosition, geoNodeName: (entry.key, entry.keyPosition), nodes: [],
            isWhole: false)
        guard let fields = Fields(entry.value, of: subject, at: entry.keyPosition, keys: Self.keys, problems: problems)
        else {
            return site
        }
        site.url = url(fields)
        if let value = fields.entry("geo_node_name")?.value,
            let text = value.text(fields.label("geo_node_name"), problems)
        {
            site.geoNodeName = (text, value.position)
        }
        let settings =
            fields.entry("ssh").flatMap { inventory.sshSettings($0.value, of: "'ssh' of \(subject)") } ?? SSHSettings()
        let merged = settings.overriding(ssh)
        guard let value = fields.required("nodes", expected: "a mapping of names to nodes"),
            let entries = value.mapping(fields.label("nodes"), problems, expected: "a mapping of names to nodes")
        else { return site }
        site.nodes = entries.map { node($0, ssh: merged) }
        site.isWhole = !site.nodes.contains { $0.components == nil }
        site.secondaryConfiguration = fields.entry("secondary_configuration").flatMap {
            SecondaryConfigurationReader(subject: subject, locations: inventory.locations, problems: problems)
                .read($0.value, nodes: site.nodes)
        }
        return site
    }

    private func url(_ fields: Fields) -> (text: String, position: Position)? {
        guard let value = fields.required("url", expected: "the URL of the site, such as https://gitlab.example.com"),
            let text = value.text(fields.label("url"), problems)
        else { return nil }
        guard let objection = Addresses.objection(toURL: text) else { return (text, value.position) }
        // A URL may carry a password, so a user in it keeps all of it out of the message.
        let shown = text.contains("@") ? "" : " \(quoted(text))"
        problems.error(
            "\(fields.label("url"))\(shown) \(objection.message)", at: value.position,
            expected: "http:// or https://, a host, and at most a port and a path",
            suggestion: text.contains("@") ? "the URL without user and password" : objection.suggestion)
        return nil
    }

    private func node(_ entry: YAMLEntry, ssh: SSHSettings) -> PlacedNode {
        Names.check(entry.key, "the name of a node", at: entry.keyPosition, problems)
        let subject = "node \(quoted(entry.key))"
        var node = PlacedNode(name: entry.key, position: entry.keyPosition, addressPosition: entry.keyPosition)
        guard
            let fields = Fields(
                entry.value, of: subject, at: entry.keyPosition, keys: Self.nodeKeys, problems: problems)
        else { return node }
        node.components = components(fields)
        let settings = SSHSettings(fields, inventory.locations).overriding(ssh)
        guard let value = fields.required("address", expected: Addresses.form),
            let address = self.address(value, fields)
        else { return node }
        node.addressPosition = value.position
        node.access = settings.access(
            address: address, operatorName: inventory.operatorName, home: inventory.locations, problems: problems)
        return node
    }

    private func address(_ value: YAMLValue, _ fields: Fields) -> String? {
        guard let text = value.text(fields.label("address"), problems, expected: Addresses.form) else { return nil }
        if Addresses.isAddress(text) { return text }
        var suggestion: String?
        if let at = text.lastIndex(of: "@"), SSHSettings.isUser(text[..<at]) {
            suggestion = "the address alone, and 'user: \(text[..<at])' beside it"
        } else if let (host, port) = Addresses.split(text), let port {
            suggestion = "address: \(host), port: \(port)"
        }
        problems.error(
            "\(fields.label("address")) is \(value.described)", at: value.position, expected: Addresses.form,
            suggestion: suggestion)
        return nil
    }

    /// `nil` when a word of the list is unknown, so that nobody is told that a site lacks what was misspelt.
    private func components(_ fields: Fields) -> [Component]? {
        let all = Component.allCases.map(\.rawValue)
        guard let value = fields.required("components", expected: "a list of \(listed(all))"),
            let elements = value.list(
                fields.label("components"), problems, expected: "a list", suggestion: Self.listForm(of: value))
        else { return nil }
        if elements.isEmpty {
            problems.error(
                "\(fields.label("components")) is an empty list", at: value.position,
                expected: "one of \(listed(all)), at least")
            return nil
        }
        var components: [Component] = []
        for element in elements {
            guard let component = element.choice("a component of \(fields.subject)", of: Component.self, problems)
            else { continue }
            if components.contains(component) {
                problems.error(
                    "\(fields.subject) lists the component \(quoted(component.rawValue)) twice", at: element.position)
            } else {
                components.append(component)
            }
        }
        return components.count == elements.count ? components : nil
    }

    private static func listForm(of value: YAMLValue) -> String? {
        guard case .scalar(let text, _) = value.content, text.utf8.count < 80 else { return nil }
        let words = text.split { $0 == "," || $0 == " " }.map(String.init)
        return words.allSatisfy { Component(rawValue: $0) != nil } ? "[\(words.joined(separator: ", "))]" : nil
    }
}
