import GeoCore

/// Reads `secondary_configuration` of a site: by component `managed`, or a file that its nodes get.
struct SecondaryConfigurationReader {
    let subject: String
    let locations: Locations
    let problems: Problems

    func read(_ value: YAMLValue, nodes: [PlacedNode]) -> [ComponentConfiguration]? {
        let label = "'secondary_configuration' of \(subject)"
        guard let entries = value.mapping(label, problems, expected: "a mapping of components to files, or to managed")
        else { return nil }
        var found: [(entry: YAMLEntry, configuration: ComponentConfiguration)] = []
        for entry in entries {
            guard let component = component(entry, of: label), let source = source(entry, component) else { continue }
            if nodes.allSatisfy({ $0.components?.contains(component) == false }) {
                problems.warning(
                    "\(subject) has no node with the component \(component.rawValue), so that this has no effect",
                    at: entry.keyPosition)
            }
            found.append((entry, ComponentConfiguration(component: component, source: source)))
        }
        refuseTwoFilesInOnePlace(found, nodes)
        return found.map(\.configuration)
    }

    private func component(_ entry: YAMLEntry, of label: String) -> Component? {
        if let component = Component(rawValue: entry.key) {
            if component.isManagedByOmnibus { return component }
            problems.error("\(label): no GitLab runs for \(quoted(entry.key))", at: entry.keyPosition)
            return nil
        }
        let all = Component.allCases.filter(\.isManagedByOmnibus).map(\.rawValue)
        problems.error(
            "\(label) has no key \(quoted(entry.key))", at: entry.keyPosition, expected: listed(all),
            suggestion: Spelling.nearest(to: entry.key, among: all))
        return nil
    }

    private func source(_ entry: YAMLEntry, _ component: Component) -> ConfigurationSource? {
        let subject = "\(quoted(entry.key)) in secondary_configuration of \(subject)"
        if case .scalar(let text, _) = entry.value.content {
            if text == "managed" { return .managed }
            problems.error(
                "\(subject) is \(entry.value.described)", at: entry.value.position,
                expected: "managed, or { content: \"file:PATH\", path: /etc/gitlab/NAME.rb }",
                suggestion: Spelling.nearest(to: text, among: ["managed"]))
            return nil
        }
        guard let fields = Fields(entry.value, of: subject, keys: ["content", "path"], problems: problems),
            let value = fields.required(
                "content", expected: "where the file is found on this machine", suggestion: "content: \"file:PATH\""),
            let content = content(value, fields.label("content"))
        else { return nil }
        guard component != .patroni else {
            problems.error(
                "\(subject) names a file; of a node of Patroni's only what its gitlab.rb has can be turned on",
                at: entry.keyPosition, expected: "managed, or no entry")
            return nil
        }
        guard let entry = fields.entry("path") else { return .file(ConfigurationFile(content: content)) }
        guard let text = entry.value.text(fields.label("path"), problems, expected: ConfigurationPath.form) else {
            return nil
        }
        guard let path = ConfigurationPath(text) else {
            problems.error(
                "\(fields.label("path")) is \(entry.value.described)", at: entry.value.position,
                expected: ConfigurationPath.form,
                suggestion: text.contains("/") ? nil : "/etc/gitlab/\(text.hasSuffix(".rb") ? text : text + ".rb")")
            return nil
        }
        return .file(ConfigurationFile(content: content, path: path))
    }

    /// A path without `file:` is no secret, and what is meant by it is plain.
    private func content(_ value: YAMLValue, _ label: String) -> SecretReference? {
        if case .scalar(let text, _) = value.content, !text.contains(":"), text.hasSuffix(".rb") || text.contains("/") {
            problems.error(
                "\(label) is \(value.described)", at: value.position, expected: Secrets.forms,
                suggestion: "file:\(text)")
            return nil
        }
        return Secrets.read(value, label, locations, problems)
    }

    private func refuseTwoFilesInOnePlace(
        _ found: [(entry: YAMLEntry, configuration: ComponentConfiguration)], _ nodes: [PlacedNode]
    ) {
        for node in nodes {
            var first: [ConfigurationPath: (file: ConfigurationFile, line: Int)] = [:]
            for (entry, configuration) in found {
                guard case .file(let file) = configuration.source,
                    node.components?.contains(configuration.component) == true
                else { continue }
                guard let other = first[file.path] else {
                    first[file.path] = (file, entry.keyPosition.line)
                    continue
                }
                guard other.file != file else { continue }
                problems.error(
                    "node \(quoted(node.name)) would get two files as \(file.path.text); the other is that of line"
                        + " \(other.line)", at: entry.keyPosition,
                    expected: "one file, or another path for one of them")
            }
        }
    }
}
