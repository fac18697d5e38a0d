extension ProbeCatalog {
    /// What keeps a site going beside its services: Patroni's store, trusted authorities, backups, cron jobs.
    static func operations(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .consul:
            [
                ProbeCommand(
                    "consul", ["/opt/gitlab/embedded/bin/consul", "members"], as: .operatorAccount,
                    outputLimitBytes: 64 << 10, usualSeconds: 1)
            ]
        case .trustedCertificates: [shell("trusted-certificates", trustedCertificates, outputLimitBytes: 64 << 10)]
        case .backups:
            [
                // The package's default place; only git and root may look into it.
                ProbeCommand(
                    "backups", ["/bin/ls", "-ln", "--time-style=+%s", "/var/opt/gitlab/backups"], as: .root,
                    outputLimitBytes: 256 << 10)
            ]
        case .cronStates:
            [
                ProbeCommand(
                    "cron-states", ["/opt/gitlab/bin/gitlab-redis-cli", "--raw", "EVAL", cronStates, "0"], as: .root,
                    outputLimitBytes: 64 << 10)
            ]
        default: []
        }
    }

    /// A line per certificate; `none` where the directory is not there, and an error where it cannot be looked into. What
    /// is no certificate is named: reconfigure skips it too.
    private static let trustedCertificates =
        "dir=/etc/gitlab/trusted-certs; [ -x /etc/gitlab ] || { echo 'no right to look into /etc/gitlab' >&2; exit 13; }; "
        + "[ -d \"$dir\" ] || { echo none; exit; }; cd \"$dir\" && ls >/dev/null || exit; "
        + "ssl=/opt/gitlab/embedded/bin/openssl; [ -x \"$ssl\" ] || ssl=openssl; "
        + "for file in *; do [ -f \"$file\" ] || continue; "
        + "print=$(\"$ssl\" x509 -noout -fingerprint -sha256 -in \"$file\" 2>/dev/null) && echo \"$print\" "
        + "|| echo \"other $file\"; done; echo all"

    /// Reads only (SMEMBERS, HMGET), in one call. sidekiq-cron 1 keeps the set `cron_jobs`, version 2 `cron_jobs:default`;
    /// GitLab before 17 kept Sidekiq under a prefix.
    private static let cronStates =
        "local found = {} for _, p in ipairs({'', 'resque:gitlab:'}) do "
        + "for _, s in ipairs({'cron_jobs', 'cron_jobs:default'}) do "
        + "for _, k in ipairs(redis.call('SMEMBERS', p .. s)) do local h = redis.call('HMGET', p .. k, 'name', 'status') "
        + "if h[1] then found[h[1]] = h[2] end end end end return cjson.encode(found)"
}
