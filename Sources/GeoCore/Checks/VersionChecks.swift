/// What has to be equal on both sites before one can take over from the other.
enum VersionChecks {
    static let all = [gitlabVersionsEqual, secretsEqual, hostKeysEqual, postgresqlVersionsEqual]

    static let gitlabVersionsEqual = Check.aboutFailover(
        "gitlab.versions-equal",
        CheckText(
            question: "Does every node of both sites run the same GitLab, patch level included?",
            rationale: "Sites of different versions share one database schema: the promoted site could not read it.",
            source: cite(.configuration),
            remedy: "sudo apt-get install gitlab-ee=VERSION on the nodes that differ"),
        needs: { scope, pair, _ in scope.ask([.version], of: pair.nodes) }
    ) { examination, pair in
        let nodes = pair.nodes.filter(\.isManagedByOmnibus)
        let seen = examination.readEach(\.gitlabVersion, "GitLab version", of: nodes) { $0 }
        let groups = examination.groups(seen)
        if groups.count > 1 {
            examination.fail(
                "the sites run \(groups.count) versions of GitLab: \(groups.map(\.text).joined(separator: "; "))",
                remedy: "sudo apt-get install gitlab-ee=\(groups[0].value)"
                    + "  # on \(Quantity.list(groups.dropFirst().flatMap(\.nodes), atMost: 20))")
        }
        return "all \(seen.count) nodes run GitLab \(groups.first?.value ?? "")"
    }

    static let secretsEqual = Check.aboutFailover(
        "secrets.equal",
        CheckText(
            question: "Do all nodes of both sites have the same gitlab-secrets.json?",
            rationale: "With other secrets the promoted site cannot decrypt two-factor keys, CI variables and tokens.",
            source: cite(.plannedFailover, .configuration),
            remedy: "copy /etc/gitlab/gitlab-secrets.json of a Rails node of the primary (root:root, 0600), then sudo "
                + "gitlab-ctl reconfigure && sudo gitlab-ctl restart"),
        needs: { scope, pair, _ in scope.ask([.secrets], of: pair.nodes) }
    ) { examination, pair in
        let nodes = pair.nodes.filter(\.isManagedByOmnibus)
        let seen = examination.readEach(\.secretsDigest, "digest of gitlab-secrets.json", of: nodes) {
            String($0.prefix(12))
        }
        // What the former primary's Rails nodes hold is what the data was encrypted with.
        guard let rightNode = seen.first(where: { $0.node.runs(.rails) }) ?? seen.first else { return "" }
        let others = seen.filter { $0.value != rightNode.value }
        let users = others.filter(\.node.usesSecrets).map(\.node.id.rawValue)
        let rest = others.filter { !$0.node.usesSecrets }.map(\.node.id.rawValue)
        let remedy =
            "copy /etc/gitlab/gitlab-secrets.json of \(rightNode.node.id) there (root:root, 0600),"
            + " then sudo gitlab-ctl reconfigure && sudo gitlab-ctl restart"
        if !users.isEmpty {
            examination.fail(
                "gitlab-secrets.json differs from \(rightNode.node.id)'s on"
                    + " \(Quantity.count(users.count, "node")): \(Quantity.list(users))",
                remedy: remedy)
        }
        if !rest.isEmpty {
            examination.warn(
                "gitlab-secrets.json differs from \(rightNode.node.id)'s on \(Quantity.count(rest.count, "node"))"
                    + " that no application runs on: \(Quantity.list(rest))",
                remedy: remedy)
        }
        return "gitlab-secrets.json is the same on all \(seen.count) nodes"
    }

    static let hostKeysEqual = Check.aboutFailover(
        "ssh-host-keys.equal",
        CheckText(
            question: "Do the Rails nodes of both sites present the same SSH host keys?",
            rationale: "Otherwise every user's git refuses the promoted site with a host key error.",
            source: cite(.plannedFailover, .configuration),
            remedy: "copy /etc/ssh/ssh_host_*_key* of a Rails node of the primary (private keys 0600), then sudo "
                + "systemctl reload ssh"),
        needs: { scope, pair, _ in scope.ask([.hostKeys], of: pair.nodes.filter { $0.runs(.rails) }) }
    ) { examination, pair in
        let nodes = [pair.from, pair.to].flatMap { examination.railsNodes(of: $0) }
        let seen = examination.readEach(\.hostKeys, "SSH host keys", of: nodes) {
            $0.isEmpty ? "none" : $0.map { String($0.prefix(19)) }.joined(separator: ", ")
        }
        for node in seen where node.value.isEmpty {
            examination.unknown(
                "\(node.node.id) told no SSH host key",
                remedy: "ls -l /etc/ssh/ssh_host_*_key.pub  # on \(node.node.id)")
        }
        guard let first = seen.first else { return "" }
        let others = seen.filter { Set($0.value) != Set(first.value) }.map(\.node.id.rawValue)
        if !others.isEmpty {
            examination.fail(
                "the SSH host keys of \(Quantity.list(others)) differ from those of \(first.node.id)",
                remedy: "copy /etc/ssh/ssh_host_*_key* of \(first.node.id) there (root:root, private keys 0600),"
                    + " then sudo systemctl reload ssh")
        }
        return "all \(seen.count) Rails nodes present the same \(Quantity.count(first.value.count, "SSH host key"))"
    }

    static let postgresqlVersionsEqual = Check.aboutFailover(
        "postgresql.versions-equal",
        CheckText(
            question: "Do the main databases of both sites have the same PostgreSQL major version?",
            rationale: "Streaming replication works only within one major version.",
            source: cite(.postgresqlSettings, .databaseSetup),
            remedy: "sudo gitlab-ctl pg-upgrade on the older ones; then re-seed the secondary"),
        needs: { scope, pair, _ in scope.ask([.database], of: pair.databaseNodes) }
    ) { examination, pair in
        var seen: [(node: Node, value: String)] = []
        for site in [pair.from, pair.to] where site.databaseNodes.isEmpty { _ = examination.database(of: site) }
        for node in pair.databaseNodes {
            guard let facts = examination.readDatabase(of: node) else { continue }
            seen.append((node, "\(facts.serverVersion / 10_000)"))
        }
        let groups = examination.groups(seen)
        if groups.count > 1 {
            examination.fail(
                "the databases have \(groups.count) major versions of PostgreSQL:"
                    + " \(groups.map(\.text).joined(separator: "; "))",
                remedy:
                    "sudo gitlab-ctl pg-upgrade  # on the older ones;"
                    + " then re-seed the secondary, which does not survive an upgrade"
            )
        }
        return "all \(seen.count) databases run PostgreSQL \(groups.first?.value ?? "")"
    }
}

extension Node {
    /// Whether a program that uses GitLab's secrets runs on it.
    var usesSecrets: Bool {
        runs(.rails) || runs(.sidekiq) || runs(.logcursor) || runs(.gitaly) || runs(.praefect)
    }
}

extension Examination {
    /// The known facts among several nodes'; each unknown one leaves a remark.
    mutating func readEach<Value>(
        _ fact: KeyPath<NodeFacts, Observed<Value>>, _ name: String, of nodes: [Node], as text: (Value) -> String
    ) -> [(node: Node, value: Value)] {
        var seen: [(node: Node, value: Value)] = []
        for node in nodes {
            if let value = read(fact, name, of: node, as: text) { seen.append((node, value)) }
        }
        if nodes.isEmpty {
            unknown(
                "\(name): there is no node to ask", remedy: "add nodes to \(context.inventory.source.path)")
        }
        return seen
    }

    /// Nodes by equal values, the most common value first.
    func groups(_ seen: [(node: Node, value: String)]) -> [(value: String, nodes: [String], text: String)] {
        let byValue = Dictionary(grouping: seen, by: \.value).mapValues { $0.map(\.node.id.rawValue) }
        return byValue.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
            .map { ($0.key, $0.value, "\($0.key) on \(Quantity.list($0.value, atMost: 3))") }
    }
}
