/// A question to a database: one statement, whose answer is one JSON object in one column of one row.
package struct DatabaseQuery: Sendable, Hashable {
    package enum Database: Sendable, Hashable { case main, tracking }
    package var name: String
    package var database: Database
    package var sql: String

    package init(name: String, database: Database, sql: String) {
        self.name = name
        self.database = database
        self.sql = sql
    }
}

/// The SQL of the database probes, in one place: `gitlab-psql` and libpq ask exactly the same, and ``DatabaseReadings``
/// reads equal facts from equal JSON.
///
/// Columns that came and went between releases are read through `row_to_json`, which gives NULL for a missing one.
package enum DatabaseQueries {
    /// The query behind a database probe; `nil` for all other probes.
    package static func query(for probe: Probe) -> DatabaseQuery? {
        switch probe {
        case .database: .replication
        case .geo: .geo
        case .server: .server
        case .application: .application
        case .projects: .projects
        case .settings: .settings
        case .accessRules: .accessRules
        case .baseBackups: .baseBackups
        case .rewindRights: .rewindRights
        case .tracking: .tracking
        case .registryDetails: .registryDetails
        case .projectRegistry: .projectRegistry
        default: nil
        }
    }

    /// Sent first on every connection. UTC because `updated_at` of `geo_node_statuses` may lack a time zone.
    package static let session = [
        "SET default_transaction_read_only = on",
        "SET statement_timeout = '20s'",
        "SET lock_timeout = '3s'",
        "SET search_path = pg_catalog, public",
        "SET TimeZone = 'UTC'",
        "SET client_encoding = 'UTF8'",
    ]

    /// Standard input of one `psql -AtqX`. Each answer is announced, and one that failed spoils no other, since psql goes
    /// on after an error (ON_ERROR_STOP is off).
    package static func psqlInput(_ queries: [DatabaseQuery], boundary: String) -> String {
        let answers = queries.map { query in
            """
            \\echo \(marker(boundary)) answer \(query.name)
            \(query.sql);
            \\if :ERROR
            \\echo \(marker(boundary)) failed :LAST_ERROR_MESSAGE
            \\endif
            """
        }
        return (session.map { $0 + ";" } + answers + ["\\echo \(marker(boundary)) done"]).joined(separator: "\n")
    }

    /// Starts the lines of ours in psql's output; differs from the script's own frames.
    package static func marker(_ boundary: String) -> String { "\(boundary).sql" }
}

extension DatabaseQuery {
    /// Role, positions, senders, slots, receiver. `CASE` keeps functions that fail in recovery, or
    /// outside of it, from being evaluated there: all of them are volatile, so none is evaluated early.
    ///
    /// The timeline of a primary is in the name of its current WAL file: `pg_control_checkpoint()` shows the former one
    /// until the first checkpoint after a promotion. Of a standby it is the one that streams, and where nothing streams the one
    /// up to which it has to have replayed to be consistent: `pg_control_checkpoint()` follows only at a restartpoint, which
    /// a standby that was rewound makes minutes later (PostgreSQL documentation, pg_control_recovery).
    package static let replication = DatabaseQuery(
        name: "replication", database: .main,
        sql: """
            SELECT json_build_object(
              'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
              'server_version', current_setting('server_version_num')::int,
              'control_timeline', (SELECT timeline_id FROM pg_control_checkpoint()),
              'recovery_timeline', (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
              'primary', CASE WHEN NOT pg_is_in_recovery() THEN json_build_object(
                'current', pg_current_wal_lsn()::text,
                'wal_file', pg_walfile_name(pg_current_wal_lsn()),
                'senders', (SELECT coalesce(json_agg(json_build_object(
                    'application_name', application_name, 'client_address', host(client_addr), 'state', state,
                    'replayed', replay_lsn::text) ORDER BY application_name, pid), '[]'::json)
                  FROM pg_stat_replication),
                'slots', (SELECT coalesce(json_agg(json_build_object(
                    'name', s.slot_name, 'active', s.active,
                    'retained_bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)::bigint,
                    'wal_status', row_to_json(s)->>'wal_status') ORDER BY s.slot_name), '[]'::json)
                  FROM pg_replication_slots s)
              ) END,
              'standby', CASE WHEN pg_is_in_recovery() THEN json_build_object(
                'received', pg_last_wal_receive_lsn()::text,
                'replayed', pg_last_wal_replay_lsn()::text,
                'paused', pg_is_wal_replay_paused(),
                'seconds_since_replay',
                  extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
                'receiver', (SELECT json_build_object(
                    'status', status, 'slot_name', slot_name, 'sender_host', sender_host,
                    'timeline', received_tli, 'latest_end', latest_end_lsn::text,
                    'seconds_since_message', extract(epoch FROM clock_timestamp() - last_msg_receipt_time)::float8)
                  FROM pg_stat_wal_receiver)
              ) END)
            """)

    /// Sites, their cached status, Maintenance and Silent Mode, last event (columns: GitLab's `db/structure.sql`).
    ///
    /// `uncounted`: two types of which the primary's status has no number in older releases. The secondary counted them
    /// there (`Geo::DesignRegistryFinder`), in its own copy of these tables.
    package static let geo = DatabaseQuery(
        name: "geo", database: .main,
        sql: """
            SELECT json_build_object(
              'nodes', (SELECT coalesce(json_agg(json_build_object(
                  'name', n.name, 'url', n.url, 'primary', n."primary", 'enabled', n.enabled,
                  'selective_sync', row_to_json(n)->>'selective_sync_type',
                  'syncs_object_storage', row_to_json(n)->'sync_object_storage',
                  'status', CASE WHEN s.geo_node_id IS NOT NULL THEN json_build_object(
                    'age_seconds', extract(epoch FROM clock_timestamp() - s.updated_at)::float8,
                    'message', row_to_json(s)->>'status_message',
                    'version', row_to_json(s)->>'version',
                    'counts', row_to_json(s)->'status') END
                ) ORDER BY n.id), '[]'::json)
                FROM geo_nodes n LEFT JOIN geo_node_statuses s ON s.geo_node_id = n.id),
              'uncounted', (SELECT coalesce(json_object_agg(kind.type, counted.word::bigint), '{}'::json)
                FROM (SELECT c.oid::regclass AS relation, k.type, k.counting
                  FROM (VALUES
                    ('container_repositories', 'container_repositories', 'container_repositories_count', 'count(*)'),
                    ('design_management_designs', 'designs', 'design_management_repositories_count',
                      'count(DISTINCT project_id)')) AS k (name, type, key, counting)
                  JOIN pg_class c ON c.relname = k.name AND c.relkind IN ('r', 'p')
                    AND c.relnamespace = 'public'::regnamespace
                  WHERE NOT EXISTS (SELECT FROM geo_nodes n JOIN geo_node_statuses s ON s.geo_node_id = n.id
                    WHERE n."primary" AND row_to_json(s)->'status'->>k.key IS NOT NULL)) kind,
                  LATERAL ts_stat(format('SELECT array_to_tsvector(ARRAY[(%s)::text]) FROM %s',
                    kind.counting, kind.relation)) counted),
              'maintenance_mode', (SELECT maintenance_mode FROM application_settings ORDER BY id DESC LIMIT 1),
              'silent_mode', (SELECT (row_to_json(a)->>'silent_mode_enabled')::boolean
                FROM application_settings a ORDER BY id DESC LIMIT 1),
              'last_event_id', (SELECT max(id) FROM geo_event_log))
            """)

    /// Rows by state of every registry table (GitLab's `ee/db/geo/structure.sql`), found by suffix because each release adds some.
    ///
    /// `ts_stat` runs a query given as text and returns its `tsvector`s word by word: the one built-in way to count in
    /// tables known only by name within a single statement, in a read-only transaction, without PL/pgSQL and without
    /// `query_to_xml`, which needs a PostgreSQL built with libxml. `state` is varchar in `container_repository_registry`.
    /// The catalogue and not `information_schema`, which hides tables that the user may not read: that must be an error.
    package static let tracking = DatabaseQuery(
        name: "tracking", database: .tracking,
        sql: """
            WITH halves AS (\(projectHalves))
            SELECT json_build_object(
              'registries', (SELECT coalesce(json_object_agg(registry.name, counted.word::json), '{}'::json)
                FROM (SELECT named.name, named.relation, named.synced, named.failed,
                    format('%s AND %s = 2', named.synced, named.verification) AS verified,
                    named.verification || ' = 3' AS mismatched, named.verification || ' = 4' AS disabled
                  FROM (SELECT c.relname::text AS name, c.oid::regclass AS relation,
                      CASE WHEN state.atttypid IN (20, 21, 23) THEN 'state = 2'
                        ELSE 'state IN (''2'', ''synced'')' END AS synced,
                      CASE WHEN state.atttypid IN (20, 21, 23) THEN 'state = 3'
                        ELSE 'state IN (''3'', ''failed'')' END AS failed,
                      CASE WHEN verification.attname IS NULL THEN '4' ELSE 'verification_state' END AS verification
                    FROM pg_class c
                    JOIN pg_attribute state
                      ON state.attrelid = c.oid AND state.attname = 'state' AND NOT state.attisdropped
                    LEFT JOIN pg_attribute verification
                      ON verification.attrelid = c.oid AND verification.attname = 'verification_state'
                      AND NOT verification.attisdropped
                    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname LIKE '%\\_registry'
                      AND c.relnamespace = 'public'::regnamespace) AS named
                  UNION ALL SELECT name, relation, synced, failed, verified, mismatched, disabled FROM halves) AS registry,
                  LATERAL ts_stat(format(
                    'SELECT array_to_tsvector(ARRAY[json_build_object('
                    '''total'', count(*), ''synced'', count(*) FILTER (WHERE %2$s), '
                    '''failed'', count(*) FILTER (WHERE %3$s), ''verified'', count(*) FILTER (WHERE %4$s), '
                    '''verification_failed'', count(*) FILTER (WHERE %5$s), '
                    '''verification_disabled'', count(*) FILTER (WHERE %6$s))::text]) FROM %1$s',
                    registry.relation, registry.synced, registry.failed, registry.verified, registry.mismatched,
                    registry.disabled)) AS counted),
              'unread', (SELECT coalesce(json_agg(c.relname ORDER BY c.relname), '[]'::json) FROM pg_class c
                WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname LIKE '%\\_registry'
                  AND c.relnamespace = 'public'::regnamespace
                  AND (SELECT count(*) FROM halves WHERE halves.relation = c.oid) < 2
                  AND NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'state' AND NOT a.attisdropped)),
              'cursor_event_id', (SELECT max(event_id) FROM event_log_states))
            """)

    /// `project_registry` of GitLab before 16.3, once for repositories and once for wikis, which are columns side by side
    /// there and were synchronised each on its own: how either is counted.
    ///
    /// As `Geo::ProjectRegistry` of those releases has it, but for a repository that was never fetched: it is not
    /// synchronised, whatever its flag says. Of a wiki the flag alone counts, since it is cleared from the start where a
    /// project has none. What is missing on the primary has nothing that could be compared.
    static let projectHalves = """
        SELECT half.name, half.relation, half.half, half.synced, half.mismatched,
          format('(NOT %s AND coalesce(%s_retry_count, 0) > 0)', half.synced, half.half) AS failed,
          format('(%s AND %s_verification_checksum_sha IS NOT NULL AND NOT %s)',
            half.synced, half.half, half.mismatched) AS verified,
          format('(%1$s AND %2$s_missing_on_primary IS TRUE AND %2$s_verification_checksum_sha IS NULL AND NOT %3$s)',
            half.synced, half.half, half.mismatched) AS disabled
        FROM (SELECT CASE half WHEN 'repository' THEN 'repositories' ELSE 'wikis' END AS name, half,
            c.oid::regclass AS relation,
            CASE half WHEN 'repository'
              THEN '(NOT resync_repository AND last_repository_successful_sync_at IS NOT NULL)'
              ELSE '(NOT resync_wiki)' END AS synced,
            format('(%1$s_checksum_mismatch OR last_%1$s_verification_failure IS NOT NULL)', half) AS mismatched
          FROM pg_class c CROSS JOIN unnest(ARRAY['repository', 'wiki']) AS half
          WHERE c.relname = 'project_registry' AND c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
            AND 11 = (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
              AND NOT a.attisdropped AND a.attname::text IN ('project_id', 'created_at', 'resync_' || half,
                half || '_retry_count', half || '_verification_checksum_sha', half || '_checksum_mismatch',
                half || '_missing_on_primary', 'last_' || half || '_verification_failure',
                'last_' || half || '_successful_sync_at', 'last_' || half || '_synced_at',
                'last_' || half || '_sync_failure'))) AS half
        """
}
