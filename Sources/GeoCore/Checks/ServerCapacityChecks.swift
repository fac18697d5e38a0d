extension ServerChecks {
    static let roomForSecondaries = Check.aboutFailover(
        "database.room-for-secondaries",
        CheckText(
            question: "Could the candidate's PostgreSQL serve the other sites once it is primary?",
            rationale: "Without slots and senders of its own it is primary and nobody can follow it: the former primary"
                + " cannot be re-seeded before a restart of the database, in working hours.",
            source: cite(.databaseSetup, .bringPrimaryBack),
            remedy: "set postgresql['max_replication_slots'] and postgresql['max_wal_senders'] in /etc/gitlab/gitlab.rb"
                + " of the candidate, sudo gitlab-ctl reconfigure, sudo gitlab-ctl restart postgresql\(forPatroni)"),
        needs: { scope, pair, _ in scope.ask([.server], of: pair.to.databaseNodes) }
    ) { examination, pair in
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        let others = max(1, examination.context.inventory.sites.count - 1)
        for node in pair.to.databaseNodes {
            guard let server = examination.readServer(of: node) else { continue }
            // A base backup streams its WAL through a second sender.
            for (name, least) in [("max_replication_slots", others), ("max_wal_senders", others + 1)] {
                guard let value = examination.number(name, in: server, of: node), value < least else { continue }
                examination.warn(
                    "\(name) of \(node.id) is \(value), and \(Quantity.count(others, "other site")) need \(least)",
                    remedy: node.toSet(name, "\(least)"))
            }
            if let level = examination.setting("wal_level", in: server, of: node), level == "minimal" {
                examination.fail(
                    "wal_level of \(node.id) is minimal: as a primary it could have no standby",
                    remedy: node.toSet("wal_level", "'replica'"))
            }
        }
        return "\(pair.to.id) could serve \(Quantity.count(others, "secondary", "secondaries"))"
    }

    static let seedSource = Check.aboutFailover(
        "database.seed-source",
        CheckText(
            question: "Can the primary's PostgreSQL give a base backup to this site and keep one standby more?",
            rationale:
                "A base backup takes two senders for as long as it lasts, and the new secondary a slot of its own."
                + " Where they are taken, or pg_hba.conf does not name the site, re-seeding ends after the old data was"
                + " moved away. Under another C library the copy would sort otherwise.",
            source: cite(.databaseSetup, .replicate, .troubleshootingPostgreSQL, .accessRules, .collations),
            remedy:
                "plan reseed-secondary --repair database.seed-source, or by hand: set postgresql['max_replication_slots']"
                + " and postgresql['max_wal_senders'] in /etc/gitlab/gitlab.rb of the primary, sudo gitlab-ctl"
                + " reconfigure, sudo gitlab-ctl restart postgresql\(forPatroni)"),
        needs: { scope, pair, _ in
            scope.ask([.database, .server, .accessRules, .machine], of: pair.from.databaseNodes)
            scope.ask([.machine], of: pair.to.databaseNodes)
            if let member = pair.to.nodes(running: .patroni).first { scope.ask([.geoSettings], of: [member]) }
        }
    ) { examination, pair in
        guard let primary = examination.primaryState(of: pair.from) else { return "" }
        let node = primary.database.node
        for other in pair.from.databaseNodes where other.id != node.id { _ = examination.readServer(of: other) }
        guard let server = examination.readServer(of: node) else { return "" }
        let own = examination.ownSlots(of: pair.to)
        for (name, least) in PrimarySettings.least(primary.state, toSeed: pair.to, through: own) {
            guard let value = examination.number(name, in: server, of: node), value < least else { continue }
            examination.fail(
                "\(name) of \(node.id) is \(value), and seeding \(pair.to.id) needs \(least)",
                remedy: node.toSet(name, "\(least)"))
        }
        if let level = examination.setting("wal_level", in: server, of: node), level == "minimal" {
            examination.fail(
                "wal_level of \(node.id) is minimal: nothing can be seeded from it",
                remedy: node.toSet("wal_level", "'replica'"))
        }
        for other in pair.from.databaseNodes {
            guard let rules = examination.readAccessRules(of: other) else { continue }
            for refused in examination.refused(pair.to.databaseNodes, by: rules, of: other) {
                examination.fail(refused.sentence, remedy: refused.remedy)
            }
        }
        examination.compareLibraries(of: [node] + pair.from.databaseNodes + pair.to.databaseNodes, server.locale)
        return "\(node.id) has senders and slots to seed \(pair.to.id), and lets it in"
    }

    static let roomForBaseBackup = Check.aboutFailover(
        "database.room-for-base-backup",
        CheckText(
            question: "Has each database node of the site to be re-seeded room for a second copy of the database?",
            rationale:
                "Re-seeding moves the old data directory aside and copies the whole database beside it. On a full"
                + " disk it ends with every service of the node stopped.",
            source: cite(.replicate, .bringPrimaryBack),
            remedy:
                "free space in /var/opt/gitlab, first of all left-over copies: sudo ls -d /var/opt/gitlab/postgresql/data.*"
        ),
        limits: [
            LimitDefault(
                name: "at_least_percent", value: 120, unit: .percent,
                meaning: "free space on /var/opt/gitlab, of the size of the database to copy")
        ],
        needs: { scope, pair, _ in
            scope.ask([.database, .server], of: pair.from.databaseNodes)
            scope.ask([.disks], of: pair.to.databaseNodes)
        }
    ) { examination, pair in
        let source = examination.database(of: pair.from)
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        guard let source, let server = examination.readServer(of: source.node) else { return "" }
        let needed = server.databaseBytes / 100 * examination.limit("at_least_percent")
        var least = Int.max
        for node in pair.to.databaseNodes {
            guard let free = examination.freeBytes("/var/opt/gitlab", of: node) else { continue }
            least = min(least, free)
            guard free < needed else { continue }
            examination.fail(
                "/var/opt/gitlab of \(node.id) has \(Quantity.bytes(free)) free, and a copy of the database of"
                    + " \(source.node.id) needs \(Quantity.bytes(needed))",
                remedy: "sudo du -xh --max-depth=2 /var/opt/gitlab | sort -h | tail  # on \(node.id)")
        }
        return
            "\(pair.to.id) has \(Quantity.bytes(least)) free for a copy of \(Quantity.bytes(server.databaseBytes))"
    }
}

extension Examination {
    /// Of machines, since a database that is to be seeded may be down.
    fileprivate mutating func compareLibraries(of nodes: [Node], _ locale: String) {
        var libraries: [NodeID: String] = [:]
        for node in nodes where libraries[node.id] == nil {
            guard let machine = read(\.machine, "machine", of: node, as: \.evidenceText) else { continue }
            if machine.glibc == nil, !ServerChecks.sortsByBytes(locale) {
                unknown("\(node.id) told no version of the GNU C library", remedy: "ldd --version  # on \(node.id)")
            }
            libraries[node.id] = machine.glibc
        }
        guard let source = nodes.first, let library = libraries[source.id], !ServerChecks.sortsByBytes(locale) else {
            return
        }
        for (node, other) in libraries.sorted(by: { $0.key < $1.key }) where other != library {
            fail(
                "\(node) has C library \(other), and \(source.id) has \(library): a copy of the database would sort otherwise",
                remedy: "give \(node) the operating system release of \(source.id)")
        }
    }

    mutating func readServer(of node: Node) -> ServerFacts? {
        readRows(\.server, "settings", of: node, as: \.evidenceText)
    }

    /// A setting that must have been told; `nil` with a remark when it was not.
    mutating func setting(_ name: String, in server: ServerFacts, of node: Node) -> String? {
        if let value = server.settings[name] { return value }
        unknown(
            "\(node.id) did not tell its \(name)", remedy: "sudo gitlab-psql -c 'SHOW \(name)'  # on \(node.id)")
        return nil
    }

    mutating func number(_ name: String, in server: ServerFacts, of node: Node) -> Int? {
        if let value = server.number(name) { return value }
        unknown(
            "\(node.id) did not tell its \(name)", remedy: "sudo gitlab-psql -c 'SHOW \(name)'  # on \(node.id)")
        return nil
    }

    mutating func freeBytes(_ path: String, of node: Node) -> Int? {
        let disks = read(\.disks, "disks", of: node) { disks in
            disks.map { "\($0.path) \(Quantity.bytes($0.freeBytes)) free" }.joined(separator: ", ")
        }
        guard let disks else { return nil }
        if let disk = disks.first(where: { $0.path == path }) { return disk.freeBytes }
        unknown("free space in \(path) of \(node.id) was not told", remedy: "df -B1 \(path)  # on \(node.id)")
        return nil
    }
}

extension ServerFacts {
    var evidenceText: String {
        let told = ServerChecks.bounded.compactMap { name in settings[name].map { "\(name) \($0)" } }
        let open = transactions.first.map { ", oldest transaction \(Quantity.seconds($0.seconds))" } ?? ""
        return "\(told.joined(separator: ", ")); database \(Quantity.bytes(databaseBytes)), \(locale)\(open)"
    }
}

extension MachineFacts {
    var evidenceText: String {
        "\(Quantity.count(processors, "processor")), \(Quantity.bytes(memoryBytes)), \(system),"
            + " C library \(glibc ?? "not told"), \(Quantity.count(pumaWorkers, "Puma worker")),"
            + " \(Quantity.count(sidekiqProcesses, "Sidekiq process", "Sidekiq processes"))"
    }
}
