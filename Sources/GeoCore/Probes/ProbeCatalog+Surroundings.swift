extension ProbeCatalog {
    /// What a node has to work with, how it is configured, and what it serves.
    static func surroundings(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .machine: [shell("machine", machine)]
        case .configuration:
            [
                configurationTimes,
                // Two settings that name the site, and nothing else of a file that holds passwords. The dots stand for
                // brackets and quotes, which sudoers would read as patterns.
                ProbeCommand(
                    "configuration-names",
                    ["/bin/grep", "-E", "^ *(gitlab_rails..geo_node_name|external_url)", "/etc/gitlab/gitlab.rb"],
                    as: .root),
            ]
        case .certificate: [shell("certificate", certificate)]
        case .trackingSchema: [shell("tracking-schema", trackingSchema)]
        default: []
        }
    }

    /// The files themselves need root, and so does the directory of the attributes. Exact names, no glob: sudoers can list
    /// it. A missing file is said on standard error and leaves the others' lines whole. The newest first, to the nanosecond.
    static let configurationTimes = ProbeCommand(
        "configuration-times",
        [
            "/bin/ls", "-lnt", "--time-style=+%s", "/etc/gitlab/gitlab.rb", secretsFile, attributeDirectory,
        ], as: .root)

    /// One pgrep, which reads all of `/proc`; it exits with 1 when there is none, and with more when it cannot say.
    private static let machine =
        "echo \"processors $(nproc)\"; key=; until [ \"$key\" = MemTotal: ]; do "
        + "read -r key value _ || { value=; break; }; done </proc/meminfo; echo \"memory $value\"; "
        + "echo \"libc $(getconf GNU_LIBC_VERSION 2>/dev/null)\"; "
        + "echo \"system $(. /etc/os-release 2>/dev/null; echo \"$ID $VERSION_ID\")\"; "
        + "echo \"addresses $(hostname -I 2>/dev/null)\"; "
        + "found=$(pgrep -fa '^(puma: cluster worker|sidekiq [0-9])'); [ $? -le 1 ] || exit 1; "
        + "puma=0 sidekiq=0; set -f; IFS='\n'; for line in $found; do case ${line#* } in "
        + "'puma: cluster worker'*) puma=$((puma + 1)) ;; 'sidekiq '[0-9]*) sidekiq=$((sidekiq + 1)) ;; esac; done; "
        + "echo \"puma $puma\"; echo \"sidekiq $sidekiq\""

    /// What is served, not what lies in a file: a certificate that was renewed and never loaded shows here. Whether its
    /// chain is trusted says GitLab's own OpenSSL, with the authorities that GitLab itself uses (`trusted-certs`).
    private static let certificate =
        "ssl=/opt/gitlab/embedded/bin/openssl; [ -x \"$ssl\" ] || ssl=openssl; "
        + "said=$(timeout 5 \"$ssl\" s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null); "
        + "printf '%s\\n' \"$said\" | \"$ssl\" x509 -noout -subject -dates -ext subjectAltName && "
        + "printf '%s\\n' \"$said\" | grep 'Verify return code:' | head -n 1"

    /// The newest of both folders of GitLab's package, by name.
    private static let trackingSchema =
        "cd /opt/gitlab/embedded/service/gitlab-rails/ee/db/geo && ls migrate post_migrate | "
        + "grep -E '^[0-9]{14}_' | sort | tail -n 1"
}
