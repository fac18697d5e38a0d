package import GeoCore

/// What re-seeds and changes of configuration have set aside on the nodes.
package enum SetAsideView {
    package static func text(_ nodes: [NodeSetAside], keptSeconds: Int, style: Style) -> String {
        var page = Page(style)
        let all = nodes.flatMap { entry in (entry.known.value ?? []).map { (node: entry.node, kept: $0) } }
        if all.isEmpty {
            page.say("Nothing is set aside on a node that answered.")
        } else {
            var table = Table(header: ["node", "what", "size", "set aside", ""])
            for (node, kept) in all {
                table.add(
                    node.rawValue, kept.name, kept.kibibytes.map { ByteText.of($0 << 10) } ?? "not measured",
                    kept.ageSeconds.map { "\(DurationText.of(max(0, $0))) ago" } ?? "", fate(kept, keptSeconds))
            }
            page.table(table)
            let bytes = all.compactMap(\.kept.kibibytes).reduce(0, +) << 10
            page.say("\(ByteText.of(bytes)) in all, as far as it was measured.")
        }
        for entry in nodes {
            if let reason = entry.known.reason {
                page.say("\(entry.node): not known, \(reason)", indent: 2, lead: "-", tone: .bad)
            }
        }
        return page.text
    }

    /// What `purge remove` would do with it.
    package static func fate(_ kept: SetAside, _ keptSeconds: Int) -> String {
        switch kept.kind {
        case .removing: return "is being removed"
        case .configuration, .tracking: return "stays"
        case .database:
            guard let age = kept.ageSeconds else { return "stays: its age is not known" }
            return age >= keptSeconds
                ? "may be removed" : "stays for \(DurationText.of(keptSeconds - age)) more"
        }
    }

    package static func json(_ nodes: [NodeSetAside], keptSeconds: Int) -> [String] {
        nodes.flatMap { entry -> [String] in
            guard let known = entry.known.value else {
                return [
                    JSONLine.of(
                        .setAside, SetAsideBody(node: entry.node.rawValue, kind: "unknown", reason: entry.known.reason))
                ]
            }
            return known.map { kept in
                JSONLine.of(
                    .setAside,
                    SetAsideBody(
                        node: entry.node.rawValue, kind: kept.kind.rawValue, name: kept.name, kibibytes: kept.kibibytes,
                        ageSeconds: kept.ageSeconds, fate: fate(kept, keptSeconds)))
            }
        }
    }
}

private struct SetAsideBody: Encodable {
    var node: String
    var kind: String
    var name: String?
    var kibibytes: Int?
    var ageSeconds: Int?
    var fate: String?
    var reason: String?
}
