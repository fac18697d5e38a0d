import GeoCore
import GeoTestSupport
import Testing

/// What one node says of others: every look with its answer, and nothing that it did not see.
@Suite struct PeerReadingTests {
    private static let boundary = "0123456789abcdef"

    private func views(_ output: String, status: Int = 0) -> Observed<PeerViews> {
        RecordedAnswer.facts(.views, ["views": .init(output: output, status: status)]).views
    }

    @Test func everyLookIsReadWithItsNodeAndService() throws {
        let views = try #require(views("tcp 1 no-route\nurl 0 502 0\ntcp 0 answered\n").value)
        #expect(
            views.nodes["tokyo-pg-1"] == [
                .init(port: 22, service: "ssh", sight: .answered),
                .init(port: 5432, service: "postgresql", sight: .noRoute),
            ])
        #expect(views.readiness["tokyo"]?.value == 502)
        #expect(views.seesMachine("tokyo-pg-1") == true)
        #expect(views.seesMachine("tokyo-redis-1") == nil)
    }

    @Test(arguments: [
        ("6", "does not know the name"), ("7", "could not connect"), ("28", "no answer in time"),
        ("127", "has no curl"),
        ("35", "status 35"),
    ])
    func aPageThatWasNotServedIsUnknownWithItsReason(status: String, reason: String) {
        let views = views("tcp 0 silent\ntcp 1 silent\nurl 0 000 \(status)\n")
        #expect(views.value?.readiness["tokyo"]?.reason?.contains(reason) == true, "\(views)")
        #expect(views.value?.seesMachine("tokyo-pg-1") == false)
    }

    @Test(arguments: [
        "", "tcp 0 answered\n", "tcp 0 answered\ntcp 1 answered\n", "tcp 0 answered\ntcp 0 answered\nurl 0 200 0\n",
        "tcp 0 answered\ntcp 2 answered\nurl 0 200 0\n", "tcp 0 open\ntcp 1 answered\nurl 0 200 0\n",
        "tcp 0 answered\ntcp 1 answered\nurl 1 200 0\n", "tcp 0 answered\ntcp 1 answered\nurl 0 200\n",
        "tcp 0 answered\ntcp 1 answered\nurl 0 200 0\nudp 0 answered\n", "tcp -1 answered\n",
        "tcp 0 answered extra\ntcp 1 answered\nurl 0 200 0\n",
    ])
    func aLookThatIsMissingTwiceOrStrangeMakesAllUnknown(output: String) {
        #expect(views(output).value == nil)
    }

    @Test func nothingToLookAtIsNoView() {
        let script = ProbeScript(probes: [.views], node: RecordedAnswer.node(), boundary: Self.boundary)
        let facts = RecordedAnswer(sayings: ["views": .init(output: "")]).facts(script)
        #expect(facts.views == .unknown(reason: "there was nothing to look at"))
    }

    /// A port that could not be tried says nothing of its machine, and one that was refused says that it is there.
    @Test(
        arguments: [
            ([Sight.silent, .refused], true), ([.silent, .noRoute], false), ([.unresolved, .failed], nil),
            ([.unresolved, .silent], false), ([], nil),
        ] as [([Sight], Bool?)])
    func aMachineIsSeenByAnyOfItsPorts(sights: [Sight], sees: Bool?) {
        let ports = sights.map { PeerViews.Port(port: 1, service: "ssh", sight: $0) }
        #expect(PeerViews(nodes: ["a": ports]).seesMachine("a") == sees)
    }

    // MARK: With a real shell

    @Test(arguments: FakeNode.shells)
    func aShellTellsAnsweredFromRefusedFromSilent(shell: [String]) throws {
        let node = try FakeNode()
        // `timeout 3 bash -c ... look ADDRESS PORT` and `curl ... URL`.
        try node.install(
            "bin/bash",
            """
            case $4:$5 in
            192.0.2.1:22) exit 0 ;;
            192.0.2.1:5432) echo 'bash: connect: Connection refused' >&2; exit 1 ;;
            192.0.2.2:22) exit 124 ;;
            192.0.2.2:8075) echo 'bash: connect: No route to host' >&2; exit 1 ;;
            *) echo 'bash: connect: Operation not permitted' >&2; exit 1 ;;
            esac
            """)
        try node.install("bin/getent", "[ \"$2\" = nowhere ] && exit 2; echo \"$2 STREAM x\"; echo \"::1 DGRAM\"")
        try node.install("bin/curl", "printf 503")
        let looks = PeerLooks(
            ports: [("a", "192.0.2.1", 22), ("a", "192.0.2.1", 5432), ("b", "192.0.2.2", 22), ("b", "192.0.2.2", 8075)]
                .map { .init(node: NodeID($0.0), address: $0.1, port: $0.2, service: "x") }
                + [
                    .init(node: "c", address: "nowhere", port: 22, service: "ssh"),
                    .init(node: "d", address: "192.0.2.4; echo 'no' $(no)", port: 22, service: "ssh"),
                ],
            urls: [.init(site: "tokyo", url: "https://tokyo.example.com")])
        let script = ProbeScript(
            probes: [.views], node: RecordedAnswer.node(), boundary: Self.boundary, looks: looks)
        let facts = RecordedAnswer.facts(try node.run(script.text, shell: shell), script)
        let views = try #require(facts.views.value, "\(facts.views)")
        #expect(views.nodes["a"]?.map(\.sight) == [.answered, .refused])
        #expect(views.nodes["b"]?.map(\.sight) == [.silent, .noRoute])
        #expect(views.nodes["c"]?.map(\.sight) == [.unresolved])
        #expect(views.nodes["d"]?.map(\.sight) == [.failed])
        #expect(views.readiness["tokyo"]?.value == 503)
    }

    /// Nothing listens on the first port of the loopback; the connection is made by the real bash.
    @Test func aRefusedConnectionIsWhatTheKernelSays() throws {
        let node = try FakeNode()
        let looks = PeerLooks(ports: [.init(node: "a", address: "127.0.0.1", port: 1, service: "ssh")])
        let script = ProbeScript(
            probes: [.views], node: RecordedAnswer.node(), boundary: Self.boundary, looks: looks)
        let facts = RecordedAnswer.facts(try node.run(script.text, shell: ["/bin/sh", "-s"]), script)
        #expect(facts.views.value?.nodes["a"]?.map(\.sight) == [.refused], "\(facts.views)")
    }

    // MARK: Who looks at what

    @Test func ofEachOtherSiteThreeDifferentNodesLook() {
        let inventory = Fixtures.inventory()
        #expect(
            inventory.vantagePoints(at: "tokyo").map(\.id) == ["seoul-pg-1", "seoul-rails-1", "seoul-sidekiq-1"])
        var single = inventory
        single.sites[1].nodes = [Fixtures.node("seoul-1", address: "10.77.2.10", Component.allCases)]
        #expect(single.vantagePoints(at: "tokyo").map(\.id) == ["seoul-1"])
        var scope = ObservationScope()
        scope.askViews(of: "tokyo", in: inventory)
        #expect(scope.watched["seoul-pg-1"] == ["tokyo"] && scope.probes["seoul-pg-1"] == [.views])
        #expect(scope.watched["tokyo-pg-1"] == nil)
    }

    @Test func everyNodeIsLookedAtByItsSSHPortAndByWhatItServes() {
        let looks = PeerLooks(at: ["tokyo"], in: Fixtures.inventory())
        func ports(_ node: NodeID) -> [Int] { looks.ports.filter { $0.node == node }.map(\.port) }
        #expect(ports("tokyo-pg-1") == [22, 5432])
        #expect(ports("tokyo-rails-1") == [22, 80])
        #expect(ports("tokyo-sidekiq-1") == [22])
        #expect(ports("tokyo-gitaly-1") == [22, 8075])
        #expect(looks.urls == [.init(site: "tokyo", url: "http://10.77.1.10")])
        #expect(!looks.ports.contains { $0.node.rawValue.hasPrefix("seoul") })
    }

    @Test(arguments: [
        ("https://a.example.com", 443), ("http://a.example.com", 80), ("https://a.example.com:8443/gitlab", 8443),
        ("http://[2001:db8::1]", 80), ("http://[2001:db8::1]:8080", 8080),
    ])
    func theFrontIsLookedAtWhereTheURLSays(url: String, port: Int) {
        #expect(PeerLooks.servicePort(of: .loadBalancer, url: url) == port)
    }
}
