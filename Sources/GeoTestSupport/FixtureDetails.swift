package import GeoCore

/// What the questions beside replication and Geo's tables show of a deployment in order.
extension Fixtures {
    package static func machine(processors: Int = 8, memory: Int = 32 << 30, glibc: String? = "2.36") -> MachineFacts {
        MachineFacts(
            processors: processors, memoryBytes: memory, glibc: glibc, system: "debian 12", pumaWorkers: 8,
            sidekiqProcesses: 2)
    }

    package static func configuration(
        of site: SiteID, changed: Double = -86_400, reconfigured: Double? = -86_000
    ) -> ConfigurationFacts {
        ConfigurationFacts(
            changedAt: moment(changed), secretsChangedAt: moment(-900_000),
            reconfiguredAt: reconfigured.map { moment($0) }, nodeName: .text(value: site.rawValue),
            externalURL: .text(value: site == tokyo ? "http://10.77.1.10" : "http://10.77.2.10"))
    }

    /// With Seoul as primary, each node with the line that sets its URL.
    package static func urlLines() -> Observation {
        var observation = promoted()
        for node in inventory().site(seoul)?.nodes ?? [] where node.isManagedByOmnibus {
            observation.change(node.id) { facts in
                var settings = configuration(of: seoul)
                settings.urlLines = ["external_url 'http://10.77.2.10'"]
                facts.configuration = seen(settings, on: node.id)
            }
        }
        return observation
    }

    package static func certificate(
        names: [String] = ["gitlab.tokyo.example.com", "gitlab.seoul.example.com"], days: Double = 90
    ) -> ServedCertificate {
        ServedCertificate(
            subject: "CN = gitlab", names: names, notBefore: moment(-86_400), notAfter: moment(days * 86_400))
    }

    /// Three servers, of which the first so many failed, and a client.
    package static func consul(failed: Int = 0, servers: Int = 3) -> ConsulFacts {
        ConsulFacts(
            members: (0..<servers).map {
                .init(name: "consul-\($0 + 1)", status: $0 < failed ? "failed" : "alive", isServer: true)
            } + [.init(name: "pg-1", status: "alive", isServer: false)])
    }

    package static func backups(ago: Double = 40_000) -> BackupFacts { BackupFacts(count: 7, newestAt: moment(-ago)) }

    package static let trusted = [String(repeating: "a1", count: 32)]

    package static let settings = [
        "max_connections": "500", "max_worker_processes": "8", "max_wal_senders": "10",
        "max_prepared_transactions": "0", "max_locks_per_transaction": "128", "max_replication_slots": "3",
        "hot_standby": "on", "wal_level": "replica", "max_slot_wal_keep_size": "-1", "shared_buffers": "131072",
        "synchronous_standby_names": "",
    ]

    package static func server(isPrimary: Bool, settings: [String: String] = settings) -> ServerFacts {
        ServerFacts(
            settings: settings, databaseBytes: 12 << 30, locale: "en_US.UTF-8 en_US.UTF-8", collationVersion: "2.36",
            transactions: [.init(seconds: 2, user: "gitlab", application: "puma", state: "active")],
            // 1 MiB a second: 40 GiB last for eleven hours.
            writing: isPrimary ? .init(bytes: 600 << 20, seconds: 600) : nil)
    }

    package static func application() -> ApplicationFacts {
        ApplicationFacts(
            schemaVersion: "20260803114027",
            hasItems: [
                "project_repositories": true, "project_wiki_repositories": true, "uploads": true, "lfs_objects": false,
                "container_repositories": false,
            ],
            sites: [
                tokyo.rawValue: .init(
                    url: "https://tokyo.example.com/", hasOAuthApplication: false, storageDigest: "d10b7cb6"),
                seoul.rawValue: .init(
                    url: "https://seoul.example.com/", hasOAuthApplication: true,
                    redirect: "https://seoul.example.com/oauth/geo/callback", storageDigest: "d10b7cb6"),
            ])
    }

    package static let migrations = ["20260712081533", "20260803114027"]

    package static func gitlabSettings() -> SettingFacts {
        SettingFacts(
            hasLicense: true, hashesNewProjects: true, legacyProjects: 0, writesAuthorizedKeys: false, gitAccess: nil,
            migrations: migrations)
    }

    package static let accessRules = [
        AccessRule(address: "10.77.0.0", mask: "255.255.0.0", users: ["gitlab_replicator"], method: "md5")
    ]

    package static let keyLookup =
        "/opt/gitlab/embedded/service/gitlab-shell/bin/gitlab-shell-authorized-keys-check git %u %k"

    /// As digests, by what runs on the node.
    package static func passwords(of node: Node) -> [String: String] {
        var passwords: [String: String] = [:]
        if node.runs(.rails) || node.runs(.sidekiq) || node.runs(.logcursor) {
            passwords["gitlab_rails.db_password"] = String(repeating: "0a", count: 16)
        }
        if node.runs(.postgresql) || node.runs(.patroni) {
            passwords["postgresql.sql_user_password"] = String(repeating: "1b", count: 16)
            passwords["postgresql.sql_replication_password"] = String(repeating: "2c", count: 16)
        }
        return passwords
    }

    /// The first node leads.
    package static func patroni(of nodes: [NodeID], isPrimary: Bool) -> PatroniFacts {
        PatroniFacts(
            members: nodes.enumerated().map { index, node in
                .init(
                    name: "\(node).lab.test", host: "\(node)",
                    role: index > 0 ? "replica" : isPrimary ? "leader" : "standby leader",
                    state: index == 0 && isPrimary ? "running" : "streaming", timeline: 1)
            }, isPaused: false, isStandbyCluster: !isPrimary)
    }

    package static let trackingSchema = "20260729140502"

    package static func registryDetails() -> RegistryDetails {
        var types = items.mapValues { _ in RegistryDetails.Waiting() }
        types["supply_chain_attestations"] = .init()
        return RegistryDetails(types: types, schemaVersion: trackingSchema)
    }

    package static func projects() -> ProjectFacts {
        ProjectFacts(
            recent: (1...12).map {
                .init(id: $0, path: "group/project-\($0)", pushedAt: moment(-600 * Double($0)))
            })
    }

    package static func projectRegistry() -> ProjectRegistryFacts {
        ProjectRegistryFacts(
            lacking: [], lackingCount: 0,
            latest: (1...12).map {
                .init(project: $0, isSynced: true, isVerified: true, syncedAt: moment(-600 * Double($0) + 30))
            }, isWhole: true)
    }

    package static func operatorMachine() -> OperatorFacts {
        OperatorFacts(
            addresses: ["192.0.2.7"], machineID: "0123456789abcdef0123456789abcdef", lastCheckAt: moment(-86_400),
            lastFinishedRunAt: moment(-30 * 86_400))
    }

    package static func siteAddresses() -> [SiteID: Observed<[String]>] {
        [tokyo: seen(["10.77.1.10"]), seoul: seen(["10.77.2.10"])]
    }
}
