/// What is read of a site of Patroni's that comes back, by several checks.
extension Examination {
    mutating func standbyCluster(of node: Node) -> StandbyCluster? {
        read(\.geoSettings, "Geo's settings in gitlab.rb", of: node, as: { $0.joined(separator: "; ") })
            .map(StandbyCluster.init)
    }

    /// The slot that the standby is to stream through; `nil`, with a remark, where a Patroni node names none.
    mutating func wantedSlot(of site: Site) -> String? {
        guard let node = site.nodes(running: .patroni).first else { return Reseeding.slot(of: site) }
        guard let settings = standbyCluster(of: node) else { return nil }
        guard let slot = settings.slot else {
            fail(Self.lacks("primary_slot_name", node), remedy: "edit /etc/gitlab/gitlab.rb of \(node.id)")
            return nil
        }
        return slot
    }

    /// Slots of a site's own standby: named after it, or as its Patroni nodes say.
    mutating func ownSlots(of site: Site) -> Set<String> {
        let named = site.nodes(running: .patroni).first.flatMap { standbyCluster(of: $0) }?.slot
        return Set([site.id.rawValue, site.geoNodeName] + (named.map { [$0] } ?? []))
    }

    private static func lacks(_ key: String, _ node: Node) -> String {
        "gitlab.rb of \(node.id) sets \(StandbyCluster.setting)['\(key)'] nowhere, or not in one plain line"
    }

    /// By address or name it has to be the primary's site; a load balancer that the inventory does not know could lead anywhere.
    mutating func requireHost(_ host: String?, of node: Node, _ pair: SitePair) {
        guard let host else {
            fail(
                Self.lacks("host", node),
                remedy: "set it to the address of the database of \(pair.from.id), or of the load balancer before it"
                    + "  # in /etc/gitlab/gitlab.rb of \(node.id)")
            return
        }
        for other in pair.from.databaseNodes { _ = read(\.identity, "names", of: other, as: \.hostName) }
        if pair.to.ownNames(in: observation).contains(host) || host == "localhost" || host.hasPrefix("127.") {
            fail(
                "\(node.id) is to follow \(host), which is of \(pair.to.id) itself",
                remedy: "set \(StandbyCluster.setting)['host'] to the database of \(pair.from.id)"
                    + "  # in /etc/gitlab/gitlab.rb of \(node.id)")
        } else if !pair.from.ownNames(in: observation).contains(host) {
            unknown(
                "\(node.id) is to follow \(host), and no node of \(pair.from.id) has that address or name",
                remedy: "where it is the load balancer before the database of \(pair.from.id), add it to"
                    + " \(context.inventory.source.path) as a node with the component load-balancer")
        }
    }

    mutating func requireSlot(_ slot: String?, of node: Node, on primary: PrimaryEnd) {
        let source = primary.database.node
        guard let slot else {
            fail(
                Self.lacks("primary_slot_name", node),
                remedy: "name a slot of \(source.id) in /etc/gitlab/gitlab.rb of \(node.id)")
            return
        }
        guard !primary.state.slots.contains(where: { $0.name == slot }) else { return }
        fail(
            "\(node.id) is to stream through slot \(slot), which is not on \(source.id)",
            remedy: source.runs(.patroni)
                ? "set patroni['replication_slots']['\(slot)'] = { 'type' => 'physical' } in /etc/gitlab/gitlab.rb of"
                    + " every Patroni node there, sudo gitlab-ctl reconfigure"
                : "sudo gitlab-psql -c \"SELECT pg_create_physical_replication_slot('\(slot)')\"  # on \(source.id)")
    }

    /// More than half of the servers that the store counts. Fewer than three is a warning elsewhere, and no reason to wait.
    mutating func requireMajority(on node: Node) {
        let facts = read(\.consul, "Consul", of: node) { facts in
            facts.servers.map { "\($0.name) \($0.status)" }.joined(separator: ", ")
        }
        guard let servers = facts?.servers else { return }
        let alive = servers.count { $0.status == "alive" }
        guard alive * 2 <= servers.count else { return }
        fail(
            "\(alive) of \(servers.count) Consul servers live, as \(node.id) sees them: no majority",
            remedy: "sudo gitlab-ctl start consul  # on the servers of the site; sudo gitlab-ctl tail consul")
    }

    /// A writable database is a primary, and one that streams is as it should be.
    mutating func requireNoStandby(_ node: Node, of pair: SitePair) {
        guard observation[node.id].database.value != nil, let database = readDatabase(of: node) else { return }
        if !database.isInRecovery {
            fail(
                "PostgreSQL of \(node.id) runs and can be written to: it is a primary, and is not replaced",
                remedy: "geo-failover guard \(pair.to.id)")
        } else if let receiver = database.standby?.receiver, receiver.status == "streaming", !context.hasBegun {
            fail(
                "PostgreSQL of \(node.id) streams already, from \(receiver.senderHost ?? "a server that it does not name")",
                remedy: "leave it alone, or find out what was started there: sudo gitlab-ctl patroni members")
        }
    }

    mutating func requireReplica(_ node: Node, of site: Site) {
        for other in site.nodes(running: .patroni) { _ = read(\.identity, "names", of: other, as: \.hostName) }
        guard let facts = readDatabase(of: node) else { return }
        guard let state = facts.standby else {
            fail(
                "PostgreSQL of \(node.id) can be written to: it is no replica",
                remedy: "geo-failover guard \(site.id); then look at what started it")
            return
        }
        let own = StandbyEnd(
            database: SiteDatabase(
                node: node, facts: facts, at: observation[node.id].database.at ?? observation.endedAt),
            state: state)
        guard let receiver = liveReceiver(of: own) else { return }
        var others = site
        others.nodes = site.nodes(running: .patroni).filter { $0.id != node.id }
        guard let sender = receiver.senderHost, others.ownNames(in: observation).contains(sender) else {
            fail(
                "\(node.id) streams from \(receiver.senderHost ?? "a server that it does not name"), no other member of"
                    + " \(site.id)",
                remedy: "sudo gitlab-ctl patroni members  # on \(node.id)")
            return
        }
        for other in others.nodes {
            guard let leader = readDatabase(of: other) else { continue }
            let isFed = site.streamsFromOutside(leader, in: observation) != false
            guard leader.systemIdentifier != facts.systemIdentifier || isFed && facts.timeline > leader.timeline else {
                continue
            }
            fail(
                "\(node.id) has system identifier \(facts.systemIdentifier) on timeline \(facts.timeline), \(other.id)"
                    + " \(leader.systemIdentifier) on \(leader.timeline)",
                remedy: "resume, to copy it once more")
        }
    }

    /// What the store says of it has to agree; by itself it proves nothing.
    mutating func requireMember(_ node: Node, of site: Site) {
        guard let cluster = read(\.patroni, "Patroni", of: node, as: \.evidenceText) else { return }
        let names = Set([node.access.address, observation[node.id].identity.value?.hostName ?? node.id.rawValue])
        let remedy = "sudo gitlab-ctl patroni members; sudo gitlab-ctl tail patroni  # on \(node.id)"
        let leaders = cluster.members.filter(\.leads)
        guard cluster.isStandbyCluster, leaders.count == 1, let leader = leaders.first, leader.role == "standby leader"
        else {
            fail("the Patroni cluster that \(node.id) sees has no standby leader", remedy: remedy)
            return
        }
        guard let own = cluster.members.first(where: { names.contains($0.name) || names.contains($0.host) }) else {
            fail("\(node.id) is no member of the Patroni cluster that it sees", remedy: remedy)
            return
        }
        if own.leads || !own.isUp || own.timeline != leader.timeline {
            fail(
                "Patroni shows \(own.name) as \(own.role), \"\(own.state)\", on timeline"
                    + " \(own.timeline.map(String.init) ?? "not told"), and \(leader.name) leads on"
                    + " \(leader.timeline.map(String.init) ?? "not told")",
                remedy: remedy)
        }
    }

    /// The pair as a copy is judged by it: of a site of Patroni's that member alone which is fed from outside, since the others
    /// are seeded after it. `nil`, with a remark, where nothing runs that could have been copied.
    mutating func seeded(_ pair: SitePair) -> SitePair? {
        let service = pair.to.runsPatroni ? "patroni" : "postgresql"
        var running: [Node] = []
        for node in pair.to.databaseNodes {
            guard let services = readServices(of: node) else { continue }
            if services.contains(where: { $0.name == service && ($0.state == .running || $0.isChanging) }) {
                running.append(node)
            } else if !pair.to.runsPatroni, services.contains(where: { $0.name == service }) {
                // A server that is down is no unknown: the copy was not made, or did not come to its end.
                fail(
                    "PostgreSQL of \(node.id) does not run: nothing was copied, not to the end, or it cannot start",
                    remedy:
                        "read what gitlab-ctl replicate-geo-database printed, and sudo gitlab-ctl tail postgresql on"
                        + " \(node.id); then resume")
                return nil
            }
        }
        guard pair.to.runsPatroni else { return pair }
        return standbyLeader(running, of: pair)
    }

    private mutating func standbyLeader(_ running: [Node], of pair: SitePair) -> SitePair? {
        let remedy = "sudo gitlab-ctl patroni members; sudo gitlab-ctl tail patroni"
        let known = pair.to.databaseNodes.allSatisfy { observation[$0.id].services.value != nil }
        let seen = running.compactMap { node in observation[node.id].database.value.map { (node, $0) } }
        let fed = seen.filter { pair.to.streamsFromOutside($0.1, in: observation) != false }
        // Of several that nothing feeds any is as good: each has nothing to show.
        guard fed.count <= 1, let leader = (fed.first ?? seen.first { $0.1.standby?.receiver == nil } ?? seen.first)?.0
        else {
            if fed.count > 1 {
                fail(
                    "\(fed.count) members of \(pair.to.id) are fed from outside:"
                        + " \(Quantity.list(fed.map(\.0.id.rawValue)))", remedy: remedy)
            } else if known {
                let why = running.map { "\($0.id): \(observation[$0.id].database.reason ?? "")" }
                fail(
                    running.isEmpty
                        ? "Patroni runs on no node of \(pair.to.id): nothing was copied, or not to the end"
                        : "no PostgreSQL of \(pair.to.id) answers yet (\(Quantity.list(why))): Patroni copies still, or"
                            + " cannot",
                    remedy: remedy + "  # on \(running.first?.id ?? pair.to.databaseNodes.first?.id ?? "a member")")
            }
            return nil
        }
        var narrow = pair
        narrow.to.nodes.removeAll { $0.runs(.patroni) && $0.id != leader.id }
        return narrow
    }
}

extension CheckContext {
    /// The same question about the two sites as they are in `pair`.
    func narrowed(to pair: SitePair) -> CheckContext {
        var context = about(.failover(from: pair.from.id, to: pair.to.id))
        for index in context.inventory.sites.indices where context.inventory.sites[index].id == pair.to.id {
            context.inventory.sites[index] = pair.to
        }
        return context
    }
}
