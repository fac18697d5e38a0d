/// Before the data of a former primary is set aside: is it known what only it has, and is that saved?
enum DivergenceChecks {
    static let all = [known, saved]

    static let known = Check.aboutFailover(
        "divergence.known",
        CheckText(
            question: "Is it known where the histories of the two databases part?",
            rationale:
                "What the former primary committed after that position is nowhere else. Without it nobody can say"
                + " what a re-seed throws away, and nothing of it can be looked for.",
            source: cite(.bringPrimaryBack, .timelines),
            remedy: "sudo ls -l /var/opt/gitlab/postgresql/data/pg_wal  # on the database nodes of both sites: the new"
                + " primary's has a .history file that names the timeline of the other"),
        needs: { scope, pair, _ in askPosition(&scope, of: pair) }
    ) { examination, pair in
        switch examination.divergence(of: pair) {
        case nil: return ""
        case .together(let timeline): return "both databases are on timeline \(timeline): neither went on alone"
        case .parted(let divergence):
            let since = divergence.since.map { "since \($0.toSeconds)" } ?? "at whatever time"
            return "\(divergence.new) left timeline \(divergence.oldTimeline) of \(divergence.old) at"
                + " \(divergence.fork); files and repositories count that were changed \(since)"
        case .unknown(let reason):
            examination.unknown(
                "where the histories part is not known: \(reason)",
                remedy: "sudo ls -l /var/opt/gitlab/postgresql/data/pg_wal  # on the database nodes of both sites")
            return ""
        }
    }

    static let saved = Check.aboutNode(
        "divergence.saved",
        CheckText(
            question: "Is what only this node has saved, to its last line?",
            rationale:
                "A re-seed sets the former primary's data aside, and one day somebody removes it. An archive that"
                + " was interrupted looks like one: only the line that is written last makes it complete. What was left"
                + " out, for want of room or because it could not be read, is a warning with its reason.",
            source: cite(.decision("0019-what-is-saved-of-a-divergence"), .bringPrimaryBack),
            remedy: "geo-failover divergence commands --from FORMER --to PRIMARY prints what saves it, node by node"),
        needs: { scope, node, context in
            guard !DivergenceProgram.Part.of(node).isEmpty else { return }
            scope.ask([.divergence], of: [node])
            if let pair = context.pair { askPosition(&scope, of: pair) }
        }
    ) { examination, node in
        let parts = DivergenceProgram.Part.of(node)
        guard !parts.isEmpty else { return "\(node.id) holds nothing that a failover loses" }
        guard let pair = examination.context.pair else {
            examination.unknown(
                "of which failover the divergence is, was not said", remedy: "ask with --from and --to")
            return ""
        }
        let archives = examination.read(\.divergence, "archives", of: node) { archives in
            archives.isEmpty ? "none" : archives.map(\.evidenceText).joined(separator: ", ")
        }
        let outcome = examination.divergence(of: pair)
        guard let archives, let outcome else { return "" }
        let remedy =
            "geo-failover divergence commands --from \(pair.from.id) --to \(pair.to.id)  # run what it prints for \(node.id)"
        guard case .parted(let divergence) = outcome else {
            if case .together(let timeline) = outcome {
                examination.unknown(
                    "both databases are on timeline \(timeline): which archive is the one cannot be told any more",
                    remedy: "geo-failover divergence list")
            } else if case .unknown(let reason) = outcome {
                examination.unknown("where the histories part is not known: \(reason)", remedy: remedy)
            }
            return ""
        }
        guard let archive = archives.first(where: { $0.name == divergence.archiveName }) else {
            examination.fail("\(node.id) has saved nothing of what is after \(divergence.fork)", remedy: remedy)
            return ""
        }
        guard archive.completedAt != nil else {
            examination.fail("\(archive.folder) on \(node.id) is not complete", remedy: remedy)
            return ""
        }
        for part in parts where !archive.parts.contains(where: { $0.name == part.rawValue }) {
            examination.fail("\(archive.folder) on \(node.id) has no \(part.rawValue)", remedy: remedy)
        }
        for reason in archive.leftOut {
            examination.warn("\(node.id) left out: \(reason)", remedy: "make room, and run it again: \(remedy)")
        }
        return "\(archive.folder) on \(node.id) is complete, \(Quantity.bytes(archive.bytes ?? 0))"
    }

    private static func askPosition(_ scope: inout ObservationScope, of pair: SitePair) {
        scope.ask([.controlData, .timelines], of: pair.databaseNodes)
    }
}

extension Examination {
    /// `nil`, with a remark, where a fact is missing.
    fileprivate mutating func divergence(of pair: SitePair) -> Divergence.Outcome? {
        var isWhole = true
        for node in pair.databaseNodes {
            let control = read(\.controlData, "control data", of: node, as: \.evidenceText)
            let timelines = read(\.timelines, "timelines", of: node) { facts in
                let branches = facts.branches.map { "\($0.timeline) left \($0.parent) at \($0.leftAt)" }
                return branches.isEmpty ? "no history" : branches.joined(separator: ", ")
            }
            isWhole = isWhole && control != nil && timelines != nil
        }
        return isWhole ? Divergence.between(pair.from, pair.to, in: observation) : nil
    }
}

extension DivergenceArchive {
    fileprivate var evidenceText: String {
        "\(name), " + (completedAt.map { "complete since \($0.toSeconds)" } ?? "NOT complete")
            + (leftOut.isEmpty ? "" : ", \(leftOut.count) left out")
    }
}
