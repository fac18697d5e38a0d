extension DatabaseQuery {
    /// Beyond this size of `projects` its old kinds of storage are not counted: it would be read from end to end.
    package static let projectsReadAtMost = 1 << 30

    /// What Geo takes for granted of the installation. `application_settings` has one row that counts, the newest; `ts_stat`
    /// as in ``tracking``, since the column it asks about may be gone.
    package static let settings = DatabaseQuery(
        name: "settings", database: .main,
        sql: """
            SELECT json_build_object(
              'has_license', EXISTS (SELECT FROM licenses),
              'hashes_new_projects', row_to_json(s)->'hashed_storage_enabled',
              'writes_authorized_keys', s.authorized_keys_enabled,
              'git_access', s.enabled_git_access_protocol,
              'has_storage_version', EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = 'projects'::regclass
                AND a.attname = 'storage_version' AND NOT a.attisdropped),
              'legacy_projects', (SELECT counted.word::int
                FROM (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'projects'::regclass
                    AND a.attname = 'storage_version' AND NOT a.attisdropped
                    AND pg_relation_size('projects') <= \(projectsReadAtMost)) a,
                  LATERAL ts_stat(format('SELECT array_to_tsvector(ARRAY[count(*)::text]) FROM (SELECT FROM projects '
                    'WHERE %1$I IS NULL OR %1$I < 2 LIMIT \(SettingFacts.countedAtMost)) legacy', a.attname)) counted),
              'migrations', (SELECT coalesce(json_agg(m.version ORDER BY m.version), '[]'::json)
                FROM (SELECT version FROM schema_migrations ORDER BY version DESC
                  LIMIT \(SettingFacts.countedAtMost)) m))
            FROM (SELECT * FROM application_settings ORDER BY id DESC LIMIT 1) s
            """)

    /// Who may replicate over the network, in the order of the file; lines that PostgreSQL cannot read, wherever they are.
    ///
    /// A question of its own: the view is for superusers only, unless somebody granted it.
    package static let accessRules = DatabaseQuery(
        name: "access-rules", database: .main,
        sql: """
            SELECT json_build_object('rules', coalesce(json_agg(json_build_object('address', r.address,
                'mask', r.netmask, 'users', coalesce(to_json(r.user_name), '[]'::json),
                'method', coalesce(r.auth_method, ''), 'error', r.error) ORDER BY r.line_number), '[]'::json))
            FROM (SELECT * FROM pg_hba_file_rules
              WHERE error IS NOT NULL OR (type LIKE 'host%' AND 'replication' = ANY (database))
              ORDER BY line_number LIMIT 1000) r
            """)
}
