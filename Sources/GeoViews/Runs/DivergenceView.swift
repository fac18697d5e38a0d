package import GeoCore

/// What nodes have saved of divergences, and the commands that save it.
package enum DivergenceView {
    package static func text(_ nodes: [(node: NodeID, archives: Observed<[DivergenceArchive]>)], style: Style) -> String
    {
        var page = Page(style)
        let all = nodes.flatMap { entry in (entry.archives.value ?? []).map { (node: entry.node, archive: $0) } }
        if all.isEmpty { page.say("No node that answered has an archive of a divergence.") }
        for (name, archives) in Dictionary(grouping: all, by: \.archive.name).sorted(by: { $0.key < $1.key }) {
            page.blank()
            page.say("\(DivergenceArchive.base)/\(name)", tone: .strong, hanging: 2)
            var table = Table(header: ["node", "state", "size", "part", "content"])
            for (node, archive) in archives {
                let state = archive.completedAt.map { "complete since \($0.toSeconds)" } ?? "NOT COMPLETE"
                let size = archive.bytes.map(ByteText.of) ?? "?"
                for (index, part) in archive.parts.enumerated() {
                    let isFirst = index == 0
                    table.add(
                        isFirst ? node.rawValue : "", isFirst ? state : "", isFirst ? size : "", part.name, part.content
                    )
                }
                if archive.parts.isEmpty { table.add(node.rawValue, state, size, "", "") }
            }
            page.table(table, indent: 2)
            for (node, archive) in archives {
                for reason in archive.leftOut {
                    page.say("\(node) left out: \(reason)", indent: 2, lead: "-", tone: .bad)
                }
            }
        }
        for entry in nodes {
            if let reason = entry.archives.reason {
                page.say("\(entry.node): not known, \(reason)", indent: 2, lead: "-", tone: .bad)
            }
        }
        return page.text
    }

    package static func json(_ nodes: [(node: NodeID, archives: Observed<[DivergenceArchive]>)]) -> [String] {
        nodes.flatMap { entry -> [String] in
            switch entry.archives {
            case .known(let archives, _, _): archives.map { JSONLine.of(.archive, ArchiveBody(entry.node, $0)) }
            case .unknown(let reason):
                [JSONLine.of(.archive, ArchiveBody(node: entry.node.rawValue, state: "unknown", reason: reason))]
            }
        }
    }

    /// The refs that only the former primary has, by project; `projects` by the paths of their repositories.
    package static func text(
        _ diverged: [DivergedRef], of all: Int, projects: [String: String], new: SiteID, style: Style
    ) -> String {
        var page = Page(style)
        page.say(
            diverged.isEmpty
                ? "\(new) has what all \(all) saved refs name."
                : "Of \(CountText.of(all, "saved ref")), \(new) lacks \(diverged.count), or it cannot be told:",
            tone: .strong)
        for (repository, refs) in Dictionary(grouping: diverged, by: \.ref.repository).sorted(by: { $0.key < $1.key }) {
            page.say("\(projects[repository] ?? "a project that is not known") (\(repository))", indent: 2, lead: "-")
            for one in refs {
                page.say("\(one.ref.name) \(one.ref.object.prefix(12)): \(word(one.state))", indent: 4)
            }
        }
        return page.text
    }

    package static func json(_ diverged: [DivergedRef], projects: [String: String]) -> [String] {
        diverged.map { one in
            JSONLine.of(
                .diverged,
                DivergedBody(
                    repository: one.ref.repository, project: projects[one.ref.repository], ref: one.ref.name,
                    object: one.ref.object, state: word(one.state)))
        }
    }

    private static func word(_ state: DivergedRef.State) -> String {
        switch state {
        case .missing: "not there"
        case .noRepository: "no such repository there"
        case .unknown(let reason): "not known, \(reason)"
        }
    }

    /// A block per node, to read and to copy into a shell on the operator's machine.
    package static func commands(_ divergence: Divergence, _ nodes: [(node: Node, command: RemoteCommand)]) -> String {
        var lines = [
            "# \(divergence.new) left timeline \(divergence.oldTimeline) of \(divergence.old) at \(divergence.fork).",
            "# Each saves what only its node has into \(DivergenceArchive.base)/\(divergence.archiveName) there; the node has"
                + " to be fenced.",
        ]
        for (node, command) in nodes {
            let quoted = RemoteCommand.quoted(command.shellText)
            lines += ["", "# \(node.id)", "\(CommandText.ssh(node.access)) \(quoted)"]
        }
        return lines.joined(separator: "\n")
    }
}

private struct DivergedBody: Encodable {
    var repository: String
    var project: String?
    var ref: String
    var object: String
    var state: String
}

private struct ArchiveBody: Encodable {
    var node: String
    var folder: String?
    var state: String
    var fork: LogPosition?
    var completedAt: Timestamp?
    var bytes: Int?
    var parts: [String: String]?
    var leftOut: [String]?
    var reason: String?
}

extension ArchiveBody {
    init(_ node: NodeID, _ archive: DivergenceArchive) {
        self.init(
            node: node.rawValue, folder: archive.folder,
            state: archive.completedAt == nil ? "not-complete" : "complete",
            fork: archive.fork, completedAt: archive.completedAt, bytes: archive.bytes,
            parts: Dictionary(archive.parts.map { ($0.name, $0.content) }, uniquingKeysWith: { first, _ in first }),
            leftOut: archive.leftOut, reason: nil)
    }
}
