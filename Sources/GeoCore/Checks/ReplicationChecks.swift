/// Whether WAL flows from one site to the other. "Lag 0" says nothing while no receiver runs.
enum ReplicationChecks {
    static let all = [streaming, slot, lag, notPaused, allReplayed, caughtUp]

    static let messageAge = LimitDefault(
        name: "message_age", value: 45, unit: .seconds,
        meaning: "since the standby last heard from the primary; both claim streaming for 60 s after a cut")

    static let streaming = Check.aboutFailover(
        "replication.streaming",
        CheckText(
            question: "Does the candidate receive WAL from the primary at this moment?",
            rationale: "Member state and lag look healthy when nothing streams; only the receiver, the sender"
                + " and the age of the last message together show that WAL flows.",
            source: cite(.replicationViews, .siteStatus, .healthCheck),
            remedy: "sudo gitlab-ctl tail postgresql on the candidate's database node: network, pg_hba.conf, "
                + "password, slot, sslmode"),
        limits: [messageAge],
        needs: askDatabases
    ) { examination, pair in
        let primary = examination.primaryState(of: pair.from)
        let standby = examination.standbyState(of: pair.to)
        let receiver = standby.flatMap { examination.liveReceiver(of: $0) }
        if let primary { examination.requireSender(on: primary, to: pair, slot: receiver?.slotName) }
        return "\(pair.to.id) streams from \(pair.from.id), last message"
            + " \(Quantity.seconds(receiver?.secondsSinceMessage ?? 0)) ago"
    }

    static let slot = Check.aboutFailover(
        "replication.slot",
        CheckText(
            question: "Does an active, intact replication slot hold back WAL for the candidate?",
            rationale: "Without a slot the primary may delete WAL that the candidate lacks;"
                + " a forgotten slot fills the primary's disk.",
            source: cite(.slots, .troubleshootingPostgreSQL),
            remedy: "sudo gitlab-psql -xc 'SELECT * FROM pg_replication_slots' on the primary; a lost slot needs a "
                + "re-seed"),
        limits: [
            LimitDefault(
                name: "at_most_retained_bytes", value: 10 << 30, unit: .bytes,
                meaning: "WAL held back for the candidate beyond this warns")
        ],
        needs: askDatabases
    ) { examination, pair in
        let primary = examination.primaryState(of: pair.from)
        let standby = examination.standbyState(of: pair.to)
        guard let primary, let standby else { return "" }
        let name = examination.requireSlot(of: standby, on: primary)
        let retained = primary.state.slots.first { $0.name == name }?.retainedBytes ?? 0
        return "slot \(name ?? "") of \(pair.to.id) is active and holds back \(Quantity.bytes(retained)) of WAL"
    }

    static let lag = Check.aboutFailover(
        "replication.lag",
        CheckText(
            question: "How far is the candidate's database behind, in bytes and seconds, while it streams?",
            rationale: "GitLab's own figure reads 0 when nothing was received because the receiver is dead.",
            source: cite(.siteStatus, .replicationViews),
            remedy: "sudo gitlab-psql -xc 'SELECT write_lag, flush_lag, replay_lag FROM pg_stat_replication' on the "
                + "primary"),
        limits: [
            LimitDefault(
                name: "at_most_bytes", value: 16 << 20, unit: .bytes,
                meaning: "from the primary's current position to the candidate's replayed one"),
            LimitDefault(
                name: "at_most_seconds", value: 30, unit: .seconds,
                meaning: "age of the last replayed transaction while anything is missing"),
            LimitDefault(
                name: "at_most_ahead_bytes", value: 1 << 30, unit: .bytes,
                meaning: "from the primary's position to the candidate's, which is looked at some seconds later"),
            messageAge,
        ],
        needs: askDatabases
    ) { examination, pair in
        let primary = examination.primaryState(of: pair.from)
        let standby = examination.standbyState(of: pair.to)
        // Without a live stream the figures mean nothing, and its absence is the finding.
        guard let primary, let standby, examination.liveReceiver(of: standby) != nil else { return "" }
        guard examination.requireOneLineage(standby, primary) else { return "" }
        let bytes = standby.state.replayed.distance(to: primary.state.current)
        let positions =
            "\(pair.to.id) replayed \(standby.state.replayed), \(pair.from.id) is at \(primary.state.current)"
        examination.note(positions)
        let remedy =
            "sudo gitlab-psql -xc 'SELECT write_lag, flush_lag, replay_lag FROM pg_stat_replication'"
            + "  # on \(primary.database.node.id): network, the standby's disk, or replay"
        if bytes > examination.limit("at_most_bytes") {
            examination.fail(
                "\(pair.to.id) is \(Quantity.bytes(bytes)) behind,"
                    + " at most \(Quantity.bytes(examination.limit("at_most_bytes"))) is allowed",
                remedy: remedy)
        }
        let ahead = primary.state.current.distance(to: standby.state.replayed)
        if ahead > examination.limit("at_most_ahead_bytes") {
            examination.fail(
                "\(pair.to.id) is \(Quantity.bytes(ahead)) ahead of \(pair.from.id): the primary lacks what its standby"
                    + " has, as after a restore from a backup",
                remedy: "sudo gitlab-psql -c 'SELECT pg_current_wal_lsn()'  # on \(primary.database.node.id); find out"
                    + " which of the two has the newer data before anything else")
        }
        // Equal positions leave nothing to be late with; otherwise the last transaction's age bounds the lag.
        guard bytes > 0 else { return "\(pair.to.id) is 0 bytes behind \(pair.from.id) while streaming" }
        guard let seconds = standby.state.secondsSinceLastReplay else {
            examination.unknown(
                "\(pair.to.id) is \(Quantity.bytes(bytes)) behind"
                    + " and has not replayed a transaction to tell the time by",
                remedy: remedy)
            return ""
        }
        guard seconds <= Double(examination.limit("at_most_seconds")) else {
            examination.fail(
                "\(pair.to.id) last replayed a transaction of \(Quantity.seconds(seconds)) ago and is"
                    + " \(Quantity.bytes(bytes)) behind, at most \(examination.limit("at_most_seconds")) s is allowed",
                remedy: remedy)
            return ""
        }
        return
            "\(pair.to.id) is \(Quantity.bytes(bytes)) and at most \(Quantity.seconds(seconds)) behind \(pair.from.id)"
            + " while streaming"
    }

    static let notPaused = Check.aboutFailover(
        "replication.not-paused",
        CheckText(
            question: "Is replay running on every standby of the candidate, and is no point-in-time file left?",
            rationale: "A promotion while paused throws away what was received; one with a leftover file goes to a"
                + " stale position, prints success and leaves the database in recovery for ever.",
            source: cite(.pauseResume, .promoteDatabase, .pointInTime),
            remedy: "sudo gitlab-ctl geo-replication-resume on the candidate's database node; move a left-over "
                + "geo-pitr-file away"),
        needs: { scope, pair, _ in scope.ask([.database, .pointInTimeFile], of: pair.to.databaseNodes) }
    ) { examination, pair in
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        for node in pair.to.databaseNodes { examination.requireReplay(on: node) }
        return
            "replay runs on \(Quantity.list(pair.to.databaseNodes.map(\.id.rawValue))),"
            + " and no point-in-time file is left"
    }

    static let allReplayed = Check.aboutSite(
        "replication.all-replayed",
        CheckText(
            question: "Has the candidate replayed everything that it has received?",
            rationale: "What was received and not replayed is not lost yet. It needs no primary to be replayed.",
            source: cite(.recoveryFunctions, .disasterRecovery),
            remedy: "sudo gitlab-ctl geo-replication-resume on the candidate's database node; wait"),
        needs: { scope, site, _ in scope.ask([.database], of: site.databaseNodes) }
    ) { examination, site in
        guard let standby = examination.standbyState(of: site) else { return "" }
        let node = standby.database.node
        if standby.state.isReplayPaused {
            examination.fail(
                "replay is paused on \(node.id)", remedy: "sudo gitlab-ctl geo-replication-resume  # on \(node.id)")
        }
        // Nothing was streamed since it started: all there is was read from its own files, and replayed.
        guard let received = standby.state.received else {
            return "\(node.id) replayed up to \(standby.state.replayed), and has received nothing since it started"
        }
        if standby.state.replayed < received {
            examination.fail(
                "\(node.id) replayed up to \(standby.state.replayed),"
                    + " \(Quantity.bytes(standby.state.replayed.distance(to: received))) short of \(received), which it"
                    + " has received",
                remedy: "wait and check again: sudo gitlab-ctl tail postgresql  # on \(node.id)")
        }
        return "\(node.id) replayed up to \(standby.state.replayed), everything that it received"
    }

    static let caughtUp = Check.aboutFailover(
        "replication.caught-up",
        CheckText(
            question: "Has the candidate replayed everything that the primary has written?",
            rationale: "Positions are compared on both databases, so that a dead receiver cannot hide a gap.",
            source: cite(.recoveryFunctions, .disasterRecovery),
            remedy: "wait and check again; if the gap does not shrink, see replication.lag"),
        needs: askDatabases
    ) { examination, pair in
        let primary = examination.primaryState(of: pair.from)
        let standby = examination.standbyState(of: pair.to)
        guard let primary, let standby, examination.requireOneLineage(standby, primary) else { return "" }
        let (replayed, current) = (standby.state.replayed, primary.state.current)
        if let done = Int(exactly: replayed.bytes), let total = Int(exactly: current.bytes) {
            examination.progress = Measure(.log, done: done, of: total)
        }
        if replayed < current {
            examination.fail(
                "\(pair.to.id) replayed up to \(replayed), \(Quantity.bytes(replayed.distance(to: current))) short of"
                    + " \(current) on \(pair.from.id)",
                remedy: "wait and check again; if the gap does not shrink: geo-failover check --verbose")
        }
        return "\(pair.to.id) replayed up to \(replayed), at or past \(current) on \(pair.from.id)"
    }

    private static let askDatabases: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = {
        scope, pair, _ in scope.ask([.database], of: pair.databaseNodes)
    }
}
