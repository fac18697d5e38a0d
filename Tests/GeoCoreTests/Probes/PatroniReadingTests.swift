import GeoCore
import Testing

/// What `patronictl` of each line of releases prints, recorded from clusters of two on PostgreSQL 15.
@Suite struct PatroniReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    private static let node = Node(
        id: "seoul-all-1", components: [.patroni],
        access: NodeAccess(address: "10.77.2.99", user: "geo-ops", identity: Identity(), knownHosts: "known_hosts"))

    private static func facts(_ list: Saying, _ configuration: Saying) -> Observed<PatroniFacts> {
        let script = ProbeScript(probes: [.patroni], node: node, boundary: "0123456789abcdef")
        let answer = RecordedAnswer(sayings: ["patroni-members": list, "patroni-config": configuration])
        return answer.facts(script, elapsedMilliseconds: 60_000).patroni
    }

    /// The rows are of one kind in all of them; reasons, lags and tags beside them come and go.
    static let recorded: [(release: String, list: String)] = [
        (
            "2.1.7",
            """
            [{"Cluster": "postgresql-ha", "Member": "seoul-pg-1.lab.test", "Host": "127.0.0.1:7121", "Role": "Replica", \
            "State": "running", "TL": 1, "Lag in MB": 0, "Pending restart": "*"}, {"Cluster": "postgresql-ha", "Member": \
            "seoul-pg-2.lab.test", "Host": "127.0.0.1:7122", "Role": "Leader", "State": "running", "TL": 1, \
            "Pending restart": "*"}]

            """
        ),
        (
            "3.0.2",
            """
            [{"Cluster": "postgresql-ha", "Member": "seoul-pg-1.lab.test", "Host": "127.0.0.1:7221", "Role": "Leader", \
            "State": "running", "TL": 1, "Pending restart": "*"}, {"Cluster": "postgresql-ha", "Member": \
            "seoul-pg-2.lab.test", "Host": "127.0.0.1:7222", "Role": "Replica", "State": "running", "TL": 1, \
            "Lag in MB": 0, "Pending restart": "*"}]

            """
        ),
        (
            "3.3.1",
            """
            [{"Cluster": "postgresql-ha", "Member": "seoul-pg-1.lab.test", "Host": "127.0.0.1:7321", "Role": "Replica", \
            "State": "streaming", "TL": 1, "Lag in MB": 0, "Pending restart": "*", "Pending restart reason": \
            "max_connections: 50->60"}, {"Cluster": "postgresql-ha", "Member": "seoul-pg-2.lab.test", "Host": \
            "127.0.0.1:7322", "Role": "Leader", "State": "running", "TL": 1, "Pending restart": "*", "Pending restart \
            reason": "max_connections: 50->60"}]

            """
        ),
        (
            "4.0.5",
            """
            [{"Cluster": "postgresql-ha", "Member": "seoul-pg-1.lab.test", "Host": "127.0.0.1:7421", "Role": "Leader", \
            "State": "running", "TL": 1, "Pending restart": "*", "Pending restart reason": "max_connections: 50->60"}, \
            {"Cluster": "postgresql-ha", "Member": "seoul-pg-2.lab.test", "Host": "127.0.0.1:7422", "Role": "Replica", \
            "State": "streaming", "TL": 1, "Lag in MB": 0, "Pending restart": "*", "Pending restart reason": \
            "max_connections: 50->60"}]

            """
        ),
    ]

    static let configuration = """
        loop_wait: 2
        postgresql:
          parameters:
            max_connections: 50
          use_slots: true
        retry_timeout: 5
        ttl: 30


        """

    @Test(arguments: recorded.map(\.release))
    func everyLineOfReleasesIsRead(release: String) throws {
        let list = try #require(Self.recorded.first { $0.release == release }).list
        let found = try #require(Self.facts(Saying(output: list), Saying(output: Self.configuration)).value)
        #expect(found.members.count == 2 && found.members.count(where: \.leads) == 1)
        #expect(found.members.allSatisfy { $0.timeline == 1 && $0.isUp && $0.isRestartPending })
        #expect(Set(found.members.map(\.role)) == ["leader", "replica"])
        #expect(!found.isPaused && !found.isStandbyCluster)
    }

    @Test(arguments: [
        ("pause: true\n", true, false), ("pause: false\n", false, false),
        ("standby_cluster:\n  host: 10.77.1.21\n  port: 5432\n", false, true),
        ("standby_cluster: null\n", false, false),
        ("standby_cluster: {}\n", false, false), ("tags:\n  pause: true\n", false, false),
    ])
    func pauseAndStandbyClusterAreReadFromTheConfiguration(line: String, paused: Bool, standby: Bool) throws {
        let text = line + Self.configuration
        let found = try #require(Self.facts(Saying(output: Self.recorded[0].list), Saying(output: text)).value)
        #expect(found.isPaused == paused && found.isStandbyCluster == standby)
    }

    @Test(arguments: [
        ("", 1, ""), ("[]\n", 1, configuration), ("[]\n", 0, "oops\n"), ("{}", 0, configuration),
        (recorded[0].list, 0, ""),
        (recorded[0].list, 0, "pause: maybe\n" + configuration), ("[{\"Member\": \"a\"}]", 0, configuration),
        (recorded[0].list + "x", 0, configuration), (String(recorded[0].list.dropLast(20)), 0, configuration),
    ])
    func anythingElseIsUnknown(list: String, status: Int, configuration: String) {
        let found = Self.facts(Saying(output: list, status: status), Saying(output: configuration))
        #expect(found.value == nil, "\(found)")
    }

    /// The store of a cluster whose members are all stopped, and of one that was removed: known, and nothing of it leads.
    /// Patroni before 3.1 ends with a trace where there is no configuration.
    @Test(arguments: [
        (configuration, "", 0, false), ("standby_cluster:\n  host: 10.77.1.21\n" + configuration, "", 0, true),
        ("", "", 0, false), ("", "AttributeError: 'NoneType' object has no attribute 'data'\n", 1, false),
    ])
    func aStoreWithoutMembersIsKnown(text: String, complaint: String, status: Int, isStandby: Bool) throws {
        let said = Saying(output: text, complaint: complaint, status: status)
        let found = try #require(Self.facts(Saying(output: "[]\n"), said).value)
        #expect(found.members.isEmpty && found.isStandbyCluster == isStandby)
        #expect(
            Self.facts(Saying(output: "[]\n"), Saying(output: "", complaint: "timed out\n", status: 1)).value == nil)
    }

    @Test(arguments: [
        ("scope: postgresql-ha\n", "postgresql-ha"), ("scope: \"gitlab.pg_1\"\n", "gitlab.pg_1"), ("scope:\n", nil),
        ("", nil), ("scope: a b\n", nil), ("scope: -x\n", nil), ("scope: a\nscope: b\n", nil), ("scope: a;b\n", nil),
    ])
    func theNameOfTheClusterIsAPlainWord(text: String, expected: String?) {
        let script = ProbeScript(probes: [.patroniScope], node: Self.node, boundary: "0123456789abcdef")
        let answer = RecordedAnswer(sayings: ["patroni-scope": Saying(output: text, status: text.isEmpty ? 1 : 0)])
        #expect(answer.facts(script, elapsedMilliseconds: 60_000).patroniScope.value == expected)
    }

    /// Patroni 3.0.2 while its replica is being made.
    @Test func aMemberThatDoesNotRunHasNoTimeline() throws {
        let list = """
            [{"Cluster": "postgresql-ha", "Member": "seoul-pg-1.lab.test", "Host": "127.0.0.1:7221", "Role": "Leader", \
            "State": "running", "TL": 1}, {"Cluster": "postgresql-ha", "Member": "seoul-pg-2.lab.test", "Host": \
            "127.0.0.1:7222", "Role": "Replica", "State": "stopped", "Lag in MB": "unknown"}]
            """
        let found = try #require(Self.facts(Saying(output: list), Saying(output: Self.configuration)).value)
        #expect(found.members.map(\.timeline) == [1, nil])
        #expect(found.members.map(\.isUp) == [true, false])
    }
}
