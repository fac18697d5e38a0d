import GeoCore

/// Bytes as a node's shell prints them for a script, from what each command would have said.
struct RecordedAnswer {
    struct Saying {
        var output: String
        var complaint = ""
        var status = 0
    }

    var sayings: [String: Saying]
    var began = "1795221546.123456789"
    var ended = "1795221548.223456789"

    static let visitStart = Timestamp(milliseconds: 1_795_221_546_000)

    func bytes(_ script: ProbeScript) -> [UInt8] {
        let b = script.boundary
        var text = "\n\(b) visit \(began)\n"
        for command in script.commands {
            guard let saying = sayings[command.name] else {
                text += "\n\(b) skip \(command.name)\n"
                continue
            }
            let exit = "\n\(b) exit \(saying.status)\n"
            let output = (saying.output + exit).utf8.prefix(command.outputLimitBytes + 1 + exit.utf8.count)
            text += "\n\(b) begin \(command.name)\n\(String(decoding: output, as: UTF8.self))"
            text += "\n\(b) said \(command.name)\n\(saying.complaint)\n\(b) end \(command.name)\n"
        }
        return Array((text + "\n\(b) trailer \(ended)\n").utf8)
    }

    func facts(_ script: ProbeScript, elapsedMilliseconds: Int = 2500) -> NodeFacts {
        Self.facts(bytes(script), script, elapsedMilliseconds: elapsedMilliseconds)
    }

    static func facts(_ bytes: [UInt8], _ script: ProbeScript, elapsedMilliseconds: Int = 2500) -> NodeFacts {
        ProbeReader.facts(
            output: bytes, script: script, node: "seoul-all-1", startedAt: visitStart,
            elapsedMilliseconds: elapsedMilliseconds)
    }

    /// A node that runs everything, so that every probe applies.
    static func node(become: NodeAccess.Become = .sudo) -> Node {
        Node(
            id: "seoul-all-1", components: [.rails, .sidekiq, .logcursor, .postgresql, .trackingDB, .gitaly, .redis],
            access: NodeAccess(
                address: "10.77.2.99", user: "geo-ops", identity: Identity(), knownHosts: "known_hosts", become: become)
        )
    }

    static func script(_ probes: Set<Probe> = Set(Probe.allCases), boundary: String = "0123456789abcdef") -> ProbeScript
    {
        ProbeScript(probes: probes, node: node(), boundary: boundary, looks: looks)
    }

    /// Two ports of a node of the other site, and its URL.
    static let looks = PeerLooks(
        ports: [
            .init(node: "tokyo-pg-1", address: "10.77.1.21", port: 22, service: "ssh"),
            .init(node: "tokyo-pg-1", address: "10.77.1.21", port: 5432, service: "postgresql"),
        ], urls: [.init(site: "tokyo", url: "http://10.77.1.10")])

    /// Facts of one probe alone.
    static func facts(_ probe: Probe, _ sayings: [String: Saying]) -> NodeFacts {
        RecordedAnswer(sayings: sayings).facts(script([probe]))
    }
}

extension RecordedAnswer {
    static func psql(_ answers: [(name: String, line: String)], boundary: String = "0123456789abcdef") -> String {
        answers.map { "\(boundary).sql answer \($0.name)\n\($0.line)\n" }.joined() + "\(boundary).sql done\n"
    }

    static let standbyJSON = """
        {"system_identifier" : "7301234567890123456", "server_version" : 150018, "control_timeline" : 3, \
        "recovery_timeline" : 3, "primary" : null, "standby" : {"received" : "0/3019670", "replayed" : "0/30173F8", "paused" : false, \
        "seconds_since_replay" : 12.5, "receiver" : {"status" : "streaming", "slot_name" : "seoul", \
        "sender_host" : "10.77.1.21", "timeline" : 3, "latest_end" : "0/3019670", "seconds_since_message" : 0.25}}}
        """

    static let geoJSON = """
        {"nodes" : [{"name" : "tokyo", "url" : "https://tokyo.example.com/", "primary" : true, "enabled" : true, \
        "selective_sync" : null, "syncs_object_storage" : false, "status" : null}, {"name" : "seoul", \
        "url" : "https://seoul.example.com/", "primary" : false, "enabled" : true, "selective_sync" : "", \
        "syncs_object_storage" : true, "status" : {"age_seconds" : 31.5, "message" : "", "version" : "19.3.0-ee", \
        "counts" : {"lfs_objects_count" : 111, "uploads_count" : null, "x_in_percentage" : "99.5%"}}}], \
        "uncounted" : {"designs" : 4}, "maintenance_mode" : false, "last_event_id" : 12345}
        """

    static let trackingJSON = """
        {"registries" : { "file_registry" : {"total" : 3, "synced" : 2, "failed" : 1, "verified" : 2, \
        "verification_failed" : 0, "verification_disabled" : 0}, "project_repository_registry" : {"total" : 9, \
        "synced" : 9, "failed" : 0, "verified" : 8, "verification_failed" : 1, "verification_disabled" : 0} }, \
        "unread" : [], "cursor_event_id" : 12344}
        """

    static let controlData = """
        pg_control version number:            1300
        Catalog version number:               202209061
        Database system identifier:           7301234567890123456
        Database cluster state:               in archive recovery
        pg_control last modified:             Sat 21 Nov 2026 08:00:00 AM UTC
        Latest checkpoint location:           0/3014FB0
        Latest checkpoint's REDO location:    0/3014F78
        Latest checkpoint's TimeLineID:       3
        Latest checkpoint's full_page_writes: on
        wal_log_hints setting:                on
        Data page checksum version:           0

        """

    /// A healthy node that runs every component.
    static let whole = RecordedAnswer(sayings: [
        "privileges": Saying(output: "0\n"),
        "identity": Saying(
            output: "seoul-all-1.lab.test\n3d1219c7c4c5404aaa1f6d2a48adfda4\n27388409-3343-4ace-ac43-9392f766ab71\n"),
        "version": Saying(output: "gitlab-ee 19.3.0-ee.0\n"),
        "services": Saying(
            output: """
                run: puma: (pid 129) 9s; run: log: (pid 38) 207s
                down: logrotate: 1s, normally up; run: log: (pid 43) 268s

                """, status: 3),
        "boot": Saying(output: "enabled\n"),
        "attributes": Saying(output: "/opt/gitlab/embedded/nodes/seoul-all-1.lab.test.json:1\n"),
        "cluster-file": Saying(
            output: "", complaint: "/bin/cat: /etc/gitlab/gitlab-cluster.json: No such file or directory\n", status: 1),
        "changes-running": Saying(output: "", status: 1),
        "secrets": Saying(output: String(repeating: "0a", count: 32) + "\n"),
        "host-keys": Saying(
            output: "256 SHA256:jdJKXK8JYzxPAxhq3QA9knhSu/qDvM31rh1ZZM00rO8 root@seoul (ED25519)\n"),
        "disks": Saying(
            output: """
                path /etc/gitlab
                path /
                Filesystem     1024-blocks     Used Available Capacity Mounted on
                /dev/vda1        263840404 181395384  82445020      69% /
                /dev/vda1        263840404 181395384  82445020      69% /

                """),
        "ports": Saying(
            output: """
                LISTEN 0      128          0.0.0.0:22        0.0.0.0:*
                LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*
                LISTEN 0      244        127.0.0.1:8080      0.0.0.0:*
                LISTEN 0      128             [::]:443          [::]:*
                LISTEN 0      128            [::1]:25           [::]:*
                LISTEN 0      128                *:9236            *:*

                """),
        "sql-main": Saying(
            output: psql([
                ("replication", standbyJSON), ("server", serverJSON), ("geo", geoJSON),
                ("application", applicationJSON), ("projects", projectsJSON),
                ("settings", settingsJSON), ("access-rules", accessRulesJSON),
                ("base-backups", baseBackupsJSON), ("rewind-rights", rewindRightsJSON),
            ])),
        "sql-tracking": Saying(
            output: psql([
                ("tracking", trackingJSON), ("registry-details", registryDetailsJSON),
                ("project-registry", projectRegistryJSON),
            ])),
        "views": Saying(output: "url 0 200 0\ntcp 1 refused\ntcp 0 answered\n"),
        "machine": Saying(
            output: "processors 8\nmemory 32768000\nlibc glibc 2.36\nsystem debian 12\npuma 4\nsidekiq 0\n", status: 1),
        "configuration-times": Saying(output: configurationTimes),
        "configuration-names": Saying(
            output: "external_url 'https://seoul.example.com'\ngitlab_rails['geo_node_name'] = \"seoul\" # ours\n"),
        "certificate": Saying(output: certificate),
        "tracking-schema": Saying(output: "20260729140502_add_missing_on_primary.rb\n"),
        "point-in-time-file": Saying(
            output: "15\n",
            complaint: "/bin/cat: \(ProbeCatalog.dataDirectory)/geo-pitr-file: No such file or directory\n",
            status: 1),
        "control-data": Saying(output: controlData),
        "server-certificate": Saying(
            output: String(repeating: "1b", count: 32) + "  \(SharedFile.serverCertificate.rawValue)\n"),
        "root-certificate": Saying(
            output: "", complaint: "sha256sum: \(ProbeCatalog.rootCertificate): No such file or directory\n", status: 1),
        "geo-settings": Saying(output: "geo_secondary['enable'] = true\n"),
        "configuration-files": Saying(
            output: String(repeating: "2c", count: 32) + "  /etc/gitlab/gitlab.rb\n"
                + String(repeating: "3d", count: 32)
                + "  /etc/gitlab/geo.rb\n"),
        "applied-settings": Saying(
            output: "{\"geo_secondary\":true,\"geo_logcursor\":false,\"geo_postgresql\":false,"
                + "\"patroni['standby_cluster']\":false}\n"),
        "patroni-scope": Saying(output: "scope: postgresql-ha\n"),
        "data-size": Saying(output: "81920\t\(ProbeCatalog.dataDirectory)\n"),
        "timeline-history": Saying(output: DivergenceReadingTests.history),
        "wal-segments": Saying(output: DivergenceReadingTests.segments),
        "divergence": Saying(
            output: DivergenceReadingTests.state(DivergenceReadingTests.begun + DivergenceReadingTests.done)),
        "patroni-members": Saying(output: PatroniReadingTests.recorded[0].list),
        "patroni-config": Saying(output: PatroniReadingTests.configuration),
        "consul": Saying(output: consulMembers),
        "trusted-certificates": Saying(output: trustedCertificates),
        "backups": Saying(output: backups),
        "schema-files": Saying(output: "20260712081533\n20260803114027\n"),
        "key-lookup": Saying(output: sshd),
        "passwords": Saying(output: "{\"gitlab_rails.db_password\":\"\(String(repeating: "0a", count: 16))\"}\n"),
        "cron-states": Saying(output: "{\"geo_metrics_update_worker\":\"enabled\",\"mailer\":\"disabled\"}\n"),
        "queues": Saying(output: "{\"default\":0,\"geo:geo_event\":17}\n"),
        "readiness": Saying(
            output: "301 http://localhost/-/readiness\n200 https://localhost/-/readiness\n000 http://localhost:8181/\n",
            status: 7),
        "readiness-workhorse": Saying(output: "200 http://localhost/-/readiness\n"),
        "rails-configuration": Saying(output: "production:\n  geo:\n"),
        "rails-role": Saying(output: "secondary\n"),
        "cron-jobs": Saying(output: "{\"geo_metrics_update_worker\":\"enabled\",\"mailer\":\"disabled\"}\n"),
    ])
}
