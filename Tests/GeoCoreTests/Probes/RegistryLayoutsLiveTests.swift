import Foundation
import GeoCore
import GeoTestSupport
import Testing

/// How a registry table is made, which changed over the releases of GitLab.
private enum Form {
    /// `state` and `verification_state` as numbers: what all types have come to.
    case numbered
    /// `state` as a number, and no verification.
    case unverified
    /// `state` as a word, and no verification.
    case worded
    /// `state` as a word, with verification.
    case wordedVerified
    /// No `state` at all: `project_registry`, with the columns of repositories and of wikis side by side.
    case halves
    /// What may be left of it in a later release: no wikis any more.
    case half

    var isCounted: Bool { self != .halves && self != .half }

    func table(_ name: String) -> String {
        let columns =
            switch self {
            case .numbered: "state smallint NOT NULL DEFAULT 0, verification_state smallint NOT NULL DEFAULT 0"
            case .unverified: "state smallint NOT NULL DEFAULT 0"
            case .worded: "state varchar"
            case .wordedVerified: "state varchar, verification_state smallint NOT NULL DEFAULT 0"
            case .halves: Self.project(["repository", "wiki"])
            case .half: Self.project(["repository"])
            }
        let rows =
            switch self {
            case .numbered: "(state, verification_state) VALUES (2, 2), (2, 2), (3, 0)"
            case .unverified: "(state) VALUES (2), (2), (3)"
            case .worded: "(state) VALUES ('synced'), ('synced'), ('failed')"
            case .wordedVerified: "(state, verification_state) VALUES ('2', 2), ('synced', 2), ('failed', 0)"
            case .halves, .half: "(project_id) VALUES (1), (2), (3), (4), (5)"
            }
        let states = self == .halves ? Self.projects : ""
        return "CREATE TABLE \(name) (id bigserial, \(columns)); INSERT INTO \(name) \(rows); \(states)"
    }

    private static func project(_ halves: [String]) -> String {
        "project_id integer NOT NULL, created_at timestamp NOT NULL DEFAULT now() - interval '2 hours', "
            + halves.map { half in
                """
                last_\(half)_synced_at timestamp, last_\(half)_successful_sync_at timestamp,
                resync_\(half) boolean DEFAULT true NOT NULL, \(half)_retry_count integer,
                \(half)_retry_at timestamp, last_\(half)_sync_failure varchar,
                last_\(half)_verification_failure varchar, \(half)_verification_checksum_sha bytea,
                \(half)_checksum_mismatch boolean DEFAULT false NOT NULL, \(half)_missing_on_primary boolean
                """
            }.joined(separator: ", ")
    }

    /// As `Geo::ProjectRegistry` and the services of verification leave the columns: of 1 both halves are there and
    /// compared; 2 has had a push to its wiki since; 3 could not be fetched, and has no wiki; 4 has a flag that somebody
    /// cleared, and a wiki that differs; 5 was never tried.
    private static let projects = """
        UPDATE project_registry SET last_repository_synced_at = '2026-11-20 11:00', resync_repository = false,
          last_repository_successful_sync_at = '2026-11-20 11:00', repository_verification_checksum_sha = '\\x6a',
          last_wiki_synced_at = '2026-11-20 11:00', last_wiki_successful_sync_at = '2026-11-20 11:00',
          resync_wiki = false, wiki_verification_checksum_sha = '\\x6b' WHERE project_id <= 4;
        UPDATE project_registry SET resync_wiki = true, wiki_verification_checksum_sha = NULL WHERE project_id = 2;
        UPDATE project_registry SET resync_repository = true, repository_retry_count = 3,
          last_repository_sync_failure = 'Error syncing repository', last_repository_successful_sync_at = NULL,
          repository_verification_checksum_sha = NULL, last_wiki_successful_sync_at = NULL,
          wiki_missing_on_primary = true, wiki_verification_checksum_sha = NULL WHERE project_id = 3;
        UPDATE project_registry SET last_repository_successful_sync_at = NULL, last_repository_synced_at = NULL,
          repository_verification_checksum_sha = NULL, wiki_verification_checksum_sha = NULL,
          wiki_checksum_mismatch = true, last_wiki_verification_failure = 'Wiki checksum mismatch',
          resync_wiki = true, wiki_retry_count = 1 WHERE project_id = 4;
        """

    static let halvesCounted = [
        "repositories": RegistryCounts(total: 5, synced: 2, failed: 1, verified: 2, verificationFailed: 0),
        "wikis": RegistryCounts(
            total: 5, synced: 2, failed: 1, verified: 1, verificationFailed: 1, verificationDisabled: 1),
    ]
}

/// The tracking database of a release: its tables by form. 15.11, 16.11, 18.x and 19.x are as that release's
/// `ee/db/geo/structure.sql` has them, and so are the columns of `project_registry`. 14.5, 16.2 and 17.7 were not seen: they are built from their neighbours and from GitLab's
/// documentation of when each data type came.
private struct Layout: Sendable, CustomTestStringConvertible {
    var release: String
    var tables: [(name: String, form: Form)]
    /// What cannot be counted there.
    var unread: [String] = []
    var testDescription: String { release }

    static let blobs = ["file", "lfs_object", "job_artifact", "package_file", "pages_deployment", "pipeline_artifact"]
        .map { (name: "\($0)_registry", form: Form.numbered) }
    static let states = ["merge_request_diff", "snippet_repository", "terraform_state_version"].map {
        (name: "\($0)_registry", form: Form.numbered)
    }
    static let later = ["ci_secure_file", "dependency_proxy_blob", "dependency_proxy_manifest"].map {
        (name: "\($0)_registry", form: Form.numbered)
    }
    static let repositories = ["project_repository", "project_wiki_repository", "group_wiki_repository"].map {
        (name: "\($0)_registry", form: Form.numbered)
    }

    static let all = [
        // Built from the one of 15.11 without the tables that came after 14.5.
        Layout(
            release: "14.5",
            tables: blobs + states + [
                ("group_wiki_repository_registry", .unverified), ("container_repository_registry", .worded),
                ("design_registry", .worded), ("project_registry", .halves),
            ]),
        Layout(
            release: "15.11",
            tables: blobs + states + later + [
                ("group_wiki_repository_registry", .unverified), ("project_wiki_repository_registry", .numbered),
                ("container_repository_registry", .worded), ("design_registry", .worded),
                ("project_registry", .halves),
            ]),
        // Both are there: which counts is said by the status of the site.
        Layout(
            release: "16.2",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered), ("project_registry", .halves),
            ]),
        // The old table is still there, and the new one counts.
        Layout(
            release: "16.11",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered), ("project_registry", .half),
            ], unread: ["project_registry"]),
        // Built from the one of 18 without the tables that came after 17.7.
        Layout(
            release: "17.7",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered),
            ]),
        Layout(
            release: "18.x",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered), ("packages_nuget_symbol_registry", .numbered),
            ]),
        Layout(
            release: "19.x",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered), ("packages_nuget_symbol_registry", .numbered),
                ("packages_helm_metadata_cache_registry", .numbered),
                ("project_import_export_relation_export_upload_upload_registry", .numbered),
            ]),
    ]
}

extension DatabaseQueriesLiveTests {
    /// Every table of every release is counted, or named as one that was not.
    @Test func everyReleasesRegistriesAreCountedOrNamed() throws {
        let live = try LivePostgreSQL()
        defer { live.stop() }
        let script = RecordedAnswer.script([.tracking])
        for layout in Layout.all {
            let tables = layout.tables.map { $0.form.table($0.name) }.joined(separator: "\n")
            try live.sql(
                "DROP SCHEMA public CASCADE; CREATE SCHEMA public; \(tables)"
                    + " CREATE TABLE event_log_states (event_id bigint); INSERT INTO event_log_states VALUES (41)",
                port: 5433, database: "gitlabhq_geo_production")
            let facts = RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
            let tracking = try #require(facts.tracking.value, "\(layout.release): \(facts.tracking)")
            #expect(tracking.unread ?? [] == layout.unread, "\(layout.release)")
            let counted = layout.tables.filter(\.form.isCounted)
            let halves = tracking.registries.filter { Form.halvesCounted.keys.contains($0.key) }
            switch layout.tables.first(where: { !$0.form.isCounted })?.form {
            case .halves?: #expect(halves == Form.halvesCounted, "\(layout.release)")
            case .half?: #expect(halves.keys.sorted() == ["repositories"], "\(layout.release)")
            default: #expect(halves.isEmpty, "\(layout.release)")
            }
            #expect(tracking.registries.count == counted.count + halves.count, "\(layout.release)")
            for (name, form) in counted {
                let counts = try #require(
                    tracking.registries[TrackingFacts.dataType(ofTable: name)], "\(layout.release) \(name)")
                #expect(
                    (counts.total, counts.synced, counts.failed) == (3, 2, 1), "\(layout.release) \(name): \(counts)")
                let isVerified = form == .numbered || form == .wordedVerified
                #expect(counts.verified == (isVerified ? 2 : 0), "\(layout.release) \(name): \(counts)")
                #expect(counts.verificationDisabled == (isVerified ? 0 : 3), "\(layout.release) \(name): \(counts)")
            }
        }
    }
    /// What waits in `project_registry`, half by half, and which projects' repositories are not there.
    @Test func theTableOfOldReleasesTellsWhatItLacks() throws {
        let live = try LivePostgreSQL()
        defer { live.stop() }
        let script = RecordedAnswer.script([.registryDetails, .projectRegistry])
        func look() throws -> NodeFacts {
            RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        }
        func change(_ sql: String) throws { try live.sql(sql, port: 5433, database: "gitlabhq_geo_production") }
        try change(
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_migrations (version varchar); "
                + Form.halves.table("project_registry"))
        let old = try look()
        let details = try #require(old.registryDetails.value, "\(old.registryDetails)")
        let repositories = try #require(details.types["repositories"])
        #expect(repositories.neverTried == 2 && repositories.retries == 3 && repositories.duplicates == 0)
        #expect(repositories.syncFailures == [.init(text: "Error syncing repository", count: 1)])
        #expect((7100...9000).contains(repositories.oldestSeconds ?? 0))
        let wikis = try #require(details.types["wikis"])
        #expect(wikis.verificationFailures == [.init(text: "Wiki checksum mismatch", count: 1)])
        #expect(wikis.neverTried == 1)
        let at = Timestamp("2026-11-20T11:00:00Z")
        let registry = try #require(old.projectRegistry.value, "\(old.projectRegistry)")
        #expect(registry.lacking.map(\.project) == [3, 4, 5] && registry.lackingCount == 3 && registry.isWhole)
        #expect(registry.latest.map(\.project) == [1, 2] && registry.latest.allSatisfy { $0.syncedAt == at })

        // The table of later releases is asked as soon as it holds something, and both are named when neither is there.
        try change(
            "CREATE TABLE project_repository_registry (project_id bigint, state smallint, verification_state smallint,"
                + " last_synced_at timestamptz)")
        #expect(try look().projectRegistry.value == registry)
        try change("INSERT INTO project_repository_registry VALUES (1, 2, 2, '2026-11-21 09:00+00')")
        #expect(try look().projectRegistry.value?.latest.map(\.syncedAt) == [Timestamp("2026-11-21T09:00:00Z")])
        try change("DROP TABLE project_registry, project_repository_registry")
        #expect(try look().projectRegistry.reason?.contains("no registry of project repositories") == true)
    }
}
