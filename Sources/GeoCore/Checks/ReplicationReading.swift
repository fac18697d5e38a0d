/// The two ends of replication, and what has to hold between them.
struct PrimaryEnd {
    var database: SiteDatabase
    var state: DatabaseFacts.Primary
}

struct StandbyEnd {
    var database: SiteDatabase
    var state: DatabaseFacts.Standby
}

extension Examination {
    /// The leading database of a site that must be a primary; `nil` with a remark otherwise.
    mutating func primaryState(of site: Site) -> PrimaryEnd? {
        guard let database = database(of: site) else { return nil }
        guard let state = database.facts.primary else {
            fail(
                "the database of \(site.id) is in recovery: it is not the primary that \(site.id) is taken for",
                remedy: "exchange --from and --to, or look at both roles: geo-failover check --verbose")
            return nil
        }
        return PrimaryEnd(database: database, state: state)
    }

    /// The leading database of a site that must be a standby; `nil` with a remark otherwise.
    mutating func standbyState(of site: Site) -> StandbyEnd? {
        guard let database = database(of: site) else { return nil }
        guard let state = database.facts.standby else {
            fail(
                "the database of \(site.id) is writable: it replicates from nobody",
                remedy: "stop the site that must not be primary at once, then re-seed it")
            return nil
        }
        return StandbyEnd(database: database, state: state)
    }

    /// A receiver that streams and has heard from the primary lately; `nil` with a remark otherwise.
    mutating func liveReceiver(of standby: StandbyEnd) -> DatabaseFacts.Receiver? {
        let node = standby.database.node
        let log =
            "sudo gitlab-ctl tail \(node.runs(.patroni) ? "patroni" : "postgresql")"
            + "  # on \(node.id): network, pg_hba.conf, password, slot, sslmode"
        guard let receiver = standby.state.receiver else {
            fail("no WAL receiver runs on \(node.id), so that any lag it shows means nothing", remedy: log)
            return nil
        }
        guard receiver.status == "streaming" else {
            fail("the WAL receiver on \(node.id) is \"\(receiver.status)\", not streaming", remedy: log)
            return nil
        }
        guard let silence = receiver.secondsSinceMessage else {
            unknown("the WAL receiver on \(node.id) has not said when it last heard from the primary", remedy: log)
            return nil
        }
        if silence < -1 {
            unknown(
                "\(node.id) heard from the primary \(Quantity.seconds(-silence)) after its own now: its clock was set",
                remedy: "timedatectl  # on \(node.id), then check again")
            return nil
        }
        guard silence <= Double(limit("message_age")) else {
            fail(
                "\(node.id) says streaming and has not heard from the primary for \(Quantity.seconds(silence)),"
                    + " at most \(limit("message_age")) s is believed",
                remedy: log)
            return nil
        }
        return receiver
    }

    /// A sender on the primary that streams to the candidate: by address, by name, or by being the only one left.
    mutating func requireSender(on primary: PrimaryEnd, to pair: SitePair, slot: String?) {
        let node = primary.database.node
        let own = Set(pair.from.nodes.map(\.access.address))
        let theirs = Set(pair.to.databaseNodes.map(\.access.address))
        let names = Set(pair.to.databaseNodes.map(\.id.rawValue) + [pair.to.geoNodeName] + (slot.map { [$0] } ?? []))
        let others = primary.state.senders.filter { !own.contains($0.clientAddress ?? "") }
        var matching = others.filter { theirs.contains($0.clientAddress ?? "") }
        if matching.isEmpty { matching = others.filter { names.contains($0.applicationName) } }
        if matching.isEmpty, others.count == 1 {
            note("\(node.id) has one sender, to \(others[0].clientAddress ?? "a socket"), taken for \(pair.to.id)'s")
            matching = others
        }
        let remedy =
            "sudo gitlab-psql -xc 'SELECT application_name, client_addr, state FROM pg_stat_replication'"
            + "  # on \(node.id)"
        guard !matching.isEmpty else {
            if others.isEmpty {
                fail("\(node.id) sends WAL to nobody outside \(pair.from.id)", remedy: remedy)
            } else {
                unknown(
                    "\(node.id) has \(others.count) senders, and none can be told to be \(pair.to.id)'s", remedy: remedy
                )
            }
            return
        }
        if !matching.contains(where: { $0.state == "streaming" }) {
            fail(
                "the sender on \(node.id) for \(pair.to.id) is \"\(matching[0].state)\", not streaming", remedy: remedy)
        }
    }

    /// The candidate's slot, judged; its name, or `nil` when it uses none.
    mutating func requireSlot(of standby: StandbyEnd, on primary: PrimaryEnd) -> String? {
        let (node, source) = (standby.database.node, primary.database.node)
        guard let receiver = standby.state.receiver else {
            fail(
                "no WAL receiver runs on \(node.id), so that no slot is in use",
                remedy: "sudo gitlab-ctl tail postgresql  # on \(node.id)")
            return nil
        }
        guard let name = receiver.slotName else {
            warn(
                "\(node.id) streams without a replication slot: \(source.id) may delete WAL that it still needs",
                remedy: "re-seed with gitlab-ctl replicate-geo-database --slot-name=NAME, or set primary_slot_name")
            return nil
        }
        guard let slot = primary.state.slots.first(where: { $0.name == name }) else {
            fail(
                "slot \(name), which \(node.id) streams through, does not exist on \(source.id)",
                remedy:
                    "sudo gitlab-psql -c \"SELECT pg_create_physical_replication_slot('\(name)')\"  # on \(source.id)")
            return name
        }
        let remedy = "sudo gitlab-psql -xc 'SELECT * FROM pg_replication_slots'  # on \(source.id)"
        if slot.walStatus == "lost" {
            fail("slot \(name) has lost WAL that \(node.id) needs", remedy: "re-seed \(node.id)")
        } else if !slot.isActive {
            fail("slot \(name) on \(source.id) is not active", remedy: remedy)
        } else if slot.walStatus == "unreserved" {
            warn("slot \(name) on \(source.id) is about to lose WAL (wal_status unreserved)", remedy: remedy)
        } else if let status = slot.walStatus, !["reserved", "extended"].contains(status) {
            unknown("slot \(name) on \(source.id) has wal_status \(status), which nobody knows here", remedy: remedy)
        }
        let most = limit("at_most_retained_bytes")
        switch slot.retainedBytes {
        case nil: unknown("how much WAL slot \(name) holds back was not told", remedy: remedy)
        case .some(let bytes) where bytes > most:
            warn(
                "slot \(name) holds back \(Quantity.bytes(bytes)) of WAL on \(source.id),"
                    + " at most \(Quantity.bytes(most)) is expected",
                remedy: remedy)
        case .some: break
        }
        return name
    }

    /// Whether positions of the two databases can be compared at all.
    mutating func requireOneLineage(_ standby: StandbyEnd, _ primary: PrimaryEnd) -> Bool {
        let (left, right) = (standby.database, primary.database)
        if left.facts.systemIdentifier == right.facts.systemIdentifier, !left.facts.systemIdentifier.isEmpty {
            return true
        }
        fail(
            "\(left.node.id) has system identifier \(left.facts.systemIdentifier), \(right.node.id) has"
                + " \(right.facts.systemIdentifier): their positions cannot be compared",
            remedy: "re-seed \(left.node.id) from \(right.node.id)")
        return false
    }

    /// Replay runs and no point-in-time file is left; the two contradict each other in more ways than one.
    mutating func requireReplay(on node: Node) {
        let file = read(\.pointInTimeFile, "geo-pitr-file", of: node, as: \.evidenceText)
        guard let facts = readDatabase(of: node) else { return }
        guard let standby = facts.standby else {
            fail(
                "the database of \(node.id) is not in recovery: there is no replay that could run",
                remedy: "exchange --from and --to, or re-seed \(node.id)")
            return
        }
        let resume = "sudo gitlab-ctl geo-replication-resume  # on \(node.id)"
        switch (standby.isReplayPaused, file) {
        case (true, .present(let text)):
            fail(
                "replication of \(node.id) is paused at \(text):"
                    + " a promotion would throw away what was received after it",
                remedy: resume)
        case (true, nil): fail("replay on \(node.id) is paused", remedy: resume)
        case (true, .absent):
            fail(
                "replay on \(node.id) is paused by hand (pg_wal_replay_pause):"
                    + " the site falls behind, and a promotion would end the pause unnoticed",
                remedy: resume)
        case (false, .present(let text)):
            fail(
                "geo-pitr-file on \(node.id) names \(text) while replay runs:"
                    + " a promotion would go back to that position and leave the database in recovery",
                remedy:
                    "sudo mv /var/opt/gitlab/postgresql/data/geo-pitr-file /var/opt/gitlab/postgresql/geo-pitr-file.old"
                    + "  # on \(node.id)")
        case (false, .absent), (false, nil): break
        }
    }
}

extension PointInTimeFile {
    var evidenceText: String {
        switch self {
        case .absent: "absent"
        case .present(let text): text
        }
    }
}
