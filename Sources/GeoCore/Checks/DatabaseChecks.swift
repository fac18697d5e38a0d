/// What the main databases are to each other, and the proof that nothing committed is left behind.
enum DatabaseChecks {
    static let all = [sameLineage, isPrimary, acceptsWrites, stoppedCleanly, zeroLoss]

    static let sameLineage = Check.aboutFailover(
        "database.same-lineage",
        CheckText(
            question: "Do the databases of both sites descend from one initdb?",
            rationale: "WAL positions of databases with different system identifiers cannot be compared,"
                + " and one cannot replicate the other.",
            source: cite(.databaseSetup, .recoveryFunctions),
            remedy: "re-seed the candidate from the primary: sudo gitlab-ctl replicate-geo-database --host=PRIMARY "
                + "--slot-name=NAME --force"),
        needs: { scope, pair, _ in scope.ask([.database], of: pair.databaseNodes) }
    ) { examination, pair in
        for site in [pair.from, pair.to] where site.databaseNodes.isEmpty { _ = examination.database(of: site) }
        var seen: [(node: Node, value: String)] = []
        for node in pair.databaseNodes {
            guard let facts = examination.readDatabase(of: node) else { continue }
            if facts.systemIdentifier.isEmpty {
                examination.unknown(
                    "\(node.id) told no system identifier",
                    remedy: "sudo gitlab-psql -Atc 'SELECT system_identifier FROM pg_control_system()'  # on \(node.id)"
                )
            } else {
                seen.append((node, facts.systemIdentifier))
            }
        }
        let groups = examination.groups(seen)
        if groups.count > 1 {
            examination.fail(
                "the databases have \(groups.count) system identifiers: \(groups.map(\.text).joined(separator: "; "))",
                remedy: "re-seed \(pair.to.id) from \(pair.from.id): geo-failover plan --runbook reseed")
        }
        return "all \(seen.count) databases have the system identifier \(groups.first?.value ?? "")"
    }

    static let isPrimary = Check.aboutNode(
        "database.is-primary",
        CheckText(
            question: "Has PostgreSQL on the node left recovery?",
            rationale:
                "geo promote says \"The database is successfully promoted!\" while PostgreSQL is still in recovery.",
            source: cite(.promoteDatabase, .recoveryFunctions),
            remedy: "sudo gitlab-ctl geo promote --force on the node"),
        probes: [.database]
    ) { examination, node in
        guard let facts = examination.readDatabase(of: node) else { return "" }
        examination.requirePrimary(facts, of: node)
        return "PostgreSQL on \(node.id) is out of recovery, timeline \(facts.timeline)"
    }

    static let acceptsWrites = Check.aboutNode(
        "database.accepts-writes",
        CheckText(
            question: "Is PostgreSQL on the node a primary that writes WAL?",
            rationale: "Only a primary has a current WAL position; a standby would refuse pg_current_wal_lsn().",
            source: cite(.recoveryFunctions),
            remedy: "sudo gitlab-ctl geo promote --force on the node"),
        probes: [.database]
    ) { examination, node in
        guard let facts = examination.readDatabase(of: node) else { return "" }
        examination.requirePrimary(facts, of: node)
        return
            "PostgreSQL on \(node.id) accepts writes, current WAL position \(facts.primary?.current.description ?? "")"
    }

    static let stoppedCleanly = Check.aboutNode(
        "database.stopped-cleanly",
        CheckText(
            question: "Is PostgreSQL on the node down, after a clean shutdown?",
            rationale:
                "Only a clean shutdown sends the remaining WAL to the standbys"
                + " and writes a checkpoint to compare with.",
            source: cite(.shutdown, .disasterRecovery),
            remedy: "sudo gitlab-ctl start postgresql, wait until it answers, sudo gitlab-ctl stop postgresql on the "
                + "node"),
        probes: [.controlData, .services]
    ) { examination, node in
        if let services = examination.readServices(of: node) {
            let names = [Component.postgresql, .patroni].filter(node.runs).flatMap(\.services)
            examination.requireStopped(names, among: services, of: node)
        }
        guard let control = examination.read(\.controlData, "control data", of: node, as: \.evidenceText) else {
            return ""
        }
        let isStandby = node.runs(.patroni) && control.clusterState == "shut down in recovery"
        if !control.isCleanShutdown, !isStandby {
            examination.fail(
                "PostgreSQL on \(node.id) is \"\(control.clusterState)\", not \"shut down\"",
                remedy: examination.cleanShutdown(of: node))
        }
        return "PostgreSQL on \(node.id) is down, \"\(control.clusterState)\" at \(control.latestCheckpoint)"
    }

    static let zeroLoss = Check.aboutFailover(
        "database.zero-loss",
        CheckText(
            question: "Has the candidate replayed everything that the former primary ever committed?",
            rationale: "After a clean shutdown all commits lie before the shutdown checkpoint;"
                + " a standby of the same lineage that replayed up to it has them all.",
            source: cite(.shutdown, .recoveryFunctions),
            remedy: "start the former primary's database again, wait for replication.caught-up, stop it cleanly"),
        isInvariant: true,
        needs: { scope, pair, _ in
            scope.ask([.controlData], of: pair.from.databaseNodes)
            scope.ask([.database], of: pair.to.databaseNodes)
        }
    ) { examination, pair in
        let stopped = examination.shutdownCheckpoint(of: pair.from)
        let standbys = examination.standbys(of: pair.to)
        guard let (source, control) = stopped, !standbys.isEmpty else { return "" }
        for (node, facts, state) in standbys {
            examination.compare(node, facts, state.replayed, with: control, of: source)
        }
        let least = standbys.map(\.state.replayed).min() ?? control.latestCheckpoint
        return "\(pair.to.id) replayed up to \(least), \(Quantity.bytes(control.latestCheckpoint.distance(to: least)))"
            + " past the shutdown checkpoint \(control.latestCheckpoint) of \(source.id): nothing committed is missing"
    }
}

extension Examination {
    func cleanShutdown(of node: Node) -> String {
        let service = node.runs(.patroni) ? "patroni" : "postgresql"
        return
            "sudo gitlab-ctl start \(service), wait until it answers, sudo gitlab-ctl stop \(service)  # on \(node.id)"
    }

    /// The checkpoint with which a stopped site's leader ended.
    ///
    /// `nil`, with remarks, unless every database node is down.
    fileprivate mutating func shutdownCheckpoint(of site: Site) -> (node: Node, control: ControlData)? {
        if site.databaseNodes.isEmpty { _ = database(of: site) }
        var seen: [(node: Node, control: ControlData)] = []
        for node in site.databaseNodes {
            guard let control = read(\.controlData, "control data", of: node, as: \.evidenceText) else { continue }
            let isStandby = node.runs(.patroni) && control.clusterState == "shut down in recovery"
            if !control.isCleanShutdown, !isStandby {
                fail(
                    "PostgreSQL on \(node.id) is \"\(control.clusterState)\", not \"shut down\":"
                        + " its last position proves nothing",
                    remedy: cleanShutdown(of: node))
            }
            seen.append((node, control))
        }
        guard seen.count == site.databaseNodes.count, !seen.isEmpty else { return nil }
        let leaders = seen.filter(\.control.isCleanShutdown)
        guard let leader = leaders.max(by: { $0.control.latestCheckpoint < $1.control.latestCheckpoint }) else {
            fail(
                "no database of \(site.id) was shut down as a primary",
                remedy: "sudo /opt/gitlab/embedded/bin/pg_controldata -D /var/opt/gitlab/postgresql/data"
                    + "  # on each database node of \(site.id)")
            return nil
        }
        return leader
    }

    /// Every standby of the candidate: any of them may be the one that is promoted.
    fileprivate mutating func standbys(
        of site: Site
    ) -> [(node: Node, facts: DatabaseFacts, state: DatabaseFacts.Standby)] {
        if site.databaseNodes.isEmpty { _ = database(of: site) }
        var seen: [(node: Node, facts: DatabaseFacts, state: DatabaseFacts.Standby)] = []
        for node in site.databaseNodes {
            guard let facts = readDatabase(of: node) else { continue }
            if let state = facts.standby {
                seen.append((node, facts, state))
            } else {
                unknown(
                    "\(node.id) is out of recovery already: what it had replayed before can no longer be seen",
                    remedy: "look up the findings of database.zero-loss before the promotion: geo-failover report")
            }
        }
        return seen
    }

    fileprivate mutating func compare(
        _ node: Node, _ facts: DatabaseFacts, _ replayed: LogPosition, with control: ControlData, of source: Node
    ) {
        if facts.systemIdentifier != control.systemIdentifier || control.systemIdentifier.isEmpty {
            fail(
                "\(node.id) has system identifier \(facts.systemIdentifier), \(source.id) has"
                    + " \(control.systemIdentifier): their positions cannot be compared",
                remedy: "start \(source.id)'s site again; the candidate is not its standby")
        } else if facts.timeline > control.timeline {
            fail(
                "\(node.id) is on timeline \(facts.timeline), \(source.id) ended on \(control.timeline):"
                    + " the candidate went its own way",
                remedy: "start \(source.id)'s site again and re-seed \(node.id)")
        } else if facts.timeline < control.timeline {
            unknown(
                "\(node.id) was last seen on timeline \(facts.timeline), \(source.id) ended on \(control.timeline)",
                remedy:
                    "sudo gitlab-psql -c CHECKPOINT  # on \(node.id), which writes the timeline down; then check again")
        } else if replayed < control.latestCheckpoint {
            fail(
                "\(node.id) replayed up to \(replayed),"
                    + " \(Quantity.bytes(replayed.distance(to: control.latestCheckpoint))) short of"
                    + " the shutdown checkpoint \(control.latestCheckpoint) of \(source.id)",
                remedy: "start the database of \(source.id) again, wait for replication.caught-up, stop it cleanly")
        }
    }
}

extension ControlData {
    var evidenceText: String {
        "\"\(clusterState)\", checkpoint \(latestCheckpoint), timeline \(timeline), system \(systemIdentifier)"
    }
}
