extension ProbeCatalog {
    /// What Geo takes for granted of an installation.
    static func settings(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .settings: [mainDatabase([.settings])]
        case .accessRules: [mainDatabase([.accessRules])]
        case .baseBackups: [mainDatabase([.baseBackups])]
        case .rewindRights: [mainDatabase([.rewindRights])]
        case .schemaFiles: [shell("schema-files", schemaFiles)]
        case .keyLookup:
            [
                // What is in force for the user of git, with all files and Match blocks; of root, since sshd's files and host
                // keys are. Tests the configuration and starts nothing (sshd(8)).
                ProbeCommand(
                    "key-lookup", ["/usr/sbin/sshd", "-T", "-C", "user=git,host=localhost,addr=127.0.0.1"], as: .root)
            ]
        case .passwords: [ProbeCommand("passwords", passwords, as: .root)]
        default: []
        }
    }

    /// Keyed with the secrets that both sites have to share: a digest alone could be searched for a weak password. Attributes
    /// have had dashes and underscores, and PostgreSQL's were under `gitlab` once.
    private static let passwords = [
        "/opt/gitlab/embedded/bin/ruby", "-rjson", "-ropenssl", "-e",
        "def sorted(v) v.is_a?(Hash) ? v.sort.to_h { |k, x| [k, sorted(x)] } : "
            + "v.is_a?(Array) ? v.map { |x| sorted(x) } : v end; "
            + "key = JSON.generate(sorted(JSON.parse(File.read(ARGV[0])))); "
            + lastAttributes(in: 1) + "found = {}; "
            + "{ 'postgresql' => %w[sql_user_password sql_replication_password pgbouncer_user_password], "
            + "'gitlab-rails' => %w[db_password], 'gitlab_rails' => %w[db_password], "
            + "'patroni' => %w[password replication_password] }.each { |part, names| names.each { |name| "
            + "value = (all[part] || {})[name]; next unless value.is_a?(String) && !value.empty?; "
            + "found[part.tr('-', '_') + '.' + name] = OpenSSL::HMAC.hexdigest('SHA256', key, value)[0, 32] } }; "
            + "puts JSON.generate(found)", ProbeCatalog.secretsFile, ProbeCatalog.attributeDirectory,
    ]

    /// Ruby that puts into `all` what the last reconfigure was told, from the directory in that argument.
    static func lastAttributes(in argument: Int) -> String {
        "file = Dir[ARGV[\(argument)] + '/*.json'].max_by { |f| File.mtime(f) } or abort 'the node was never reconfigured'; "
            + "normal = JSON.parse(File.read(file))['normal'] or abort 'the last reconfigure did not end'; "
            + "all = normal.merge(normal['gitlab'] || {}); "
    }

    /// The newest of the package's migrations of the main database: one file each, whose name is the version.
    private static let schemaFiles =
        "cd /opt/gitlab/embedded/service/gitlab-rails/db/schema_migrations && ls | grep -E '^[0-9]{14}$' | sort | "
        + "tail -n \(SettingFacts.countedAtMost)"
}
