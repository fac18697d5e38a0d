/// A site of Patroni's that comes back as a secondary: its settings, its store, its leader, and the members after it.
enum PatroniReturnChecks {
    static let all = [standbySettings, storeAtRest, leaderCaughtUp, replicaReplaceable, replicaFollows]

    static let standbySettings = Check.aboutNode(
        "patroni.standby-settings",
        CheckText(
            question: "Does gitlab.rb of the Patroni node name the primary's database and a slot that is there?",
            rationale:
                "The new standby leader follows what gitlab.rb names, and begins with an empty data directory: a host of"
                + " its own site, or a slot that is not on the primary, shows only after the old data was moved away."
                + " A Patroni primary drops slots that its configuration does not name.",
            source: cite(.databaseSetup, .bringPrimaryBack, .patroniStandby),
            remedy: "set patroni['standby_cluster']['host'] and ['primary_slot_name'] in /etc/gitlab/gitlab.rb of the"
                + " node, and patroni['replication_slots'] on the primary"),
        needs: { scope, node, context in
            guard node.runs(.patroni), let pair = context.pair, pair.to.nodes.contains(node) else { return }
            scope.ask([.patroniScope], of: [node])
            scope.ask([.geoSettings], of: pair.to.nodes(running: .patroni))
            scope.ask([.database, .identity], of: pair.from.databaseNodes)
        }
    ) { examination, node in
        guard let pair = examination.context.pair, pair.to.nodes.contains(node), node.runs(.patroni) else {
            examination.unknown(
                "\(node.id) is no Patroni node of a site that comes back", remedy: "ask with --from and --to")
            return ""
        }
        _ = examination.read(\.patroniScope, "name of the Patroni cluster", of: node)
        let settings = examination.standbyCluster(of: node)
        for other in pair.to.nodes(running: .patroni) where other.id != node.id {
            guard let own = settings, let theirs = examination.standbyCluster(of: other), own != theirs else {
                continue
            }
            examination.fail(
                "gitlab.rb of \(node.id) and of \(other.id) name different clusters to follow",
                remedy: "make \(StandbyCluster.setting) the same in /etc/gitlab/gitlab.rb of both")
        }
        let primary = examination.primaryState(of: pair.from)
        guard let settings else { return "" }
        examination.requireHost(settings.host, of: node, pair)
        if let primary { examination.requireSlot(settings.slot, of: node, on: primary) }
        return "\(node.id) is to follow \(settings.host ?? "") through slot \(settings.slot ?? "") of \(pair.from.id)"
    }

    static let storeAtRest = Check.aboutSite(
        "patroni.store-at-rest",
        CheckText(
            question: "Does Patroni's store answer on every node of the site that runs Patroni, and does nobody lead?",
            rationale: "A cluster that has a leader is alive: it is not removed from the store. After a power cut the"
                + " lock of the last leader stays for a minute.",
            source: cite(.consul, .patroniList),
            remedy: "sudo gitlab-ctl status consul; sudo gitlab-ctl patroni members on a Patroni node of the site"),
        needs: { scope, site, _ in scope.ask([.patroni, .consul], of: site.nodes(running: .patroni)) }
    ) { examination, site in
        let nodes = site.nodes(running: .patroni)
        if nodes.isEmpty {
            examination.unknown("\(site.id) has no node that runs Patroni", remedy: "ask about a site that has one")
        }
        for node in nodes {
            examination.requireMajority(on: node)
            guard let cluster = examination.read(\.patroni, "Patroni", of: node, as: \.evidenceText) else { continue }
            for leader in cluster.members.filter(\.leads) {
                examination.fail(
                    "\(leader.name) leads the Patroni cluster that \(node.id) sees, \"\(leader.state)\"",
                    remedy:
                        "sudo gitlab-ctl stop patroni  # on \(leader.name); a lock of before a power cut ends by itself"
                )
            }
        }
        return "the store of \(site.id) answers \(Quantity.count(nodes.count, "node")), and nobody leads"
    }

    static let leaderCaughtUp = Check.aboutFailover(
        "patroni.leader-caught-up",
        CheckText(
            question: "Has the standby leader replayed everything that the primary has written?",
            rationale: "It is asked while the other members are stopped yet. A member that says \"Standby Leader"
                + " running, lag 0\" while nothing streams does not get this far.",
            source: cite(.recoveryFunctions, .patroniStandby),
            remedy: "wait and check again; if the gap does not shrink, see database.reseeded"),
        needs: { scope, pair, _ in
            scope.ask([.database], of: pair.databaseNodes)
            scope.ask([.services], of: pair.to.databaseNodes)
        }
    ) { examination, pair in
        guard let seeded = examination.seeded(pair) else { return "" }
        for finding in ReplicationChecks.caughtUp.findings(
            examination.context.narrowed(to: seeded), examination.observation)
        { examination.prove(finding) }
        return "\(Quantity.list(seeded.to.databaseNodes.map(\.id.rawValue))) has what \(pair.from.id) has written"
    }

    static let replicaReplaceable = Check.aboutNode(
        "patroni.replica-replaceable",
        CheckText(
            question: "Is the member's data this deployment's, of no use any more, and is there room for a copy?",
            rationale:
                "Its history is that of the former primary. Patroni cannot make it follow, and says that it does.",
            source: cite(.promise(6), .databaseSetup, .patroniList),
            remedy: "look whether the inventory has the right address; free space in /var/opt/gitlab"),
        limits: [
            LimitDefault(
                name: "at_least_percent", value: 120, unit: .percent,
                meaning: "free space on /var/opt/gitlab, of the size of the database to copy")
        ],
        needs: { scope, node, context in
            guard node.runs(.patroni), let pair = context.pair else { return }
            scope.ask([.controlData, .disks, .database], of: [node])
            scope.ask([.database, .server], of: pair.from.databaseNodes)
        }
    ) { examination, node in
        guard let pair = examination.context.pair, let primary = examination.primaryState(of: pair.from) else {
            examination.unknown(
                "of which primary \(node.id) is to be a standby is not known", remedy: "ask with --from and --to")
            return ""
        }
        examination.requireNoStandby(node, of: pair)
        let lying = examination.read(\.controlData, "pg_controldata", of: node, as: \.evidenceText)
        let source = primary.database
        if let lying, lying.systemIdentifier != source.facts.systemIdentifier {
            examination.fail(
                "the data directory of \(node.id) has system identifier \(lying.systemIdentifier), and \(source.node.id)"
                    + " has \(source.facts.systemIdentifier): it is another deployment's database",
                remedy: "look whether \(node.access.address) is \(node.id); data that may go is moved aside by hand")
        }
        for other in pair.from.databaseNodes where other.id != source.node.id { _ = examination.readServer(of: other) }
        if let server = examination.readServer(of: source.node),
            let free = examination.freeBytes("/var/opt/gitlab", of: node)
        {
            let needed = server.databaseBytes / 100 * examination.limit("at_least_percent")
            if free < needed {
                examination.fail(
                    "/var/opt/gitlab of \(node.id) has \(Quantity.bytes(free)) free, and a copy of the database needs"
                        + " \(Quantity.bytes(needed))",
                    remedy: "sudo du -xh --max-depth=2 /var/opt/gitlab | sort -h | tail  # on \(node.id)")
            }
        }
        return "the data of \(node.id) is of the lineage of \(source.node.id), and there is room for another copy"
    }

    static let replicaFollows = Check.aboutNode(
        "patroni.replica-follows",
        CheckText(
            question: "Is the node a member of the standby cluster whose database streams from another member?",
            rationale:
                "Patroni shows a member of another history as \"running\" with lag 0. Only its own receiver, with"
                + " a fresh message, from a member of its site, on the leader's timeline, is a replica.",
            source: cite(.replicationViews, .patroniList, .patroniStandby),
            remedy: "sudo gitlab-ctl tail patroni on the node; then resume, to copy it once more"),
        limits: [ReplicationChecks.messageAge],
        needs: { scope, node, context in
            guard node.runs(.patroni), let site = context.inventory.site(of: node.id) else { return }
            scope.ask([.services, .patroni], of: [node])
            scope.ask([.database, .identity], of: site.nodes(running: .patroni))
        }
    ) { examination, node in
        guard let site = examination.context.inventory.site(of: node.id), node.runs(.patroni) else { return "" }
        guard let services = examination.readServices(of: node) else { return "" }
        guard services.contains(where: { $0.name == "patroni" && $0.state == .running }) else {
            examination.fail(
                "Patroni of \(node.id) does not run: nothing was copied, or not to the end",
                remedy: "sudo gitlab-ctl tail patroni  # on \(node.id); then resume")
            return ""
        }
        if let reason = examination.observation[node.id].database.reason {
            examination.fail(
                "PostgreSQL of \(node.id) does not answer yet (\(reason)): Patroni copies still, or cannot",
                remedy: "sudo gitlab-ctl tail patroni  # on \(node.id)")
            return ""
        }
        examination.requireReplica(node, of: site)
        examination.requireMember(node, of: site)
        return "\(node.id) streams from another member of \(site.id), on its leader's timeline"
    }
}
