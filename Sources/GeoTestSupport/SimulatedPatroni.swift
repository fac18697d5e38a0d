package import GeoCore

/// What Patroni of a site keeps in Consul.
package struct SimulatedStore: Sendable {
    package static let scope = "gitlab-pg"

    /// The store knows the cluster: somebody bootstrapped it, and nobody removed it.
    package var isInitialized = true
    /// As the cluster's own configuration has it, whatever gitlab.rb says.
    package var isStandby: Bool
    package var leader: NodeID?
    /// The lock of a leader that went without a word is there until then.
    package var lockEndsAt: Timestamp?
    /// Whose database is the site's where nobody leads.
    package var lastLeader: NodeID
}

/// What a node's Patroni has made of its data directory.
package struct SimulatedMember: Sendable {
    /// PostgreSQL runs and answers.
    package var isServing = false
    /// Files of a copy that was cut off: Patroni goes no further with them.
    package var isPartial = false
    package var copyEndsAt: Timestamp?
    /// The next copies fail as long as it is true: a wrong password, a slot that is gone.
    package var copiesNothing = false
}

extension SimulatedState {
    private static let storeAgent = "consul"

    mutating func makeStores() {
        for site in inventory.sites {
            guard let first = site.nodes(running: .patroni).first else { continue }
            stores[site.id] = SimulatedStore(isStandby: site.id != from, leader: first.id, lastLeader: first.id)
            for node in site.nodes(running: .patroni) {
                self[node.id].member.isServing = true
                if node.id != first.id { self[node.id].database?.isPrimary = false }
            }
        }
    }

    /// The member that leads, or led last.
    func leaderIndex(of site: SiteID) -> Int? { stores[site].map { index($0.leader ?? $0.lastLeader) } }

    private func members(of site: SiteID) -> [Int] {
        nodes.indices.filter { nodes[$0].site == site && nodes[$0].node.runs(.patroni) }
    }

    func isStoreUp(_ site: SiteID) -> Bool {
        let servers = nodes(of: site).filter { $0.node.runs(.consul) }
        return servers.count(where: { $0.isRunning(Self.storeAgent) }) * 2 > servers.count
    }

    private func standbyIsApplied(_ index: Int) -> Bool {
        nodes[index].url?.appliedSettings.contains("\(StandbyCluster.setting)['enable'] = true") == true
    }

    /// Whether a member follows its site's leader; not one of another history, whatever Patroni shows.
    func isReplica(_ index: Int) -> Bool {
        guard let leader = leaderIndex(of: nodes[index].site), leader != index, nodes[leader].isDatabaseUp else {
            return false
        }
        return nodes[index].isDatabaseUp && nodes[index].database?.isPrimary == false
            && nodes[index].database?.timeline == nodes[leader].database?.timeline
    }

    mutating func feedReplicas() {
        for site in stores.keys {
            guard let leader = leaderIndex(of: site), let source = nodes[leader].database else { continue }
            for index in members(of: site) where isReplica(index) {
                let own = nodes[index].database?.position ?? 0
                nodes[index].database?.position = max(own, source.position)
                nodes[index].database?.rows = source.rows
            }
        }
    }

    // MARK: Patroni's loop

    mutating func memberStopped(_ index: Int, cleanly: Bool) {
        let id = nodes[index].node.id
        if nodes[index].member.copyEndsAt != nil { nodes[index].member.isPartial = true }
        nodes[index].member.copyEndsAt = nil
        if nodes[index].member.isServing { nodes[index].database?.isCleanlyStopped = cleanly }
        nodes[index].member.isServing = false
        guard stores[nodes[index].site]?.leader == id else { return }
        if cleanly {
            stores[nodes[index].site]?.leader = nil
        } else {
            stores[nodes[index].site]?.lockEndsAt = now.adding(seconds: 60)
        }
    }

    /// Every member does what it can do at this moment.
    mutating func runPatroni() {
        for site in inventory.sites where stores[site.id] != nil && isStoreUp(site.id) {
            if let leader = stores[site.id]?.leader, !self[leader].isRunning("patroni"),
                stores[site.id]?.lockEndsAt.map({ $0 <= now }) ?? true
            {
                stores[site.id]?.leader = nil
            }
            for index in members(of: site.id)
            where nodes[index].isRunning("patroni") && nodes[index].isRunning(Self.storeAgent) {
                step(index, site.id)
            }
        }
    }

    private mutating func step(_ index: Int, _ site: SiteID) {
        let id = nodes[index].node.id
        if let end = nodes[index].member.copyEndsAt {
            if end <= now { endCopy(index, site) }
            return
        }
        guard !nodes[index].member.isServing, !nodes[index].member.isPartial, let store = stores[site] else { return }
        let hasData = nodes[index].database?.isWhole == true
        if !store.isInitialized {
            stores[site] = SimulatedStore(isStandby: standbyIsApplied(index), leader: id, lastLeader: id)
            if hasData {
                serve(index, isPrimary: !standbyIsApplied(index))
            } else if standbyIsApplied(index) {
                beginCopy(index)
            } else {
                violations.append("\(id) made a new database")
            }
        } else if store.leader == nil || store.leader == id {
            // Of an empty directory nobody can take the lead here, and waits.
            guard hasData else { return }
            stores[site]?.leader = id
            stores[site]?.lastLeader = id
            serve(index, isPrimary: !store.isStandby)
        } else if hasData {
            serve(index, isPrimary: false)
        } else if let leader = store.leader, self[leader].isDatabaseUp {
            beginCopy(index)
        }
    }

    private mutating func beginCopy(_ index: Int) {
        nodes[index].member.copyEndsAt = now.adding(seconds: 40)
        note("\(nodes[index].node.id) is \"creating replica\"")
    }

    private mutating func serve(_ index: Int, isPrimary: Bool) {
        nodes[index].member.isServing = true
        nodes[index].database?.isPrimary = isPrimary
        note("\(nodes[index].node.id) serves, \(isPrimary ? "WRITABLE" : "as a standby")")
        databaseStarted(index)
        checkPromises()
    }

    private mutating func endCopy(_ index: Int, _ site: SiteID) {
        let isLeader = stores[site]?.leader == nodes[index].node.id
        let source = isLeader ? databaseIndex(of: site == from ? to : from) : leaderIndex(of: site) ?? index
        guard nodes[source].isDatabaseUp, source != index, var copy = nodes[source].database,
            !nodes[index].member.copiesNothing
        else {
            // It removes what it has made, and begins again.
            nodes[index].member.copyEndsAt = now.adding(seconds: 40)
            return
        }
        copy.isPrimary = false
        copy.kept = nodes[index].database?.kept ?? 0
        nodes[index].database = copy
        nodes[index].isPromoted = false
        nodes[index].hasLostSlot = false
        nodes[index].member.copyEndsAt = nil
        serve(index, isPrimary: false)
    }

    // MARK: Commands

    /// A reconfigure beside a member that runs replaces the cluster's configuration.
    mutating func applyStandby(_ index: Int) {
        let isStandby = standbyIsApplied(index)
        stores[nodes[index].site]?.isStandby = isStandby
    }

    /// The exit status.
    mutating func setDataAside(_ index: Int, _ job: Int) -> Int {
        let id = nodes[index].node.id
        guard !nodes[index].member.isServing else {
            violations.append("the database of \(id) was to be moved while it runs")
            nodes[index].jobs[job].say("NOT MOVED: PostgreSQL runs on /var/opt/gitlab/postgresql/data, process 7")
            return 1
        }
        guard nodes[index].database?.isWhole == true || nodes[index].member.isPartial else { return 0 }
        let source = databaseIndex(of: nodes[index].site == from ? to : from)
        if !nodes[source].isWritable { violations.append("a database was moved aside with no primary to copy") }
        if nodes[index].isRunning("patroni") { violations.append("the database of \(id) was moved beside Patroni") }
        let leader = leaderIndex(of: nodes[index].site)
        for other in members(of: nodes[index].site) where other != index {
            // The first is moved with all of them stopped; every other one beside a leader that streams.
            if nodes[other].isRunning("patroni"), leader.map({ isLinked($0, to: source) }) != true {
                violations.append("the database of \(id) was moved aside while \(nodes[other].node.id) runs")
            }
        }
        nodes[index].database?.kept += 1
        nodes[index].database?.isWhole = false
        // Nothing is there that could lead.
        nodes[index].database?.isPrimary = false
        nodes[index].member.isPartial = false
        return 0
    }

    /// `patronictl remove`, answered on standard input.
    mutating func removeCluster(_ index: Int, _ job: Int) -> Int {
        let site = nodes[index].site
        guard nodes[index].isRunning(Self.storeAgent), isStoreUp(site), let store = stores[site] else {
            nodes[index].jobs[job].say(
                "patroni.exceptions.PatroniException: Can not find suitable configuration of DCS")
            return 1
        }
        if let leader = store.leader {
            nodes[index].jobs[job].say(
                "This cluster currently is healthy. Please specify the leader name to continue: ")
            if self[leader].isRunning("patroni") { violations.append("a cluster that has a leader was to be removed") }
            return 1
        }
        stores[site]?.isInitialized = false
        return 0
    }

    // MARK: What is seen

    func patroniFacts(of node: SimulatedNode) -> Observed<PatroniFacts> {
        guard node.isRunning(Self.storeAgent), isStoreUp(node.site), let store = stores[node.site] else {
            return .unknown(reason: "patronictl list: the store does not answer")
        }
        let running = members(of: node.site).map { nodes[$0] }.filter {
            $0.isRunning("patroni") || $0.node.id == store.leader
        }
        let facts = PatroniFacts(
            members: running.map { member in
                let leads = member.node.id == store.leader
                return .init(
                    name: member.identity.hostName, host: member.node.access.address,
                    role: !leads ? "replica" : store.isStandby ? "standby leader" : "leader",
                    // Whatever streams: the known lie.
                    state: member.member.isServing
                        ? "running" : member.member.copyEndsAt != nil ? "creating replica" : "stopped",
                    timeline: member.member.isServing ? member.database?.timeline : nil)
            }, isPaused: false, isStandbyCluster: store.isInitialized && store.isStandby)
        return .known(value: facts, at: now, from: node.node.id.rawValue)
    }

    func consulFacts(of node: SimulatedNode) -> Observed<ConsulFacts> {
        guard node.isRunning(Self.storeAgent) else { return .unknown(reason: "consul: connection refused") }
        let servers = nodes(of: node.site).filter { $0.node.runs(.consul) }
        return .known(
            value: ConsulFacts(
                members: servers.map {
                    .init(
                        name: $0.node.id.rawValue, status: $0.isRunning(Self.storeAgent) ? "alive" : "failed",
                        isServer: true)
                }), at: now, from: node.node.id.rawValue)
    }

    /// Of a node whose database runs.
    func patroniDatabase(_ node: SimulatedNode, _ own: SimulatedDatabase) -> DatabaseFacts {
        let (mine, other) = (index(node.node.id), databaseIndex(of: node.site == from ? to : from))
        let position = LogPosition(bytes: own.position)
        let slot = { (id: NodeID) in String(id.rawValue.map { $0 == "-" ? "_" : $0 }) }
        let replicas = members(of: node.site).filter { leaderIndex(of: node.site) == mine && isReplica($0) }
        if own.isPrimary {
            let isFollowed = !isReplicationCut && isLinked(other, to: mine)
            return Fixtures.primary(
                current: position,
                senders: replicas.map { Fixtures.sender(address: nodes[$0].node.access.address) }
                    + (isFollowed ? [Fixtures.sender(address: nodes[other].node.access.address)] : []),
                slots: replicas.map { Fixtures.slot(slot(nodes[$0].node.id)) }
                    + [Fixtures.slot("geo_secondary", isActive: isFollowed)], timeline: own.timeline)
        }
        var receiver: DatabaseFacts.Receiver?
        if let leader = leaderIndex(of: node.site), isReplica(mine) {
            receiver = Fixtures.receiver(slot: slot(node.node.id), host: nodes[leader].node.access.address)
        } else if leaderIndex(of: node.site) == mine, !isReplicationCut, isLinked(mine, to: other) {
            receiver = Fixtures.receiver(slot: "geo_secondary", host: nodes[other].node.access.address)
        }
        return Fixtures.standby(replayed: position, receiver: receiver, timeline: own.timeline)
    }

    /// The truth behind the checks of Patroni's return; `nil` for all others.
    func hasPatroniReturned(_ reference: CheckReference) -> Bool? {
        switch (reference.check, reference.subject) {
        case ("patroni.store-at-rest", .site(let site)): isStoreUp(site) && stores[site]?.leader == nil
        case ("patroni.leader-caught-up", _):
            hasCaughtUp && isLinked(databaseIndex(of: from), to: databaseIndex(of: to))
        case ("patroni.replica-follows", .node(let id)): isReplica(index(id))
        default: nil
        }
    }

    // MARK: Beginnings

    /// As a failover by hand leaves it: `to` is primary, and `from` is fenced with writes that nobody else has.
    package mutating func failOverByHand() {
        for index in nodes.indices where nodes[index].site == from {
            stop(nil, index)
            nodes[index].startsAtBoot = false
            nodes[index].isBootMasked = true
        }
        nodes[databaseIndex(of: from)].database?.position += 4096
        stores[to]?.isStandby = false
        for index in leaderFirst(of: to) {
            nodes[index].isPromoted = true
            guard let own = nodes[index].database else { continue }
            let leader = databaseIndex(of: to)
            let leftAt = index == leader ? own.position : nodes[leader].database?.leftAt ?? own.position
            let leads = index == databaseIndex(of: to)
            nodes[index].database?.isPrimary = leads
            nodes[index].database?.leftAt = leftAt
            nodes[index].database?.timeline += 1
            nodes[index].database?.position += 64
            nodes[index].database?.rows.primary = to
            nodes[index].database?.rows.removed = [from]
        }
        runsOrdinaryCronJobs = [from: false, to: true]
    }

    private func leaderFirst(of site: SiteID) -> [Int] {
        let leader = databaseIndex(of: site)
        return [leader] + nodes.indices.filter { nodes[$0].site == site && $0 != leader }
    }

    /// Another member of a site leads from now on.
    package mutating func switchOver(to id: NodeID) {
        let site = self[id].site
        for index in members(of: site) {
            let leads = nodes[index].node.id == id && site == from
            nodes[index].database?.isPrimary = leads
        }
        stores[site]?.leader = id
        stores[site]?.lastLeader = id
    }
}
