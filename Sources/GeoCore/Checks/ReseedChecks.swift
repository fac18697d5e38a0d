/// A site that comes back as a secondary: whose database is to be replaced, and whether what was copied follows.
enum ReseedChecks {
    static let all = [direction, standsStill, ownDatabase, reseeded]

    static let direction = Check.aboutFailover(
        "reseed.direction",
        CheckText(
            question:
                "Is the database that is to be replaced a stopped one or a standby that follows nobody, and the other the"
                + " writable primary?",
            rationale: "gitlab-ctl replicate-geo-database looks neither at what it replaces nor at what it copies: with"
                + " the sites exchanged it would move the primary's database aside. Three sources have to agree: Geo's"
                + " tables on the primary, both databases, and the machines themselves.",
            source: cite(.promise(1), .replicate, .bringPrimaryBack),
            remedy:
                "exchange --from and --to; fence the site that is to come back; a standby that streams needs no re-seed"
        ),
        isInvariant: true,
        needs: { scope, pair, _ in
            scope.ask([.database, .geo, .pointInTimeFile, .identity], of: pair.from.databaseNodes)
            scope.ask([.identity], of: pair.from.nodes)
            scope.ask([.identity, .services], of: pair.to.nodes.filter(\.isManagedByOmnibus))
            scope.ask([.database], of: pair.to.databaseNodes)
        }
    ) { examination, pair in
        examination.requireSource(pair)
        examination.requireNoPrimary(pair)
        examination.requireOtherMachines(pair)
        for node in pair.from.databaseNodes {
            guard case .present(let text)? = examination.read(\.pointInTimeFile, "geo-pitr-file", of: node) else {
                continue
            }
            examination.fail(
                "\(node.id) has a geo-pitr-file (\(text)), which the copy would bring along: the next promotion of"
                    + " \(pair.to.id) would go to that position",
                remedy: "sudo mv -n \(ActionCommands.pointInTimeFile) \(ActionCommands.pointInTimeFile).set-aside"
                    + "  # on \(node.id)")
        }
        let old =
            pair.to.followsNobody(in: examination.observation)
            ? "a standby that follows nobody" : "stopped, with nothing of the application"
        return
            "\(pair.from.id) is the writable primary by its database and by geo_nodes; the database of \(pair.to.id) is \(old)"
    }

    static let standsStill = Check.aboutFailover(
        "reseed.stands-still",
        CheckText(
            question: "Is the site that is to be seeded anew fenced, or a secondary that follows nobody?",
            rationale:
                "A former primary that runs is a second one. A secondary whose primary is gone serves what it had"
                + " then, can write nothing, and is stopped by the run.",
            source: cite(.promise(1), .disasterRecovery, .bringPrimaryBack),
            remedy: "fence a former primary: sudo systemctl disable gitlab-runsvdir; sudo systemctl mask"
                + " gitlab-runsvdir; sudo gitlab-ctl stop on each of its nodes"),
        isInvariant: true,
        needs: { scope, pair, context in
            scope.ask([.database, .geo], of: pair.from.databaseNodes)
            scope.ask([.database], of: pair.to.databaseNodes)
            scope.formUnion(FenceChecks.siteFenced.needs(context.about(.site(id: pair.to.id))))
        }
    ) { examination, pair in
        let rows = pair.from.databaseNodes.compactMap { examination.observation[$0.id].geo.value }.flatMap(\.nodes)
        let isListed = rows.contains { $0.name == pair.to.geoNodeName && !$0.isPrimary }
        if isListed, pair.to.followsNobody(in: examination.observation) {
            _ = (examination.geo(of: pair.from), examination.database(of: pair.to))
            return
                "\(pair.to.id) is a secondary in Geo's tables, and its database a standby that follows nobody: the run"
                + " stops it first"
        }
        let context = examination.context.about(.site(id: pair.to.id))
        for finding in FenceChecks.siteFenced.findings(context, examination.observation) { examination.prove(finding) }
        return "every node of \(pair.to.id) is fenced"
    }

    static let ownDatabase = Check.aboutFailover(
        "reseed.own-database",
        CheckText(
            question: "Is what is to be moved aside this deployment's database?",
            rationale: "An address that leads to another machine shows here last: a database of another lineage is"
                + " somebody else's.",
            source: cite(.promise(6), .shutdown),
            remedy: "look whether the inventory has the right address; a database that may go: sudo mv it aside by hand"
        ),
        isInvariant: true,
        needs: { scope, pair, _ in
            scope.ask([.database], of: pair.from.databaseNodes)
            scope.ask([.controlData, .dataSize], of: pair.to.databaseNodes)
            scope.ask([.dataSize], of: pair.from.databaseNodes)
        }
    ) { examination, pair in
        guard let primary = examination.primaryState(of: pair.from) else { return "" }
        if pair.to.databaseNodes.isEmpty { _ = examination.database(of: pair.to) }
        for node in pair.from.databaseNodes + pair.to.databaseNodes {
            _ = examination.read(\.dataDirectoryBytes, "size of the data directory", of: node, as: Quantity.bytes)
        }
        for node in pair.to.databaseNodes {
            let lying = examination.read(\.controlData, "pg_controldata", of: node) {
                "system \($0.systemIdentifier), timeline \($0.timeline), \($0.clusterState)"
            }
            guard let lying, lying.systemIdentifier != primary.database.facts.systemIdentifier else { continue }
            examination.fail(
                "the data directory of \(node.id) has system identifier \(lying.systemIdentifier), and"
                    + " \(primary.database.node.id) has \(primary.database.facts.systemIdentifier): it is another"
                    + " deployment's database, or one that was made anew",
                remedy:
                    "look whether \(node.access.address) is \(node.id); a data directory that may go is moved aside by"
                    + " hand, and copied without this tool")
        }
        return "the data directory of \(pair.to.id) is of the lineage of \(pair.from.id)"
    }

    private static let parts = [ReplicationChecks.streaming, ReplicationChecks.slot, ReplicationChecks.notPaused]

    static let reseeded = Check.aboutFailover(
        "database.reseeded",
        CheckText(
            question: "Is the copied database a standby that streams from the primary through its own slot?",
            rationale: "gitlab-ctl replicate-geo-database exits with 0 beside a standby that never streams, as with an"
                + " sslmode that no certificate fits; and it brings a geo-pitr-file of the primary along. Patroni says"
                + " \"Standby Leader running\" of a member that nothing streams to.",
            source: cite(.replicate, .replicationViews, .slots, .pointInTime, .patroniStandby),
            remedy:
                "sudo gitlab-ctl tail postgresql on the node: certificate, sslmode, pg_hba.conf, password; then resume"),
        limits: [
            ReplicationChecks.messageAge,
            LimitDefault(
                name: "at_most_retained_bytes", value: 10 << 30, unit: .bytes,
                meaning: "WAL held back for the standby beyond this warns"),
        ],
        needs: { scope, pair, context in
            for part in parts { scope.formUnion(part.needs(context)) }
            scope.ask([.services], of: pair.to.databaseNodes)
            if let member = pair.to.nodes(running: .patroni).first { scope.ask([.geoSettings], of: [member]) }
        }
    ) { examination, pair in
        guard let pair = examination.seeded(pair) else { return "" }
        guard let primary = examination.primaryState(of: pair.from), let standby = examination.standbyState(of: pair.to)
        else { return "" }
        let (copy, source) = (standby.database.facts, primary.database.facts)
        if copy.systemIdentifier != source.systemIdentifier || copy.timeline > source.timeline {
            examination.fail(
                "\(standby.database.node.id) has system identifier \(copy.systemIdentifier) on timeline \(copy.timeline),"
                    + " and \(primary.database.node.id) \(source.systemIdentifier) on \(source.timeline)",
                remedy: "resume, to copy it once more")
        }
        guard let wanted = examination.wantedSlot(of: pair.to) else { return "" }
        if let name = standby.state.receiver?.slotName, name != wanted {
            examination.fail(
                "\(standby.database.node.id) streams through slot \(name), not through its own, \(wanted)",
                remedy: "resume, to copy it once more")
        }
        let context = examination.context.narrowed(to: pair)
        for part in parts {
            for finding in part.findings(context, examination.observation) { examination.prove(finding) }
        }
        return "\(pair.to.id) streams from \(pair.from.id) through slot \(wanted), and has no geo-pitr-file"
    }
}

extension Examination {
    /// The site that is copied from has to be the primary by its database and by its own copy of Geo's tables.
    fileprivate mutating func requireSource(_ pair: SitePair) {
        guard let primary = primaryState(of: pair.from), let geo = geo(of: pair.from) else { return }
        let names = geo.facts.primaries.map(\.name)
        if names != [pair.from.geoNodeName] {
            fail(
                "geo_nodes in the database of \(primary.database.node.id) names"
                    + " \(names.isEmpty ? "nobody" : names.joined(separator: " and ")) as primary, not \(pair.from.geoNodeName)",
                remedy: "geo-failover check --verbose  # then exchange --from and --to, or leave it alone")
        }
    }

    /// Neither the writable primary nor a standby that needs no copy, and nothing of the application runs there.
    fileprivate mutating func requireNoPrimary(_ pair: SitePair) {
        if pair.to.databaseNodes.isEmpty { _ = database(of: pair.to) }
        // First what the database is: it tells most.
        for node in pair.to.databaseNodes {
            guard let facts = observation[node.id].database.value else { continue }
            if !facts.isInRecovery {
                fail(
                    "PostgreSQL of \(node.id) runs and can be written to: it is a primary, and is not replaced",
                    remedy: "exchange --from and --to; a second primary: geo-failover guard \(pair.to.id)")
            } else if context.hasBegun {
                // What the copy makes of it. Its command is found by its key, or was never started.
                note("\(node.id): PostgreSQL runs as a standby, and a copy of this run was begun")
            } else if let receiver = facts.standby?.receiver,
                pair.to.streamsFromOutside(facts, in: observation) != false
            {
                fail(
                    "PostgreSQL of \(node.id) is a standby that streams already, from \(receiver.senderHost ?? "a server that it does not name"):"
                        + " it needs no re-seed where that is the primary",
                    remedy:
                        "geo-failover check --from \(pair.from.id) --to \(pair.to.id)  # where it is a former primary,"
                        + " that one is fenced first")
            } else {
                note("\(node.id): PostgreSQL runs as a standby that follows nobody; the run stops it first")
            }
        }
        // Nothing that runs beside such a standby can write.
        if pair.to.followsNobody(in: observation) {
            // With its age, which the loop above does not judge.
            _ = database(of: pair.to)
            return
        }
        for node in pair.to.nodes.filter(\.isManagedByOmnibus) {
            guard let services = readServices(of: node) else { continue }
            let forbidden = ["postgresql", "patroni"] + ActionCommands.applicationServices
            let listed = services.map(\.name).filter(forbidden.contains)
            // One that answers was told above, with what it is.
            // What an earlier attempt of the step that asks has started ends with the first command of this one.
            let own = context.isTriedAgain && node.runs(.patroni) ? ["patroni"] : []
            if observation[node.id].database.value == nil {
                requireStopped(listed.filter { !own.contains($0) }, among: services, of: node)
            }
        }
    }

    /// Two names for one machine would replace the very database that is copied.
    fileprivate mutating func requireOtherMachines(_ pair: SitePair) {
        var known: [String: NodeID] = [:]
        for node in pair.from.nodes {
            if let identity = read(\.identity, "names", of: node, as: \.hostName) {
                known[identity.machineID] = node.id
            }
        }
        for node in pair.to.nodes.filter(\.isManagedByOmnibus) {
            guard let identity = read(\.identity, "names", of: node, as: \.hostName) else { continue }
            if let other = known[identity.machineID] {
                fail(
                    "\(node.id) and \(other) are one machine (\(identity.hostName))",
                    remedy: "correct the addresses in \(context.inventory.source.path)")
            }
        }
    }
}
