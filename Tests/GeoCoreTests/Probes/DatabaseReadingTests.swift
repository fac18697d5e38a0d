import GeoCore
import Testing

/// Facts from the databases' JSON, and psql's way of carrying it.
struct DatabaseReadingTests {
    private static func replaced(_ json: String, _ part: String, _ other: String) -> [UInt8] {
        let pieces = json.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
        return Array(pieces.joined(separator: other).utf8)
    }

    /// A standby that was rewound names its timeline in pg_control_checkpoint() minutes later; its primary may be stopped by then.
    @Test(arguments: [(1, 3, nil as Int?, 3), (1, 1, 3, 3), (3, 0, nil, 3), (1, 1, nil, 1)])
    func aStandbyThatNothingStreamsToIsOnTheTimelineThatItRecoveredTo(
        control: Int, recovery: Int, received: Int?, expected: Int
    ) throws {
        let receiver = RecordedAnswer.standbyJSON.split(separator: "\"receiver\" : ")[1].dropLast(2)
        var json = RecordedAnswer.standbyJSON.replacing(
            "\"control_timeline\" : 3", with: "\"control_timeline\" : \(control)"
        )
        .replacing("\"recovery_timeline\" : 3", with: "\"recovery_timeline\" : \(recovery)")
        if received == nil { json = json.replacing(String(receiver), with: "null") }
        #expect(try DatabaseReadings.replication(json.utf8).timeline == expected)
    }

    @Test func standbyKeepsReceiverPauseAndPositionsTogether() throws {
        let facts = try DatabaseReadings.replication(Array(RecordedAnswer.standbyJSON.utf8))
        let standby = try #require(facts.standby)
        #expect(facts.timeline == 3 && facts.serverVersion == 150_018)
        #expect(standby.received == LogPosition("0/3019670") && standby.replayed == LogPosition("0/30173F8"))
        #expect(standby.receiver?.secondsSinceMessage == 0.25)
        let cut = Self.replaced(RecordedAnswer.standbyJSON, "\"receiver\" : {", "\"receiver\" : null, \"x\" : {")
        #expect(try DatabaseReadings.replication(cut).standby?.receiver == nil)
    }

    @Test(arguments: [
        ("\"primary\" : null", "\"primary\" : {}", "changed its role"),
        ("\"status\" : \"streaming\"", "\"status\" : null", "may not read pg_stat_wal_receiver"),
        ("\"replayed\" : \"0/30173F8\"", "\"replayed\" : null", "has not replayed anything"),
        ("\"0/30173F8\"", "\"16/B374D848Z\"", "not a WAL position"),
        ("\"paused\" : false", "\"paused\" : \"f\"", "\"paused\""),
        ("\"7301234567890123456\"", "\"73x\"", "not a system identifier"),
        ("{", "[{", "did not answer with a JSON object"),
        ("\"server_version\"", "\"version\"", "\"server_version\""),
    ])
    func oddReplicationIsUnknown(part: String, other: String, reason: String) {
        let error = #expect(throws: Unreadable.self) {
            try DatabaseReadings.replication(Self.replaced(RecordedAnswer.standbyJSON, part, other))
        }
        #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    }

    /// Releases before it have no such column, and answers of earlier versions of this tool no such word.
    @Test(
        arguments: [
            ("", nil), ("\"silent_mode\" : null,", nil), ("\"silent_mode\" : true,", true),
            ("\"silent_mode\" : false,", false),
        ] as [(String, Bool?)])
    func silentModeIsOnOffOrNotKnownToTheRelease(word: String, expected: Bool?) throws {
        let answer = Self.replaced(
            RecordedAnswer.geoJSON, "\"maintenance_mode\" : false", word + "\"maintenance_mode\" : false")
        #expect(try DatabaseReadings.geo(answer).isSilent == expected)
    }

    @Test(arguments: [
        ("\"maintenance_mode\" : false", "\"maintenance_mode\" : false, \"silent_mode\" : 1"),
        ("\"maintenance_mode\" : false", "\"maintenance_mode\" : null"), ("\"primary\" : true", "\"primary\" : null"),
        ("\"last_event_id\" : 12345", "\"last_event_id\" : \"12345\""), ("\"nodes\" : [", "\"nodes\" : [1, "),
        ("\"age_seconds\" : 31.5", "\"age_seconds\" : null"), ("{\"designs\" : 4}", "null"),
        ("{\"designs\" : 4}", "{\"designs\" : \"4\"}"),
    ])
    func oddGeoTablesAreUnknown(part: String, other: String) {
        #expect(throws: Unreadable.self) {
            try DatabaseReadings.geo(Self.replaced(RecordedAnswer.geoJSON, part, other))
        }
    }

    @Test func registriesAreNamedByDataTypeAndNeverEmpty() throws {
        let facts = try DatabaseReadings.tracking(Array(RecordedAnswer.trackingJSON.utf8))
        #expect(facts.registries["project_repositories"]?.verificationFailed == 1)
        #expect(facts.registries["uploads"]?.synced == 2)
        #expect(facts.cursorEventID == 12344)
        #expect(throws: Unreadable.self) {
            try DatabaseReadings.tracking(Array("{\"registries\" : {}, \"cursor_event_id\" : null}".utf8))
        }
    }

    @Test(arguments: [
        (
            "", 2, "psql: error: connection to server on socket failed: No such file or directory",
            "PostgreSQL cannot be reached"
        ),
        ("0123456789abcdef.sql answer geo\n", 0, "", "the answer was cut off"),
        ("0123456789abcdef.sql answer geo\n{}\n", 0, "", "the answer was cut off"),
        ("0123456789abcdef.sql answer geo\n0123456789abcdef.sql done\n", 0, "", "psql did not answer with one line"),
        (
            "0123456789abcdef.sql answer geo\n{}\n{}\n0123456789abcdef.sql done\n", 0, "",
            "psql did not answer with one line"
        ),
        (
            "0123456789abcdef.sql answer geo\n0123456789abcdef.sql failed relation missing\n0123456789abcdef.sql done\n",
            0, "", "PostgreSQL refused the question: \"relation missing\""
        ),
        ("\u{1}\u{2}", 0, "", "gitlab-psql did not answer with text"),
        ("", 124, "", "gitlab-psql did not answer within 30 s"),
        ("", 111, "chpst: fatal: unable to setgroups: permission denied", "gitlab-psql exited with status 111"),
    ])
    func oddPsqlIsUnknown(output: String, status: Int, complaint: String, reason: String) {
        let saying = RecordedAnswer.Saying(output: output, complaint: complaint, status: status)
        let found = RecordedAnswer.facts(.geo, ["sql-main": saying]).geo
        #expect(found.reason?.hasPrefix(reason) == true, "\(found)")
    }

    @Test func queriesOnlyRead() {
        for probe in Probe.allCases {
            guard let query = DatabaseQueries.query(for: probe) else { continue }
            let begins = ["SELECT ", "WITH halves AS (SELECT half."].contains(where: query.sql.hasPrefix)
            #expect(begins && !query.sql.contains(";"), "\(query.name)")
            for word in [
                "INSERT", "UPDATE", "DELETE", "ALTER", "DROP", "pg_wal_replay_resume", "pg_promote", "nextval",
            ] {
                #expect(!query.sql.contains(word))
            }
        }
        #expect(DatabaseQueries.session.first == "SET default_transaction_read_only = on")
    }

    @Test(
        arguments: [
            ("{}", JSONValue.object([:])),
            (" [1, -2.5e1, 9223372036854775807] ", .array([.integer(1), .number(-25), .integer(.max)])),
            ("\"\\ud83d\\ude00\\n\\u00e9\"", .string("\u{1F600}\n\u{E9}")),
            ("9223372036854775808", .number(9.223372036854775808e18)),
            ("{\"a\":1,\"a\":2}", nil), ("[1,]", nil), ("01", nil), ("1.", nil), ("\"\\ud83d\"", nil),
            ("\"\u{1}\"", nil), ("nul", nil),
            ("{} {}", nil), ("", nil), ("-", nil), ("1e999", nil), ("\"\\u12g4\"", nil), ("{1:2}", nil),
        ] as [(String, JSONValue?)])
    func jsonIsReadStrictly(text: String, expected: JSONValue?) {
        #expect(JSONValue(Array(text.utf8)) == expected)
    }

    @Test func deepJSONIsRefusedNotFollowed() {
        #expect(JSONValue([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)) == nil)
        #expect(JSONValue([UInt8]([0x22, 0xFF, 0x22])) == nil)
    }
}
