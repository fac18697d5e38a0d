/// What each probe runs: the one table behind the script, the readers' frames and the sudoers allow-list.
///
/// Paths and commands are Omnibus's own (omnibus-gitlab `gitlab-ee/attributes/default.rb`); `/opt/gitlab/bin` instead of the links in `/usr/bin`,
/// which not every package version has for every command. Nothing here writes.
package enum ProbeCatalog {
    package static func commands(for probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .privileges, .identity, .hostKeys, .disks, .ports: machine(probe)
        case .version, .services, .boot, .attributes, .clusterFile, .changesRunning, .secrets: installation(probe)
        case .database, .server, .pointInTimeFile, .controlData, .patroni, .geo, .application, .projects, .tracking,
            .registryDetails, .projectRegistry:
            databases(probe)
        case .machine, .configuration, .certificate, .trackingSchema: surroundings(probe)
        case .geoSettings, .configurationFiles, .appliedSettings, .dataSize, .replicationTrust, .patroniScope:
            reseeding(probe)
        case .consul, .trustedCertificates, .backups, .cronStates: operations(probe)
        case .settings, .accessRules, .baseBackups, .rewindRights, .schemaFiles, .keyLookup, .passwords: settings(probe)
        case .timelines, .divergence: divergence(probe)
        // Its arguments are the scope's: see ``views(_:)``.
        case .views: [views(.none)]
        case .queues, .readiness, .railsConfiguration, .railsRole, .cronJobs: application(probe)
        }
    }

    private static func machine(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .privileges: [ProbeCommand("privileges", ["/usr/bin/id", "-u"], as: .root)]
        case .identity: [shell("identity", Snippet.identity)]
        case .hostKeys: [shell("host-keys", Snippet.hostKeys)]
        case .disks: [shell("disks", Snippet.disks)]
        case .ports:
            [
                ProbeCommand("ports", ["ss", "-Hltn"], as: .operatorAccount, outputLimitBytes: 256 << 10),
                // Minimal images have no `ss`, and old ones do not know `-H`.
                shell("ports-proc", Snippet.listening, when: .previousFailed, outputLimitBytes: 256 << 10),
            ]
        default: []
        }
    }

    private static func installation(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .version:
            [ProbeCommand("version", ["head", "-n", "1", "/opt/gitlab/version-manifest.txt"], as: .operatorAccount)]
        case .services:
            [ProbeCommand("services", [gitlabCtl, "status"], as: .root, timeLimitSeconds: 20, usualSeconds: 2)]
        case .boot:
            [ProbeCommand("boot", ["systemctl", "is-enabled", "gitlab-runsvdir"], as: .operatorAccount)]
        case .attributes:
            // `-r` on the directory instead of the file: no command line depends on the node's name. Only counts are
            // printed, since the file holds passwords. The others are asked once, with ``Probe/configuration`` and
            // ``Probe/identity``.
            [
                ProbeCommand("attributes", ["/bin/grep", "-rc", "\"normal\"", attributeDirectory], as: .root),
                configurationTimes, shell("identity", Snippet.identity),
            ]
        case .clusterFile:
            [ProbeCommand("cluster-file", ["/bin/cat", "/etc/gitlab/gitlab-cluster.json"], as: .root)]
        case .changesRunning:
            [ProbeCommand("changes-running", ["/usr/bin/pgrep", "-af", changePattern], as: .root)]
        case .secrets:
            [
                ProbeCommand("secrets", canonicalSecretsDigest, as: .root),
                ProbeCommand(
                    "secrets-bytes", ["/usr/bin/sha256sum", secretsFile], as: .root, when: .previousFailed),
            ]
        default: []
        }
    }

    private static func databases(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .database: [mainDatabase([.replication])]
        case .server: [mainDatabase([.server])]
        case .geo: [mainDatabase([.geo])]
        case .application: [mainDatabase([.application])]
        case .projects: [mainDatabase([.projects])]
        case .tracking: [trackingDatabase([.tracking])]
        case .registryDetails: [trackingDatabase([.registryDetails])]
        case .projectRegistry: [trackingDatabase([.projectRegistry])]
        case .pointInTimeFile:
            [
                // PG_VERSION proves that this is a data directory: "no such file" then means absent, not elsewhere.
                ProbeCommand(
                    "point-in-time-file",
                    ["/bin/cat", dataDirectory + "/PG_VERSION", dataDirectory + "/geo-pitr-file"],
                    as: .root),
                // Where Consul runs, the position is kept there instead (omnibus-gitlab `geo/pitr_file.rb`).
                ProbeCommand(
                    "point-in-time-key", ["/opt/gitlab/embedded/bin/consul", "kv", "get", "geo/pitr/promote-db"],
                    as: .operatorAccount, when: .exists(path: "/opt/gitlab/service/consul")),
            ]
        case .controlData:
            [ProbeCommand("control-data", ["/opt/gitlab/embedded/bin/pg_controldata", dataDirectory], as: .root)]
        case .patroni:
            [patroni("patroni-members", ["list", "-f", "json"]), patroni("patroni-config", ["show-config"])]
        default: []
        }
    }

    /// What `gitlab-ctl patroni members` runs, in its form for programs. Python takes seconds to start; the store may not
    /// answer.
    private static func patroni(_ name: String, _ arguments: [String]) -> ProbeCommand {
        ProbeCommand(
            name, ["/opt/gitlab/embedded/bin/patronictl", "-c", "/var/opt/gitlab/patroni/patroni.yaml"] + arguments,
            as: .root, timeLimitSeconds: 20, outputLimitBytes: 64 << 10, usualSeconds: 3)
    }

    /// One `gitlab-psql` for all questions to the main database: a start costs 22 ms of node time.
    ///
    /// No `-d`: the wrapper names the database of this installation, from `/opt/gitlab/etc/gitlab-psql-rc`.
    package static func mainDatabase(_ queries: [DatabaseQuery]) -> ProbeCommand {
        ProbeCommand(
            "sql-main", ["/opt/gitlab/bin/gitlab-psql", "-AtqX"], as: .root, timeLimitSeconds: 30,
            outputLimitBytes: 512 << 10, usualSeconds: 1, queries: queries)
    }

    private static func trackingDatabase(_ queries: [DatabaseQuery]) -> ProbeCommand {
        ProbeCommand(
            "sql-tracking", ["/opt/gitlab/bin/gitlab-geo-psql", "-AtqX"], as: .root, timeLimitSeconds: 45,
            outputLimitBytes: 512 << 10, usualSeconds: 2, queries: queries)
    }

    private static func application(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .queues:
            [
                ProbeCommand(
                    "queues", ["/opt/gitlab/bin/gitlab-redis-cli", "--raw", "EVAL", queueLengths, "0"], as: .root,
                    outputLimitBytes: 128 << 10)
            ]
        case .readiness:
            [
                ProbeCommand(
                    "readiness",
                    ["curl", "-w", "%{http_code} %{url_effective}\\n"] + curlOptions
                        + readinessURLs.flatMap { ["-o", "/dev/null", $0] }, as: .operatorAccount,
                    timeLimitSeconds: 20),
                // Sites without NGINX on the node: Workhorse's default socket, which only root and git may open.
                ProbeCommand(
                    "readiness-workhorse",
                    ["/opt/gitlab/embedded/bin/curl", "-w", "%{http_code} workhorse"] + curlOptions + [
                        "-o", "/dev/null", "--unix-socket", "/var/opt/gitlab/gitlab-workhorse/sockets/socket",
                        "http://localhost/-/readiness",
                    ], as: .root),
            ]
        case .railsConfiguration:
            [
                ProbeCommand(
                    "rails-configuration",
                    ["/bin/grep", "-E", "^(production| +geo):", "/var/opt/gitlab/gitlab-rails/etc/database.yml"],
                    as: .root)
            ]
        case .railsRole:
            [
                ProbeCommand(
                    "rails-role", [gitlabRake, "gitlab:geo:site:role"], as: .root, timeLimitSeconds: 150,
                    usualSeconds: 40),
                // GitLab before 17 knows the task by its old name only.
                ProbeCommand(
                    "rails-role-old", [gitlabRake, "geo:site:role"], as: .root, when: .previousFailed,
                    timeLimitSeconds: 150),
            ]
        case .cronJobs:
            [
                ProbeCommand(
                    "cron-jobs", ["/opt/gitlab/bin/gitlab-rails", "runner", cronJobsProgram], as: .root,
                    timeLimitSeconds: 150, outputLimitBytes: 64 << 10, usualSeconds: 40)
            ]
        default: []
        }
    }

    static func shell(
        _ name: String, _ snippet: String, when condition: ProbeCommand.Condition = .always,
        outputLimitBytes: Int = 16 << 10
    ) -> ProbeCommand {
        ProbeCommand(
            name, ["sh", "-c", snippet], as: .operatorAccount, when: condition, outputLimitBytes: outputLimitBytes)
    }

    private static let gitlabCtl = "/opt/gitlab/bin/gitlab-ctl"
    private static let gitlabRake = "/opt/gitlab/bin/gitlab-rake"
    package static let attributeDirectory = "/opt/gitlab/embedded/nodes"
    static let secretsFile = "/etc/gitlab/gitlab-secrets.json"
    package static let dataDirectory = "/var/opt/gitlab/postgresql/data"

    /// Chef runs and the `gitlab-ctl` commands that change a node. The brackets keep the pattern from matching itself.
    private static let changePattern =
        "[c]inc-client|[c]hef-client|(gitlab|omnibus)-[c]tl .*(reconfigure|promote|replicate-geo-database|"
        + "geo-replication-|set-geo-primary-node|pg-upgrade|revert-pg-upgrade|upgrade|patroni (bootstrap|reinit))"

    /// Reconfigure may rewrite the file with its keys in another order, so equal contents are compared, not equal bytes.
    private static let canonicalSecretsDigest = [
        "/opt/gitlab/embedded/bin/ruby", "-rjson", "-rdigest", "-e",
        "def sorted(v) v.is_a?(Hash) ? v.sort.to_h { |k, x| [k, sorted(x)] } : "
            + "v.is_a?(Array) ? v.map { |x| sorted(x) } : v end; "
            + "puts Digest::SHA256.hexdigest(JSON.generate(sorted(JSON.parse(File.read(ARGV[0])))))",
        secretsFile,
    ]

    /// Reads only (SMEMBERS, LLEN); one call, so that names and lengths are of one moment. GitLab before 17 kept Sidekiq
    /// under the second prefix.
    private static let queueLengths =
        "local found = {} for _, p in ipairs({'', 'resque:gitlab:'}) do "
        + "for _, n in ipairs(redis.call('SMEMBERS', p .. 'queues')) do "
        + "found[n] = (found[n] or 0) + redis.call('LLEN', p .. 'queue:' .. n) end end return cjson.encode(found)"

    private static let curlOptions = ["-sk", "--noproxy", "*", "-m", "5"]
    private static let readinessURLs = [
        "http://localhost/-/readiness", "https://localhost/-/readiness", "http://localhost:8181/-/readiness",
    ]
    private static let cronJobsProgram =
        "puts Sidekiq::Cron::Job.all.map { |job| [job.name, job.status] }.to_h.to_json"

    /// Unprivileged questions that need a loop or several short commands.
    private enum Snippet {
        /// The name is the first line, whatever becomes of the rest.
        static let identity =
            "hostname -f 2>/dev/null || uname -n; cat /etc/machine-id /proc/sys/kernel/random/boot_id"
        static let hostKeys = "for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf \"$key\" || exit; done"
        static let disks =
            "set --; for path in /etc/gitlab /opt/gitlab /var/opt/gitlab /var/log/gitlab /; do "
            + "[ ! -d \"$path\" ] || set -- \"$@\" \"$path\"; done; printf 'path %s\\n' \"$@\"; df -Pk \"$@\""
        static let listening =
            "awk 'FNR > 1 && $4 == \"0A\" { print \"proc\", $2 }' /proc/net/tcp "
            + "$(test -e /proc/net/tcp6 && echo /proc/net/tcp6)"
    }
}
