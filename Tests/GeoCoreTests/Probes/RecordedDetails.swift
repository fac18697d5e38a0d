/// Answers to the questions beside replication and Geo's tables, as PostgreSQL 15, ls and openssl print them.
extension RecordedAnswer {
    static let serverJSON = """
        {"settings" : { "hot_standby" : "on", "max_connections" : "500", "max_replication_slots" : "3" }, \
        "pending_restart" : ["max_wal_senders"], "database_bytes" : 12884901888, "locale" : "en_US.UTF-8 en_US.UTF-8", \
        "collation_version" : "2.36", "transactions" : [{"seconds" : 12.5, "user" : "gitlab", \
        "application" : "puma: cluster worker 0", "state" : "idle in transaction"}], "prepared" : 0, "writing" : null}
        """

    static let applicationJSON = """
        {"migration_count" : 1, "migrations" : ["BackfillUploadStates on uploads"], \
        "schema_version" : "20260803114027", "has_items" : { "uploads" : true, "container_repositories" : false }, \
        "sites" : { "tokyo" : {"url" : "https://tokyo.example.com/", "has_application" : false, "redirect" : null, \
        "storage_digest" : "d10b7cb6"}, "seoul" : {"url" : "https://seoul.example.com/", "has_application" : true, \
        "redirect" : "https://seoul.example.com/oauth/geo/callback", "storage_digest" : null} }}
        """

    static let settingsJSON = """
        {"has_license" : true, "hashes_new_projects" : true, "writes_authorized_keys" : false, "git_access" : null, \
        "has_storage_version" : true, "legacy_projects" : 3, "migrations" : ["20260712081533", "20260803114027"]}
        """

    /// PostgreSQL 15.18 in the lab, in the middle of a copy.
    static let baseBackupsJSON = """
        {"copies" : [{"phase" : "streaming database files", "total" : 83152896, "streamed" : 12058624,\
         "client" : "10.77.1.21"}, {"phase" : "waiting for checkpoint to finish", "total" : null, "streamed" : 0,\
         "client" : null}]}
        """

    static let rewindRightsJSON = """
        {"permitted" : ["pg_ls_dir(text,boolean,boolean)", "pg_read_binary_file(text)"], \
        "granted" : ["pg_read_binary_file(text)"]}
        """

    static let accessRulesJSON = """
        {"rules" : [{"address" : "10.77.0.0", "mask" : "255.255.0.0", "users" : ["gitlab_replicator"], \
        "method" : "md5", "error" : null}, {"address" : null, "mask" : null, "users" : [], "method" : "", \
        "error" : "invalid connection type \\"hots\\""}]}
        """

    /// The start and the middle of what `sshd -T` prints.
    static let sshd = """
        port 22
        addressfamily any
        authorizedkeyscommand /opt/gitlab/embedded/service/gitlab-shell/bin/gitlab-shell-authorized-keys-check git %u %k
        authorizedkeyscommanduser git
        authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2

        """

    static let projectsJSON = """
        {"recent" : [{"id" : 7, "path" : "shop/web", "pushed_at" : 1795229991.25}, \
        {"id" : 3, "path" : "shop/api", "pushed_at" : 1795221111}]}
        """

    static let registryDetailsJSON = """
        {"schema_version" : "20260729140502", "types" : { "project_repository_registry" : {"never_tried" : 2, \
        "oldest_seconds" : 7200.5, "retries" : 9, "duplicates" : 0, "sync_failures" : [{"text":"Error syncing repository","count":4}], \
        "verification_failures" : []}, "file_registry" : {"never_tried" : 0, "oldest_seconds" : null, "retries" : 0, \
        "duplicates" : null, \
        "sync_failures" : [], "verification_failures" : [{"text":"File is not checksummable","count":1}]} }}
        """

    static let projectRegistryJSON = """
        {"lacking_count" : 1, "synced_count" : 1, "lacking" : [{"project" : 3, "synced" : false, "verified" : false, \
        "synced_at" : null}], "latest" : [{"project" : 7, "synced" : true, "verified" : true, \
        "synced_at" : 1795229000.5}]}
        """

    static let configurationTimes = """
        -rw------- 1 0 0 2013 1795000000 /etc/gitlab/gitlab.rb
        -rw------- 1 0 0 1213 1794000000 /etc/gitlab/gitlab-secrets.json

        /opt/gitlab/embedded/nodes:
        total 24
        -rw------- 1 0 0 23553 1795100000 seoul-all-1.lab.test.json

        """

    static let consulMembers = """
        Node                 Address          Status  Type    Build   Protocol  DC             Partition  Segment
        consul-1.lab.test    10.77.2.61:8301  alive   server  1.18.2  2         gitlab_consul  default    <all>
        consul-2.lab.test    10.77.2.62:8301  failed  server  1.18.2  2         gitlab_consul  default    <all>
        consul-3.lab.test    10.77.2.63:8301  alive   server  1.18.2  2         gitlab_consul  default    <all>
        seoul-pg-1.lab.test  10.77.2.21:8301  alive   client  1.18.2  2         gitlab_consul  default    <default>

        """

    static let trustedCertificates = """
        SHA256 Fingerprint=\(Array(repeating: "A1", count: 32).joined(separator: ":"))
        other README
        sha256 Fingerprint=\(Array(repeating: "0F", count: 32).joined(separator: ":"))
        all

        """

    static let backups = """
        total 20480
        -rw------- 1 998 998 10485760 1795100000 1795099900_2026_11_20_19.3.0-ee_gitlab_backup.tar
        -rw------- 1 998 998 10485760 1795000000 1794999900_2026_11_19_19.3.0-ee_gitlab_backup.tar
        drwx------ 2 998 998     4096 1795200000 tmp
        -rw------- 1 998 998     1234 1795200000 notes.txt

        """

    static let certificate = """
        subject=CN = seoul.example.com
        notBefore=Nov  1 00:00:00 2026 GMT
        notAfter=Feb 14 12:00:00 2027 GMT
        X509v3 Subject Alternative Name: 
            DNS:seoul.example.com, DNS:*.Pages.example.com, IP Address:10.77.2.10
        Verify return code: 0 (ok)

        """
}
