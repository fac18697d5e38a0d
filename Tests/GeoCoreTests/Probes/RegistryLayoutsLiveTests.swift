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
    /// No `state` at all: `project_registry`, with a flag per thing that is to be done again.
    case flagged

    func table(_ name: String) -> String {
        let columns =
            switch self {
            case .numbered: "state smallint NOT NULL DEFAULT 0, verification_state smallint NOT NULL DEFAULT 0"
            case .unverified: "state smallint NOT NULL DEFAULT 0"
            case .worded: "state varchar"
            case .wordedVerified: "state varchar, verification_state smallint NOT NULL DEFAULT 0"
            case .flagged: "resync_repository bool NOT NULL DEFAULT true, resync_wiki bool NOT NULL DEFAULT true"
            }
        let rows =
            switch self {
            case .numbered: "(state, verification_state) VALUES (2, 2), (2, 2), (3, 0)"
            case .unverified: "(state) VALUES (2), (2), (3)"
            case .worded: "(state) VALUES ('synced'), ('synced'), ('failed')"
            case .wordedVerified: "(state, verification_state) VALUES ('2', 2), ('synced', 2), ('failed', 0)"
            case .flagged: "(resync_repository) VALUES (false), (false), (true)"
            }
        return "CREATE TABLE \(name) (id bigserial, \(columns)); INSERT INTO \(name) \(rows);"
    }
}

/// The tracking database of a release: its tables by form. 15.11, 16.11, 18.x and 19.x are as that release's
/// `ee/db/geo/structure.sql` has them. 14.5 and 17.7 were not seen: they are built from their neighbours and from GitLab's
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
                ("design_registry", .worded), ("project_registry", .flagged),
            ], unread: ["project_registry"]),
        Layout(
            release: "15.11",
            tables: blobs + states + later + [
                ("group_wiki_repository_registry", .unverified), ("project_wiki_repository_registry", .numbered),
                ("container_repository_registry", .worded), ("design_registry", .worded),
                ("project_registry", .flagged),
            ], unread: ["project_registry"]),
        // The old table is still there, and the new one counts.
        Layout(
            release: "16.11",
            tables: blobs + states + later + repositories + [
                ("container_repository_registry", .wordedVerified),
                ("design_management_repository_registry", .numbered), ("project_registry", .flagged),
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
            let counted = layout.tables.filter { $0.form != .flagged }
            #expect(tracking.registries.count == counted.count, "\(layout.release)")
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
}
