import GeoCore
import GeoTestSupport
import Testing

/// What one look amounts to: every state, and what looks like it and is not.
@Suite struct DiagnosisTests {
    struct Line: Sendable, CustomTestStringConvertible {
        var what: String
        var kind: Diagnosis.Kind
        var says: String
        var hasQuorum: Bool?
        var change: @Sendable (inout Observation) -> Void
        var testDescription: String { what }

        init(
            _ what: String, is kind: Diagnosis.Kind, says: String = "", quorum hasQuorum: Bool? = nil,
            change: @escaping @Sendable (inout Observation) -> Void = { _ in }
        ) {
            self.what = what
            self.kind = kind
            self.says = says
            self.hasQuorum = hasQuorum
            self.change = change
        }
    }

    private static let tokyo = Fixtures.inventory().site("tokyo")?.nodes.map(\.id) ?? []
    private static let seoul = Fixtures.inventory().site("seoul")?.nodes.map(\.id) ?? []
    private static let peers: [NodeID] = ["seoul-pg-1", "seoul-rails-1", "seoul-sidekiq-1"]

    static let lines: [Line] = [
        Line("all is well", is: .healthy),
        Line("a page that hides from this address", is: .healthy) { $0.siteReadiness["tokyo"] = Fixtures.seen(404) },
        Line("one node of the primary is gone", is: .degraded, says: "tokyo-gitaly-1 is not reached") {
            $0.powerOff(["tokyo-gitaly-1"])
        },
        Line("one node of the secondary is gone", is: .degraded, says: "seoul-redis-1 is not reached") {
            $0 = $0.losing("seoul-redis-1")
        },
        Line("the site's page says 502", is: .degraded, says: "answers 502") {
            $0.siteReadiness["tokyo"] = Fixtures.seen(502)
        },
        Line("the whole secondary is gone", is: .degraded, says: "seoul") {
            for node in seoul { $0 = $0.losing(node) }
        },
        Line("the stream is cut", is: .replicationStalled, says: "no WAL receiver runs on seoul-pg-1") {
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        Line("the stream is silent", is: .replicationStalled, says: "has not heard from tokyo") {
            $0.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 50)), on: "seoul-pg-1")
        },
        Line("replay is paused", is: .replicationStalled, says: "replay on seoul-pg-1 is paused") {
            $0.put(\.database, Fixtures.standby(isReplayPaused: true), on: "seoul-pg-1")
        },
        Line("the sites do not see each other, the operator sees both", is: .replicationStalled) {
            for peer in peers { $0.put(\.views, Fixtures.views(of: ["tokyo"], .silent, readiness: nil), on: peer) }
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        Line("an idle primary is quiet for half a minute", is: .healthy) {
            $0.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 29)), on: "seoul-pg-1")
        },
        Line("the operator alone is cut off", is: .unreachableFromHere, says: "seen by seoul-pg-1", quorum: false) {
            $0.cutOperator(from: tokyo)
        },
        Line("the operator and two peers are cut off, one sees it", is: .unreachableFromHere, says: "seoul-sidekiq-1") {
            $0.powerOff(tokyo)
            $0.see("tokyo-pg-1", .refused, from: "seoul-sidekiq-1")
        },
        Line("nobody sees it, and the replica hears from it", is: .unreachableFromHere, says: "replica seoul-pg-1") {
            $0.powerOff(tokyo)
            $0.put(\.database, Fixtures.standby(), on: "seoul-pg-1")
        },
        Line("nobody sees its nodes, and its page is served", is: .unreachableFromHere, says: "answers 200") {
            $0.powerOff(tokyo)
            $0.siteReadiness["tokyo"] = Fixtures.seen(200)
        },
        Line("every login is refused", is: .unreachableFromHere, says: "seen by operator") {
            $0.powerOff(tokyo)
            for node in tokyo { $0.put(\.contact, .answered, on: node) }
        },
        Line("nobody else could look", is: .unreachableFromHere, says: "no node of another site could look") {
            $0.powerOff(tokyo)
            for peer in peers { $0.lose(\.views, on: peer) }
        },
        Line("the operator's network is gone", is: .unknown, says: "no database was seen to be writable") {
            for node in tokyo + seoul { $0 = $0.losing(node) }
        },
        Line("the site is gone", is: .unreachableFromEverywhere, says: "nothing of tokyo is seen", quorum: true) {
            $0.powerOff(tokyo)
        },
        Line("the site is gone, and only one peer could look", is: .unreachableFromEverywhere, quorum: false) {
            $0.powerOff(tokyo)
            for peer in peers.dropFirst() { $0.lose(\.views, on: peer) }
        },
        Line("PostgreSQL of the primary is down", is: .databaseDown, says: "no writable database", quorum: true) {
            $0.stopDatabase()
        },
        Line("the database's machine is off", is: .databaseDown, says: "tokyo-pg-1", quorum: true) {
            $0.powerOff(["tokyo-pg-1"])
        },
        Line("the operator cannot ask the database, and others see it", is: .degraded, says: "can tell to be up") {
            $0.lose(\.database, on: "tokyo-pg-1")
        },
        Line("sudo is refused on the database's node", is: .degraded, says: "can tell to be up") {
            $0.change("tokyo-pg-1") { $0.database = .unknown(reason: "sudo asks for a password: allow it") }
        },
        Line("the operator alone is cut off from the database's node", is: .degraded, says: "can tell to be up") {
            $0.cutOperator(from: ["tokyo-pg-1"])
        },
        Line(
            "the sites do not see each other, and the primary's database node is slow", is: .degraded,
            says: "nobody else"
        ) {
            for peer in peers { $0.put(\.views, Fixtures.views(of: ["tokyo"], .silent, readiness: nil), on: peer) }
            $0.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(silence: 20)), on: "seoul-pg-1")
            $0 = $0.losing("tokyo-pg-1")
            $0.put(\.contact, .answered, on: "tokyo-pg-1")
        },
        Line("both sites are writable", is: .twoWritableSites, says: "tokyo and seoul", quorum: true) {
            $0.put(\.database, Fixtures.primary(senders: [], slots: [], timeline: 2), on: "seoul-pg-1")
        },
        Line("every database is in recovery", is: .noWritableSite, says: "nobody can write", quorum: true) {
            $0.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
        },
        Line("the primary is in recovery, the other one is not known", is: .unknown, says: "could be asked") {
            $0.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
            $0.change("seoul-pg-1") { $0.database = .unknown(reason: "psql: connection refused") }
        },
    ]

    @Test(arguments: lines) func aLookIsWhatItsFactsSay(_ line: Line) {
        var observation = Fixtures.healthy()
        line.change(&observation)
        let diagnosis = Diagnosis(of: Fixtures.inventory(), observation)
        let reasons = diagnosis.reasons.joined(separator: "; ")
        #expect(diagnosis.kind == line.kind, "\(reasons)")
        #expect(reasons.contains(line.says), "\(reasons)")
        if let quorum = line.hasQuorum { #expect(diagnosis.hasQuorum == quorum, "\(diagnosis.votes)") }
        #expect(diagnosis.reasons.isEmpty == (diagnosis.kind == .healthy))
        if diagnosis.kind.isDisaster { #expect(diagnosis.votes.allSatisfy { !$0.text.isEmpty }) }
    }

    @Test func everyStateHasALine() {
        #expect(Set(Self.lines.map(\.kind)) == Set(Diagnosis.Kind.allCases))
    }

    @Test func thePrimaryIsFoundAlsoWhenItIsGone() {
        var observation = Fixtures.healthy()
        observation.powerOff(Self.tokyo)
        #expect(Diagnosis(of: Fixtures.inventory(), observation).primary == "tokyo")
        let exchanged = Diagnosis(of: Fixtures.inventory(), Fixtures.exchanged())
        #expect(exchanged.primary == "seoul")
    }

    @Test func whatWasSeenTooLongAgoIsNoState() {
        let old = Diagnosis(of: Fixtures.inventory(), Fixtures.healthy().aged(bySeconds: 400))
        #expect(old.kind == .unknown)
    }

    /// Leader and replica of one site: the leader decides, and a former leader in recovery is no fault.
    @Test func aSiteIsWritableWhenOneOfItsDatabasesIs() {
        let diagnosis = Diagnosis(of: Fixtures.patroniInventory(), Fixtures.patroniHealthy())
        #expect(diagnosis.primary == "tokyo")
        #expect(!diagnosis.kind.isDisaster)
    }

    @Test func aLookAsksForAllThatADiagnosisReads() {
        let inventory = Fixtures.inventory()
        for line in Self.lines {
            var observation = Fixtures.healthy()
            line.change(&observation)
            let asked = observation.restricted(to: inventory.watchScope)
            #expect(Diagnosis(of: inventory, asked) == Diagnosis(of: inventory, observation), "\(line.what)")
        }
    }
}

extension Observation {
    /// PostgreSQL of Tokyo does not run; its machine does.
    mutating func stopDatabase() {
        for probe in [Probe.database, .geo] {
            change("tokyo-pg-1") { $0.markUnknown(probe, reason: "psql: connection refused") }
        }
        put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        siteReadiness["tokyo"] = Fixtures.seen(502)
        for peer in Fixtures.inventory().vantagePoints(at: "tokyo").map(\.id) {
            guard var views = self[peer].views.value else { continue }
            views.nodes["tokyo-pg-1"] = [
                .init(port: 22, service: "ssh", sight: .answered),
                .init(port: 5432, service: "postgresql", sight: .refused),
            ]
            views.readiness["tokyo"] = .known(value: 502, at: Fixtures.moment(-5), from: peer.rawValue)
            put(\.views, views, on: peer)
        }
    }
}
