import Foundation
import GeoCore
import Testing

extension DatabaseQueriesLiveTests {
    /// The questions beside replication, on tables with the columns that GitLab gives them.
    @Test func settingsTablesAndRegistriesGiveTheirFacts() throws {
        let live = try LivePostgreSQL()
        defer { live.stop() }
        try live.sql(Self.tables, port: 5433)
        try live.sql(Self.registries, port: 5433, database: "gitlabhq_geo_production")
        let script = RecordedAnswer.script([
            .server, .application, .projects, .registryDetails, .projectRegistry, .settings, .accessRules,
            .baseBackups, .rewindRights,
        ])
        let facts = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)

        let server = try #require(facts.server.value, "\(facts.server)")
        #expect(server.number("max_connections") == 100 && server.settings["hot_standby"] == "on")
        #expect(server.writing.map { $0.bytes >= 0 && $0.seconds >= 0 } == true)
        #expect(server.databaseBytes > 1 << 20 && server.transactions.isEmpty && server.preparedTransactions == 0)

        let application = try #require(facts.application.value, "\(facts.application)")
        #expect(application.unfinishedMigrationCount == 2)
        #expect(application.unfinishedMigrations == ["Fill on uploads", "Sort on projects"])
        #expect(
            application.hasItems == ["container_repositories": true, "uploads": false, "package_files": true],
            "\(application.hasItems)")
        #expect(application.sites["seoul"]?.redirect == "https://seoul.example.com/oauth/geo/callback")
        #expect(application.sites["seoul"]?.hasOAuthApplication == true)
        #expect(application.sites["seoul"]?.storageDigest == "d10b")
        // Its number leads to no application.
        #expect(application.sites["tokyo"]?.hasOAuthApplication == false)

        // Nobody copies it.
        #expect(facts.baseBackups.value == [], "\(facts.baseBackups)")

        // Nobody of that name is there; then one who is granted, and is no more.
        #expect(facts.rewindRights.value == RewindRights(permitted: [], granted: []), "\(facts.rewindRights)")
        let rights = RecordedAnswer.script([.rewindRights])
        for (sql, functions) in [
            ("CREATE ROLE gitlab_replicator; \(RewindRights.grant)", RewindRights.functions.sorted()),
            (RewindRights.revoke, []),
        ] {
            try live.sql(sql, port: 5433)
            let seen = RecordedAnswer.facts(try live.run(rights, port: 5433), rights, elapsedMilliseconds: 60_000)
            #expect(seen.rewindRights.value == RewindRights(permitted: functions, granted: functions))
        }

        let projects = try #require(facts.projects.value, "\(facts.projects)")
        #expect(projects.recent.map(\.path) == ["shop/web", "shop/api"])
        #expect(projects.recent.first?.pushedAt == Timestamp("2026-11-20T10:00:00Z"))

        let details = try #require(facts.registryDetails.value, "\(facts.registryDetails)")
        #expect(details.schemaVersion == "20260729140502")
        let repositories = try #require(details.types["project_repositories"])
        #expect(repositories.neverTried == 1 && repositories.retries == 9)
        #expect((7100...7300).contains(repositories.oldestSeconds ?? 0))
        #expect(repositories.syncFailures.map(\.count) == [2, 1])
        #expect(repositories.syncFailures.first?.text == "Error syncing ?? repository")
        #expect(repositories.verificationFailures == [.init(text: "no reason given", count: 1)])
        // Has a state and nothing else.
        #expect(details.types["uploads"] == .init(duplicates: nil))
        #expect(repositories.duplicates == 1)

        let registry = try #require(facts.projectRegistry.value, "\(facts.projectRegistry)")
        #expect(registry.lackingCount == 6 && registry.lacking.count == 6 && registry.isWhole)
        #expect(
            registry.latest == [
                .init(project: 1, isSynced: true, isVerified: true, syncedAt: Timestamp("2026-11-20T11:00:00Z"))
            ])

        let settings = try #require(facts.settings.value, "\(facts.settings)")
        #expect(settings.hasLicense && settings.writesAuthorizedKeys && settings.gitAccess == "ssh")
        // Of the newest row; the release has no column for new projects any more.
        #expect(settings.hashesNewProjects == nil && settings.legacyProjects == 2)
        #expect(settings.migrations == ["20260712081533", "20260803114027"])
        // pg_hba.conf of initdb lets replication in from the machine itself only.
        let rules = try #require(facts.accessRules.value, "\(facts.accessRules)")
        #expect(rules.map(\.address) == ["127.0.0.1", "::1"] && rules.allSatisfy { $0.method == "trust" })
        #expect(rules.first?.mask == "255.255.255.255" && rules.first?.users == ["all"])

        // Nothing is read that is not there, and no table from end to end that is large.
        try live.sql("ALTER TABLE projects DROP storage_version; DELETE FROM licenses", port: 5433)
        let newer = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        #expect(newer.settings.value?.legacyProjects == 0 && newer.settings.value?.hasLicense == false)

        // A table less, and only its own question is not answered.
        try live.sql("DROP TABLE batched_background_migrations", port: 5433)
        let less = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        #expect(less.application.reason?.contains("batched_background_migrations") == true)
        #expect(less.server.value != nil && less.projects.value != nil)
    }

    private static let tables = """
        CREATE TABLE batched_background_migrations (id serial, job_class_name text, table_name text, status smallint);
        INSERT INTO batched_background_migrations (job_class_name, table_name, status)
          VALUES ('Done', 'uploads', 3), ('Fill', 'uploads', 1), ('Final', 'uploads', 6), ('Sort', 'projects', 4);
        CREATE TABLE schema_migrations (version varchar);
        INSERT INTO schema_migrations VALUES ('20260803114027'), ('20260712081533');
        CREATE TABLE licenses (id int, data text);
        INSERT INTO licenses VALUES (1, 'encrypted');
        ALTER TABLE application_settings ADD authorized_keys_enabled bool DEFAULT false,
          ADD enabled_git_access_protocol varchar;
        INSERT INTO application_settings (maintenance_mode, authorized_keys_enabled, enabled_git_access_protocol)
          VALUES (false, true, 'ssh');
        CREATE TABLE oauth_applications (id int, redirect_uri text);
        INSERT INTO oauth_applications VALUES (7, 'https://seoul.example.com/oauth/geo/callback');
        CREATE TABLE container_repositories (id int);
        INSERT INTO container_repositories VALUES (1);
        CREATE TABLE uploads (id int);
        CREATE TABLE packages_package_files (id int);
        INSERT INTO packages_package_files VALUES (1);
        ALTER TABLE geo_nodes ADD oauth_application_id bigint;
        UPDATE geo_nodes SET oauth_application_id = 7 WHERE name = 'seoul';
        UPDATE geo_nodes SET oauth_application_id = 8 WHERE name = 'tokyo';
        ALTER TABLE geo_node_statuses ADD storage_configuration_digest varchar;
        UPDATE geo_node_statuses SET storage_configuration_digest = 'd10b';
        CREATE TABLE projects (id int, last_repository_updated_at timestamp, storage_version int);
        INSERT INTO projects VALUES (1, '2026-11-20 10:00', 2), (2, '2026-11-19 10:00', 1), (3, NULL, NULL);
        CREATE TABLE routes (source_type varchar, source_id int, path varchar);
        INSERT INTO routes VALUES ('Project', 1, 'shop/web'), ('Project', 2, 'shop/api'), ('Namespace', 1, 'shop')
        """

    private static let registries = """
        CREATE TABLE schema_migrations (version varchar);
        INSERT INTO schema_migrations VALUES ('20260618093011'), ('20260729140502');
        DROP TABLE project_repository_registry;
        CREATE TABLE project_repository_registry (id serial, project_id bigint, state smallint, created_at timestamptz,
          last_synced_at timestamptz, retry_count int, last_sync_failure varchar, verification_state smallint,
          verification_failure varchar);
        INSERT INTO project_repository_registry (project_id, state, created_at, last_synced_at, retry_count,
            last_sync_failure, verification_state) VALUES
          (1, 2, now() - interval '9 hours', '2026-11-20 11:00+00', 0, NULL, 2),
          (2, 2, now() - interval '9 hours', now(), 0, NULL, 3),
          (3, 0, now() - interval '2 hours', NULL, 0, NULL, 0),
          (4, 3, now() - interval '1 hour', now(), 9, E'Error syncing \\x01\\n repository', 0),
          (5, 3, now() - interval '1 hour', now(), 1, E'Error syncing \\x01\\n repository', 0),
          (6, 3, now() - interval '1 hour', now(), 1, NULL, 0),
          (2, 2, now() - interval '1 hour', now(), 0, NULL, 0)
        """
}
