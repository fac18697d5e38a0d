/// Where the facts behind checks and actions can be looked up by anybody: a page of GitLab's documentation, a file of a
/// public repository with the version that was read, a manual. Printed by `check --explain` and `runbook explain`.
package struct Citation: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    private init(_ description: String) { self.description = description }

    /// A page of GitLab's documentation, by its path.
    static func docs(_ page: String) -> Citation { Citation("https://docs.gitlab.com/\(page)/") }
    static func geoDocs(_ page: String) -> Citation { docs("administration/geo/\(page)") }
    /// A file of the package's own repository, as of the version whose behaviour was measured.
    static func omnibus(_ path: String) -> Citation { Citation("omnibus-gitlab 19.3: \(path)") }
    /// A file of GitLab's own repository.
    static func gitlab(_ path: String) -> Citation { Citation("gitlab-org/gitlab 19.x: \(path)") }
    static func postgresql(_ topic: String) -> Citation { Citation("PostgreSQL documentation: \(topic)") }
    static func manual(_ page: String) -> Citation { Citation("manual page \(page)") }
    /// A promise of this tool, which the project's own documentation lists.
    static func promise(_ number: Int) -> Citation { Citation("docs/INVARIANTS.md, promise \(number)") }
    static func decision(_ name: String) -> Citation { Citation("docs/decisions/\(name).md") }
}

/// Several places in one line, the most telling first.
func cite(_ places: Citation...) -> String { places.map(\.description).joined(separator: "; ") }

extension Citation {
    // Documentation pages.
    static let disasterRecovery = geoDocs("disaster_recovery")
    static let plannedFailover = geoDocs("disaster_recovery/planned_failover")
    static let bringPrimaryBack = geoDocs("disaster_recovery/bring_primary_back")
    static let multipleNodes = geoDocs("replication/multiple_servers")
    static let databaseSetup = geoDocs("setup/database")
    static let configuration = geoDocs("replication/configuration")
    static let pauseResume = geoDocs("replication/pause_resume_replication")
    static let selectiveSync = geoDocs("replication/selective_synchronization")
    static let dataTypes = geoDocs("replication/datatypes")
    static let troubleshooting = geoDocs("replication/troubleshooting/common")
    static let troubleshootingPostgreSQL = geoDocs("replication/troubleshooting/postgresql_replication")
    static let troubleshootingSync = geoDocs("replication/troubleshooting/synchronization_verification")
    static let silentMode = docs("administration/silent_mode")
    static let maintenanceMode = docs("administration/maintenance_mode")
    static let storagePaths = docs("administration/repository_storage_paths")
    static let keyLookup = docs("administration/operations/fast_ssh_key_lookup")
    static let sitesAPI = docs("api/geo_sites")
    static let backup = docs("administration/backup_restore/backup_gitlab")
    static let consul = docs("administration/consul")
    static let customCertificates = docs("omnibus/settings/ssl")
    static let backgroundMigrations = docs("update/background_migrations")

    // The package's programs.
    static let promote = omnibus("files/gitlab-ctl-commands-ee/lib/gitlab_ctl/geo/promote.rb")
    static let promoteDatabase = omnibus("files/gitlab-ctl-commands-ee/lib/gitlab_ctl/geo/promote_db.rb")
    static let patroniList = Citation("https://patroni.readthedocs.io/en/latest/patronictl.html")
    static let patroniPause = Citation("https://patroni.readthedocs.io/en/latest/pause.html")
    static let patroniStandby = Citation("https://patroni.readthedocs.io/en/latest/standby_cluster.html")
    static let patroniCookbook = omnibus("files/gitlab-cookbooks/patroni/recipes/enable.rb")
    static let replicate = omnibus("files/gitlab-ctl-commands-ee/lib/gitlab_ctl/geo/replication.rb")
    static let pointInTime = omnibus("files/gitlab-ctl-commands-ee/lib/gitlab_ctl/geo/pitr_file.rb")
    static let clusterFile = omnibus("files/gitlab-cookbooks/package/libraries/gitlab_cluster.rb")
    static let bootUnit = omnibus("files/gitlab-cookbooks/package/recipes/runit_systemd.rb")
    static let serviceTable = omnibus("files/gitlab-cookbooks/package/libraries/config/services.rb")
    static let attributeReader = omnibus("files/gitlab-ctl-commands/lib/gitlab_ctl/util.rb")
    static let postgresqlSettings = omnibus("doc/settings/database.md")
    static let configurationFiles = omnibus("doc/settings/configuration.md, Load external configuration file")
    static let serviceControl = Citation("omnibus-ctl 0.6: lib/omnibus-ctl.rb; manual page sv(8) of runit")

    // GitLab itself.
    static let siteStatus = gitlab("ee/app/models/geo_node_status.rb")
    static let statusCheck = gitlab("ee/lib/gitlab/geo/geo_node_status_check.rb")
    static let healthCheck = gitlab("ee/lib/gitlab/geo/health_check.rb")
    static let geoTasks = gitlab("ee/lib/gitlab/geo/geo_tasks.rb")
    static let geoRole = gitlab("ee/lib/gitlab/geo.rb")
    static let registry = gitlab("ee/app/models/concerns/geo/replicable_registry.rb")
    static let verification = gitlab("ee/app/models/concerns/geo/verification_state.rb")
    static let geoSite = gitlab("ee/app/models/geo_node.rb")
    static let schemaVersions = gitlab("db/schema_migrations")
    static let hashedStorageCheck = gitlab("lib/system_check/app/hashed_storage_all_projects_check.rb")
    static let httpCloneCheck = gitlab("ee/lib/system_check/geo/http_clone_enabled_check.rb")
    static let keyLookupCheck = gitlab("ee/lib/system_check/geo/authorized_keys_check.rb")
    static let trackingSchema = gitlab("ee/db/geo/structure.sql")

    // PostgreSQL.
    static let replicationViews = postgresql("pg_stat_wal_receiver, pg_stat_replication (monitoring-stats)")
    static let slots = postgresql("pg_replication_slots (view-pg-replication-slots)")
    static let recoveryFunctions = postgresql("recovery information functions (functions-admin)")
    static let shutdown = postgresql("shutting down the server (server-shutdown), pg_controldata")
    static let timelines = postgresql("timelines (continuous-archiving)")
    static let waldump = postgresql("pg_waldump (pgwaldump)")
    static let rewind = postgresql("pg_rewind (app-pgrewind)")
    static let hotStandby = postgresql("hot standby, administrator's overview (hot-standby)")
    static let accessRules = postgresql("pg_hba_file_rules (view-pg-hba-file-rules)")
    static let collations = postgresql("collation versions (collation)")
}
