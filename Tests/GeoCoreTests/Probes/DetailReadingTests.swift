import GeoCore
import Testing

/// Readers of the queries beside replication: what is missing, hidden or out of range is a reason and not a number.
@Suite struct DetailReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    private func answer(_ probe: Probe, _ name: String, _ json: String, in command: String = "sql-main") -> NodeFacts {
        RecordedAnswer.facts(probe, [command: Saying(output: RecordedAnswer.psql([(name, json)]))])
    }

    @Test func recordedAnswersAreReadWhole() throws {
        let facts = RecordedAnswer.whole.facts(RecordedAnswer.script())
        let server = try #require(facts.server.value)
        #expect(server.number("max_connections") == 500 && server.pendingRestart == ["max_wal_senders"])
        #expect(server.transactions.first?.state == "idle in transaction" && server.writing == nil)
        #expect(facts.application.value?.unfinishedMigrations == ["BackfillUploadStates on uploads"])
        #expect(facts.application.value?.hasItems == ["uploads": true, "container_repositories": false])
        #expect(facts.projects.value?.recent.map(\.path) == ["shop/web", "shop/api"])
        #expect(facts.registryDetails.value?.types["project_repositories"]?.retries == 9)
        #expect(facts.registryDetails.value?.types["uploads"]?.verificationFailures.first?.count == 1)
        #expect(facts.projectRegistry.value?.lacking.first?.isSynced == false)
        #expect(facts.projectRegistry.value?.isWhole == true)
        #expect(facts.trackingSchema.value == "20260729140502" && facts.machine.value?.glibc == "2.36")
    }

    /// Without pg_monitor other roles' sessions have no state: nobody may call that "no long transaction".
    @Test func aHiddenSessionIsUnknownAndNamesTheRight() {
        let hidden = RecordedAnswer.serverJSON.replacing("\"idle in transaction\"", with: "null")
        let found = answer(.server, "server", hidden).server
        #expect(found.reason?.contains("grant it pg_monitor") == true, "\(found)")
    }

    @Test(arguments: [
        ("\"database_bytes\" : 12884901888", "\"database_bytes\" : 0"),
        ("\"max_connections\" : \"500\"", "\"max_connections\" : 500"),
        ("\"prepared\" : 0", "\"prepared\" : null"), ("\"pending_restart\" : [", "\"pending_restart\" : [7, "),
        ("\"writing\" : null", "\"writing\" : 5"), ("\"locale\"", "\"lokale\""),
    ])
    func anOddServerIsUnknown(text: String, other: String) {
        #expect(answer(.server, "server", RecordedAnswer.serverJSON.replacing(text, with: other)).server.value == nil)
    }

    @Test(arguments: [
        ("\"migration_count\" : 1", "\"migration_count\" : 0"), ("\"migration_count\" : 1", "\"migration_count\" : -1"),
        ("\"uploads\" : true", "\"uploads\" : null"), ("\"has_application\" : true", "\"has_application\" : \"t\""),
        ("\"sites\"", "\"places\""), ("[\"BackfillUploadStates on uploads\"]", "[]"),
    ])
    func oddTablesAreUnknown(text: String, other: String) {
        let json = RecordedAnswer.applicationJSON.replacing(text, with: other)
        #expect(answer(.application, "application", json).application.value == nil)
    }

    @Test(arguments: ["-1", "4102444800", "1e300", "null", "\"2026\""])
    func aPushAtNoTimeIsUnknown(time: String) {
        let json = RecordedAnswer.projectsJSON.replacing("1795221111", with: time)
        #expect(answer(.projects, "projects", json).projects.value == nil)
    }

    @Test func aRegistryThatMiscountsIsUnknown() {
        let json = RecordedAnswer.projectRegistryJSON.replacing("\"lacking_count\" : 1", with: "\"lacking_count\" : 0")
        #expect(answer(.projectRegistry, "project-registry", json, in: "sql-tracking").projectRegistry.value == nil)
        let more = RecordedAnswer.projectRegistryJSON.replacing("\"synced_count\" : 1", with: "\"synced_count\" : 2")
        let found = answer(.projectRegistry, "project-registry", more, in: "sql-tracking").projectRegistry
        #expect(found.value?.isWhole == false)
    }

    @Test func noRegistryAtAllIsNoEmptyAnswer() {
        let json = "{\"schema_version\" : null, \"types\" : {}}"
        let found = answer(.registryDetails, "registry-details", json, in: "sql-tracking").registryDetails
        #expect(found.reason?.contains("no registry tables") == true)
    }
}
