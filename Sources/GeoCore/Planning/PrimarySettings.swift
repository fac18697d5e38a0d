/// What the primary's PostgreSQL needs to seed one standby more, and the lines of gitlab.rb that give it.
///
/// As with ``SecondarySettings`` only what is there on one plain line is changed: a list of addresses gets one more, a
/// number gets larger (GitLab documentation, Geo database setup).
package enum PrimarySettings {
    static let addresses = "md5_auth_cidr_addresses"
    static let slots = "max_replication_slots"
    static let senders = "max_wal_senders"

    /// How many slots and senders it takes: the site's own are free again by then, and a base backup takes two senders.
    /// `through` are slots that its own settings name beside those that are called after it.
    static func least(
        _ primary: DatabaseFacts.Primary, toSeed site: Site, through others: Set<String> = []
    ) -> [(name: String, least: Int)] {
        let own = others.union([site.id.rawValue, site.geoNodeName])
        return [
            (slots, primary.slots.count { !own.contains($0.name) } + 1),
            (senders, max(0, primary.senders.count - 1) + 2),
        ]
    }

    /// What is missing on the node, as lines of its gitlab.rb; `nil` where nothing is, and the reason where only a person can
    /// write it.
    package static func edit(
        of node: Node, toSeed site: Site, in observation: Observation, madeAt: Timestamp
    ) -> Result<ConfigurationEdit?, Unreadable> {
        let facts = observation[node.id]
        guard let lines = facts.geoSettings.value, let primary = facts.database.value?.primary,
            let server = facts.server.value, let rules = facts.accessRules.value
        else {
            let reason =
                facts.geoSettings.reason ?? facts.server.reason ?? facts.accessRules.reason ?? "it is no primary"
            return .failure(Unreadable("\(node.id) was not read: \(reason)"))
        }
        var changes: [ConfigurationEdit.Line] = []
        let missing = site.databaseNodes.flatMap { rules.missing($0, observation[$0.id].machine.value) }
        if !missing.isEmpty {
            guard let line = only(addresses, in: lines), let new = appending(missing, to: line) else {
                return .failure(unwritable(node, addresses, missing.joined(separator: " and ")))
            }
            changes.append(.init(old: line, new: new))
        }
        for (name, least) in least(primary, toSeed: site) where server.number(name).map({ $0 < least }) ?? false {
            guard let line = only(name, in: lines), let new = setting(least, in: line) else {
                return .failure(unwritable(node, name, "= \(least)"))
            }
            changes.append(.init(old: line, new: new))
        }
        guard !changes.isEmpty else { return .success(nil) }
        guard let edit = ConfigurationEdit(changes, madeAt: madeAt) else {
            return .failure(unwritable(node, changes.map(\.old).joined(separator: "; "), "to it"))
        }
        return .success(edit)
    }

    static func needsRestart(_ edit: ConfigurationEdit) -> Bool {
        edit.lines.contains { $0.old.contains(slots) || $0.old.contains(senders) }
    }

    private static func unwritable(_ node: Node, _ name: String, _ value: String) -> Unreadable {
        Unreadable(
            "gitlab.rb of \(node.id) has no plain line with postgresql['\(name)']; write it by hand with \(value), sudo"
                + " gitlab-ctl reconfigure")
    }

    private static func only(_ name: String, in lines: [String]) -> String? {
        let found = lines.filter { line in
            let text = line.drop { $0 == " " }
            return ["'", "\""].contains { text.hasPrefix("postgresql[\($0)\(name)\($0)]") }
        }
        return found.count == 1 ? found[0] : nil
    }

    /// `= 5`, with whatever stands behind it.
    private static func setting(_ number: Int, in line: String) -> String? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let value = line[line.index(after: equals)...].drop { $0 == " " }
        let digits = value.prefix { $0.isASCII && $0.isNumber }
        let rest = value.dropFirst(digits.count)
        let end = rest.drop { $0 == " " }
        guard !digits.isEmpty, end.isEmpty || end.hasPrefix("#") else { return nil }
        return line[..<value.startIndex] + "\(number)" + rest
    }

    /// `['a', 'b']`, `%w(a b)` or `%w[a b]`, with nothing but a comment behind it.
    private static func appending(_ values: [String], to line: String) -> String? {
        guard let equals = line.firstIndex(of: "=") else { return nil }
        let value = line[line.index(after: equals)...].drop { $0 == " " }
        let isWords = value.hasPrefix("%w(") || value.hasPrefix("%w[")
        guard isWords || value.hasPrefix("["),
            let end = value.firstIndex(where: { $0 == (value.hasPrefix("%w(") ? ")" : "]") })
        else { return nil }
        let rest = value[value.index(after: end)...].drop { $0 == " " }
        let inside = value[..<end].drop { $0 != "[" && $0 != "(" }.dropFirst()
        guard rest.isEmpty || rest.hasPrefix("#"), !inside.contains("#") else { return nil }
        let isEmpty = inside.allSatisfy { $0 == " " }
        let more = isWords ? values.joined(separator: " ") : values.map { "'\($0)'" }.joined(separator: ", ")
        return line[..<end] + (isEmpty ? "" : isWords ? " " : ", ") + more + line[end...]
    }
}
