package import GeoCore

/// What a look at the deployment shows: facts that fit the truth, seen at this moment.
extension SimulatedState {
    package func facts(
        of id: NodeID, asking probes: Set<Probe>, lookingAt sites: Set<SiteID> = []
    ) -> NodeFacts {
        let node = self[id]
        var facts = NodeFacts()
        facts.connection = .known(value: 40, at: now, from: "operator")
        facts.contact = .known(value: .answered, at: now, from: "operator")
        for probe in probes { answer(probe, node, &facts) }
        if probes.contains(.views), !sites.isEmpty { facts.views = seen(views(of: sites), node) }
        return facts
    }

    /// What is seen of a node that lets its visitor in, and on which every program fails.
    package func facts(of id: NodeID, failing probes: Set<Probe>) -> NodeFacts {
        var facts = NodeFacts()
        facts.connection = .known(value: 40, at: now, from: "operator")
        facts.contact = .known(value: .answered, at: now, from: "operator")
        for probe in probes { facts.markUnknown(probe, reason: "exit status 1") }
        return facts
    }

    /// A node out of reach is so for everybody.
    private func views(of sites: Set<SiteID>) -> PeerViews {
        let looks = PeerLooks(at: sites, in: inventory)
        var views = PeerViews()
        for look in looks.ports {
            let watched = self[look.node]
            let sight: Sight =
                !watched.answers ? .silent : ports(watched).contains(look.port) ? .answered : .refused
            views.nodes[look.node, default: []].append(
                PeerViews.Port(port: look.port, service: look.service, sight: sight))
        }
        for look in looks.urls {
            let isReady = whyNotTrue(CheckReference(check: "site.ready", subject: .site(id: look.site))) == nil
            views.readiness[look.site] = .known(value: isReady ? 200 : 502, at: now, from: "operator")
        }
        return views
    }

    private func seen<Value>(_ value: Value, _ node: SimulatedNode) -> Observed<Value> {
        .known(value: value, at: now, from: node.node.id.rawValue)
    }

    private func answer(_ probe: Probe, _ node: SimulatedNode, _ facts: inout NodeFacts) {
        switch probe {
        case .privileges: facts.privileges = seen(true, node)
        case .identity:
            facts.identity = seen(node.identity, node)
            facts.clockOffset = seen(2, node)
        case .version: facts.gitlabVersion = seen(node.version, node)
        case .services: facts.services = seen(node.services.map(Self.state), node)
        case .boot:
            facts.startsAtBoot = seen(node.startsAtBoot && !node.isBootMasked, node)
            facts.isBootMasked = seen(node.isBootMasked, node)
        case .attributes: facts.attributeFile = seen(node.attributes, node)
        case .clusterFile: facts.clusterFile = seen(node.clusterFile, node)
        case .changesRunning:
            facts.changesRunning = seen(node.runningJob.map { [$0.arguments.joined(separator: " ")] } ?? [], node)
        case .secrets: facts.secretsDigest = seen(node.secrets, node)
        case .passwords: facts.passwords = seen(Fixtures.passwords(of: node.node), node)
        case .hostKeys: facts.hostKeys = seen(node.hostKeys, node)
        case .disks:
            facts.disks = seen(
                ["/etc/gitlab", "/opt/gitlab", "/var/opt/gitlab", "/var/log/gitlab"].map {
                    DiskSpace(path: $0, freeBytes: 40 << 30, totalBytes: 100 << 30)
                }, node)
        case .ports: facts.listeningPorts = seen(ports(node), node)
        case .views: facts.views = .unknown(reason: "there was nothing to look at")
        case .machine: facts.machine = seen(Fixtures.machine(), node)
        case .configuration:
            if let url = node.url {
                var configuration = url.configuration(of: node.site)
                configuration.nodeName = .text(value: node.shownSiteName ?? node.site.rawValue)
                facts.configuration = seen(configuration, node)
            }
        case .certificate: facts.certificate = seen(Fixtures.certificate(), node)
        case .database: facts.database = database(node)
        case .server, .application, .projects, .settings, .accessRules: details(probe, node, &facts)
        case .baseBackups: facts.baseBackups = seen(copies(from: node), node)
        case .rewindRights: facts.rewindRights = rewindRights(node)
        case .pointInTimeFile: facts.pointInTimeFile = seen(.absent, node)
        case .controlData: facts.controlData = controlData(node)
        case .timelines: facts.timelines = timelines(node)
        case .divergence: facts.divergence = seen(node.archives, node)
        case .geoSettings, .configurationFiles, .appliedSettings, .dataSize, .replicationTrust:
            reseeding(probe, node, &facts)
        case .patroni: facts.patroni = patroniFacts(of: node)
        case .patroniScope: facts.patroniScope = seen(SimulatedStore.scope, node)
        case .consul: facts.consul = consulFacts(of: node)
        case .trustedCertificates: facts.trustedCertificates = seen(Fixtures.trusted, node)
        case .backups: facts.backups = seen(Fixtures.backups(), node)
        case .schemaFiles: facts.schemaFiles = seen(Fixtures.migrations, node)
        case .keyLookup: facts.keyLookup = seen(Fixtures.keyLookup, node)
        case .cronStates:
            facts.cronStates =
                node.isRunning("redis")
                ? seen(cronJobs(of: node.site), node)
                : .unknown(reason: "redis: connection refused")
        case .geo: facts.geo = geo(node)
        case .tracking: facts.tracking = tracking(node)
        case .registryDetails, .projectRegistry: details(probe, node, &facts)
        case .trackingSchema: facts.trackingSchema = seen(Fixtures.trackingSchema, node)
        case .queues:
            facts.queues =
                node.isRunning("redis")
                ? seen(["default": node.site == from ? Int(queued) : 0, "mailers": 0], node)
                : .unknown(reason: "redis: connection refused")
        case .readiness: facts.readiness = seen(isReady(node) ? 200 : 502, node)
        case .railsConfiguration:
            let isOn = appliedSettings(node)["geo_secondary"] == true
            facts.hasTrackingDatabaseConfigured = seen(isOn, node)
        case .railsRole:
            let primary = databaseNode(of: node.site).isDatabaseUp ? database(of: node.site).rows.primary : nil
            facts.railsRole =
                primary.map { seen($0 == node.site ? "primary" : "secondary", node) }
                ?? .unknown(reason: "Rails has no database")
        case .cronJobs:
            facts.cronJobs =
                databaseNode(of: node.site).isDatabaseUp
                ? seen(cronJobs(of: node.site), node)
                : .unknown(reason: "Rails has no database")
        }
    }

    private func reseeding(_ probe: Probe, _ node: SimulatedNode, _ facts: inout NodeFacts) {
        switch probe {
        case .geoSettings:
            if let file = node.url { facts.geoSettings = seen(file.settings, node) }
        case .configurationFiles: facts.configurationFiles = seen(node.configuration.settings, node)
        case .appliedSettings: facts.appliedSettings = seen(appliedSettings(node), node)
        case .replicationTrust: facts.replicationTrust = seen(TrustFacts(server: "cert", root: node.trusts), node)
        default:
            facts.dataDirectoryBytes =
                node.database?.isWhole == true ? seen(80 << 20, node) : .unknown(reason: "no data directory")
        }
    }

    private static func state(_ service: SimulatedNode.Service) -> ServiceState {
        ServiceState(
            name: service.name, state: service.isRunning ? .running : service.isSupervised ? .down : .unsupervised,
            seconds: 60)
    }

    private func ports(_ node: SimulatedNode) -> [Int] {
        let known = [
            "nginx": 80, "puma": 8080, "gitlab-workhorse": 8181, "postgresql": 5432, "geo-postgresql": 5431,
            "redis": 6379, "gitaly": 8075, "patroni": 8008,
        ]
        let open = node.services.filter(\.isRunning).compactMap { known[$0.name] }
        return ([22] + (node.node.runs(.loadBalancer) ? [80] : []) + open).sorted()
    }

    private func database(_ node: SimulatedNode) -> Observed<DatabaseFacts> {
        guard let own = node.database, node.isDatabaseUp else { return .unknown(reason: "psql: connection refused") }
        if node.node.runs(.patroni) { return seen(patroniDatabase(node, own), node) }
        let position = LogPosition(bytes: own.position)
        let other = databaseIndex(of: node.site == from ? to : from)
        let mine = index(node.node.id)
        let isLinked = !isReplicationCut && (own.isPrimary ? isLinked(other, to: mine) : isLinked(mine, to: other))
        let peer = nodes[other]
        if own.isPrimary {
            // A slot is made with the standby that it is for, and stays when that is gone.
            let hasSlot = node.site == from || peer.database?.isPrimary == false
            return seen(
                Fixtures.primary(
                    current: position,
                    senders: isLinked ? [Fixtures.sender(address: peer.node.access.address)] : [],
                    slots: hasSlot ? [Fixtures.slot(peer.site.rawValue, isActive: isLinked)] : [],
                    timeline: own.timeline), node)
        }
        return seen(
            Fixtures.standby(
                replayed: position,
                receiver: isLinked
                    ? Fixtures.receiver(slot: node.site.rawValue, host: peer.node.access.address) : nil,
                timeline: own.timeline), node)
    }

    /// What no story of the simulation changes, as long as its server runs.
    private func details(_ probe: Probe, _ node: SimulatedNode, _ facts: inout NodeFacts) {
        let isTracking = probe == .registryDetails || probe == .projectRegistry
        guard isTracking ? node.isRunning("geo-postgresql") : node.isDatabaseUp else {
            facts.markUnknown(probe, reason: "psql: connection refused")
            return
        }
        switch probe {
        case .server: facts.server = seen(Fixtures.server(isPrimary: node.database?.isPrimary == true), node)
        case .application: facts.application = seen(Fixtures.application(), node)
        case .projects: facts.projects = seen(Fixtures.projects(), node)
        case .settings: facts.settings = seen(Fixtures.gitlabSettings(), node)
        case .accessRules: facts.accessRules = seen(Fixtures.accessRules, node)
        case .registryDetails: facts.registryDetails = seen(Fixtures.registryDetails(), node)
        default: facts.projectRegistry = seen(Fixtures.projectRegistry(), node)
        }
    }

    private func controlData(_ node: SimulatedNode) -> Observed<ControlData> {
        guard let own = node.database, own.isWhole else { return .unknown(reason: "no data directory") }
        let running = own.isPrimary ? "in production" : "in archive recovery"
        let stopped = own.isPrimary ? "shut down" : "shut down in recovery"
        return seen(
            Fixtures.controlData(
                !node.isDatabaseUp && own.isCleanlyStopped ? stopped : running,
                checkpoint: LogPosition(bytes: own.checkpoint), timeline: own.timeline), node)
    }

    private func timelines(_ node: SimulatedNode) -> Observed<TimelineFacts> {
        guard let own = node.database else { return .unknown(reason: "no data directory") }
        let branches = own.leftAt.map { [Fixtures.branch(at: LogPosition(bytes: $0), timeline: own.timeline)] }
        return seen(TimelineFacts(branches: branches ?? [], segments: []), node)
    }

    private func geo(_ node: SimulatedNode) -> Observed<GeoFacts> {
        guard let own = node.database, node.isDatabaseUp else { return .unknown(reason: "psql: connection refused") }
        var facts = Fixtures.geo(
            primary: own.rows.primary, maintenanceMode: own.rows.isInMaintenanceMode, silent: own.rows.isSilent,
            lastEventID: own.rows.lastEvent)
        for index in facts.nodes.indices {
            if let url = own.rows.urls[SiteID(facts.nodes[index].name)] { facts.nodes[index].url = url }
        }
        facts.nodes.removeAll { own.rows.removed.contains(SiteID($0.name)) }
        return seen(facts, node)
    }

    private func tracking(_ node: SimulatedNode) -> Observed<TrackingFacts> {
        guard node.isRunning("geo-postgresql") else { return .unknown(reason: "psql: connection refused") }
        guard node.tracking != .empty, node.tracking != .none else {
            return .unknown(reason: "relation \"event_log_states\" does not exist")
        }
        if node.tracking == .migrated {
            // Filled as soon as something works on it.
            let isWorked = nodes(of: node.site).contains { $0.isRunning("geo-logcursor") && $0.isRunning("sidekiq") }
            if !isWorked { return seen(SimulatedReturn.newTracking, node) }
            return seen(Fixtures.tracking(cursorEventID: database(of: node.site).rows.lastEvent), node)
        }
        var facts = Fixtures.tracking(cursorEventID: cursor)
        if let total = facts.registries["uploads"]?.total {
            let pending = min(total, Int(pendingItems.rounded(.up)))
            facts.registries["uploads"]?.synced = total - pending
            facts.registries["uploads"]?.verified = total - pending
        }
        return seen(facts, node)
    }

    /// Every question to every node.
    package static func everything(_ inventory: Inventory) -> ObservationScope {
        var scope = ObservationScope(siteURLs: Set(inventory.sites.map(\.id)))
        scope.ask(Set(Probe.allCases), of: inventory.nodes)
        return scope
    }
}
