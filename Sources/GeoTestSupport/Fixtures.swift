package import GeoCore

/// Values for tests: a deployment of two sites like the lab's, and what a look at it shows in each phase of a failover.
package enum Fixtures {
    package static let tokyo: SiteID = "tokyo"
    package static let seoul: SiteID = "seoul"

    /// 2026-11-21 03:00:00 UTC and so many seconds; observations end at 0.
    package static func moment(_ seconds: Double = 0) -> Timestamp {
        Timestamp(milliseconds: 1_795_230_000_000).adding(seconds: seconds)
    }

    // MARK: Inventory

    /// Fifteen nodes: seven per site, and the tracking database in Seoul. Tokyo is primary in ``healthy()``.
    package static func inventory(objectives: Objectives = .init(rtoSeconds: 900, rpoSeconds: 0)) -> Inventory {
        Inventory(
            deployment: "lab", objectives: objectives,
            sites: [
                site(tokyo, network: 1, extra: []),
                site(seoul, network: 2, extra: [("geo-1", 51, [.trackingDB])], sidekiq: [.sidekiq, .logcursor]),
            ],
            source: DocumentReference(path: "inventory/lab.yaml", digest: Digest(of: [1])))
    }

    /// The same with Patroni in place of single databases, and a second database node per site.
    package static func patroniInventory() -> Inventory {
        var inventory = inventory()
        for (index, network) in [(0, 1), (1, 2)] {
            let site = inventory.sites[index].id
            for position in inventory.sites[index].nodes.indices
            where inventory.sites[index].nodes[position].runs(.postgresql) {
                inventory.sites[index].nodes[position].components = [.patroni]
            }
            inventory.sites[index].nodes.append(node("\(site)-pg-2", address: "10.77.\(network).22", [.patroni]))
        }
        return inventory
    }

    private static func site(
        _ id: SiteID, network: Int, extra: [(String, Int, [Component])], sidekiq: [Component] = [.sidekiq]
    ) -> Site {
        let common: [(String, Int, [Component])] = [
            ("lb-1", 10, [.loadBalancer]), ("rails-1", 11, [.rails]), ("rails-2", 12, [.rails]),
            ("sidekiq-1", 15, sidekiq), ("gitaly-1", 31, [.gitaly]), ("pg-1", 21, [.postgresql]),
            ("redis-1", 41, [.redis]),
        ]
        return Site(
            id: id, url: "http://10.77.\(network).10", geoNodeName: id.rawValue,
            nodes: (common + extra).map { name, host, components in
                node("\(id)-\(name)", address: "10.77.\(network).\(host)", components)
            })
    }

    package static func node(_ id: String, address: String, _ components: [Component]) -> Node {
        Node(
            id: NodeID(id), components: components,
            access: NodeAccess(
                address: address, user: "geo-ops", identity: Identity(file: "id_ed25519"), knownHosts: "known_hosts"))
    }

    // MARK: Facts

    /// Seen by the node itself, a few seconds before the end of the observation.
    package static func seen<Value>(_ value: Value, on node: NodeID = "operator", ago: Double = 5) -> Observed<Value> {
        .known(value: value, at: moment(-ago), from: node.rawValue)
    }

    package static let systemIdentifier = "7430000000000000001"
    package static let current = LogPosition(bytes: 0x0_5000_0000)

    package static func primary(
        current: LogPosition = current, senders: [DatabaseFacts.Sender] = [sender()],
        slots: [DatabaseFacts.Slot] = [slot()], systemIdentifier: String = systemIdentifier, timeline: Int = 1,
        version: Int = 150_018
    ) -> DatabaseFacts {
        DatabaseFacts(
            systemIdentifier: systemIdentifier, timeline: timeline, serverVersion: version,
            role: .primary(state: .init(current: current, senders: senders, slots: slots)))
    }

    package static func standby(
        replayed: LogPosition = current, isReplayPaused: Bool = false, receiver: DatabaseFacts.Receiver? = receiver(),
        secondsSinceLastReplay: Double? = 1, systemIdentifier: String = systemIdentifier, timeline: Int = 1,
        version: Int = 150_018
    ) -> DatabaseFacts {
        DatabaseFacts(
            systemIdentifier: systemIdentifier, timeline: timeline, serverVersion: version,
            role: .standby(
                state: .init(
                    received: replayed, replayed: replayed, isReplayPaused: isReplayPaused, receiver: receiver,
                    secondsSinceLastReplay: secondsSinceLastReplay)))
    }

    package static func sender(
        name: String = "walreceiver", address: String? = "10.77.2.21", state: String = "streaming"
    ) -> DatabaseFacts.Sender {
        .init(applicationName: name, clientAddress: address, state: state, replayed: current)
    }

    package static func receiver(
        status: String = "streaming", slot: String? = "seoul", host: String? = "10.77.1.21", silence: Double? = 0.5
    ) -> DatabaseFacts.Receiver {
        .init(status: status, slotName: slot, senderHost: host, latestEnd: current, secondsSinceMessage: silence)
    }

    package static func slot(
        _ name: String = "seoul", isActive: Bool = true, retainedBytes: Int? = 0, walStatus: String? = "reserved"
    ) -> DatabaseFacts.Slot {
        .init(name: name, isActive: isActive, retainedBytes: retainedBytes, walStatus: walStatus)
    }

    package static func controlData(
        _ state: String, checkpoint: LogPosition = current, systemIdentifier: String = systemIdentifier,
        timeline: Int = 1, rewinding: ControlData.Rewinding? = rewinding
    ) -> ControlData {
        ControlData(
            clusterState: state, systemIdentifier: systemIdentifier, latestCheckpoint: checkpoint, timeline: timeline,
            segmentBytes: 16 << 20, rewinding: rewinding)
    }

    /// As Omnibus sets PostgreSQL 15 up, with checksums beside.
    package static let rewinding = ControlData.Rewinding(
        hasChecksums: true, logsHints: true, writesFullPages: true, catalogVersion: "202209061")

    /// Items per data type; one has none, as in most deployments.
    package static let items = [
        "project_repositories": 12, "project_wiki_repositories": 12, "uploads": 3, "job_artifacts": 7, "lfs_objects": 0,
    ]

    package static func geo(
        primary: SiteID? = tokyo, maintenanceMode: Bool = false, silent: Bool? = nil,
        lastEventID: Int? = 4711
    ) -> GeoFacts {
        let counts = items.reduce(into: [String: Int]()) { counts, item in
            counts["\(item.key)_count"] = item.value
            counts["\(item.key)_checksum_total_count"] = item.value
            counts["\(item.key)_checksummed_count"] = item.value
            counts["\(item.key)_checksum_failed_count"] = 0
        }
        let rows = [(tokyo, 1), (seoul, 2)].map { site, network in
            GeoNodeRow(
                name: site.rawValue, url: "http://10.77.\(network).10", isPrimary: site == primary,
                syncsObjectStorage: true,
                status: GeoStatus(
                    ageSeconds: 20, message: "Healthy", version: "19.3.0-ee",
                    counts: counts.merging(["projects_count": 12, "replication_slots_count": 1]) { $1 }))
        }
        return GeoFacts(
            nodes: rows, isInMaintenanceMode: maintenanceMode, isSilent: silent, lastEventID: lastEventID)
    }

    package static func tracking(cursorEventID: Int? = 4711) -> TrackingFacts {
        var registries = items.mapValues(registry)
        // Exists in every newer schema, and nobody counts it while its feature is off.
        registries["supply_chain_attestations"] = registry(0)
        return TrackingFacts(registries: registries, cursorEventID: cursorEventID)
    }

    /// So many rows, all synchronised and verified.
    package static func registry(_ total: Int) -> RegistryCounts {
        RegistryCounts(total: total, synced: total, failed: 0, verified: total, verificationFailed: 0)
    }

    package static func services(_ node: Node, _ state: ServiceState.State = .running) -> [ServiceState] {
        let names = node.expectedServices + (node.runs(.rails) ? ["nginx"] : []) + ["logrotate"]
        return names.map { ServiceState(name: $0, state: state, seconds: 3600) }
    }

    package static let geoCronJobs = [
        "geo_metrics_update_worker", "geo_prune_event_log_worker", "geo_verification_cron_worker",
        "repository_check_worker",
    ]
    package static let ordinaryCronJobs = [
        "pipeline_schedule_worker", "stuck_ci_jobs_worker", "expire_build_artifacts_worker",
    ]

    package static func cronJobs(ordinary: String) -> [String: String] {
        var jobs = ordinaryCronJobs.reduce(into: [:]) { $0[$1] = ordinary }
        for job in geoCronJobs { jobs[job] = "enabled" }
        return jobs
    }
}
