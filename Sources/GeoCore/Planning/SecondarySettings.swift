/// What makes a node one of a secondary in its gitlab.rb: `enable` of what only secondaries run, set to true. Nothing else
/// is written: hosts and passwords beside it are the operators' (GitLab documentation, Geo for multiple nodes).
enum SecondarySettings {
    /// By the node's components, in the order of the file. The roles of single-node sites are for none of these.
    static func names(of node: Node) -> [String] {
        var names: [String] = []
        if node.runs(.rails) || node.runs(.sidekiq) || node.runs(.logcursor) { names.append("geo_secondary") }
        if node.runs(.logcursor) { names.append("geo_logcursor") }
        if node.runs(.trackingDB) { names.append("geo_postgresql") }
        if node.runs(.patroni) { names.append(StandbyCluster.setting) }
        return names
    }

    /// A setting's name with either kind of quotes.
    static func spellings(_ name: String) -> [String] {
        [name, String(name.map { $0 == "'" ? "\"" : $0 })]
    }

    /// Whether a line says `NAME['enable'] = true`, and what it would be with the other value; `nil` for any other line.
    static func read(_ line: String, _ name: String) -> (isOn: Bool, turnedOn: String)? {
        let text = line.drop { $0 == " " }
        guard spellings("\(name)['enable']").contains(where: { text.hasPrefix($0) }),
            let equals = line.firstIndex(of: "=")
        else { return nil }
        let value = line[line.index(after: equals)...].drop { $0 == " " }
        let rest = { (word: String) in value.dropFirst(word.count).drop { $0 == " " } }
        for (word, isOn) in [("true", true), ("false", false)] where value.hasPrefix(word) {
            guard rest(word).isEmpty || rest(word).hasPrefix("#") else { return nil }
            let head = line[..<value.startIndex]
            return (isOn, head + "true" + value.dropFirst(word.count))
        }
        return nil
    }

    /// Why no machine makes the node a secondary's, and what a person can do; `nil`: nothing speaks against it.
    static func whyNot(_ node: Node, _ lines: [String]) -> String? {
        if let reason = singleNodeRole(node, lines) { return reason }
        for name in names(of: node) {
            let own = lines.filter { line in
                let text = line.drop { $0 == " " }
                return spellings(name).contains(where: { text.hasPrefix($0) }) && text.contains("enable")
            }
            guard own.count == 1, read(own[0], name) != nil else {
                return
                    "gitlab.rb of \(node.id) sets \(name)['enable'] \(own.isEmpty ? "nowhere" : "not in one plain line");"
                    + " write \(name)['enable'] = false with what a secondary needs beside it, and plan again"
            }
        }
        return nil
    }

    /// Why the node cannot become a secondary's in the way that the inventory names; each with what a person can do.
    static func objections(_ node: Node, _ configuration: NodeConfiguration, _ lines: [String]) -> [String] {
        switch configuration {
        case .switched: return whyNot(node, lines).map { [$0] } ?? []
        case .managed:
            if let reason = singleNodeRole(node, lines) { return [reason] }
            return pending(node, lines).map {
                "gitlab.rb of \(node.id) has \(Excerpt.of($0.old.utf8)), and is left to configuration management; let it write"
                    + " what a secondary has, and plan again"
            }
        case .files(let files):
            let replacesAll = files.contains { $0.path == .main }
            return files.compactMap { file in
                if let trouble = file.trouble {
                    return
                        "\(file.content.shown), which \(node.id) is to get, cannot be read on this machine: \(trouble)"
                }
                guard file.digest != nil else {
                    return "nobody has read \(file.content.shown), which \(node.id) is to get"
                }
                guard !replacesAll else { return nil }
                guard let loads = lines.lastIndex(where: file.path.isLoaded) else {
                    return
                        "gitlab.rb of \(node.id) does not load \(file.path.text); write from_file '\(file.path.text)' at"
                        + " its end, and plan again"
                }
                // What stands behind it counts more.
                return lines[(loads + 1)...].first { line in
                    names(of: node).contains { read(line, $0)?.isOn == false }
                }.map {
                    "gitlab.rb of \(node.id) has \(Excerpt.of($0.utf8)) behind the line that loads \(file.path.text);"
                        + " take it out, and plan again"
                }
            } + (replacesAll ? [] : singleNodeRole(node, lines).map { [$0] } ?? [])
        }
    }

    private static func singleNodeRole(_ node: Node, _ lines: [String]) -> String? {
        lines.first { $0.contains("geo_primary_role") }.map {
            "gitlab.rb of \(node.id) has the role of a single-node primary (\(Excerpt.of($0.utf8)));"
                + " take geo_primary_role out, and plan again"
        }
    }

    /// The lines that are not yet as a secondary has them.
    static func pending(_ node: Node, _ lines: [String]) -> [ConfigurationEdit.Line] {
        names(of: node).compactMap { name in
            lines.compactMap { line in
                read(line, name).flatMap { $0.isOn ? nil : ConfigurationEdit.Line(old: line, new: $0.turnedOn) }
            }.first
        }
    }
}

extension ConfigurationEdit {
    /// Everything that makes the node one of a secondary, in one edit; `nil` where it is one already.
    package init?(secondary node: Node, in lines: [String]?, madeAt: Timestamp) {
        self.init(SecondarySettings.pending(node, lines ?? []), madeAt: madeAt)
    }
}
