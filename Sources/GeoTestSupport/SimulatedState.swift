package import GeoCore

/// Everything that is true of a simulated deployment; a value, so that a test can keep what was and compare.
package struct SimulatedState: Sendable {
    package var inventory: Inventory
    package let from: SiteID
    package let to: SiteID
    package var nodes: [SimulatedNode]
    package var now: Timestamp

    /// Jobs in the queues of the site being left; Sidekiq works them off once users are kept out.
    package var queued = 4.0
    /// Items that the candidate has yet to copy.
    package var pendingItems = 3.0
    package var cursor = 4711
    /// Cron jobs other than Geo's are enabled, by site.
    package var runsOrdinaryCronJobs: [SiteID: Bool]
    /// Those of them that an administrator has switched off, until somebody enables all.
    package var cronJobsOff: Set<String> = []
    package var isReplicationCut = false
    /// Of sites that run Patroni.
    package var stores: [SiteID: SimulatedStore] = [:]
    /// What a change of the URL is to come to.
    package var wantedURL = "http://10.77.1.10"
    private let indices: [NodeID: Int]
    private let ranges: [SiteID: Range<Int>]
    private let databases: [SiteID: Int]
    /// Jobs that are not over, as positions in ``nodes`` and in the node's jobs.
    private var underWay: [(node: Int, job: Int)] = []

    package var violations: [String] = []
    package var history: [String] = []
    /// How often each key was started on each node.
    package var starts: [String: Int] = [:]
    package var promotions: [NodeID: Int] = [:]
    /// How often anything was written or started on a node by order of the tool; whoever only looks leaves it as it is.
    package internal(set) var changes = 0
    /// Somebody gave the site up, and was told that its last writes may be lost.
    package var isLossAccepted = false

    package init(inventory: Inventory, from: SiteID, to: SiteID, now: Timestamp) {
        self.inventory = inventory
        self.from = from
        self.to = to
        self.now = now
        self.runsOrdinaryCronJobs = [from: true, to: false]
        var nodes: [SimulatedNode] = []
        var ranges: [SiteID: Range<Int>] = [:]
        for site in inventory.sites {
            let start = nodes.count
            nodes += site.nodes.map { SimulatedNode($0, site: site.id, isPrimary: site.id == from) }
            ranges[site.id] = start..<nodes.count
        }
        self.nodes = nodes
        self.indices = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.node.id, $0) })
        self.ranges = ranges
        self.databases = ranges.compactMapValues { range in range.first { nodes[$0].database != nil } }
        makeStores()
        loadConfigurations()
    }

    package func cronJobs(of site: SiteID) -> [String: String] {
        Fixtures.cronJobs(ordinary: runsOrdinaryCronJobs[site] == true ? "enabled" : "disabled")
            .merging(cronJobsOff.map { ($0, "disabled") }) { $1 }
    }

    package func index(_ id: NodeID) -> Int {
        guard let index = indices[id] else {
            preconditionFailure("the simulated deployment has no node \(id)")
        }
        return index
    }

    package subscript(id: NodeID) -> SimulatedNode {
        // A node is read a hundred times for each change of it: not as a copy.
        _read { yield nodes[index(id)] }
        _modify { yield &nodes[index(id)] }
    }

    package func nodes(of site: SiteID) -> ArraySlice<SimulatedNode> { nodes[ranges[site] ?? 0..<0] }

    package func databaseIndex(of site: SiteID) -> Int {
        if let leader = leaderIndex(of: site) { return leader }
        guard let index = databases[site] else { preconditionFailure("the simulated site \(site) has no database") }
        return index
    }

    package func databaseNode(of site: SiteID) -> SimulatedNode { nodes[databaseIndex(of: site)] }

    package func database(of site: SiteID) -> SimulatedDatabase {
        guard let database = databaseNode(of: site).database else { preconditionFailure("no database of \(site)") }
        return database
    }

    package func isWritable(_ site: SiteID) -> Bool { nodes(of: site).contains(where: \.isWritable) }

    package func canUsersWrite(_ site: SiteID) -> Bool {
        isWritable(site) && !database(of: site).rows.isInMaintenanceMode
            && nodes(of: site).contains { $0.node.runs(.rails) && $0.isRunning("puma") }
    }

    package mutating func note(_ text: String) { history.append("\(now.clockTime) \(text)") }

    // MARK: Time

    /// Lets time pass: jobs act when they are due, users write, replication follows.
    package mutating func pass(until moment: Timestamp) {
        while let (node, job) = nextDue(until: moment) {
            let at = nodes[node].jobs[job].stages[0].at
            live(until: at)
            let act = nodes[node].jobs[job].stages.removeFirst().act
            perform(act, node, job)
            checkPromises()
        }
        live(until: moment)
    }

    /// The job of that position was put on its node.
    mutating func follow(_ node: Int, _ job: Int) { underWay.append((node, job)) }

    private mutating func nextDue(until moment: Timestamp) -> (node: Int, job: Int)? {
        guard !underWay.isEmpty else { return nil }
        underWay.removeAll { nodes[$0.node].jobs[$0.job].isOver }
        var earliest: (node: Int, job: Int, at: Timestamp)?
        for (node, job) in underWay {
            guard let at = nodes[node].jobs[job].stages.first?.at, at <= moment else { continue }
            if earliest.map({ at < $0.at }) ?? true { earliest = (node, job, at) }
        }
        return earliest.map { ($0.node, $0.job) }
    }

    private mutating func live(until moment: Timestamp) {
        let seconds = moment.seconds(since: now)
        guard seconds > 0 else { return }
        now = moment
        runPatroni()
        replicate()
        for site in [from, to] where canUsersWrite(site) {
            let index = databaseIndex(of: site)
            nodes[index].database?.position += UInt64(seconds * 1000)
            nodes[index].database?.rows.lastEvent += 1
        }
        // A copy that follows has it at once: users never stop writing while it is looked at.
        if !database(of: from).isPrimary { replicate() }
        if database(of: from).rows.isInMaintenanceMode {
            if nodes(of: from).contains(where: { $0.isRunning("sidekiq") }) { queued = max(0, queued - seconds) }
            pendingItems = max(0, pendingItems - seconds)
        }
        if nodes(of: to).contains(where: { $0.isRunning("geo-logcursor") }) {
            cursor = max(cursor, database(of: to).rows.lastEvent)
        }
    }

    /// Whether a database follows another one.
    func isLinked(_ standby: Int, to source: Int) -> Bool {
        nodes[source].isWritable && nodes[standby].isDatabaseUp && nodes[standby].database?.isPrimary == false
            && !nodes[standby].streamsNothing && !nodes[standby].hasLostSlot
            // Members of Patroni's are started on whatever lies there.
            && (!nodes[standby].node.runs(.patroni)
                || nodes[standby].database?.timeline == nodes[source].database?.timeline)
    }

    /// A standby that is connected has everything that was written before this moment.
    package mutating func replicate() {
        defer { feedReplicas() }
        let (left, candidate) = (databaseIndex(of: from), databaseIndex(of: to))
        let (source, standby) = database(of: from).isPrimary ? (left, candidate) : (candidate, left)
        guard !isReplicationCut, isLinked(standby, to: source), let source = nodes[source].database,
            let own = nodes[standby].database
        else { return }
        nodes[standby].database?.position = max(own.position, source.position)
        nodes[standby].database?.rows = source.rows
    }

    // MARK: Accidents

    /// Power goes and comes back: jobs are gone, a running database was not stopped cleanly.
    package mutating func reboot(_ id: NodeID) {
        let index = index(id)
        guard !nodes[index].isOff else { return }
        note("\(id) reboots")
        nodes[index].boots += 1
        for job in nodes[index].jobs.indices where !nodes[index].jobs[job].isOver {
            nodes[index].jobs[job].isLost = true
        }
        if nodes[index].node.runs(.patroni) { memberStopped(index, cleanly: false) }
        let starts = nodes[index].startsAtBoot && !nodes[index].isBootMasked
        if nodes[index].isDatabaseUp { nodes[index].database?.isCleanlyStopped = false }
        for service in nodes[index].services.indices {
            let name = nodes[index].services[service].name
            let isStartable = name != "postgresql" || nodes[index].database?.isWhole != false
            nodes[index].services[service].isRunning = starts && isStartable && !nodes[index].held.contains(name)
            nodes[index].services[service].isSupervised = starts
        }
        if nodes[index].isDatabaseUp { databaseStarted(index) }
        checkPromises()
    }

    package mutating func powerOff(_ id: NodeID) {
        let index = index(id)
        guard !nodes[index].isOff else { return }
        reboot(id)
        note("\(id) loses power")
        if nodes[index].isDatabaseUp { nodes[index].database?.isCleanlyStopped = false }
        nodes[index].isOff = true
        for service in nodes[index].services.indices { nodes[index].services[service].isRunning = false }
    }

    /// What starts at boot comes back.
    package mutating func powerOn(_ id: NodeID) {
        guard self[id].isOff else { return }
        nodes[index(id)].isOff = false
        reboot(id)
    }

    package mutating func databaseStarted(_ index: Int) {
        nodes[index].database?.isCleanlyStopped = false
        if nodes[index].isWritable { nodes[index].database?.position += 96 }
        replicate()
    }

    /// Someone sees to every node: it is reachable, and what lied has been repaired. A former primary that has to be
    /// down, and came back or ended in a power cut, is started and stopped cleanly, as the remedy says.
    package mutating func heal(databaseHasToBeDown: Bool = false) {
        note("healed")
        isReplicationCut = false
        for index in nodes.indices {
            nodes[index].isReachable = true
            nodes[index].streamsNothing = false
            nodes[index].member.copiesNothing = false
            nodes[index].failingReconfigures = 0
            // What was asked to stop, as its neighbours show, is killed.
            let isStopped = nodes[index].services.contains { !$0.isRunning }
            for service in nodes[index].services.indices
            where isStopped && nodes[index].stuckServices.contains(nodes[index].services[service].name) {
                nodes[index].services[service].isRunning = false
            }
            nodes[index].stuckServices = []
        }
        let left = databaseIndex(of: from)
        let isBehind = database(of: to).position < database(of: from).position
        if databaseHasToBeDown || !nodes[left].isDatabaseUp, !nodes[left].isOff, !database(of: to).isPrimary,
            database(of: from).isPrimary,
            isBehind || nodes[left].database?.isCleanlyStopped == false
        {
            nodes[left].database?.isCleanlyStopped = false
            stopDatabaseCleanly(left)
            for service in nodes[left].services.indices where nodes[left].services[service].name == "postgresql" {
                nodes[left].services[service].isRunning = false
            }
        }
        checkPromises()
    }

    package mutating func stopDatabaseCleanly(_ index: Int) {
        guard let database = nodes[index].database, !database.isCleanlyStopped else { return }
        // The walsender delivers everything, the shutdown checkpoint included, before the postmaster ends.
        nodes[index].database?.position += 120
        nodes[index].database?.checkpoint = database.position + 120
        nodes[index].database?.isCleanlyStopped = true
        let standby = databaseIndex(of: to)
        if nodes[index].site == from, database.isPrimary, !isReplicationCut, nodes[standby].isDatabaseUp,
            nodes[standby].database?.isPrimary == false, let stopped = nodes[index].database
        {
            let own = self.database(of: to).position
            nodes[standby].database?.position = max(own, stopped.position)
            nodes[standby].database?.rows = stopped.rows
        }
    }
}
