package import GeoCore

/// One node of a ``SimulatedDeployment``: what is true of it, whatever anybody believes.
package struct SimulatedNode: Sendable {
    package struct Service: Sendable {
        package var name: String
        package var isRunning = true
        /// False after a boot at which `gitlab-runsvdir` did not start.
        package var isSupervised = true
    }

    package let node: Node
    package let site: SiteID
    package var machineID: String
    /// What its gitlab.rb says, and the lineage of its database where it has one.
    package var siteName: String
    /// What a look is told of that; `nil`: what it was when the deployment was made.
    package var shownSiteName: String?
    package var systemIdentifier = Fixtures.systemIdentifier
    package var version = "19.3.0-ee.0"
    package var boots = 1
    package var isReachable = true
    /// Without power: nothing runs, nothing answers.
    package var isOff = false
    package var startsAtBoot = true
    /// `gitlab-runsvdir` is masked: it cannot be enabled or started.
    package var isBootMasked = false
    package var services: [Service]
    package var attributes = AttributeFile.good
    package var clusterFile = ClusterFile.absent
    /// The newest epoch that a job script presented.
    package var epoch = 0
    package var jobs: [SimulatedJob] = []
    package var url: SimulatedURL?
    package var configuration = SimulatedConfiguration()
    package var keeping = SimulatedKeeping()
    /// What stands for the content of gitlab-secrets.json, of the file beside it, and of the one that is kept.
    package var secrets = "5ec2e75"
    package var nextSecrets: String?
    package var secretsBefore: String?
    /// Likewise of /etc/ssh.
    package var hostKeys = ["SHA256:shared-ecdsa ECDSA", "SHA256:shared-ed25519 ED25519"]
    package var nextHostKeys: [String]?
    package var hostKeysBefore: [String]?
    /// Whose certificate the database trusts.
    package var trusts: String? = "cert"
    /// What it has saved of a divergence.
    package var archives: [DivergenceArchive] = []
    /// A promotion came to its end here, its reconfigure included or repaired since.
    package var isPromoted = false
    package var database: SimulatedDatabase?
    package var member = SimulatedMember()
    package var tracking: SimulatedReturn.Tracking
    /// Services with a file `down`: runit does not start them by itself.
    package var held: Set<String> = []
    /// The name that gitlab-cluster.json was given, and what it says.
    package var clusterFileAside: (name: String, file: ClusterFile)?

    package var copy = SimulatedCopy()

    // Lies

    /// The standby that is made next has a certificate that it does not trust: it never streams.
    package var streamsNothing = false
    /// How the next rewind ends.
    package var rewind = SimulatedRewind.works
    /// The primary has no slot for it any more: it follows nobody until it is copied anew.
    package var hasLostSlot = false

    /// How many of the next reconfigures fail.
    package var failingReconfigures = 0
    /// Services that ignore TERM, and end when they are killed.
    package var deafServices: Set<String> = []
    /// Services that wait for a dead disk: nothing ends them.
    package var stuckServices: Set<String> = []
    /// The next command waits that long for a dead disk, whatever its limit, and then goes on as if nothing were.
    package var nextCommandHangsSeconds: Double = 0

    package init(_ node: Node, site: SiteID, isPrimary: Bool) {
        self.node = node
        self.site = site
        self.machineID = "machine-\(node.id)"
        self.url =
            node.isManagedByOmnibus
            ? SimulatedURL(of: site, settings: SimulatedReturn.settings(of: node, isPrimary: isPrimary)) : nil
        self.siteName = site.rawValue
        self.tracking = .former
        self.services = node.isManagedByOmnibus ? Fixtures.services(node).map { Service(name: $0.name) } : []
        if node.runs(.postgresql) || node.runs(.patroni) {
            database = SimulatedDatabase(isPrimary: isPrimary, rows: .init(primary: Fixtures.tokyo))
        }
    }

    package var identity: NodeIdentity {
        NodeIdentity(hostName: "\(node.id).lab.test", machineID: machineID, bootID: "boot-\(boots)")
    }

    package var answers: Bool { isReachable && !isOff }

    package func isRunning(_ service: String) -> Bool {
        services.contains { $0.name == service && $0.isRunning }
    }

    package var hasRunningService: Bool { services.contains(where: \.isRunning) }

    /// Nothing runs, and nothing would after a reboot.
    package var isFenced: Bool { isOff || services.isEmpty || (!hasRunningService && (!startsAtBoot || isBootMasked)) }

    package var isDatabaseUp: Bool {
        database?.isWhole == true
            && (node.runs(.patroni) ? isRunning("patroni") && member.isServing : isRunning("postgresql"))
    }
    package var isWritable: Bool { isDatabaseUp && database?.isPrimary == true }
    package var runningJob: SimulatedJob? { jobs.first { !$0.isOver } }
}

/// The main database of a site, and what GitLab keeps in it.
package struct SimulatedDatabase: Sendable {
    package struct Rows: Sendable, Hashable {
        package var primary: SiteID
        package var isInMaintenanceMode = false
        package var isSilent = false
        package var lastEvent = 4711
        /// URLs in `geo_nodes` that are not those of the fixtures.
        package var urls: [SiteID: String] = [:]
        /// The replication user may run what `pg_rewind` runs.
        package var isRewindPermitted = false
        /// Sites without a row: a promotion takes away that of the site that was left.
        package var removed: Set<SiteID> = []
    }
    /// False while it is being copied: there is no data directory that a server could start on.
    package var isWhole = true
    /// Data directories that were moved aside.
    package var kept = 0
    package var isPrimary: Bool
    package var timeline = 1
    /// The end of its log; of a standby, what it replayed.
    package var position: UInt64 = Fixtures.current.bytes
    package var checkpoint: UInt64 = Fixtures.current.bytes
    package var isCleanlyStopped = false
    /// Where its own promotion left the timeline before.
    package var leftAt: UInt64?
    package var rows: Rows
}

/// A command under its key, detached on its node.
package struct SimulatedJob: Sendable {
    package enum Act: Sendable {
        case stop(service: String?)
        /// Ends what ignored TERM.
        case kill(service: String?)
        case start(service: String?)
        case disableBoot, maskBoot, unmaskBoot, enableBoot
        /// A reconfigure begins by deleting the attribute file.
        case beginReconfigure
        case endReconfigure(insidePromotion: Bool)
        case promoteDatabase
        case switchSite(silently: Bool)
        case ruby(String)
        case setClusterFileAside
        case save(arguments: [String])
        case write
        /// A command that edits gitlab.rb, or writes its URL into Geo's tables.
        case url(arguments: [String])
        /// A command of a re-seed that is over in a moment.
        case reseed(arguments: [String])
        case install(NodeFile, String)
        /// A file of settings comes under another name, with that digest.
        case bring(digest: Digest, path: String)
        case configure(arguments: [String])
        /// What `replicate-geo-database` does, in its order.
        case moveDatabaseAside, copyDatabase, exitAfterCopy
        case exit(status: Int)
    }
    package struct Stage: Sendable {
        package var at: Timestamp
        package var act: Act
    }

    package var run: RunID
    package var key: String
    package var arguments: [String]
    package var startedAt: Timestamp
    package var stages: [Stage]
    package var output: [UInt8] = []
    package var status: Int?
    package var endedAt: Timestamp?
    package var isLost = false

    package var isOver: Bool { status != nil || isLost }
    package var isPromotion: Bool { arguments.starts(with: ["gitlab-ctl", "geo", "promote"]) }

    mutating func say(_ line: String) { output += Array((line + "\n").utf8) }
}
