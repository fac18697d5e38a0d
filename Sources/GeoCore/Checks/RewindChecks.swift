/// Whether the primary lets itself be read for a rewind, and no longer than for one.
enum RewindChecks {
    static let all = [permitted, forbidden]

    static let permitted = Check.aboutFailover(
        "database.rewind-permitted",
        CheckText(
            question: "May \(RewindRights.user) run on the primary what pg_rewind runs there?",
            rationale:
                "Replication alone does not let it read single files; without these rights a rewind ends before it"
                + " has begun, and the whole database is copied.",
            source: cite(.rewind, .decision("0022-a-rewind-may-do-instead-of-a-copy")),
            remedy: "sudo gitlab-psql -c '\(RewindRights.grant)'  # on the primary's database node"),
        needs: { scope, pair, _ in scope.ask([.rewindRights], of: pair.from.databaseNodes) }
    ) { examination, pair in
        for node in examination.rights(of: pair.from) {
            let missing = RewindRights.functions.filter { !node.value.permitted.contains($0) }
            guard !missing.isEmpty else { continue }
            examination.fail(
                "\(RewindRights.user) may not run \(missing.joined(separator: ", ")) on \(node.node.id)",
                remedy: "sudo gitlab-psql -c '\(RewindRights.grant)'  # on \(node.node.id)")
        }
        return "\(RewindRights.user) may run on \(pair.from.id) what pg_rewind runs"
    }

    static let forbidden = Check.aboutFailover(
        "database.rewind-forbidden",
        CheckText(
            question: "Has \(RewindRights.user) no right of its own any more to read files of the primary?",
            rationale: "What it may read for a rewind is every file of the database: rights that nobody needs are for"
                + " those who should not have them.",
            source: cite(.rewind, .decision("0022-a-rewind-may-do-instead-of-a-copy")),
            remedy: "sudo gitlab-psql -c '\(RewindRights.revoke)'  # on the primary's database node"),
        needs: { scope, pair, _ in scope.ask([.rewindRights], of: pair.from.databaseNodes) }
    ) { examination, pair in
        for node in examination.rights(of: pair.from) where !node.value.granted.isEmpty {
            examination.fail(
                "\(RewindRights.user) may still run \(node.value.granted.joined(separator: ", ")) on \(node.node.id)",
                remedy: "sudo gitlab-psql -c '\(RewindRights.revoke)'  # on \(node.node.id)")
        }
        return "\(RewindRights.user) has no right of its own to files of \(pair.from.id)"
    }
}

extension Examination {
    fileprivate mutating func rights(of site: Site) -> [(node: Node, value: RewindRights)] {
        if site.databaseNodes.isEmpty { _ = database(of: site) }
        return readEach(\.rewindRights, "rights of \(RewindRights.user)", of: site.databaseNodes) {
            $0.granted.isEmpty ? "none of its own" : $0.granted.joined(separator: ", ")
        }
    }
}
