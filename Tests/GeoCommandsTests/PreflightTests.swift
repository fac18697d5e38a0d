import GeoCore
import GeoTestSupport
import Testing

@testable import GeoCommands

@Suite struct PreflightTests {
    private static let runbook = Runbook(
        name: "r", title: "r", scenario: .planned, preflight: [], steps: [],
        source: DocumentReference(path: "r", digest: Digest(of: [])))
    private let preflight = Preflight(inventory: Fixtures.inventory(), runbook: runbook)
    private let tokyoToSeoul = Preflight.Pair(from: Fixtures.tokyo, to: Fixtures.seoul)

    @Test func withoutNamesTheObservedPrimaryIsLeft() throws {
        #expect(try preflight.pairs(from: nil, to: nil, Fixtures.healthy()) == [tokyoToSeoul])
        let swapped = Fixtures.healthy(primary: Fixtures.seoul)
        #expect(
            try preflight.pairs(from: nil, to: nil, swapped) == [.init(from: Fixtures.seoul, to: Fixtures.tokyo)])
    }

    @Test func withoutAKnownPrimaryEveryPairIsJudged() throws {
        var dark = Fixtures.healthy()
        dark.nodes = [:]
        #expect(try preflight.pairs(from: nil, to: nil, dark).count == 2)
    }

    @Test func aNamedPairIsJudgedWhateverTheRolesAre() throws {
        let pairs = try preflight.pairs(from: "seoul", to: "tokyo", Fixtures.healthy())
        #expect(pairs == [.init(from: Fixtures.seoul, to: Fixtures.tokyo)])
    }

    @Test(arguments: [("mars", nil), (nil, "mars"), ("tokyo", "tokyo")] as [(String?, String?)])
    func impossiblePairsAreRefused(from: String?, to: String?) {
        #expect(throws: CommandFailure.self) { _ = try preflight.pairs(from: from, to: to, Fixtures.healthy()) }
    }

    @Test func aHealthyDeploymentIsReadyOneWayAndNotTheOther() {
        let healthy = Fixtures.healthy()
        #expect(preflight.findings(tokyoToSeoul, healthy).worst <= .warn)
        let back = preflight.findings(.init(from: Fixtures.seoul, to: Fixtures.tokyo), healthy)
        #expect(back.worst == .fail)
    }

    /// A third site that nobody could look at stands below the one that is known, and the choice is still told.
    @Test func everySiteThatCouldTakeOverIsRanked() {
        var inventory = Fixtures.inventory()
        inventory.sites.insert(
            Site(
                id: "busan", url: "http://10.77.3.10", geoNodeName: "busan",
                nodes: [Fixtures.node("busan-1", address: "10.77.3.10", [.rails, .postgresql, .trackingDB])]), at: 1)
        let preflight = Preflight(inventory: inventory, runbook: Self.runbook, profile: .unplanned)
        let tokyo = inventory.site(Fixtures.tokyo)?.nodes.map(\.id) ?? []
        let observation = (tokyo + ["busan-1"]).reduce(Fixtures.healthy()) { $0.losing($1) }
        let ranking = preflight.ranking(from: Fixtures.tokyo, observation)
        #expect(ranking.from == Fixtures.tokyo)
        #expect(ranking.places.map(\.site) == [Fixtures.seoul, "busan"])
        #expect(ranking.places.last?.reasons.first?.hasPrefix("not ready: ") == true)
    }

    @Test func everyNodeIsAskedSomething() {
        let scope = preflight.scope(from: nil, to: nil)
        #expect(Set(scope.probes.keys) == Set(Fixtures.inventory().nodes.map(\.id)))
        #expect(scope.probes.values.allSatisfy { $0.allSatisfy { !$0.isSlow } })
    }
}

@Suite struct WaiverTests {
    private let finding = Finding(
        check: "node.clock", subject: .node(id: "tokyo-pg-1"), verdict: .fail, summary: "12 s ahead")

    @Test func aWaiverIsBoundToWhatWasSeen() throws {
        let waivers = try Waivers(["node.clock@tokyo-pg-1=chrony is down, ticket 7"])
        let bound = try waivers.bound(to: [finding], allPairs: false)
        #expect(bound.map(\.observed) == ["12 s ahead"])
        #expect(bound.first?.reason == "chrony is down, ticket 7")
        var worse = finding
        worse.summary = "13 s ahead"
        #expect(bound[0].covers(finding))
        #expect(!bound[0].covers(worse))
    }

    @Test(arguments: [
        "node.clock", "node.clock@tokyo-pg-1", "node.clock@tokyo-pg-1=", "node.clock@tokyo-pg-1=no",
        "no.such-check@x=because I say so", "site.fenced@tokyo=because I say so",
        "database.zero-loss@tokyo->seoul=because I say so",
    ])
    func wildcardsMissingReasonsAndInvariantsAreRefused(argument: String) {
        #expect(throws: CommandFailure.self) { _ = try Waivers([argument]) }
    }

    @Test func aWaiverForNothingIsAnError() throws {
        let waivers = try Waivers(["node.disk@tokyo-pg-1=it is fine, ticket 8"])
        #expect(throws: CommandFailure.self) { _ = try waivers.bound(to: [finding], allPairs: false) }
    }
}
