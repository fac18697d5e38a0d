import Foundation
import GeoCore
import Testing

/// The SQL of the probes against a real PostgreSQL: a primary with Geo's tables, a streaming standby, a tracking database.
///
/// Needs root (PostgreSQL will not run as root, so its programs run as `postgres`) and Debian's PostgreSQL.
@Suite(.enabled(if: LivePostgreSQL.isPossible), .serialized)
struct DatabaseQueriesLiveTests {
    @Test func primaryStandbyAndTrackingDatabaseGiveTheirFacts() throws {
        let live = try LivePostgreSQL()
        defer { live.stop() }
        let script = RecordedAnswer.script([.database, .geo, .tracking])

        let primary = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        let asPrimary = try #require(primary.database.value, "\(primary.database)")
        #expect(asPrimary.primary?.slots.map(\.name) == ["seoul"])
        #expect(asPrimary.primary?.slots.first?.isActive == true)
        #expect(asPrimary.primary?.senders.map(\.state) == ["streaming"])
        #expect(asPrimary.timeline == 1)
        let geo = try #require(primary.geo.value, "\(primary.geo)")
        #expect(geo.primaries.map(\.name) == ["tokyo"])
        #expect(geo.lastEventID == 42 && geo.isInMaintenanceMode)
        let status = try #require(geo.node(named: "seoul")?.status)
        #expect(status.counts == ["lfs_objects_count": 7])
        #expect((119...600).contains(status.ageSeconds))
        #expect(geo.node(named: "tokyo")?.status == nil)
        #expect(
            primary.tracking.value
                == TrackingFacts(
                    registries: [
                        "project_repositories": RegistryCounts(
                            total: 5, synced: 3, failed: 1, verified: 1, verificationFailed: 1, verificationDisabled: 1),
                        "container_repositories": RegistryCounts(
                            total: 4, synced: 2, failed: 1, verified: 1, verificationFailed: 0),
                        // No verification in this table: all of it counts as switched off.
                        "uploads": RegistryCounts(
                            total: 1, synced: 1, failed: 0, verified: 0, verificationFailed: 0, verificationDisabled: 1),
                    ], cursorEventID: 41), "\(primary.tracking)")

        let standby = RecordedAnswer.facts(try live.run(script, port: 5434), script, elapsedMilliseconds: 60_000)
        let asStandby = try #require(standby.database.value, "\(standby.database)")
        #expect(asStandby.systemIdentifier == asPrimary.systemIdentifier)
        #expect(asStandby.standby?.receiver?.status == "streaming")
        #expect(asStandby.standby?.receiver?.slotName == "seoul")
        #expect(asStandby.standby?.isReplayPaused == false)
        #expect(standby.geo.value?.nodes.map(\.name) == ["tokyo", "seoul"])

        // A table that is missing spoils its own question only; a promoted standby shows its new timeline at once.
        try live.sql("DROP TABLE geo_event_log", port: 5433)
        let less = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        #expect(less.database.value?.primary != nil)
        #expect(less.geo.reason?.contains("relation 'geo_event_log' does not exist") == true, "\(less.geo)")
        try live.sql("SELECT pg_promote()", port: 5434)
        let promoted = RecordedAnswer.facts(try live.run(script, port: 5434), script, elapsedMilliseconds: 60_000)
        #expect(promoted.database.value?.timeline == 2)
        #expect(promoted.database.value?.primary != nil)

        // The session cannot write even if a statement tried.
        let writing = DatabaseQuery(name: "geo", database: .main, sql: "DELETE FROM geo_nodes")
        let refused = try live.psql(DatabaseQueries.psqlInput([writing], boundary: "0123456789abcdef"), port: 5433)
        #expect(refused.contains("sql failed cannot execute DELETE in a read-only transaction"))
    }
}

/// Two PostgreSQL servers in a temporary directory, reached over their Unix sockets only.
final class LivePostgreSQL {
    static let programs = "/usr/lib/postgresql/15/bin"
    static var isPossible: Bool {
        getuid() == 0 && FileManager.default.isExecutableFile(atPath: programs + "/initdb")
            && FileManager.default.isExecutableFile(atPath: "/usr/sbin/runuser")
            && FileManager.default.fileExists(atPath: "/var/lib/postgresql")
    }

    let node: FakeNode
    private var directory: String { node.directory.path + "/pg" }

    init() throws {
        node = try FakeNode()
        for (name, database) in [
            ("gitlab-psql", "gitlabhq_production"), ("gitlab-geo-psql", "gitlabhq_geo_production"),
        ] {
            try node.install(
                "root/opt/gitlab/bin/\(name)",
                "exec psql -h \"$FAKE_NODE/pg\" -p \"$(cat \"$FAKE_NODE/port\")\" -U postgres -d \(database) \"$@\"")
        }
        try shell(
            """
            chmod 755 '\(node.directory.path)'; mkdir '\(directory)'; chown postgres '\(directory)'
            cd '\(directory)'
            as() { /usr/sbin/runuser -u postgres -- "$@"; }
            as \(Self.programs)/initdb -A trust -D one >/dev/null
            cat >> one/postgresql.conf <<'CONF'
            listen_addresses = ''
            unix_socket_directories = '\(directory)'
            fsync = off
            CONF
            as \(Self.programs)/pg_ctl -D one -o '-p 5433' -l one.log -w start >/dev/null
            as createdb -h '\(directory)' -p 5433 gitlabhq_production
            as createdb -h '\(directory)' -p 5433 gitlabhq_geo_production
            as psql -qX -v ON_ERROR_STOP=1 -h '\(directory)' -p 5433 -d gitlabhq_production <<'SQL'
            \(Self.mainSchema)
            SQL
            as psql -qX -v ON_ERROR_STOP=1 -h '\(directory)' -p 5433 -d gitlabhq_geo_production <<'SQL'
            \(Self.trackingSchema)
            SQL
            as pg_basebackup -h '\(directory)' -p 5433 -D two -R -C -S seoul -c fast
            as \(Self.programs)/pg_ctl -D two -o '-p 5434' -l two.log -w start >/dev/null
            for _ in $(seq 100); do
            [ "$(as psql -AtX -h '\(directory)' -p 5433 -c "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")" = 1 ] && break
            sleep 0.1
            done
            """)
    }

    func stop() {
        try? shell(
            "for n in one two; do /usr/sbin/runuser -u postgres -- \(Self.programs)/pg_ctl -D '\(directory)'/$n -m immediate stop; done"
        )
    }

    func run(_ script: ProbeScript, port: Int) throws -> [UInt8] {
        try Data("\(port)".utf8).write(to: node.directory.appendingPathComponent("port"))
        return try node.run(script.text, shell: ["/bin/sh", "-s"])
    }

    func psql(_ input: String, port: Int, database: String = "gitlabhq_production") throws -> String {
        let command = "psql -AtqX -h '\(directory)' -p \(port) -U postgres -d \(database)"
        return String(
            decoding: try node.run("\(command) <<'SQL'\n\(input)\nSQL\n", shell: ["/bin/sh", "-s"]), as: UTF8.self)
    }

    func sql(_ statement: String, port: Int, database: String = "gitlabhq_production") throws {
        _ = try psql(statement + ";", port: port, database: database)
    }

    private func shell(_ text: String) throws {
        // Answers into files and closes what it inherited: the servers that it starts would keep a pipe open.
        let wrapped = """
            exec >/dev/null 2>"$FAKE_NODE/log"
            for number in $(seq 3 99); do eval "exec $number>&-"; done
            set -e
            \(text)
            : > "$FAKE_NODE/fine"

            """
        _ = try node.run(wrapped, shell: ["/bin/bash", "-s"])
        guard FileManager.default.fileExists(atPath: node.directory.path + "/fine") else {
            let log = try String(contentsOfFile: node.directory.path + "/log", encoding: .utf8)
            throw Failure(log: log)
        }
    }

    struct Failure: Error { let log: String }

    /// The columns that the probes read, of the types that GitLab gives them.
    private static let mainSchema = """
        CREATE TABLE geo_nodes (id serial PRIMARY KEY, "primary" bool NOT NULL, enabled bool NOT NULL DEFAULT true,
          url varchar NOT NULL, selective_sync_type varchar, name varchar NOT NULL, sync_object_storage bool DEFAULT false);
        CREATE TABLE geo_node_statuses (id serial PRIMARY KEY, geo_node_id int UNIQUE, updated_at timestamp NOT NULL,
          status_message varchar, version varchar, status jsonb NOT NULL DEFAULT '{}');
        CREATE TABLE application_settings (id serial PRIMARY KEY, maintenance_mode bool NOT NULL DEFAULT false);
        CREATE TABLE geo_event_log (id bigserial PRIMARY KEY, created_at timestamp);
        INSERT INTO geo_nodes ("primary", url, name) VALUES (true, 'https://t/', 'tokyo'), (false, 'https://s/', 'seoul');
        INSERT INTO geo_node_statuses (geo_node_id, updated_at, status)
          VALUES (2, (now() AT TIME ZONE 'UTC') - interval '2 minutes', '{"lfs_objects_count": 7, "x": null, "y": "1"}');
        INSERT INTO application_settings (maintenance_mode) VALUES (false), (true);
        INSERT INTO geo_event_log (id) VALUES (41), (42);
        ALTER DATABASE gitlabhq_production SET TimeZone = 'Asia/Tokyo';
        """

    /// As GitLab has them, with the table whose `state` is varchar and one without verification.
    private static let trackingSchema = """
        CREATE TABLE project_repository_registry (id serial, state smallint NOT NULL, verification_state smallint NOT NULL);
        INSERT INTO project_repository_registry (state, verification_state) VALUES (2, 2), (2, 3), (2, 4), (3, 0), (0, 0);
        CREATE TABLE container_repository_registry (id serial, state varchar, verification_state smallint NOT NULL);
        INSERT INTO container_repository_registry (state, verification_state)
          VALUES ('synced', 2), ('2', 0), ('failed', 0), (NULL, 0);
        CREATE TABLE file_registry (id serial, state smallint NOT NULL);
        INSERT INTO file_registry (state) VALUES (2);
        CREATE TABLE "not_a registry" (id int);
        CREATE TABLE event_log_states (event_id bigint, created_at timestamp);
        INSERT INTO event_log_states VALUES (40), (41);
        """
}
