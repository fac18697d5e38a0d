import GeoCore
import GeoTestSupport
import Testing

/// Who is named first when several sites could take over, and why.
@Suite struct CandidateRankingTests {
    /// Tokyo with three sites behind it.
    private static let inventory: Inventory = {
        var inventory = Fixtures.inventory()
        for (name, network) in [("busan", 3), ("osaka", 4)] {
            inventory.sites.append(
                Site(
                    id: SiteID(name), url: "http://10.77.\(network).10", geoNodeName: name,
                    nodes: [
                        Fixtures.node("\(name)-1", address: "10.77.\(network).10", [.rails, .postgresql, .trackingDB])
                    ]))
        }
        return inventory
    }()

    private struct Given {
        var site: SiteID
        var node: NodeID
        var isReady = true
        /// Bytes received less than the furthest; `nil`: the database cannot be asked.
        var behind: UInt64? = 0
        var systemIdentifier = Fixtures.systemIdentifier
    }

    private func ranking(_ given: [Given], primaryAnswers: Bool = false) -> CandidateRanking {
        var observation = Fixtures.healthy(Self.inventory)
        if !primaryAnswers { observation = observation.losing("tokyo-pg-1") }
        for one in given {
            observation.change(one.node) { facts in
                facts.database =
                    one.behind.map { behind in
                        let position = LogPosition(bytes: Fixtures.current.bytes - behind)
                        return Fixtures.seen(
                            Fixtures.standby(replayed: position, systemIdentifier: one.systemIdentifier), on: one.node)
                    } ?? .unknown(reason: "psql: connection refused")
            }
        }
        let candidates = given.map { one in
            CandidateRanking.Candidate(
                loss: LossStatement(inventory: Self.inventory, from: "tokyo", to: one.site, observation: observation),
                isReady: one.isReady, blockers: one.isReady ? [] : ["node.disk"])
        }
        return CandidateRanking(from: "tokyo", candidates, in: Self.inventory, observation)
    }

    private static let seoul = Given(site: "seoul", node: "seoul-pg-1")
    private static let busan = Given(site: "busan", node: "busan-1")
    private static let osaka = Given(site: "osaka", node: "osaka-1")

    private func with(_ given: Given, _ change: (inout Given) -> Void) -> Given {
        var copy = given
        change(&copy)
        return copy
    }

    @Test func theOneThatReceivedMostComesFirst() {
        let behind = with(Self.seoul) { $0.behind = 4096 }
        let ranking = ranking([behind, Self.busan])
        #expect(ranking.places.map(\.site) == ["busan", "seoul"])
        #expect(ranking.places[0].reasons.contains { $0.hasPrefix("no candidate has received more") })
        #expect(
            ranking.places[1].reasons.contains(
                "it has received 4 KiB (4096 bytes) less of the log than another candidate"))
        // With the primary gone, nobody knows what is missing at all, and nobody says 0.
        #expect(
            ranking.places.allSatisfy { $0.reasons.contains("bytes of the primary's log that it lacks: not known") })
    }

    /// Their positions were read a moment apart, which says nothing.
    @Test func whileThePrimaryAnswersEachIsMeasuredAgainstIt() {
        let ahead = LogPosition(bytes: Fixtures.current.bytes + 4096)
        var observation = Fixtures.healthy(Self.inventory)
        observation.change("busan-1") { $0.database = Fixtures.seen(Fixtures.standby(replayed: ahead), on: "busan-1") }
        let candidates = ["seoul", "busan"].map { (site: SiteID) in
            CandidateRanking.Candidate(
                loss: LossStatement(inventory: Self.inventory, from: "tokyo", to: site, observation: observation),
                isReady: true, blockers: [])
        }
        let ranking = CandidateRanking(from: "tokyo", candidates, in: Self.inventory, observation)
        #expect(ranking.places.map(\.site) == ["seoul", "busan"])
        #expect(!ranking.places.contains { $0.reasons.contains { $0.contains("received") } })
    }

    @Test func unknownIsWorseThanAnyNumber() {
        let silent = with(Self.seoul) { $0.behind = nil }
        let far = with(Self.busan) { $0.behind = 1 << 20 }
        #expect(ranking([silent, far]).places.map(\.site) == ["busan", "seoul"])
        #expect(ranking([silent, far], primaryAnswers: true).places.map(\.site) == ["busan", "seoul"])
    }

    @Test func whatCannotBePromotedStandsBelowAndSaysWhy() {
        let unready = with(Self.seoul) { $0.isReady = false }
        let behind = with(Self.busan) { $0.behind = 1 << 20 }
        let ranking = ranking([unready, behind])
        #expect(ranking.places.map(\.site) == ["busan", "seoul"])
        #expect(ranking.places[1].reasons.first == "not ready: node.disk")
        #expect(ranking.places[0].reasons.first == "ready to be promoted")
    }

    @Test func anotherLineageIsNotCompared() {
        let stranger = with(Self.osaka) { $0.systemIdentifier = "7430000000000000002" }
        let behind = with(Self.busan) { $0.behind = 64 }
        let ranking = ranking([stranger, behind, Self.seoul])
        #expect(ranking.places.map(\.site) == ["seoul", "busan", "osaka"])
        #expect(ranking.places[2].reasons.contains { $0.contains("another lineage") })
    }

    @Test func equalCandidatesStandAsInTheInventory() {
        #expect(ranking([Self.seoul, Self.busan, Self.osaka]).places.map(\.site) == ["seoul", "busan", "osaka"])
    }

    @Test func everyOrderOfTheCandidatesGivesTheSameRanking() {
        let given = [
            with(Self.seoul) { $0.behind = 100 }, with(Self.busan) { $0.behind = nil },
            with(Self.osaka) { $0.isReady = false },
        ]
        let expected: [SiteID] = ["seoul", "busan", "osaka"]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            #expect(ranking(order.map { given[$0] }).places.map(\.site) == expected)
        }
    }
}
