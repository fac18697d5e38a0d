/// What the commands of a re-seed are made from, for one node; settled when the plan is made.
package struct Reseeding: Sendable {
    /// Where the node reaches the primary's database, the one that can be written to; never PgBouncer (GitLab documentation, Geo database setup).
    package var source: String
    /// The node behind it.
    package var sourceNode: NodeID
    /// A Rails node of the primary, whose secrets are the right ones.
    package var sharedFrom: NodeID
    /// Of that node's SSH host keys, as `ssh-keygen -l` calls them.
    package var hostKeyKinds: [String]
    /// Of a run that drops slots, which needs nothing else of this.
    package var slotsToDrop: [String] = []
    package var slot: String
    package var access: ReplicationAccess
    /// Of the site that comes back: its name in `geo_nodes`, and its URL.
    package var siteName: String
    package var url: String
    package var capacity: BackfillCapacity?
    /// Services that `gitlab-ctl status` listed on the node.
    package var services: [String]
    /// Those of them that are held down while the node's database is none of a secondary yet.
    package var held: [String]
    /// Of when the plan was made; part of the names of what is set aside.
    package var stamp: String
    /// GitLab before 14.6 names the tasks of the tracking database otherwise.
    package var hasOldTasks: Bool
    package var edit: ConfigurationEdit?
    /// Files that are put in place instead of an edit.
    package var files: [PlacedConfiguration] = []
    /// What is tried before a copy, where it was asked for; see ``Rewinding``.
    package var rewind: RewindProgram? = nil
    /// What copies instead of `gitlab-ctl replicate-geo-database`, where the inventory has a rate.
    package var limitedCopy: LimitedCopyProgram? = nil
    /// What a way back runs on the node.
    package var undo: [RemoteCommand]
    /// Services beside ``held`` that run before the node's database does.
    package var started: [String] = []
    /// The name of the node's cluster in Patroni's store.
    package var scope = ""

    /// For people who ask what an action runs, with no plan at hand.
    package static let example = Reseeding(
        source: "10.77.2.21", sourceNode: "seoul-pg-1", sharedFrom: "seoul-rails-1", hostKeyKinds: ["ED25519"],
        slotsToDrop: ["osaka"],
        slot: "tokyo", access: ReplicationAccess(password: .environment(name: "PASSWORD")),
        siteName: "tokyo", url: "https://tokyo.example.com", services: ["postgresql"], held: ["postgresql"],
        stamp: "20260102-030405",
        hasOldTasks: false,
        edit: ConfigurationEdit(
            replacing: "geo_secondary['enable'] = false", with: "geo_secondary['enable'] = true",
            madeAt: Timestamp(milliseconds: 0)), undo: [], scope: "postgresql-ha")

    /// One slot per secondary: lowercase letters, digits and underscores (PostgreSQL documentation, replication slots).
    package static func slot(of site: Site) -> String {
        String(
            site.geoNodeName.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }
}

extension ActionCommands {
    static let clusterFile = "/etc/gitlab/gitlab-cluster.json"
    private static let trackingDatabase = "gitlabhq_geo_production"

    /// `nil` for actions that belong to no re-seed.
    static func commands(
        _ name: ActionName, _ reseeding: Reseeding, timeLimit: Int
    ) -> [RemoteCommand]? {
        switch name {
        case .configureSecondary:
            // What a promotion has left overrides gitlab.rb. It may not be there, or be set aside by an earlier attempt.
            return [quick(["mv", "-n", clusterFile, aside(reseeding)], .isOnlyAClaim)]
                + (reseeding.edit?.commands(timeLimit: timeLimit) ?? [])
                + placing(reseeding.files, stamp: reseeding.stamp)
        case .liftBootGuard:
            // runit starts no service with a file `down` by itself, and reconfigure leaves it (runsv(8)).
            return reseeding.held.map { quick(["touch", down($0)]) } + lift()
                // Where runit ran on after the fence, what was stopped by name stays so.
                + reseeding.started.map {
                    RemoteCommand(arguments: ["gitlab-ctl", "start", $0], timeLimitSeconds: 120)
                }
        case .seedStandbyLeader, .seedReplica: return seeding(name, reseeding, timeLimit)
        case .replicateDatabase:
            let verifies = reseeding.access.verifiesCertificate
            // A node that went down in the middle of the last reconfigure has no attributes for the command to read.
            var unfinished = plain(["gitlab-ctl", "reconfigure"], 1800, quiet: 240)
            unfinished.condition = .attributeFileIsStub
            // Without the certificate nothing would stream, and the command would still exit with 0.
            return [unfinished] + (verifies ? [quick(["test", "-s", ProbeCatalog.rootCertificate])] : []) + [
                // pg_basebackup that fails removes what it made, and the command moves `data` aside without a look.
                quick(["mkdir", "-p", ProbeCatalog.dataDirectory]), quick(forgetPassword),
            ] + rewindOrCopy(reseeding, timeLimit) + [
                // Of a copy that was killed the primary's postgresql.conf is left, which the command takes for the node's
                // own: the server would listen at an address that is not there, and end at once, again and again.
                plain(["gitlab-ctl", "reconfigure"], 1800, quiet: 240)
            ]
        case .bringNodeBack:
            return reseeding.held.map { quick(["rm", "-f", down($0)]) } + lift() + [
                plain(["gitlab-ctl", "reconfigure"], timeLimit, quiet: 240),
                RemoteCommand(arguments: ["gitlab-ctl", "start"], timeLimitSeconds: timeLimit),
            ]
        case .registerSite: return [plain(["gitlab-rails", "runner", registration(reseeding)], timeLimit, quiet: 120)]
        case .resetTracking: return resetTracking(reseeding, timeLimit)
        case .migrateTracking:
            let task = reseeding.hasOldTasks ? "geo:db:migrate" : "db:migrate:geo"
            return [plain(["gitlab-rake", task], timeLimit, quiet: 240)]
        case .restoreNode: return reseeding.undo
        default: return nil
        }
    }

    /// `nil` for actions that belong to no re-seed.
    static func undo(_ name: ActionName, _ reseeding: Reseeding) -> Reversibility? {
        switch name {
        case .configureSecondary:
            return .reversible(
                undo: undoPlacing(reseeding.files, stamp: reseeding.stamp) + (reseeding.edit?.undo ?? []) + [
                    quick(["mv", "-n", aside(reseeding), clusterFile], .isOnlyAClaim)
                ])
        case .liftBootGuard:
            return .reversible(
                undo: [
                    RemoteCommand(arguments: ["systemctl", "disable", bootUnit], timeLimitSeconds: 60),
                    RemoteCommand(arguments: ["systemctl", "mask", bootUnit], timeLimitSeconds: 60),
                    RemoteCommand(arguments: ["gitlab-ctl", "stop"], timeLimitSeconds: 600),
                ] + reseeding.held.map { quick(["rm", "-f", down($0)]) })
        case .replicateDatabase:
            return .irreversible(
                because: "the site's own database is moved aside on its node, and the primary's copied in its place")
        case .seedStandbyLeader, .seedReplica: return undoOfSeeding(name)
        case .bringNodeBack, .registerSite, .resetTracking, .migrateTracking, .restoreNode: return .changesNothing
        default: return nil
        }
    }

    /// Answers no question but that for the password, which it reads as one line from standard input: the operator has
    /// typed the node's name before. `--force`: the data that is to be replaced is expected. `--skip-backup`: the backup
    /// that it would make needs a running database. What was there is kept as `data.EPOCH`
    /// (omnibus-gitlab `replicate_geo_database.rb`, `geo/replication.rb`).
    /// Its exit status is that of the `gitlab-ctl start` at its end, too, where one service that is slow makes it 1: hours of
    /// copying are not done again for that. ``wholeCopy`` tells the two apart.
    static func replicate(_ reseeding: Reseeding, _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: [
                "gitlab-ctl", "replicate-geo-database", "--host=\(reseeding.source)", "--slot-name=\(reseeding.slot)",
                "--sslmode=\(reseeding.access.sslMode)", "--backup-timeout=\(timeLimit)", "--force", "--no-wait",
                "--skip-backup",
            ],
            // Its own limit is for the copy alone.
            timeLimitSeconds: timeLimit + 600, exitStatus: .isOnlyAClaim, quietSeconds: 300,
            input: reseeding.access.password)
    }

    /// Where `gitlab-ctl replicate-geo-database` writes the password before it copies (omnibus-gitlab `geo/replication.rb`,
    /// `create_pgpass_file!`). An older one goes first, so that the file is of this copy or is not there.
    private static let passwordFile = "/var/opt/gitlab/postgresql/.pgpass"
    package static let forgetPassword = ["rm", "-f", passwordFile]

    /// Whether the command that failed had copied everything: `standby.signal` is the last that it writes, before it starts
    /// the services. One of an earlier time is older than the password.
    package static let wholeCopy = quick(
        ["test", "-e", passwordFile, "-a", "\(ProbeCatalog.dataDirectory)/standby.signal", "-nt", passwordFile],
        when: .previousFailed)

    /// The tracking database of an earlier time as a secondary cannot be used again (GitLab documentation, bring the
    /// primary back): it is renamed, and the reconfigure makes an empty one. Where there was none it makes the first.
    private static func resetTracking(_ reseeding: Reseeding, _ timeLimit: Int) -> [RemoteCommand] {
        let reconfigure = plain(["gitlab-ctl", "reconfigure"], timeLimit, quiet: 240)
        let start = RemoteCommand(arguments: ["gitlab-ctl", "start"], timeLimitSeconds: timeLimit)
        guard reseeding.services.contains("geo-postgresql") else { return lift() + [reconfigure, start] }
        let kept = "\(trackingDatabase)_\(reseeding.stamp.filter(\.isNumber))"
        let exists = { (name: String) in "EXISTS (SELECT FROM pg_database WHERE datname = '\(name)')" }
        let rename =
            "DO $$ BEGIN IF \(exists(trackingDatabase)) AND NOT \(exists(kept)) THEN"
            + " ALTER DATABASE \(trackingDatabase) RENAME TO \(kept); END IF; END $$"
        // Whoever is connected keeps a database from being renamed. Of the application only what runs beside it is up by now.
        let application = applicationServices.filter(reseeding.services.contains)
        return lift() + [start, reconfigure]
            + application.flatMap { stop($0, timeLimit) } + [
                plain(
                    ["gitlab-geo-psql", "-d", "template1", "-X", "-v", "ON_ERROR_STOP=1", "-c", rename], 120, quiet: 30),
                reconfigure,
            ]
    }

    /// As the GitLab Environment Toolkit does it. Names and URLs come from the inventory and are kept out of Ruby's way.
    private static func registration(_ reseeding: Reseeding) -> String {
        func plain(_ text: String) -> String { text.filter { $0 != "'" && $0 != "\\" && !$0.isNewline } }
        let url = plain(reseeding.url)
        let capacity = (reseeding.capacity?.settings ?? []).map { ", \($0.name): \($0.value)" }.joined()
        return "n = GeoNode.find_or_initialize_by(name: '\(plain(reseeding.siteName))');"
            + " n.assign_attributes(url: '\(url)', internal_url: '\(url)'\(capacity)); n.save!"
    }

    private static func lift() -> [RemoteCommand] {
        liftBootGuard() + [
            RemoteCommand(
                arguments: ["systemctl", "enable", "--now", bootUnit], timeLimitSeconds: 60, exitStatus: .mustBeZero)
        ]
    }

    private static func aside(_ reseeding: Reseeding) -> String { "\(clusterFile).before-\(reseeding.stamp)" }
    private static func down(_ service: String) -> String { "/opt/gitlab/sv/\(service)/down" }

    static func plain(_ arguments: [String], _ timeLimit: Int, quiet: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments, timeLimitSeconds: timeLimit, exitStatus: .mustBeZero, quietSeconds: quiet)
    }
}
