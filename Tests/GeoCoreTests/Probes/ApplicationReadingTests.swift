import GeoCore
import Testing

private typealias Saying = RecordedAnswer.Saying

/// Readers of PostgreSQL's files, Redis, NGINX and Rails.
struct ApplicationReadingTests {
    @Test(
        arguments: [
            ("15\n", "geo-pitr-file: No such file or directory", 1, nil, PointInTimeFile.absent),
            ("15\n0/3014FB0", "", 0, nil, .present(text: "0/3014FB0")),
            ("15\n", "", 0, nil, .present(text: "")),
            ("", "PG_VERSION: No such file or directory\ngeo-pitr-file: No such file or directory", 1, nil, nil),
            ("0/3014FB0", "PG_VERSION: No such file or directory", 1, nil, nil),
            ("15\n", "geo-pitr-file: Permission denied", 1, nil, nil),
            (
                "15\n", "geo-pitr-file: No such file or directory", 1,
                Saying(output: "", complaint: "Error! No key exists at: geo/pitr/promote-db", status: 1), .absent
            ),
            (
                "15\n", "geo-pitr-file: No such file or directory", 1, Saying(output: "0/5081B40\n"),
                .present(text: "0/5081B40")
            ),
            (
                "15\n", "geo-pitr-file: No such file or directory", 1,
                Saying(output: "", complaint: "Error querying Consul agent", status: 1), nil
            ),
        ] as [(String, String, Int, RecordedAnswer.Saying?, PointInTimeFile?)])
    func pointInTimeFileIsAbsentOnlyBesideARealDataDirectory(
        output: String, complaint: String, status: Int, key: RecordedAnswer.Saying?, expected: PointInTimeFile?
    ) {
        var sayings = ["point-in-time-file": Saying(output: output, complaint: complaint, status: status)]
        sayings["point-in-time-key"] = key
        #expect(RecordedAnswer.facts(.pointInTimeFile, sayings).pointInTimeFile.value == expected)
    }

    @Test(
        arguments: [
            ("{}", [:]), ("[]", [:]), ("{\"a\":1}", ["a": 1]), ("", nil), ("{\"a\":-1}", nil), ("{\"a\":\"1\"}", nil),
            ("(error) NOAUTH Authentication required.", nil),
        ] as [(String, [String: Int]?)])
    func queuesAreNeverGuessed(output: String, expected: [String: Int]?) {
        #expect(RecordedAnswer.facts(.queues, ["queues": Saying(output: output + "\n")]).queues.value == expected)
    }

    @Test(
        arguments: [
            ("301 h\n200 s\n000 w\n", "000 u\n", 200), ("503 h\n000 s\n000 w\n", "000 u\n", 503),
            ("502 h\n", "502 u\n", 502),
            ("000 h\n000 s\n", "200 u\n", 200), ("000 h\n000 s\n", "000 u\n", nil), ("301 h\n", "", nil), ("", "", nil),
            ("ok\n", "", nil),
        ] as [(String, String, Int?)])
    func readinessIsAnAnswerOfReadiness(web: String, socket: String, expected: Int?) {
        let sayings = ["readiness": Saying(output: web, status: 7), "readiness-workhorse": Saying(output: socket)]
        #expect(RecordedAnswer.facts(.readiness, sayings).readiness.value == expected)
    }

    @Test(
        arguments: [
            ("secondary\n", "", 0, nil, "secondary"), ("DEPRECATION: x\nprimary\n", "", 0, nil, "primary"),
            ("misconfigured\n", "", 1, nil, "misconfigured"), ("primary\n", "", 1, nil, nil),
            ("", "boom", 1, Saying(output: "primary\n"), nil),
            ("", "Don't know how to build task 'gitlab:geo:site:role'", 1, Saying(output: "primary\n"), "primary"),
            ("", "", 124, Saying(output: "primary\n"), nil),
        ] as [(String, String, Int, RecordedAnswer.Saying?, String?)])
    func roleIsTheTasksLastWord(
        output: String, complaint: String, status: Int, old: RecordedAnswer.Saying?, expected: String?
    ) {
        var sayings = ["rails-role": Saying(output: output, complaint: complaint, status: status)]
        sayings["rails-role-old"] = old
        #expect(RecordedAnswer.facts(.railsRole, sayings).railsRole.value == expected)
    }

    @Test(
        arguments: [
            ("production:\n", 0, false), ("production:\n  geo:\n", 0, true), ("", 1, nil), ("  geo:\n", 0, nil),
        ] as [(String, Int, Bool?)])
    func trackingDatabaseIsConfiguredWhenRailsSaysSo(output: String, status: Int, expected: Bool?) {
        let facts = RecordedAnswer.facts(
            .railsConfiguration, ["rails-configuration": Saying(output: output, status: status)])
        #expect(facts.hasTrackingDatabaseConfigured.value == expected)
    }

    @Test func controlDataWithAWarningIsUnknown() {
        let good = RecordedAnswer.facts(.controlData, ["control-data": Saying(output: RecordedAnswer.controlData)])
        #expect(good.controlData.value?.timeline == 3)
        let warned =
            "WARNING: Calculated CRC checksum does not match value stored in file.\n" + RecordedAnswer.controlData
        #expect(RecordedAnswer.facts(.controlData, ["control-data": Saying(output: warned)]).controlData.value == nil)
    }
}
