/// What one node said of itself in one visit. Each fact stands alone: one that failed says why and spoils no other.
package struct NodeFacts: Sendable, Hashable, Codable {
    /// Milliseconds from starting to connect to the end of the script's answer.
    package var connection: Observed<Int> = .notAsked
    /// How far the operator's own connection to the node's SSH port came. Answered also where the login failed: then a
    /// machine is there that the tool cannot get onto.
    package var contact: Observed<Sight> = .notAsked
    /// Whether commands run as root: `sudo -n true` worked, or no `become` is configured.
    package var privileges: Observed<Bool> = .notAsked
    package var identity: Observed<NodeIdentity> = .notAsked
    /// The node's clock minus the operator's, in milliseconds; wrong by at most half the visit's duration.
    package var clockOffset: Observed<Int> = .notAsked
    /// GitLab's version from `/opt/gitlab/version-manifest.txt`, such as `19.3.0-ee.0`.
    package var gitlabVersion: Observed<String> = .notAsked
    package var services: Observed<[ServiceState]> = .notAsked
    /// Whether `gitlab-runsvdir` starts at boot (`systemctl is-enabled`).
    package var startsAtBoot: Observed<Bool> = .notAsked
    /// Whether `gitlab-runsvdir` is masked, so that nobody can start it either.
    package var isBootMasked: Observed<Bool> = .notAsked
    package var attributeFile: Observed<AttributeFile> = .notAsked
    package var clusterFile: Observed<ClusterFile> = .notAsked
    /// Command lines of running `gitlab-ctl` (promote, reconfigure, replicate) and Chef processes.
    package var changesRunning: Observed<[String]> = .notAsked
    /// Of `/etc/gitlab/gitlab-secrets.json`: hexadecimal SHA-256 of the JSON with sorted keys, never contents. Starts with
    /// `bytes:` where only the file's bytes could be hashed; the two kinds cannot be compared.
    package var secretsDigest: Observed<String> = .notAsked
    /// Of the database passwords that the node was configured with, by setting: HMAC-SHA256 under the node's
    /// gitlab-secrets.json, cut to 32 digits. Equal for equal passwords beside equal secrets, and of no other use.
    package var passwords: Observed<[String: String]> = .notAsked
    /// `SHA256:... ED25519`: fingerprints of the node's public SSH host keys with their kinds, sorted.
    package var hostKeys: Observed<[String]> = .notAsked
    package var disks: Observed<[DiskSpace]> = .notAsked
    /// TCP ports that something on the node listens on, sorted; loopback-only ones left out.
    package var listeningPorts: Observed<[Int]> = .notAsked
    /// What the node sees of other sites, if it was asked to look.
    package var views: Observed<PeerViews> = .notAsked
    package var machine: Observed<MachineFacts> = .notAsked
    package var configuration: Observed<ConfigurationFacts> = .notAsked
    /// Lines of gitlab.rb that make the node one of a secondary, or of a single-node role, as they are in the file.
    package var geoSettings: Observed<[String]> = .notAsked
    /// Each file below `/etc/gitlab` that ends in `.rb`, by path; those in deeper folders than a ``ConfigurationPath`` has are
    /// left out.
    package var configurationFiles: Observed<[String: Digest]> = .notAsked
    /// Whether the last reconfigure was told to enable them: parts that only a secondary runs, by their names in gitlab.rb,
    /// wherever its files say so.
    package var appliedSettings: Observed<[String: Bool]> = .notAsked
    /// Digests of what the main database's servers show to each other and trust.
    package var replicationTrust: Observed<TrustFacts> = .notAsked
    package var certificate: Observed<ServedCertificate> = .notAsked
    /// SHA-256 fingerprints of the certificates in `/etc/gitlab/trusted-certs`, sorted: the authorities that GitLab on the
    /// node trusts beside the public ones.
    package var trustedCertificates: Observed<[String]> = .notAsked
    package var backups: Observed<BackupFacts> = .notAsked
    /// The newest migrations of the main database that the installed package has, ascending.
    package var schemaFiles: Observed<[String]> = .notAsked
    /// sshd's `AuthorizedKeysCommand` for the user git; `none` when there is none.
    package var keyLookup: Observed<String> = .notAsked
    package var database: Observed<DatabaseFacts> = .notAsked
    package var server: Observed<ServerFacts> = .notAsked
    package var pointInTimeFile: Observed<PointInTimeFile> = .notAsked
    /// `pg_controldata` of the main database, also of a stopped one.
    package var controlData: Observed<ControlData> = .notAsked
    /// Of the main database, also of a stopped one.
    package var timelines: Observed<TimelineFacts> = .notAsked
    /// What was saved here of divergences, complete or not.
    package var divergence: Observed<[DivergenceArchive]> = .notAsked
    /// Bytes in the data directory of the main database, WAL included.
    package var dataDirectoryBytes: Observed<Int> = .notAsked
    package var patroni: Observed<PatroniFacts> = .notAsked
    /// The name of its cluster in the store (`scope` of `patroni.yaml`), also while nothing runs.
    package var patroniScope: Observed<String> = .notAsked
    package var consul: Observed<ConsulFacts> = .notAsked
    package var geo: Observed<GeoFacts> = .notAsked
    package var application: Observed<ApplicationFacts> = .notAsked
    package var projects: Observed<ProjectFacts> = .notAsked
    package var settings: Observed<SettingFacts> = .notAsked
    /// Of `pg_hba.conf`, as the file is now: what is about replication over the network.
    package var accessRules: Observed<[AccessRule]> = .notAsked
    /// Asked only while a copy is made.
    package var baseBackups: Observed<[BaseBackup]> = .notAsked
    /// Asked only around a rewind.
    package var rewindRights: Observed<RewindRights> = .notAsked
    package var tracking: Observed<TrackingFacts> = .notAsked
    package var registryDetails: Observed<RegistryDetails> = .notAsked
    package var projectRegistry: Observed<ProjectRegistryFacts> = .notAsked
    /// Newest migration of the tracking database that the installed package has.
    package var trackingSchema: Observed<String> = .notAsked
    /// Sidekiq queues by name with their sizes; an empty dictionary means that no queue exists.
    package var queues: Observed<[String: Int]> = .notAsked
    /// Cron jobs by name with `enabled` or `disabled`, as Redis has them; empty when this Redis has none.
    package var cronStates: Observed<[String: String]> = .notAsked
    /// HTTP status of `/-/readiness`, asked on the node itself.
    package var readiness: Observed<Int> = .notAsked
    /// Whether Rails has a tracking database configured (`geo:` in `database.yml`).
    package var hasTrackingDatabaseConfigured: Observed<Bool> = .notAsked
    /// What `gitlab-rake gitlab:geo:site:role` printed. Slow: boots Rails.
    package var railsRole: Observed<String> = .notAsked
    /// Cron jobs by name with `enabled` or `disabled`. Slow: boots Rails.
    package var cronJobs: Observed<[String: String]> = .notAsked

    package init() {}

    /// Facts of a node that could not be visited: everything unknown for the same reason.
    package static func unreachable(_ reason: String) -> NodeFacts {
        var facts = NodeFacts()
        facts.connection = .unknown(reason: reason)
        for probe in Probe.allCases { facts.markUnknown(probe, reason: reason) }
        return facts
    }
}

/// SHA-256 of files of the main database's server; `nil`: there is none.
package struct TrustFacts: Sendable, Hashable, Codable {
    /// What it shows to those who connect.
    package var server: String?
    /// What it trusts when it follows another one.
    package var root: String?
    package init(server: String?, root: String?) {
        self.server = server
        self.root = root
    }
}

/// Three names that together say which machine answered.
package struct NodeIdentity: Sendable, Hashable, Codable {
    package var hostName: String
    package var machineID: String
    package var bootID: String
    package init(hostName: String, machineID: String, bootID: String) {
        self.hostName = hostName
        self.machineID = machineID
        self.bootID = bootID
    }

    /// Whatever happened meanwhile: a machine that was started again is the same one.
    package func isSameMachine(as other: NodeIdentity) -> Bool {
        hostName == other.hostName && machineID == other.machineID
    }
}

/// One line of `gitlab-ctl status`.
package struct ServiceState: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        case running = "run"
        case down
        /// No supervisor: `runsv not running`.
        case unsupervised
    }
    package var name: String
    package var state: State
    package var seconds: Int
    /// runit's `want up` / `want down`: the service is on its way to another state.
    package var isChanging: Bool
    package init(name: String, state: State, seconds: Int = 0, isChanging: Bool = false) {
        self.name = name
        self.state = state
        self.seconds = seconds
        self.isChanging = isChanging
    }
}

/// `/opt/gitlab/embedded/nodes/<fqdn>.json`, which reconfigure rewrites from its start on.
package enum AttributeFile: String, Sendable, Hashable, Codable {
    case good, missing
    /// A reconfigure began and did not end: `geo promote` will exit 3 until one succeeds.
    case stub
}

/// `/etc/gitlab/gitlab-cluster.json`, which `geo promote` writes.
package enum ClusterFile: Sendable, Hashable, Codable {
    case absent
    /// Zero bytes, left by a full disk: promote exits 3 and reconfigure 1 until it is deleted.
    case empty
    case invalid(text: String)
    case valid(text: String)
}

package struct DiskSpace: Sendable, Hashable, Codable {
    package var path: String
    package var freeBytes: Int
    package var totalBytes: Int
    package init(path: String, freeBytes: Int, totalBytes: Int) {
        self.path = path
        self.freeBytes = freeBytes
        self.totalBytes = totalBytes
    }
}

/// The file that makes a promotion stop at an old position (omnibus-gitlab `geo/pitr_file.rb`).
package enum PointInTimeFile: Sendable, Hashable, Codable {
    case absent
    case present(text: String)
}
