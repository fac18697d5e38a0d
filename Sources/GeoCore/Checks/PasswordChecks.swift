/// Whether both sites are configured with the same passwords of the database.
enum PasswordChecks {
    static let all = [equal]

    /// What both sites need, whether Patroni and PgBouncer run on them or not.
    private static let everywhere = [
        "gitlab_rails.db_password", "postgresql.sql_user_password", "postgresql.sql_replication_password",
    ]

    static let equal = Check.aboutFailover(
        "passwords.equal",
        CheckText(
            question: "Are both sites configured with the same passwords of the database?",
            rationale:
                "The roles of the database come with replication, and so do their passwords. A promoted site sets"
                + " its own at its next reconfigure, and whoever is configured with others is refused. Compared by keyed"
                + " digests that mean nothing beside other secrets; no password leaves its node.",
            source: cite(.databaseSetup, .multipleNodes),
            remedy: "make the passwords in /etc/gitlab/gitlab.rb those of the primary, sudo gitlab-ctl reconfigure"),
        needs: { scope, pair, _ in
            scope.ask([.secrets, .passwords], of: pair.nodes.filter(\.knowsDatabasePasswords))
        }
    ) { examination, pair in
        var told: [String: [(node: Node, value: String)]] = [:]
        var secrets: [(node: Node, value: String)] = []
        for site in [pair.from, pair.to] {
            let nodes = site.nodes.filter(\.knowsDatabasePasswords)
            if nodes.isEmpty {
                examination.unknown(
                    "\(site.id) has no node that knows a password of the database",
                    remedy: "add its Rails and database nodes to \(examination.context.inventory.source.path)")
            }
            for node in nodes {
                let digest = examination.read(\.secretsDigest, "digest of gitlab-secrets.json", of: node) {
                    String($0.prefix(12))
                }
                let passwords = examination.read(\.passwords, "digests of passwords", of: node) { passwords in
                    passwords.isEmpty ? "none configured" : passwords.keys.sorted().joined(separator: ", ")
                }
                guard let digest, let passwords else { continue }
                secrets.append((node, digest))
                for (name, value) in passwords { told[name, default: []].append((node, value)) }
            }
        }
        let bySecrets = examination.groups(secrets)
        guard bySecrets.count < 2 else {
            examination.unknown(
                "passwords cannot be compared while gitlab-secrets.json differs between nodes",
                remedy: "see secrets.equal")
            return ""
        }
        examination.judge(told, of: pair, everywhere: everywhere, asked: !secrets.isEmpty)
        return "\(told.keys.sorted().joined(separator: ", ")) are the same on both sites"
    }
}

extension Node {
    fileprivate var knowsDatabasePasswords: Bool {
        runs(.rails) || runs(.sidekiq) || runs(.logcursor) || runs(.postgresql) || runs(.patroni)
    }
}

extension Examination {
    fileprivate mutating func judge(
        _ told: [String: [(node: Node, value: String)]], of pair: SitePair, everywhere: [String], asked: Bool
    ) {
        for (name, values) in told.sorted(by: { $0.key < $1.key }) {
            guard let first = values.first else { continue }
            let others = values.filter { $0.value != first.value }.map(\.node.id.rawValue)
            if !others.isEmpty {
                warn(
                    "\(setting(name)) of \(Quantity.list(others)) is not that of \(first.node.id)",
                    remedy: "set \(setting(name)) in /etc/gitlab/gitlab.rb of \(Quantity.list(others)) as on"
                        + " \(first.node.id), sudo gitlab-ctl reconfigure")
            }
        }
        for name in everywhere where asked {
            let nodes = Set((told[name] ?? []).map(\.node.id))
            for site in [pair.from, pair.to] where !site.nodes.contains(where: { nodes.contains($0.id) }) {
                // What a lost site would have told is not missing.
                guard site.id != context.lostSite else { continue }
                warn(
                    "no node of \(site.id) is configured with \(setting(name))",
                    remedy: "set \(setting(name)) in /etc/gitlab/gitlab.rb of \(site.id) as on the other site, sudo"
                        + " gitlab-ctl reconfigure")
            }
        }
    }

    /// As gitlab.rb has it.
    private func setting(_ name: String) -> String {
        let parts = name.split(separator: ".", maxSplits: 1)
        return parts.count == 2 ? "\(parts[0])['\(parts[1])']" : name
    }
}
