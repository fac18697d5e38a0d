import GeoCore
import GeoTestSupport
import Testing

/// Who sees what of a site that is to be left, and what that means for promoting another.
@Suite struct SightingCheckTests {
    private static let check: CheckID = "primary.not-out-of-reach"
    private static let peers: [NodeID] = ["seoul-pg-1", "seoul-rails-1", "seoul-sidekiq-1"]
    private static let tokyo = Fixtures.inventory().site("tokyo")?.nodes.map(\.id) ?? []

    @Test(arguments: [
        CheckCase("all is well", check, is: .pass, says: ["within the operator's reach"]),
        CheckCase("the whole site is silent to everybody", check, is: .pass, says: ["silent to the operator and to"]) {
            $0.powerOff(tokyo)
        },
        CheckCase(
            "one node is silent, the others are in reach", check, is: .pass,
            says: ["tokyo-pg-1 of tokyo is silent", "every other node is within reach"]
        ) { $0.powerOff(["tokyo-pg-1"]) },
        CheckCase(
            "only the operator is cut off", check, is: .fail,
            says: ["7 nodes of tokyo are alive and beyond the operator's reach", "tokyo-lb-1 (seen by seoul-pg-1"]
        ) { $0.cutOperator(from: tokyo) },
        CheckCase(
            "the operator is cut off from one node", check, is: .fail,
            says: ["1 node of tokyo is alive", "tokyo-rails-2 (seen by seoul-pg-1, seoul-rails-1, seoul-sidekiq-1)"]
        ) { $0.cutOperator(from: ["tokyo-rails-2"]) },
        CheckCase(
            "half a view: one place of three sees a node", check, is: .fail,
            says: ["tokyo-pg-1 (seen by seoul-rails-1)"]
        ) {
            $0.powerOff(["tokyo-pg-1"])
            $0.see("tokyo-pg-1", .answered, from: "seoul-rails-1")
        },
        CheckCase(
            "half a view: one place sees one port of a node refused", check, is: .fail,
            says: ["tokyo-gitaly-1 (seen by seoul-sidekiq-1)"]
        ) {
            $0.powerOff(tokyo)
            $0.see("tokyo-gitaly-1", .refused, from: "seoul-sidekiq-1")
        },
        CheckCase(
            "the nodes are behind an address translation, and the replica hears", check, is: .fail,
            says: ["tokyo-pg-1 (seen by replica seoul-pg-1)"]
        ) {
            $0.powerOff(tokyo)
            $0.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 0.4)), on: "seoul-pg-1")
        },
        CheckCase("the replica heard last half a minute ago", check, is: .pass, says: ["silent"]) {
            $0.powerOff(tokyo)
            $0.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 30)), on: "seoul-pg-1")
        },
        CheckCase("no other place could look", check, is: .unknown, says: ["no other place could look"]) {
            $0.powerOff(tokyo)
            for peer in peers { $0.lose(\.views, on: peer) }
        },
        CheckCase(
            "the names of the site stand for nothing elsewhere", check, is: .unknown,
            says: ["no other place could look"]
        ) {
            $0.powerOff(tokyo)
            for peer in peers { $0.put(\.views, Fixtures.views(of: ["tokyo"], .unresolved, readiness: nil), on: peer) }
        },
        CheckCase("one place of three could look", check, is: .pass, says: ["to the operator and to seoul-rails-1"]) {
            $0.powerOff(tokyo)
            for peer in peers where peer != "seoul-rails-1" { $0.lose(\.views, on: peer) }
        },
        CheckCase(
            "the node refuses the operator's login, and is silent to others", check, is: .fail,
            says: ["tokyo-redis-1 (seen by operator)"]
        ) {
            $0.powerOff(["tokyo-redis-1"])
            $0.put(\.contact, .answered, on: "tokyo-redis-1")
        },
        CheckCase("all nodes are silent, and the site's page is served", check, is: .fail, says: ["answers 200"]) {
            $0.powerOff(tokyo)
            $0.siteReadiness["tokyo"] = Fixtures.seen(200)
        },
        CheckCase("the site's name was moved to the other site already", check, is: .pass, says: ["silent"]) {
            $0.powerOff(tokyo)
            $0.siteReadiness["tokyo"] = Fixtures.seen(200)
            $0.siteAddresses["tokyo"] = Fixtures.seen(["10.77.2.10"])
        },
        CheckCase("a front that is in reach serves the page", check, is: .pass, says: ["tokyo-pg-1 of tokyo is silent"])
        {
            $0.powerOff(["tokyo-pg-1"])
            $0.siteReadiness["tokyo"] = Fixtures.seen(200)
        },
        CheckCase("the operator sees nobody at all", check, is: .unknown, says: ["no other place could look"]) {
            for node in Fixtures.inventory().nodes { $0 = $0.losing(node.id) }
        },
    ])
    func aliveAndBeyondReachIsNeverTakenForGone(_ line: CheckCase) { line.verify() }

    /// Its sudo hangs, or its login is refused: the operator sees it, and gets onto its neighbours.
    @Test func aNodeThatObeysNobodyIsIsolatedByAProgramOrStandsInTheWay() throws {
        var observation = Fixtures.healthy()
        observation = observation.losing("tokyo-redis-1")
        observation.put(\.contact, .answered, on: "tokyo-redis-1")
        #expect(askCheck(Self.check, observation).worst == .fail)
        var inventory = Fixtures.inventory()
        inventory.fences = [
            FenceProgram(name: "power", run: ["off"], prove: ["is-off"], timeLimitSeconds: 60, nodes: ["tokyo-redis-1"])
        ]
        let findings = askCheck(Self.check, observation, inventory: inventory)
        #expect(findings.worst == .warn && findings[0].summary.contains("isolated by power"), "\(findings[0].summary)")

        // Where nobody of the site obeys, it is the operator's key and not the nodes: a fence would switch a healthy site off.
        var refused = observation
        for node in Self.tokyo {
            refused = refused.losing(node)
            refused.put(\.contact, .answered, on: node)
        }
        inventory.fences[0].nodes = []
        #expect(askCheck(Self.check, refused, inventory: inventory).worst == .fail)
        // Nor is one that only others see, with a program or without.
        var hidden = Fixtures.healthy()
        hidden.cutOperator(from: ["tokyo-redis-1"])
        #expect(askCheck(Self.check, hidden, inventory: inventory).worst == .fail)
    }

    @Test func whatWasSeenTooLongAgoIsNotSeen() throws {
        var observation = Fixtures.healthy()
        observation.powerOff(Self.tokyo)
        let site = try #require(Fixtures.inventory().site("tokyo"))
        let old = SiteSighting(of: site, in: Fixtures.inventory(), observation.aged(bySeconds: 400))
        #expect(old.nodes.allSatisfy { $0.state == .notLooked })
        #expect(old.witnesses == [])
    }

    @Test func everyReportSaysFromWhereAndWhen() throws {
        let site = try #require(Fixtures.inventory().site("tokyo"))
        let sighting = SiteSighting(of: site, in: Fixtures.inventory(), Fixtures.healthy())
        let database = try #require(sighting.node("tokyo-pg-1"))
        #expect(
            database.reports.map(\.vantage.description) == [
                "operator", "seoul-pg-1", "seoul-rails-1", "seoul-sidekiq-1", "replica seoul-pg-1",
            ])
        #expect(database.reports.allSatisfy { $0.at != nil && $0.sees == true })
        #expect(database.reports[1].text == "ssh answers, postgresql answers")
    }
}

extension Observation {
    /// Nobody sees anything of these nodes, nor of their site's page, nor does a replica hear.
    mutating func powerOff(_ nodes: [NodeID]) {
        for node in nodes {
            self = losing(node)
            for peer in Fixtures.inventory().vantagePoints(at: "tokyo").map(\.id) {
                see(node, .silent, from: peer)
            }
        }
        guard nodes.contains("tokyo-pg-1") else { return }
        put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 20)), on: "seoul-pg-1")
        guard nodes.contains("tokyo-lb-1") else { return }
        siteReadiness["tokyo"] = .unknown(reason: "connection timed out")
        for peer in Fixtures.inventory().vantagePoints(at: "tokyo").map(\.id) {
            guard var views = self[peer].views.value else { continue }
            views.readiness["tokyo"] = .unknown(reason: "had no answer in time")
            views.silentSites = ["tokyo"]
            put(\.views, views, on: peer)
        }
    }

    /// The operator does not get through to these nodes; everybody else does.
    mutating func cutOperator(from nodes: [NodeID]) {
        for node in nodes { self = losing(node) }
        if nodes.contains("tokyo-lb-1") { siteReadiness["tokyo"] = .unknown(reason: "connection timed out") }
    }

    /// What one node sees of another, at all of its ports.
    mutating func see(_ node: NodeID, _ sight: Sight, from peer: NodeID) {
        guard var views = self[peer].views.value, let ports = views.nodes[node] else { return }
        views.nodes[node] = ports.map { .init(port: $0.port, service: $0.service, sight: sight) }
        put(\.views, views, on: peer)
    }
}
