/// What a standby must have before it can take over, and what would hold it up.
enum ServerChecks {
    static let all = [
        sameTimeline, standbyReadable, standbySettings, pendingRestart, collation, longTransactions, roomForSecondaries,
        seedSource, roomForBaseBackup,
    ]

    static let sameTimeline = Check.aboutFailover(
        "database.same-timeline",
        CheckText(
            question: "Are the databases of both sites on one timeline?",
            rationale: "A site that was promoted once goes on under another timeline. Member state and lag can look"
                + " healthy while two timelines have parted, and nothing streams any more.",
            source: cite(.hotStandby, .recoveryFunctions),
            remedy:
                "re-seed the candidate: sudo gitlab-ctl replicate-geo-database --host=PRIMARY --slot-name=NAME --force"
        ),
        needs: { scope, pair, _ in scope.ask([.database], of: pair.databaseNodes) }
    ) { examination, pair in
        guard let primary = examination.database(of: pair.from) else { return "" }
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        for node in pair.databaseNodes where node.id != primary.node.id {
            guard let facts = examination.readDatabase(of: node), facts.timeline != primary.facts.timeline else {
                continue
            }
            let text =
                "\(node.id) is on timeline \(facts.timeline), \(primary.node.id) on \(primary.facts.timeline)"
            if facts.timeline < primary.facts.timeline, facts.standby?.receiver == nil {
                examination.unknown(
                    "\(text), and streams from nobody: whether it can follow is not known",
                    remedy: "sudo gitlab-ctl tail postgresql  # on \(node.id)")
            } else {
                examination.fail(
                    "\(text): they have parted",
                    remedy: "sudo gitlab-ctl replicate-geo-database --host=\(primary.node.access.address)"
                        + " --slot-name=\(pair.to.id) --force  # on \(node.id), which wipes its database")
            }
        }
        return "the databases of both sites are on timeline \(primary.facts.timeline)"
    }

    static let standbyReadable = Check.aboutFailover(
        "database.standby-readable",
        CheckText(
            question: "Does every standby of the candidate answer queries while it is in recovery?",
            rationale: "With hot_standby off a standby follows the primary and refuses every connection: Rails there,"
                + " Geo's status and the promotion's own question fail, and nothing can be compared.",
            source: cite(.hotStandby, .promote),
            remedy: "set postgresql['hot_standby'] = 'on' in /etc/gitlab/gitlab.rb, sudo gitlab-ctl reconfigure,"
                + " sudo gitlab-ctl restart postgresql\(forPatroni)"),
        needs: { scope, pair, _ in scope.ask([.database, .controlData, .server], of: pair.to.databaseNodes) }
    ) { examination, pair in
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        for node in pair.to.databaseNodes {
            let control = examination.read(\.controlData, "control data", of: node, as: \.evidenceText)
            let reason = examination.observation[node.id].database.reason ?? ""
            let refuses = ["not accepting connections", "Hot standby mode is disabled"].contains { reason.contains($0) }
            if refuses, control?.clusterState == "in archive recovery" {
                examination.fail(
                    "PostgreSQL on \(node.id) is in recovery and refuses every connection: hot_standby is off",
                    remedy: node.toSet("hot_standby", "'on'"))
                continue
            }
            guard examination.readDatabase(of: node) != nil, let server = examination.readServer(of: node) else {
                continue
            }
            let value = examination.setting("hot_standby", in: server, of: node)
            if let value, value != "on" {
                examination.fail(
                    "hot_standby of \(node.id) is \(value): as a standby it would answer nobody",
                    remedy: node.toSet("hot_standby", "'on'"))
            }
        }
        return "every standby of \(pair.to.id) answers queries"
    }

    /// A standby must have at least as much of each as its primary (PostgreSQL, hot standby).
    static let bounded = [
        "max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions",
        "max_locks_per_transaction",
    ]

    static let standbySettings = Check.aboutFailover(
        "database.standby-settings",
        CheckText(
            question: "Are the candidate's PostgreSQL settings at least as large as the primary's?",
            rationale: "A standby with fewer connections, workers or locks than its primary pauses its replay, or does"
                + " not start again: after its next restart it is no candidate any more.",
            source: cite(.hotStandby),
            remedy:
                "raise postgresql['SETTING'] in /etc/gitlab/gitlab.rb of the candidate, sudo gitlab-ctl reconfigure,"
                + " sudo gitlab-ctl restart postgresql\(forPatroni)"),
        needs: { scope, pair, _ in scope.ask([.database, .server], of: pair.databaseNodes) }
    ) { examination, pair in
        let primary = examination.database(of: pair.from).map(\.node)
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        let reference = primary.flatMap { node in examination.readServer(of: node).map { (node, $0) } }
        for node in pair.databaseNodes where node.id != primary?.id {
            _ = examination.readDatabase(of: node)
            guard let server = examination.readServer(of: node), let (source, limits) = reference else { continue }
            for name in bounded {
                guard let least = examination.number(name, in: limits, of: source),
                    let value = examination.number(name, in: server, of: node), value < least
                else { continue }
                examination.fail(
                    "\(name) is \(value) on \(node.id) and \(least) on \(source.id): a standby needs as much",
                    remedy: node.toSet(name, "\(least)"))
            }
        }
        for node in pair.to.databaseNodes where !node.runs(.patroni) {
            guard let server = examination.readServer(of: node),
                let names = server.settings["synchronous_standby_names"], !names.isEmpty
            else { continue }
            examination.warn(
                "\(node.id) waits for synchronous standbys (\(names)): once promoted it would hang at every write until"
                    + " one of them replicates from it",
                remedy: "empty synchronous_standby_names in /etc/gitlab/gitlab.rb of \(node.id),"
                    + " sudo gitlab-ctl reconfigure")
        }
        return "the settings that bound a standby are at least as large on \(pair.to.id) as on \(pair.from.id)"
    }

    static let pendingRestart = Check.aboutFailover(
        "database.pending-restart",
        CheckText(
            question: "Do all databases run with the settings that are configured?",
            rationale: "A reconfigure writes settings that count only after a restart, says so in one line and exits 0."
                + " They take effect in the middle of a failover, at the next restart.",
            source: cite(.postgresqlSettings, .postgresql("pg_settings (view-pg-settings)")),
            remedy: "sudo gitlab-ctl restart postgresql on the node, outside working hours\(forPatroni)"),
        needs: { scope, pair, _ in scope.ask([.server], of: pair.databaseNodes) }
    ) { examination, pair in
        for site in [pair.from, pair.to] where site.databaseNodes.isEmpty { _ = examination.database(of: site) }
        for node in pair.databaseNodes {
            guard let server = examination.readServer(of: node), !server.pendingRestart.isEmpty else { continue }
            examination.warn(
                "\(node.id) waits for a restart of PostgreSQL to use \(Quantity.list(server.pendingRestart))",
                remedy: "\(node.toRestartPostgreSQL)  # on \(node.id)")
        }
        return "no database waits for a restart to use its settings"
    }

    static let collation = Check.aboutFailover(
        "database.collation",
        CheckText(
            question: "Do the databases of both sites sort alike, by locale and C library?",
            rationale: "Indexes come over the wire as bytes. Under another version of the C library they are in another"
                + " order: unique rows appear twice and rows cannot be found, which nothing reports before users do.",
            source: cite(.collations, .troubleshooting),
            remedy: "give all database nodes the same operating system release; after a change of it: REINDEX DATABASE"),
        needs: { scope, pair, _ in scope.ask([.server, .machine], of: pair.databaseNodes) }
    ) { examination, pair in
        for site in [pair.from, pair.to] where site.databaseNodes.isEmpty { _ = examination.database(of: site) }
        var libraries: [(node: Node, value: String)] = []
        var locales: [(node: Node, value: String)] = []
        for node in pair.databaseNodes {
            let machine = examination.read(\.machine, "machine", of: node, as: \.evidenceText)
            guard let server = examination.readServer(of: node), let machine else { continue }
            locales.append((node, server.locale))
            guard !sortsByBytes(server.locale) else { continue }
            guard let library = machine.glibc else {
                examination.unknown(
                    "\(node.id) told no version of the GNU C library", remedy: "ldd --version  # on \(node.id)")
                continue
            }
            libraries.append((node, library))
            if let made = server.collationVersion, made != library {
                examination.fail(
                    "the database on \(node.id) was sorted by C library \(made), and it runs with \(library)",
                    remedy: "sudo gitlab-psql -c 'REINDEX DATABASE gitlabhq_production'  # on the primary;"
                        + " then ALTER DATABASE gitlabhq_production REFRESH COLLATION VERSION")
            }
        }
        for (what, groups) in [
            ("versions of the C library", examination.groups(libraries)), ("locales", examination.groups(locales)),
        ] where groups.count > 1 {
            examination.fail(
                "the databases have \(groups.count) \(what): \(groups.map(\.text).joined(separator: "; "))",
                remedy: "give all database nodes the same operating system release and locale; then reindex")
        }
        let library = libraries.first.map { ", C library \($0.value)" } ?? ", by bytes"
        return "all \(locales.count) databases sort by \(locales.first?.value ?? "")\(library)"
    }

    /// The C locale compares bytes, whatever the library is.
    static func sortsByBytes(_ locale: String) -> Bool {
        locale.split(separator: " ").allSatisfy { ["C", "POSIX", "C.UTF-8", "C.utf8"].contains($0) }
    }

    static let longTransactions = Check.aboutFailover(
        "database.long-transactions",
        CheckText(
            question: "Is no transaction open for long on the databases of both sites?",
            rationale: "On the primary a long one is lost or waited for when the site stops; on a standby it holds up"
                + " the replay, or is cancelled by it. A prepared one outlives restart and promotion with its locks.",
            source: cite(.hotStandby, .troubleshootingPostgreSQL),
            remedy: "sudo gitlab-psql -xc 'SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start' on"
                + " the node; end what need not run: SELECT pg_terminate_backend(PID)"),
        limits: [
            LimitDefault(
                name: "at_most_seconds", value: 600, unit: .seconds, meaning: "age of a transaction beyond this warns")
        ],
        needs: { scope, pair, _ in scope.ask([.server], of: pair.databaseNodes) }
    ) { examination, pair in
        for site in [pair.from, pair.to] where site.databaseNodes.isEmpty { _ = examination.database(of: site) }
        var oldest = 0.0
        for node in pair.databaseNodes {
            guard let server = examination.readServer(of: node) else { continue }
            oldest = max(oldest, server.transactions.first?.seconds ?? 0)
            let list = "sudo gitlab-psql -xc 'SELECT pid, usename, xact_start, state, query FROM pg_stat_activity"
            for open in server.transactions where open.seconds > Double(examination.limit("at_most_seconds")) {
                examination.warn(
                    "a transaction of \(open.user) (\(open.application), \(open.state)) on \(node.id) is open for"
                        + " \(Quantity.seconds(open.seconds))",
                    remedy: "\(list) ORDER BY xact_start LIMIT 5'  # on \(node.id)")
            }
            if server.preparedTransactions > 0 {
                examination.warn(
                    "\(Quantity.count(server.preparedTransactions, "prepared transaction")) on \(node.id) hold locks"
                        + " until somebody ends them",
                    remedy: "sudo gitlab-psql -c 'SELECT * FROM pg_prepared_xacts'  # on \(node.id)")
            }
        }
        return "the oldest open transaction is \(Quantity.seconds(oldest)) old"
    }
}
