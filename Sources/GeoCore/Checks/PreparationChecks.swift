/// What a site that comes back has to have in common with the primary, and when its copy may begin.
enum PreparationChecks {
    static let all = [secretsShared, hostKeysShared, trustsPrimary, window]

    static let secretsShared = Check.aboutNode(
        "node.secrets-shared",
        CheckText(
            question: "Has the node the same gitlab-secrets.json as the primary's Rails nodes?",
            rationale: "With other secrets it cannot read what the database holds encrypted.",
            source: cite(.configuration, .bringPrimaryBack),
            remedy: "copy /etc/gitlab/gitlab-secrets.json of a Rails node of the primary (root:root, 0600)"),
        needs: { scope, node, context in
            scope.ask([.secrets], of: [node] + (context.fromSite?.nodes(running: .rails) ?? []))
        }
    ) { examination, node in
        let digest = { (text: String) in String(text.prefix(12)) }
        let name = "digest of gitlab-secrets.json"
        // One of them is enough: whether they agree is another check's question.
        let rails = examination.context.fromSite?.nodes(running: .rails) ?? []
        guard
            let source = rails.first(where: { examination.observation[$0.id].secretsDigest.value != nil })
                ?? rails.first
        else {
            examination.unknown(
                "there is no Rails node of the primary to compare with",
                remedy: "add it to \(examination.context.inventory.source.path)")
            return ""
        }
        guard let right = examination.read(\.secretsDigest, name, of: source, as: digest),
            let own = examination.read(\.secretsDigest, name, of: node, as: digest)
        else { return "" }
        if own != right {
            examination.fail(
                "gitlab-secrets.json of \(node.id) is another than that of \(source.id)",
                remedy: "copy /etc/gitlab/gitlab-secrets.json of \(source.id) there (root:root, 0600)")
        }
        return "\(node.id) has the gitlab-secrets.json of \(source.id)"
    }

    static let hostKeysShared = Check.aboutNode(
        "node.host-keys-shared",
        CheckText(
            question: "Has the node the same SSH host keys as the primary's Rails nodes?",
            rationale: "Users' git refuses a site that shows itself with another key.",
            source: cite(.configuration, .bringPrimaryBack),
            remedy:
                "copy /etc/ssh/ssh_host_*_key* of a Rails node of the primary (private keys 0600), then sudo systemctl"
                + " reload ssh"),
        needs: { scope, node, context in
            guard node.runs(.rails) else { return }
            scope.ask([.hostKeys], of: [node] + (context.fromSite?.nodes(running: .rails) ?? []))
        }
    ) { examination, node in
        guard node.runs(.rails) else { return "\(node.id) runs no Rails, and nobody's git asks for it" }
        let text = { (keys: [String]) in Quantity.list(keys.map { String($0.prefix(19)) }) }
        let rails = examination.context.fromSite?.nodes(running: .rails) ?? []
        guard let source = rails.first(where: { examination.observation[$0.id].hostKeys.value != nil }) ?? rails.first
        else {
            examination.unknown(
                "there is no Rails node of the primary to compare with",
                remedy: "add it to \(examination.context.inventory.source.path)")
            return ""
        }
        guard let right = examination.read(\.hostKeys, "SSH host keys", of: source, as: text),
            let own = examination.read(\.hostKeys, "SSH host keys", of: node, as: text)
        else { return "" }
        if Set(own) != Set(right) {
            examination.fail(
                "the SSH host keys of \(node.id) are others than those of \(source.id)",
                remedy: "copy /etc/ssh/ssh_host_*_key* of \(source.id) there (root:root, private keys 0600), then sudo"
                    + " systemctl reload ssh")
        }
        return "\(node.id) has the SSH host keys of \(source.id)"
    }

    static let trustsPrimary = Check.aboutFailover(
        "database.trusts-primary",
        CheckText(
            question: "Has the standby the certificate with which the primary's PostgreSQL shows itself?",
            rationale:
                "Where sslmode asks for a certificate, gitlab-ctl replicate-geo-database copies everything, exits with"
                + " 0, and nothing streams.",
            source: cite(.databaseSetup, .replicate),
            remedy:
                "plan reseed-secondary --repair database.trusts-primary, or by hand: sudo install -D -o gitlab-psql -g"
                + " gitlab-psql -m 0400 -T server.crt ~gitlab-psql/.postgresql/root.crt"),
        needs: { scope, pair, _ in scope.ask([.replicationTrust], of: pair.databaseNodes) }
    ) { examination, pair in
        let text = { (facts: TrustFacts) in
            "server.crt \(facts.server?.prefix(12) ?? "none"), root.crt \(facts.root?.prefix(12) ?? "none")"
        }
        let shown = examination.readEach(\.replicationTrust, "certificates", of: pair.from.databaseNodes, as: text)
        let followers = examination.readEach(\.replicationTrust, "certificates", of: pair.to.databaseNodes, as: text)
        guard let access = examination.context.inventory.replication, access.verifiesCertificate else {
            return "the stream does not ask for a certificate (sslmode)"
        }
        for node in shown where node.value.server == nil {
            examination.fail(
                "\(node.node.id) has no server.crt, and sslmode \(access.sslMode) asks for one",
                remedy: "sudo gitlab-ctl reconfigure  # on \(node.node.id), which makes one; or sslmode: prefer")
        }
        let certificates = Set(shown.compactMap(\.value.server))
        for node in followers {
            guard let root = node.value.root else {
                examination.fail(
                    "\(node.node.id) has no root.crt, and sslmode \(access.sslMode) asks for one: nothing would stream",
                    remedy: node.node.toTrustPrimary(of: pair))
                continue
            }
            if !certificates.contains(root) {
                examination.warn(
                    "root.crt of \(node.node.id) is not the certificate of \(pair.from.id)'s PostgreSQL: right only where"
                        + " an authority has signed that one",
                    remedy: node.node.toTrustPrimary(of: pair))
            }
        }
        return "\(pair.to.id) has the certificate that \(pair.from.id) shows"
    }

    static let window = Check.aboutFailover(
        "reseed.window",
        CheckText(
            question: "Is it the time of day at which a database may be copied?",
            rationale: "A whole copy takes the primary's disks and the link between the sites for hours; the inventory"
                + " says when nobody minds.",
            source: cite(.promise(11)),
            remedy: "wait, or change replication: { window } in the inventory, and plan again"),
        needs: OperatorChecks.ask
    ) { examination, pair in
        // By the clock of this machine, when it was looked at.
        guard examination.readOperator() != nil, case .known(_, let now, _) = examination.observation.operatorMachine
        else { return "" }
        guard let window = examination.context.inventory.replication?.window else {
            return "the inventory names no time of day for a copy"
        }
        examination.note("it is \(now.toSeconds) UTC, and copies may begin \(window)")
        if !window.contains(now) {
            examination.fail(
                "a copy of \(pair.from.id) may begin \(window), in \(Quantity.seconds(window.secondsUntilOpen(now)))",
                remedy: "wait, or change the window in \(examination.context.inventory.source.path) and plan again")
        }
        return "a copy may begin \(window)"
    }
}

extension Node {
    /// Only `reseed-secondary` has a step for it.
    fileprivate func toTrustPrimary(of pair: SitePair) -> String {
        guard runs(.patroni) else {
            return "geo-failover plan reseed-secondary --from \(pair.from.id) --to \(pair.to.id)"
                + " --repair database.trusts-primary"
        }
        return "sudo install -D -o gitlab-psql -g gitlab-psql -m 0400 -T server.crt \(ProbeCatalog.rootCertificate)"
            + "  # on \(id), with server.crt from the data directory of \(pair.from.id)'s PostgreSQL"
    }
}
