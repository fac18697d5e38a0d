import GeoCore
import GeoRuntime
import Testing

/// Which database a node holds and which site it takes itself for, asked on the node just before a command starts there:
/// under a real `sh`, with a `pg_controldata` that is told what to say.
@Suite struct NodeMarkTests {
    private static let database = NodeMarks(systemIdentifier: "7430000000000000001")
    private static let tokyo = NodeMarks(siteName: "tokyo")
    private static let command = "echo x >>\"$1/ran\""

    private static func refusal(_ node: LocalNode, _ marks: NodeMarks) async throws -> String? {
        let answer = try await node.exchange(try await node.script("marked", command, marks: marks))
        guard case .refused(let text) = answer?.state else { return nil }
        #expect(!node.has("ran") && !node.has("jobs/run/marked"), "refused, and started: \(text)")
        #expect(!text.contains("\n"))
        return text
    }

    private static func says(_ identifier: String) -> String {
        "echo 'pg_control version number:            1300'; echo 'Database system identifier:           \(identifier)'"
    }

    @Test func theDatabaseAndTheSiteOfThePlanRun() async throws {
        let node = try LocalNode()
        try node.install(
            controlData: Self.says("7430000000000000001"), configuration: "gitlab_rails['geo_node_name'] = 'tokyo'\n")
        let marks = NodeMarks(systemIdentifier: "7430000000000000001", siteName: "tokyo")
        _ = try await node.follow(try await node.script("marked", Self.command, marks: marks))
        #expect(node.read("ran") == "x\n")
    }

    @Test func besideAnotherDatabaseNothingStarts() async throws {
        let node = try LocalNode()
        try node.install(controlData: Self.says("7439999999999999999"))
        let text = try #require(try await Self.refusal(node, Self.database))
        #expect(text.contains("7439999999999999999") && text.contains("7430000000000000001"), "\(text)")
        #expect(text.contains("plan again"), "\(text)")
    }

    @Test(arguments: [
        nil, "exit 1", "echo 'pg_controldata: error: could not open file: No such file or directory' >&2; exit 1",
        "echo 'Database system identifier:'", "sleep 0.1; echo",
    ])
    func aDatabaseThatCannotBeToldAnyMoreIsNotThePlans(controlData: String?) async throws {
        let node = try LocalNode()
        try node.install(controlData: controlData)
        let text = try #require(try await Self.refusal(node, Self.database))
        #expect(text.contains("cannot be read") && text.contains("Put the data directory back"), "\(text)")
    }

    @Test(arguments: [
        "gitlab_rails['geo_node_name'] = 'seoul'", "gitlab_rails[\"geo_node_name\"] = \"seoul\"",
        "gitlab_rails['geo_node_name'] = 'tokyo'\n  gitlab_rails['geo_node_name'] = 'seoul' # moved",
    ])
    func aNodeOfAnotherSiteRefuses(configuration: String) async throws {
        let node = try LocalNode()
        try node.install(configuration: configuration + "\n")
        let text = try #require(try await Self.refusal(node, Self.tokyo))
        #expect(text.contains("the site seoul") && text.contains("a node of tokyo"), "\(text)")
    }

    @Test(arguments: [
        nil, "", "external_url 'http://tokyo'", "# gitlab_rails['geo_node_name'] = 'tokyo'",
        "gitlab_rails['geo_node_name'] = ENV['SITE']", "gitlab_rails['geo_node_name'] = 'tokyo' + suffix",
        "gitlab_rails['geo_node_name'] = 'tokyo'\ngitlab_rails['geo_node_name'] = name",
    ])
    func aSiteThatCannotBeToldAnyMoreIsNotThePlans(configuration: String?) async throws {
        let node = try LocalNode()
        try node.install(configuration: configuration)
        let text = try #require(try await Self.refusal(node, Self.tokyo))
        #expect(text.contains("cannot be read") && text.contains("Put the setting back"), "\(text)")
    }

    @Test(arguments: [
        "gitlab_rails['geo_node_name'] = 'tokyo'  # the first site", "  gitlab_rails[\"geo_node_name\"] = (\"tokyo\")",
        "gitlab_rails['geo_node_name'] = 'seoul'\ngitlab_rails['geo_node_name']='tokyo';",
    ])
    func theLastPlainAssignmentCounts(configuration: String) async throws {
        let node = try LocalNode()
        try node.install(configuration: configuration + "\n")
        _ = try await node.follow(try await node.script("marked", Self.command, marks: Self.tokyo))
        #expect(node.read("ran") == "x\n")
    }

    @Test func whatThePlanDidNotKnowIsNotAsked() async throws {
        let node = try LocalNode()
        _ = try await node.follow(try await node.script("marked", Self.command))
        #expect(node.read("ran") == "x\n")
    }

    /// A reconfigure or a base backup may move what the marks are read from.
    @Test func aCommandThatHasStartedIsFollowedWhateverItMoves() async throws {
        let node = try LocalNode()
        try node.install(
            controlData: Self.says("7430000000000000001"), configuration: "gitlab_rails['geo_node_name'] = 'tokyo'\n")
        let marks = NodeMarks(systemIdentifier: "7430000000000000001", siteName: "tokyo")
        let script = try await node.script("marked", "rm -rf \"$1/opt\" \"$1/etc\"; echo x >>\"$1/ran\"", marks: marks)
        let (state, _) = try await node.follow(script)
        guard case .exited(0, _) = state else {
            Issue.record("\(String(describing: state))")
            return
        }
        guard case .exited(0, _) = try await node.exchange(script)?.state else {
            Issue.record("its outcome was not told again")
            return
        }
        #expect(node.read("ran") == "x\n")
    }
}
