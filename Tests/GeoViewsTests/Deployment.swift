import GeoCore

/// A deployment as operators have one: two sites, seven nodes each, a bastion, a secret, hooks.
enum Deployment {
    static let midnight = Timestamp(milliseconds: 1_795_219_200_000)  // 2026-11-21 00:00:00 UTC
    static func at(_ hours: Int, _ minutes: Int, _ seconds: Int = 0) -> Timestamp {
        midnight.adding(seconds: Double(hours * 3600 + minutes * 60 + seconds))
    }

    static func digest(_ digit: Character) -> Digest {
        guard let digest = Digest("sha256:" + String(repeating: digit, count: 64)) else { fatalError("not a digest") }
        return digest
    }

    static let inventory = Inventory(
        deployment: "acme", objectives: Objectives(rtoSeconds: 3600, rpoSeconds: 300),
        database: DatabaseAccess(via: .tunnel, user: "geo_observer", password: .environment(name: "GEO_DB_PASSWORD")),
        sites: [site("tokyo", 1), site("seoul", 2)],
        hooks: ["point-dns-at": Hook(name: "point-dns-at", run: ["./hooks/dns", "{site}"], timeLimitSeconds: 120)],
        canary: Canary(repository: "{url}/ops/canary.git"),
        fences: [
            FenceProgram(
                name: "power-off", run: ["./hooks/ipmi", "{node}", "off"], prove: ["./hooks/ipmi", "{node}", "is-off"],
                timeLimitSeconds: 60, sites: ["tokyo"])
        ],
        source: DocumentReference(path: "inventory/acme.yaml", digest: digest("a")))

    static func site(_ name: String, _ network: Int) -> Site {
        let kinds: [(String, Int, [Component])] = [
            ("lb-1", 5, [.loadBalancer]), ("rails-1", 11, [.rails, .logcursor]), ("rails-2", 12, [.rails]),
            ("sidekiq-1", 16, [.sidekiq]), ("pg-1", 21, [.postgresql, .trackingDB]), ("gitaly-1", 31, [.gitaly]),
            ("redis-1", 41, [.redis, .sentinel]),
        ]
        return Site(
            id: SiteID(name), url: "https://gitlab.\(name).example.com", geoNodeName: name,
            nodes: kinds.map { kind, last, components in
                Node(
                    id: NodeID("\(name)-\(kind)"), components: components,
                    access: NodeAccess(
                        address: "10.\(network).0.\(last)", port: kind == "gitaly-1" ? 2222 : 22, user: "geo-ops",
                        identity: Identity(
                            file: "~/.ssh/geo-ops", passphrase: .command(arguments: ["pass", "show", "geo ops"])),
                        knownHosts: "known_hosts", jump: [JumpHost(address: "bastion.example.com", user: "geo-ops")]))
            })
    }

    static func identity(_ node: NodeID) -> NodeIdentity {
        NodeIdentity(hostName: "\(node).example.com", machineID: "4c4c\(node)", bootID: "b007\(node)")
    }

    static var observation: Observation {
        var nodes: [NodeID: NodeFacts] = [:]
        for node in inventory.nodes {
            var facts = NodeFacts()
            facts.identity = .known(value: identity(node.id), at: at(2, 59), from: node.id.rawValue)
            nodes[node.id] = facts
        }
        return Observation(startedAt: at(2, 58, 50), endedAt: at(2, 59), nodes: nodes)
    }

    // MARK: Findings

    static let lagging = Finding(
        check: "replication.lag", subject: .site(id: "seoul"), verdict: .fail,
        summary: "412 s behind, at most 30 s allowed; 16777216 bytes of WAL are not replayed",
        evidence: [
            Evidence("replayed 16/B374D848, sent 16/B474D848", from: "seoul-pg-1", at: at(2, 58, 52)),
            Evidence("primary at 16/B474D848, 1 sender, 1 slot, system 7301", from: "tokyo-pg-1", at: at(2, 58, 51)),
            Evidence("receiver streaming, last message 0.2 s ago", from: "seoul-pg-1", at: at(2, 58, 52)),
            Evidence("replay is not paused", from: "seoul-pg-1", at: at(2, 58, 52)),
            Evidence("wal_retrieve_retry_interval 5 s", from: "seoul-pg-1", at: at(2, 58, 52)),
        ],
        remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_stat_wal_receiver'  # on seoul-pg-1; wait until it has caught up"
    )

    static let mixed: [Finding] = [
        Finding(
            check: "node.reachable", subject: .node(id: "tokyo-rails-1"), verdict: .pass, summary: "answered in 84 ms"),
        Finding(
            check: "node.reachable", subject: .node(id: "seoul-gitaly-1"), verdict: .unknown,
            summary: "no answer within 10 s", evidence: [Evidence("connection: unknown, no answer within 10 s")],
            remedy: "ssh -p 2222 geo-ops@10.2.0.31 sudo -n true  # then check again"),
        Finding(
            check: "disk.space", subject: .node(id: "seoul-pg-1"), verdict: .warn,
            summary: "11.5 GiB of 100 GiB free under /var/opt/gitlab, at least 20 % wanted",
            evidence: [Evidence("/var/opt/gitlab: 12348030976 bytes free", from: "seoul-pg-1", at: at(2, 58, 52))],
            remedy: "free space under /var/opt/gitlab on seoul-pg-1; old base backups in /var/opt/gitlab/backups are"
                + " the usual reason"),
        lagging,
        Finding(
            check: "versions.equal", subject: .failover(from: "tokyo", to: "seoul"), verdict: .fail,
            summary: "19.3.0-ee.0 on tokyo-rails-1, 19.2.4-ee.0 on seoul-rails-2",
            evidence: [Evidence("19.2.4-ee.0", from: "seoul-rails-2", at: at(2, 58, 53))],
            remedy: "sudo apt-get install gitlab-ee=19.3.0-ee.0  # on seoul-rails-2"),
        Finding(
            check: "secrets.equal", subject: .node(id: "seoul-rails-1"), verdict: .fail,
            summary: "gitlab-secrets.json differs from that of tokyo-rails-1",
            remedy: "copy /etc/gitlab/gitlab-secrets.json from tokyo-rails-1, then\nsudo gitlab-ctl reconfigure"),
        Finding(
            check: "secrets.equal", subject: .node(id: "seoul-rails-2"), verdict: .fail,
            summary: "gitlab-secrets.json differs from that of tokyo-rails-1",
            remedy: "copy /etc/gitlab/gitlab-secrets.json from tokyo-rails-1, then\nsudo gitlab-ctl reconfigure"),
        Finding(
            check: "verification.complete", subject: .site(id: "seoul"), verdict: .warn,
            summary: "3 of 8812 uploads are not verified",
            remedy: "look at Admin > Geo > Sites > seoul > Uploads, and resync the failed ones"),
        Finding(check: "site.role", subject: .site(id: "tokyo"), verdict: .pass, summary: "tokyo is the primary"),
    ]

    static let diskWaiver = Waiver(
        check: "disk.space", subject: "seoul-pg-1", reason: "the volume is grown on Monday", by: "anna",
        at: at(2, 59, 10), observed: mixed[2].summary)

    static let hostile = Finding(
        check: "node.reachable", subject: .node(id: "tokyo-pg-1"), verdict: .fail,
        summary: "said \u{1B}[31mred\u{1B}[0m\r\n\u{7}and \u{202E}backwards\u{9B}2J",
        evidence: [Evidence("bell \u{7} tab\tend", from: "x\u{1B}]0;title\u{7}", at: at(2, 0))],
        remedy: "sudo true\u{1B}[2K\nlook at \u{200B}it")
}
