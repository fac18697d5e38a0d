package import GeoCore

extension Fixtures {
    /// Everything as it should be before a planned failover from the primary, Tokyo, to Seoul.
    package static func healthy(_ inventory: Inventory = inventory(), primary: SiteID = tokyo) -> Observation {
        var facts: [NodeID: NodeFacts] = [:]
        for site in inventory.sites {
            let others = Set(inventory.sites.map(\.id)).subtracting([site.id])
            for node in site.nodes {
                facts[node.id] = healthy(node, of: site, primary: primary)
                facts[node.id]?.views = seen(views(of: others, in: inventory), on: node.id)
            }
        }
        return Observation(
            startedAt: moment(-10), endedAt: moment(), nodes: facts,
            siteReadiness: [tokyo: seen(200), seoul: seen(200)], siteAddresses: siteAddresses(),
            operatorMachine: seen(operatorMachine()))
    }

    /// Everything that one looks at answers, or what `sight` says of it.
    package static func views(
        of sites: Set<SiteID>, in inventory: Inventory = inventory(), _ sight: Sight = .answered, readiness: Int? = 200
    ) -> PeerViews {
        let looks = PeerLooks(at: sites, in: inventory)
        var views = PeerViews()
        for look in looks.ports {
            views.nodes[look.node, default: []].append(.init(port: look.port, service: look.service, sight: sight))
        }
        for look in looks.urls {
            views.readiness[look.site] = readiness.map { seen($0) } ?? .unknown(reason: "had no answer in time")
        }
        if readiness == nil { views.silentSites = sites.sorted() }
        return views
    }

    /// Users cannot write, queues are empty, only the cron jobs run that finish replication.
    package static func quiesced() -> Observation {
        var observation = healthy()
        for node in ["tokyo-pg-1", "seoul-pg-1"] as [NodeID] {
            observation.change(node) { $0.geo = seen(geo(maintenanceMode: true), on: node) }
        }
        observation.change("tokyo-redis-1") { $0.queues = seen(["default": 0, "mailers": 0, "geo:geo_x": 2]) }
        observation.change("tokyo-rails-1") { $0.cronJobs = seen(cronJobs(ordinary: "disabled")) }
        return observation
    }

    /// Tokyo is stopped and disabled, its database after a clean shutdown; Seoul has replayed everything.
    package static func fenced() -> Observation {
        var observation = quiesced()
        for node in inventory().site(tokyo)?.nodes ?? [] where node.isManagedByOmnibus {
            observation.change(node.id) { facts in
                facts.services = seen(services(node, .down), on: node.id)
                facts.startsAtBoot = seen(false, on: node.id)
                facts.listeningPorts = seen([22], on: node.id)
                if node.runs(.postgresql) {
                    for probe in [Probe.database, .server, .geo, .application, .projects, .settings, .accessRules] {
                        facts.markUnknown(probe, reason: "psql: connection refused")
                    }
                    facts.controlData = seen(controlData("shut down"), on: node.id)
                }
            }
        }
        observation.change("seoul-pg-1") { $0.database = seen(standby(receiver: nil), on: "seoul-pg-1") }
        for node in inventory().site(seoul)?.nodes ?? [] {
            observation.change(node.id) { $0.views = seen(views(of: [tokyo], .refused), on: node.id) }
        }
        return observation
    }

    /// Tokyo is the primary, and Seoul a former one: fenced, and with the gitlab.rb of a secondary where it `isConfigured`.
    package static func returning(isConfigured: Bool = true) -> Observation {
        var observation = healthy()
        observation.change("tokyo-pg-1") { facts in
            facts.database = seen(primary(senders: [], slots: []), on: "tokyo-pg-1")
            facts.dataDirectoryBytes = seen(80 << 20, on: "tokyo-pg-1")
        }
        for node in inventory().site(seoul)?.nodes ?? [] where node.isManagedByOmnibus {
            observation.change(node.id) { facts in
                facts.services = seen(services(node, .down), on: node.id)
                facts.startsAtBoot = seen(false, on: node.id)
                facts.listeningPorts = seen([22], on: node.id)
                facts.geoSettings = seen(
                    SimulatedReturn.settings(of: node, isPrimary: !isConfigured), on: node.id)
                guard node.runs(.postgresql) else { return }
                for probe in [Probe.database, .server, .geo, .application, .projects, .settings, .accessRules] {
                    facts.markUnknown(probe, reason: "psql: connection refused")
                }
                facts.controlData = seen(controlData("shut down"), on: node.id)
                facts.dataDirectoryBytes = seen(80 << 20, on: node.id)
            }
        }
        for node in inventory().site(tokyo)?.nodes ?? [] {
            observation.change(node.id) { $0.views = seen(views(of: [seoul], .refused), on: node.id) }
        }
        return observation
    }

    /// Seoul has come back as a secondary, and has yet to copy everything.
    package static func returned() -> Observation {
        var observation = healthy()
        for node in inventory().site(seoul)?.nodes ?? [] where node.isManagedByOmnibus {
            observation.change(node.id) { facts in
                facts.geoSettings = seen(SimulatedReturn.settings(of: node, isPrimary: false), on: node.id)
                if node.runs(.trackingDB) { facts.tracking = seen(SimulatedReturn.newTracking, on: node.id) }
            }
        }
        return observation
    }

    /// Seoul is primary and open to users; Tokyo is fenced.
    package static func promoted() -> Observation {
        var observation = fenced()
        observation.change("seoul-pg-1") { facts in
            facts.database = seen(primary(senders: [], slots: [], timeline: 2), on: "seoul-pg-1")
            facts.geo = seen(geo(primary: seoul), on: "seoul-pg-1")
        }
        for node in ["seoul-rails-1", "seoul-rails-2"] as [NodeID] {
            observation.change(node) { facts in
                facts.railsRole = seen("primary", on: node)
                facts.cronJobs = seen(cronJobs(ordinary: "enabled"), on: node)
                facts.clusterFile = seen(.valid(text: #"{"geo_secondary":{"enable":false}}"#), on: node)
            }
        }
        return observation
    }

    private static func healthy(_ node: Node, of site: Site, primary: SiteID) -> NodeFacts {
        let isPrimary = site.id == primary
        var facts = NodeFacts()
        facts.connection = seen(120)
        facts.contact = seen(.answered)
        facts.privileges = seen(true, on: node.id)
        facts.identity = seen(
            NodeIdentity(hostName: "\(node.id).lab.test", machineID: "machine-\(node.id)", bootID: "boot"), on: node.id)
        facts.clockOffset = seen(3, on: node.id)
        facts.hostKeys = seen(
            node.runs(.rails) ? ["SHA256:shared-ecdsa", "SHA256:shared-ed25519"] : ["SHA256:\(node.id)"], on: node.id)
        facts.disks = seen(
            ["/etc/gitlab", "/opt/gitlab", "/var/opt/gitlab", "/var/log/gitlab"].map {
                DiskSpace(path: $0, freeBytes: 40 << 30, totalBytes: 100 << 30)
            }, on: node.id)
        facts.listeningPorts = seen([22, 80], on: node.id)
        facts.machine = seen(machine(), on: node.id)
        if node.isManagedByOmnibus {
            addInstallation(to: &facts, node)
            facts.configuration = seen(configuration(of: site.id), on: node.id)
        }
        if node.runs(.rails) || node.runs(.loadBalancer) { facts.certificate = seen(certificate(), on: node.id) }
        if node.runs(.postgresql) || node.runs(.patroni) {
            addDatabase(to: &facts, node, isPrimary)
            facts.geo = seen(geo(primary: primary), on: node.id)
            facts.server = seen(server(isPrimary: isPrimary), on: node.id)
            facts.application = seen(application(), on: node.id)
            facts.projects = seen(projects(), on: node.id)
            facts.settings = seen(gitlabSettings(), on: node.id)
            facts.accessRules = seen(accessRules, on: node.id)
            facts.replicationTrust = seen(TrustFacts(server: "cert", root: "cert"), on: node.id)
        }
        if node.runs(.patroni) {
            facts.consul = seen(consul(), on: node.id)
            facts.patroniScope = seen("postgresql-ha", on: node.id)
            facts.geoSettings = seen(SimulatedReturn.settings(of: node, isPrimary: isPrimary), on: node.id)
            facts.configurationFiles = seen([ConfigurationPath.main.text: settingsDigest], on: node.id)
            facts.appliedSettings = seen(appliedSettings(isOn: !isPrimary), on: node.id)
            facts.patroni = seen(
                patroni(of: site.nodes(running: .patroni).map(\.id), isPrimary: isPrimary), on: node.id)
        }
        if node.runs(.trackingDB) {
            facts.tracking = seen(tracking(), on: node.id)
            facts.registryDetails = seen(registryDetails(), on: node.id)
            facts.projectRegistry = seen(projectRegistry(), on: node.id)
            facts.trackingSchema = seen(trackingSchema, on: node.id)
        }
        if node.runs(.redis) {
            facts.queues = seen(["default": 4, "mailers": 0, "geo:geo_x": 1], on: node.id)
            facts.cronStates = seen(cronJobs(ordinary: isPrimary ? "enabled" : "disabled"), on: node.id)
        }
        if node.runs(.rails) || node.runs(.sidekiq) { facts.trustedCertificates = seen(trusted, on: node.id) }
        if node.runs(.rails) {
            facts.backups = seen(backups(), on: node.id)
            facts.schemaFiles = seen(migrations, on: node.id)
            facts.keyLookup = seen(keyLookup, on: node.id)
            facts.readiness = seen(200, on: node.id)
            facts.hasTrackingDatabaseConfigured = seen(!isPrimary, on: node.id)
            facts.railsRole = seen(isPrimary ? "primary" : "secondary", on: node.id)
            facts.cronJobs = seen(cronJobs(ordinary: isPrimary ? "enabled" : "disabled"), on: node.id)
        }
        return facts
    }

    private static func addInstallation(to facts: inout NodeFacts, _ node: Node) {
        facts.gitlabVersion = seen("19.3.0-ee.0", on: node.id)
        facts.services = seen(services(node), on: node.id)
        facts.startsAtBoot = seen(true, on: node.id)
        facts.attributeFile = seen(.good, on: node.id)
        facts.clusterFile = seen(.absent, on: node.id)
        facts.changesRunning = seen([], on: node.id)
        facts.secretsDigest = seen("5ec2e75", on: node.id)
        facts.passwords = seen(passwords(of: node), on: node.id)
    }

    private static func addDatabase(to facts: inout NodeFacts, _ node: Node, _ isPrimary: Bool) {
        facts.database = seen(isPrimary ? primary() : standby(), on: node.id)
        facts.pointInTimeFile = seen(.absent, on: node.id)
        facts.controlData = seen(controlData(isPrimary ? "in production" : "in archive recovery"), on: node.id)
        facts.timelines = seen(TimelineFacts(branches: [], segments: segments()), on: node.id)
    }

    /// Seoul is primary, and what only Tokyo has is saved there.
    package static func parted() -> Observation {
        var observation = promoted()
        observation.change("seoul-pg-1") {
            $0.timelines = seen(TimelineFacts(branches: [branch()], segments: segments(timeline: 2)), on: "seoul-pg-1")
        }
        for node in inventory().site(tokyo)?.nodes ?? [] where !DivergenceProgram.Part.of(node).isEmpty {
            observation.change(node.id) { $0.divergence = seen([archive(of: node)], on: node.id) }
        }
        return observation
    }

    /// Timeline 2 left 1 where Seoul had replayed to.
    package static func branch(at position: LogPosition = current, timeline: Int = 2) -> TimelineFacts.Branch {
        TimelineFacts.Branch(timeline: timeline, parent: timeline - 1, leftAt: position)
    }

    /// The segment of ``current`` and the one before it, which was finished an hour before.
    package static func segments(timeline: Int = 1) -> [TimelineFacts.Segment] {
        let (log, number) = (Int(current.bytes >> 32), Int(current.bytes & 0xFFFF_FFFF) >> 24)
        return [
            .init(timeline: timeline, log: log, number: number - 1, changedAt: moment(-3600)),
            .init(timeline: timeline, log: log, number: number, changedAt: moment(-5)),
        ]
    }

    package static func archive(of node: Node, leftOut: [String] = []) -> DivergenceArchive {
        let position = current.description.split(separator: "/").joined(separator: "-")
        return DivergenceArchive(
            name: "\(systemIdentifier)-1-\(position)", fork: current,
            parts: DivergenceProgram.Part.of(node).map { .init(name: $0.rawValue, content: "found=3") },
            leftOut: leftOut, bytes: 48 << 20, completedAt: moment(-60))
    }

    /// A failover that was done already: Seoul is primary, Tokyo its secondary.
    package static func exchanged() -> Observation { healthy(primary: seoul) }

    /// As ``healthy(_:primary:)``, with two Patroni members per site, of which the second follows the first.
    package static func patroniHealthy() -> Observation {
        var observation = healthy(patroniInventory())
        for (node, leader) in [("tokyo-pg-2", "10.77.1.21"), ("seoul-pg-2", "10.77.2.21")] as [(NodeID, String)] {
            observation.change(node) {
                $0.database = seen(standby(receiver: receiver(slot: nil, host: leader)), on: node)
                $0.controlData = seen(controlData("in archive recovery"), on: node)
            }
        }
        observation.change("tokyo-pg-1") {
            $0.database = seen(primary(senders: [sender(), sender(address: "10.77.1.22")]), on: "tokyo-pg-1")
        }
        return observation
    }
}

extension PeerViews {
    /// What a node sees that tries only the ways that Geo needs; all of it, where it looks at whole sites.
    fileprivate func restricted(to scope: ObservationScope, of node: NodeID) -> PeerViews {
        guard scope.watched[node] == nil, let linked = scope.linked[node] else { return self }
        return PeerViews(
            nodes: nodes.compactMapValues { ports in
                let databases = ports.filter { ["postgresql", "patroni"].contains($0.service) }
                return databases.isEmpty ? nil : databases
            }, readiness: readiness.filter { linked.contains($0.key) }, silentSites: silentSites)
    }
}

extension Observation {
    /// Changes what was seen on one node.
    package mutating func change(_ node: NodeID, _ change: (inout NodeFacts) -> Void) {
        change(&nodes[node, default: NodeFacts()])
    }

    package func changing(_ node: NodeID, _ change: (inout NodeFacts) -> Void) -> Observation {
        var copy = self
        copy.change(node, change)
        return copy
    }

    /// The node did not answer.
    package func losing(_ node: NodeID, reason: String = "connection timed out") -> Observation {
        changing(node) {
            $0 = .unreachable(reason)
            $0.contact = Fixtures.seen(.silent)
        }
    }

    /// The same facts, looked at so many seconds later.
    package func aged(bySeconds seconds: Double) -> Observation {
        var copy = self
        copy.endedAt = endedAt.adding(seconds: seconds)
        return copy
    }

    /// Only what a scope asks for; everything else as if never asked.
    package func restricted(to scope: ObservationScope) -> Observation {
        var copy = self
        for (node, facts) in nodes {
            guard let asked = scope.probes[node] else {
                copy.nodes[node] = nil
                continue
            }
            var facts = facts
            for probe in Probe.allCases where !asked.contains(probe) { facts.markUnknown(probe, reason: "not asked") }
            facts.views = facts.views.map { $0.restricted(to: scope, of: node) }
            copy.nodes[node] = facts
        }
        copy.siteReadiness = siteReadiness.filter { scope.siteURLs.contains($0.key) }
        copy.siteAddresses = siteAddresses.filter { scope.siteNames.contains($0.key) }
        copy.siteRecords = siteRecords.filter { scope.siteRecords.contains($0.key) }
        if !scope.asksOperator { copy.operatorMachine = .notAsked }
        return copy
    }
}
