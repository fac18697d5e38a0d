extension DatabaseQuery {
    /// Settings, open transactions, sizes and the rate of writing of one server.
    ///
    /// A question of its own beside ``replication``, so that a view that an account may not read spoils no position. The
    /// rate comes from the times of the WAL files that are still there: one look tells it, without waiting for a second.
    package static let server = DatabaseQuery(
        name: "server", database: .main,
        sql: """
            SELECT json_build_object(
              'settings', (SELECT json_object_agg(name, setting) FROM pg_settings WHERE name IN (
                'max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions',
                'max_locks_per_transaction', 'max_replication_slots', 'hot_standby', 'wal_level',
                'max_slot_wal_keep_size', 'shared_buffers', 'synchronous_standby_names')),
              'pending_restart', (SELECT coalesce(json_agg(name ORDER BY name), '[]'::json)
                FROM pg_settings WHERE pending_restart),
              'database_bytes', pg_database_size(d.oid),
              'locale', d.datcollate || ' ' || d.datctype,
              'collation_version', row_to_json(d)->>'datcollversion',
              'transactions', (SELECT coalesce(json_agg(json_build_object(
                  'seconds', extract(epoch FROM clock_timestamp() - t.xact_start)::float8, 'user', t.usename,
                  'application', left(t.application_name, 60), 'state', t.state) ORDER BY t.xact_start), '[]'::json)
                FROM (SELECT xact_start, usename, application_name, state FROM pg_stat_activity
                  WHERE backend_type = 'client backend' AND xact_start IS NOT NULL AND pid <> pg_backend_pid()
                  ORDER BY xact_start LIMIT 3) t),
              'prepared', (SELECT count(*) FROM pg_prepared_xacts),
              'writing', CASE WHEN NOT pg_is_in_recovery() THEN (SELECT json_build_object(
                  'bytes', coalesce(sum(size) - max(size), 0)::bigint,
                  'seconds', coalesce(extract(epoch FROM clock_timestamp() - min(modification)), 0)::float8)
                FROM pg_ls_waldir()
                WHERE name ~ '^[0-9A-F]{24}$' AND name <= pg_walfile_name(pg_current_wal_lsn())) END)
            FROM pg_database d WHERE d.datname = current_database()
            """)

    /// What GitLab's tables say beside Geo's own counts. `ts_stat` as in ``tracking``: it looks into those of the tables
    /// that exist, and asks each for one row only.
    ///
    /// `merge_request_diffs` is left out: only externally stored ones are replicated as items, all others with the database.
    package static let application = DatabaseQuery(
        name: "application", database: .main,
        sql: """
            SELECT json_build_object(
              'migration_count', (SELECT count(*) FROM batched_background_migrations WHERE status NOT IN (3, 6)),
              'migrations', (SELECT coalesce(json_agg(m.text), '[]'::json) FROM (
                SELECT left(job_class_name, 80) || ' on ' || table_name AS text FROM batched_background_migrations
                WHERE status NOT IN (3, 6) ORDER BY id LIMIT 10) m),
              'schema_version', (SELECT max(version) FROM schema_migrations),
              'has_items', (SELECT coalesce(json_object_agg(kind.type, counted.word = 'true'), '{}'::json)
                FROM (SELECT c.oid::regclass AS relation, CASE c.relname
                    WHEN 'ci_pipeline_artifacts' THEN 'pipeline_artifacts'
                    WHEN 'packages_package_files' THEN 'package_files' ELSE c.relname END AS type
                  FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                    AND c.relname IN ('container_repositories', 'project_repositories', 'project_wiki_repositories',
                    'design_management_repositories', 'snippet_repositories', 'group_wiki_repositories', 'uploads',
                    'lfs_objects', 'ci_secure_files', 'pages_deployments', 'terraform_state_versions',
                    'dependency_proxy_blobs', 'dependency_proxy_manifests', 'ci_pipeline_artifacts',
                    'packages_package_files')) kind,
                  LATERAL ts_stat(format('SELECT array_to_tsvector(ARRAY[EXISTS (SELECT FROM %s)::text])',
                    kind.relation)) counted),
              'sites', (SELECT coalesce(json_object_agg(n.name, json_build_object(
                  'url', n.url, 'has_application', a.id IS NOT NULL, 'redirect', a.redirect_uri,
                  'storage_digest', row_to_json(s)->>'storage_configuration_digest')), '{}'::json)
                FROM geo_nodes n LEFT JOIN geo_node_statuses s ON s.geo_node_id = n.id
                  LEFT JOIN oauth_applications a ON a.id = n.oauth_application_id))
            """)

    /// How many projects of each kind a look brings home.
    package static let projectsAtMost = 1000

    /// The projects that were pushed to last, with their paths.
    package static let projects = DatabaseQuery(
        name: "projects", database: .main,
        sql: """
            SELECT json_build_object('recent', (SELECT coalesce(json_agg(json_build_object(
                'id', p.id, 'path', r.path, 'pushed_at', extract(epoch FROM p.last_repository_updated_at)::float8)
                ORDER BY p.last_repository_updated_at DESC, p.id), '[]'::json)
              FROM (SELECT id, last_repository_updated_at FROM projects WHERE last_repository_updated_at IS NOT NULL
                ORDER BY last_repository_updated_at DESC LIMIT \(projectsAtMost)) p
              JOIN routes r ON r.source_type = 'Project' AND r.source_id = p.id))
            """)

    /// Bytes of a registry up to which its rows are compared with each other, where no unique index does that already
    /// (`ee/db/geo/structure.sql`: all but those of uploads, job artifacts and package files have one).
    package static let registryComparedAtMost = 64 << 20

    /// Why items of each registry wait or failed, and how many rows are about an item that another row is about already. Columns that a table lacks count as empty. Texts are ASCII and short: a
    /// word of a `tsvector` holds 2 kB at most.
    package static let registryDetails = DatabaseQuery(
        name: "registry-details", database: .tracking,
        sql: """
            WITH halves AS (\(projectHalves))
            SELECT json_build_object(
              'schema_version', (SELECT max(version) FROM schema_migrations),
              'types', (SELECT coalesce(json_object_agg(t.name, counted.word::json), '{}'::json)
                FROM (SELECT c.relname::text AS name, c.oid::regclass AS relation,
                    CASE WHEN bool_or(a.attname = 'state' AND a.atttypid IN (20, 21, 23)) THEN 'state <> 2'
                      ELSE 'coalesce(state, ''0'') NOT IN (''2'', ''synced'')' END AS waits,
                    CASE WHEN bool_or(a.attname = 'state' AND a.atttypid IN (20, 21, 23)) THEN 'state = 3'
                      ELSE 'state IN (''3'', ''failed'')' END AS failed,
                    CASE WHEN bool_or(a.attname = 'last_synced_at') THEN 'last_synced_at IS NULL'
                      ELSE 'false' END AS untried,
                    CASE WHEN bool_or(a.attname = 'created_at') THEN 'created_at' ELSE 'NULL::timestamp' END AS since,
                    CASE WHEN bool_or(a.attname = 'retry_count') THEN 'retry_count' ELSE '0' END AS retries,
                    CASE WHEN bool_or(a.attname = 'last_sync_failure') THEN 'last_sync_failure'
                      ELSE 'NULL::text' END AS sync_failure,
                    CASE WHEN bool_or(a.attname = 'verification_state') THEN 'verification_state = 3'
                      ELSE 'false' END AS unverified,
                    CASE WHEN bool_or(a.attname = 'verification_failure') THEN 'verification_failure'
                      ELSE 'NULL::text' END AS verification_failure,
                    coalesce((SELECT CASE
                        WHEN EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique
                          AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = k.attnum)
                          THEN '0'
                        WHEN pg_relation_size(c.oid) <= \(registryComparedAtMost)
                          THEN format('(SELECT count(%1$I) - count(DISTINCT %1$I) FROM %2$s)', k.attname,
                            c.oid::regclass) END FROM pg_attribute k
                      WHERE k.attrelid = c.oid AND k.attnum > 0 AND NOT k.attisdropped AND k.attname LIKE '%\\_id'
                      ORDER BY k.attnum LIMIT 1), 'NULL::bigint') AS duplicates
                  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname LIKE '%\\_registry'
                    AND c.relnamespace = 'public'::regnamespace
                  GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'state')
                  UNION ALL SELECT name, relation, 'NOT ' || synced, failed, format('last_%s_synced_at IS NULL', half),
                    'created_at', format('coalesce(%s_retry_count, 0)', half), format('last_%s_sync_failure', half),
                    mismatched, format('last_%s_verification_failure', half),
                    CASE WHEN pg_relation_size(relation) <= \(registryComparedAtMost)
                      THEN format('(SELECT count(project_id) - count(DISTINCT project_id) FROM %s)', relation)
                      ELSE 'NULL::bigint' END
                  FROM halves) t,
                  LATERAL ts_stat(format(
                    'SELECT array_to_tsvector(ARRAY[json_build_object('
                    '''never_tried'', count(*) FILTER (WHERE %4$s AND NOT %3$s), '
                    '''oldest_seconds'', extract(epoch FROM clock_timestamp() - min(%5$s))::float8, '
                    '''retries'', coalesce(max(%6$s), 0), ''duplicates'', %10$s, '
                    '''sync_failures'', (SELECT coalesce(json_agg(json_build_object('
                    '''text'', f.text, ''count'', f.count)), ''[]''::json) FROM (SELECT '
                    'left(regexp_replace(coalesce(%7$s, ''no reason given''), ''[^ -~]'', ''?'', ''g''), 80) AS text, '
                    'count(*) AS count FROM %1$s WHERE %3$s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3) f), '
                    '''verification_failures'', (SELECT coalesce(json_agg(json_build_object('
                    '''text'', f.text, ''count'', f.count)), ''[]''::json) FROM (SELECT '
                    'left(regexp_replace(coalesce(%9$s, ''no reason given''), ''[^ -~]'', ''?'', ''g''), 80) AS text, '
                    'count(*) AS count FROM %1$s WHERE %8$s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3) f)'
                    ')::text]) FROM %1$s WHERE %2$s',
                    t.relation, t.waits, t.failed, t.untried, t.since, t.retries, t.sync_failure, t.unverified,
                    t.verification_failure, t.duplicates)) counted))
            """)

    /// Which project repositories lack something, and which were synchronised last; from `project_registry` where the
    /// registry of later releases is not there, or holds nothing yet.
    package static let projectRegistry = DatabaseQuery(
        name: "project-registry", database: .tracking,
        sql: """
            WITH halves AS (\(projectHalves)), source AS (
              SELECT format('(SELECT project_id AS project, %s AS synced, %s AS verified, %s AS moment FROM %s) AS r',
                  form.synced, form.verified, form.moment, form.relation) AS rows
              FROM (SELECT c.oid::regclass AS relation, 'state = 2' AS synced, 'verification_state IN (2, 4)' AS verified,
                  'last_synced_at' AS moment, 1 + (SELECT count(*) FROM ts_stat(format(
                    'SELECT array_to_tsvector(ARRAY[''1'']) FROM %s LIMIT 1', c.oid::regclass))) AS rank
                FROM pg_class c WHERE c.relname = 'project_repository_registry' AND c.relkind IN ('r', 'p')
                  AND c.relnamespace = 'public'::regnamespace
                UNION ALL SELECT relation, synced, format('(%s OR %s)', verified, disabled),
                  'last_repository_successful_sync_at', 1.5 FROM halves WHERE half = 'repository') form
              ORDER BY form.rank DESC LIMIT 1)
            SELECT json_build_object(
              'lacking_count', \(projectCount(where: "NOT (synced AND verified)")),
              'synced_count', \(projectCount(where: "synced AND verified")),
              'lacking', \(projectList(where: "NOT (synced AND verified)")),
              'latest', \(projectList(where: "synced AND verified")))
            """)

    private static func projectCount(where condition: String) -> String {
        """
        (SELECT counted.word::bigint FROM source, LATERAL ts_stat(
          'SELECT array_to_tsvector(ARRAY[count(*)::text]) FROM ' || source.rows || ' WHERE \(condition)') counted)
        """
    }

    /// Each row is a word of its own, since a thousand are too much for one, and numbered, since equal words are one;
    /// made of the rows that are left after the limit, since it costs more than to sort them.
    private static func projectList(where condition: String) -> String {
        """
        (SELECT coalesce(json_agg(item.word::json), '[]'::json) FROM source, LATERAL ts_stat(
          'SELECT array_to_tsvector(ARRAY[json_build_object(''row'', row_number() OVER (), ''project'', project, '
          '''synced'', synced, ''verified'', verified, ''synced_at'', extract(epoch FROM moment)::float8)::text]) '
          'FROM (SELECT * FROM '
          || source.rows || ' WHERE \(condition) ORDER BY moment DESC NULLS LAST LIMIT \(projectsAtMost)) AS listed') item)
        """
    }
}
