/// One question to one node. All read only; what each runs is in ``ProbeCatalog``.
package enum Probe: String, Sendable, Hashable, Codable, CaseIterable {
    case privileges, identity, version, services, boot
    case attributes
    case clusterFile = "cluster-file"
    case changesRunning = "changes-running"
    case secrets
    /// Whether passwords of the database are alike, without telling them.
    case passwords
    case hostKeys = "host-keys"
    case disks
    case ports
    /// What the node sees of other sites; at which it looks, the ``ObservationScope`` says.
    case views
    case machine, configuration, certificate
    case database
    case server
    case pointInTimeFile = "point-in-time-file"
    case controlData = "control-data"
    /// Where timelines begin, and how old the log's segments are.
    case timelines
    /// What was saved of a divergence.
    case divergence
    case patroni
    case geo
    case application, projects, settings
    /// Who may replicate from it over the network.
    case accessRules = "access-rules"
    /// Copies of the whole database that it sends now.
    case baseBackups = "base-backups"
    /// What the replication user may read for `pg_rewind`.
    case rewindRights = "rewind-rights"
    case tracking
    case registryDetails = "registry-details"
    case projectRegistry = "project-registry"
    case trackingSchema = "tracking-schema"
    case consul
    case trustedCertificates = "trusted-certificates"
    case backups
    /// What gitlab.rb says of being a secondary.
    case geoSettings = "geo-settings"
    /// Which files of settings the node has.
    case configurationFiles = "configuration-files"
    /// What of being a secondary its last reconfigure was told.
    case appliedSettings = "applied-settings"
    /// The name of the node's cluster in Patroni's store.
    case patroniScope = "patroni-scope"
    /// How much room the main database takes, running or not.
    case dataSize = "data-size"
    /// With which certificates the main database's servers know each other.
    case replicationTrust = "replication-trust"
    /// Migrations that the installed package has.
    case schemaFiles = "schema-files"
    /// With what sshd looks up the keys of git's users.
    case keyLookup = "key-lookup"
    case queues
    case cronStates = "cron-states"
    case readiness
    case railsConfiguration = "rails-configuration"
    case railsRole = "rails-role"
    case cronJobs = "cron-jobs"

    /// Boots Rails on the node (20-60 s on a real site): asked only where a check names it.
    package var isSlow: Bool { self == .railsRole || self == .cronJobs }

    /// Whether the question makes sense on this node.
    package func applies(to node: Node) -> Bool {
        switch self {
        case .identity, .privileges, .hostKeys, .disks, .ports, .views, .machine: true
        case .version, .services, .boot, .attributes, .clusterFile, .changesRunning, .secrets, .passwords,
            .configuration, .geoSettings, .configurationFiles, .appliedSettings:
            node.isManagedByOmnibus
        case .database, .server, .pointInTimeFile, .controlData, .dataSize, .timelines, .geo, .application, .projects,
            .settings, .replicationTrust,
            .accessRules, .baseBackups, .rewindRights:
            node.runs(.postgresql) || node.runs(.patroni)
        case .divergence: !DivergenceProgram.Part.of(node).isEmpty
        case .patroni, .patroniScope, .consul: node.runs(.patroni)
        case .tracking, .registryDetails, .projectRegistry, .trackingSchema: node.runs(.trackingDB)
        // TLS may end at the load balancer or on the Rails nodes.
        case .certificate: node.runs(.rails) || node.runs(.loadBalancer)
        case .queues, .cronStates: node.runs(.redis)
        case .trustedCertificates: node.runs(.rails) || node.runs(.sidekiq)
        case .readiness, .railsConfiguration, .railsRole, .cronJobs, .backups, .schemaFiles, .keyLookup:
            node.runs(.rails)
        }
    }

    /// Everything that a routine check asks. Copies and rewinds are asked about while one is made.
    package static var routine: Set<Probe> {
        Set(allCases.filter { !$0.isSlow }).subtracting([.baseBackups, .rewindRights])
    }
}

extension NodeFacts {
    /// Records that a probe has no answer, in each fact that it would have given.
    package mutating func markUnknown(_ probe: Probe, reason: String) {
        switch probe {
        case .privileges: privileges = .unknown(reason: reason)
        case .identity:
            identity = .unknown(reason: reason)
            clockOffset = .unknown(reason: reason)
        case .version: gitlabVersion = .unknown(reason: reason)
        case .services: services = .unknown(reason: reason)
        case .boot:
            startsAtBoot = .unknown(reason: reason)
            isBootMasked = .unknown(reason: reason)
        case .attributes: attributeFile = .unknown(reason: reason)
        case .clusterFile: clusterFile = .unknown(reason: reason)
        case .changesRunning: changesRunning = .unknown(reason: reason)
        case .secrets: secretsDigest = .unknown(reason: reason)
        case .passwords: passwords = .unknown(reason: reason)
        case .hostKeys: hostKeys = .unknown(reason: reason)
        case .disks: disks = .unknown(reason: reason)
        case .ports: listeningPorts = .unknown(reason: reason)
        case .views: views = .unknown(reason: reason)
        case .machine: machine = .unknown(reason: reason)
        case .configuration: configuration = .unknown(reason: reason)
        case .certificate: certificate = .unknown(reason: reason)
        case .database: database = .unknown(reason: reason)
        case .server: server = .unknown(reason: reason)
        case .pointInTimeFile: pointInTimeFile = .unknown(reason: reason)
        case .controlData: controlData = .unknown(reason: reason)
        case .timelines: timelines = .unknown(reason: reason)
        case .divergence: divergence = .unknown(reason: reason)
        case .patroni: patroni = .unknown(reason: reason)
        case .geo: geo = .unknown(reason: reason)
        case .application: application = .unknown(reason: reason)
        case .projects: projects = .unknown(reason: reason)
        case .settings: settings = .unknown(reason: reason)
        case .accessRules: accessRules = .unknown(reason: reason)
        case .baseBackups: baseBackups = .unknown(reason: reason)
        case .rewindRights: rewindRights = .unknown(reason: reason)
        case .tracking: tracking = .unknown(reason: reason)
        case .registryDetails: registryDetails = .unknown(reason: reason)
        case .projectRegistry: projectRegistry = .unknown(reason: reason)
        case .trackingSchema: trackingSchema = .unknown(reason: reason)
        case .consul: consul = .unknown(reason: reason)
        case .trustedCertificates: trustedCertificates = .unknown(reason: reason)
        case .backups: backups = .unknown(reason: reason)
        case .geoSettings: geoSettings = .unknown(reason: reason)
        case .configurationFiles: configurationFiles = .unknown(reason: reason)
        case .appliedSettings: appliedSettings = .unknown(reason: reason)
        case .dataSize: dataDirectoryBytes = .unknown(reason: reason)
        case .replicationTrust: replicationTrust = .unknown(reason: reason)
        case .patroniScope: patroniScope = .unknown(reason: reason)
        case .schemaFiles: schemaFiles = .unknown(reason: reason)
        case .keyLookup: keyLookup = .unknown(reason: reason)
        case .queues: queues = .unknown(reason: reason)
        case .cronStates: cronStates = .unknown(reason: reason)
        case .readiness: readiness = .unknown(reason: reason)
        case .railsConfiguration: hasTrackingDatabaseConfigured = .unknown(reason: reason)
        case .railsRole: railsRole = .unknown(reason: reason)
        case .cronJobs: cronJobs = .unknown(reason: reason)
        }
    }
}
