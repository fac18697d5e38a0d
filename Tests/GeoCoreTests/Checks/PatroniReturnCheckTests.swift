import GeoCore
import GeoTestSupport
import Testing

/// Tokyo is the primary; Seoul's Patroni is to follow it.
@Suite struct PatroniReturnCheckTests {
    private static let pair = Subject.failover(from: "tokyo", to: "seoul")

    private static func ask(
        _ check: CheckID, _ subject: Subject, _ base: Observation, _ change: (inout Observation) -> Void = { _ in }
    ) -> [Finding] {
        var observation = base
        change(&observation)
        return askCheck(check, observation, about: subject, inventory: Fixtures.patroniInventory())
    }

    private static func lines(host: String?, slot: String? = "geo_secondary") -> [String] {
        ["patroni['standby_cluster']['enable'] = true"]
            + (host.map { ["patroni['standby_cluster']['host'] = '\($0)' # the primary's"] } ?? [])
            + (slot.map { ["patroni[\"standby_cluster\"][\"primary_slot_name\"] = \"\($0)\""] } ?? [])
    }

    @Test(
        arguments: [
            ("10.77.1.21", "geo_secondary", .pass), ("tokyo-pg-2.lab.test", "geo_secondary", .pass),
            ("10.77.1.10", "geo_secondary", .pass), ("10.77.2.21", "geo_secondary", .fail),
            ("127.0.0.1", "geo_secondary", .fail), ("192.0.2.7", "geo_secondary", .unknown),
            (nil, "geo_secondary", .fail),
            ("10.77.1.21", "seoul", .fail), ("10.77.1.21", nil, .fail), ("#{x}", "geo_secondary", .fail),
        ] as [(String?, String?, Verdict)])
    func theHostIsThePrimarysAndTheSlotIsThere(host: String?, slot: String?, expected: Verdict) {
        let findings = Self.ask("patroni.standby-settings", .node(id: "seoul-pg-1"), Fixtures.patroniReturning()) {
            for node in ["seoul-pg-1", "seoul-pg-2"] as [NodeID] {
                $0.put(\.geoSettings, Self.lines(host: host, slot: slot), on: node)
            }
        }
        #expect(findings.worst == expected, "\(findings.map(\.summary))")
    }

    @Test func membersThatWouldFollowDifferentHostsAreRefused() {
        let findings = Self.ask("patroni.standby-settings", .node(id: "seoul-pg-1"), Fixtures.patroniReturning()) {
            $0.put(\.geoSettings, Self.lines(host: "10.77.1.22"), on: "seoul-pg-2")
        }
        #expect(findings.worst == .fail && findings[0].summary.contains("different clusters"), "\(findings)")
    }

    @Test func aClusterThatHasALeaderIsNotAtRest() {
        let site = Subject.site(id: "seoul")
        let rest = Fixtures.patroniReturning()
        let led = Self.ask("patroni.store-at-rest", site, rest) {
            $0.put(\.patroni, Fixtures.patroni(of: ["seoul-pg-1"], isPrimary: true), on: "seoul-pg-2")
        }
        #expect(led.worst == .fail && led[0].summary.contains("seoul-pg-1.lab.test leads"), "\(led)")
        let silent = Self.ask("patroni.store-at-rest", site, rest) {
            $0.change("seoul-pg-2") { $0.patroni = .unknown(reason: "the store does not answer") }
        }
        #expect(silent.worst == .unknown)
    }

    /// Patroni's own words are the same in all of them: "standby leader" and "replica", running, on one timeline.
    @Test func neitherMemberStateNorLagProveAStream() {
        let seeded = Fixtures.patroniReturned()
        func reseeded(_ change: (inout Observation) -> Void) -> Verdict {
            Self.ask("database.reseeded", Self.pair, seeded, change).worst
        }
        #expect(reseeded { _ in } == .pass)
        #expect(reseeded { $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1") } == .fail)
        let other = Fixtures.standby(receiver: Fixtures.receiver(slot: "seoul"))
        #expect(reseeded { $0.put(\.database, other, on: "seoul-pg-1") } == .fail)
        // Members that are not seeded yet do not matter, and one that leads is enough.
        let stopped = Fixtures.services(Fixtures.patroniInventory().sites[1].databaseNodes[1], .down)
        let alone: (inout Observation) -> Void = { observation in
            observation.put(\.services, stopped, on: "seoul-pg-2")
            observation.change("seoul-pg-2") { $0.markUnknown(.database, reason: "psql: connection refused") }
        }
        #expect(reseeded(alone) == .pass)
        #expect(Self.ask("patroni.leader-caught-up", Self.pair, seeded, alone).worst == .pass)
        // One whose database does not answer while its Patroni copies is known not to be seeded.
        let copying = Self.ask("database.reseeded", Self.pair, seeded) { observation in
            for node in ["seoul-pg-1", "seoul-pg-2"] as [NodeID] {
                observation.change(node) { $0.markUnknown(.database, reason: "psql: connection refused") }
            }
        }
        #expect(copying.worst == .fail && copying[0].summary.contains("copies still"), "\(copying)")
        let unseen = Self.ask("database.reseeded", Self.pair, seeded) { observation in
            for node in ["seoul-pg-1", "seoul-pg-2"] as [NodeID] { observation = observation.losing(node) }
        }
        #expect(unseen.worst == .unknown)
    }

    @Test func aReplicaStreamsFromAMemberOfItsOwnSiteOnTheLeadersTimeline() {
        func verdict(_ change: (inout Observation) -> Void) -> Verdict {
            Self.ask("patroni.replica-follows", .node(id: "seoul-pg-2"), Fixtures.patroniReturned(), change).worst
        }
        func database(_ facts: DatabaseFacts) -> Verdict { verdict { $0.put(\.database, facts, on: "seoul-pg-2") } }
        let own = Fixtures.receiver(slot: nil, host: "10.77.2.21")
        #expect(verdict { _ in } == .pass)
        #expect(database(Fixtures.standby(receiver: nil)) == .fail)
        #expect(database(Fixtures.standby(receiver: Fixtures.receiver(host: "10.77.1.21"))) == .fail)
        #expect(database(Fixtures.standby(receiver: Fixtures.receiver(host: nil))) == .fail)
        #expect(database(Fixtures.standby(receiver: own, timeline: 3)) == .fail)
        #expect(database(Fixtures.standby(receiver: own, systemIdentifier: "7000000000000000001")) == .fail)
        #expect(database(Fixtures.primary()) == .fail)
        #expect(verdict { $0.change("seoul-pg-2") { $0.markUnknown(.database, reason: "starting up") } } == .fail)
        var parted = Fixtures.patroni(of: ["seoul-pg-1", "seoul-pg-2"], isPrimary: false)
        parted.members[1].timeline = 2
        #expect(verdict { $0.put(\.patroni, parted, on: "seoul-pg-2") } == .fail)
        let promoted = Fixtures.patroni(of: ["seoul-pg-1", "seoul-pg-2"], isPrimary: true)
        #expect(verdict { $0.put(\.patroni, promoted, on: "seoul-pg-2") } == .fail)
        #expect(verdict { $0 = $0.losing("seoul-pg-2") } == .unknown)
    }

    @Test func aMembersDataIsMovedAsideOnlyWhereItIsOfNoUse() {
        func verdict(_ change: (inout Observation) -> Void) -> Verdict {
            Self.ask("patroni.replica-replaceable", .node(id: "seoul-pg-2"), Fixtures.patroniReturning(), change).worst
        }
        #expect(verdict { _ in } == .pass)
        #expect(verdict { $0.put(\.database, Fixtures.primary(), on: "seoul-pg-2") } == .fail)
        #expect(verdict { $0.put(\.database, Fixtures.standby(), on: "seoul-pg-2") } == .fail)
        let other = Fixtures.controlData("shut down", systemIdentifier: "7000000000000000001")
        #expect(verdict { $0.put(\.controlData, other, on: "seoul-pg-2") } == .fail)
        let full = [DiskSpace(path: "/var/opt/gitlab", freeBytes: 1 << 30, totalBytes: 100 << 30)]
        #expect(verdict { $0.put(\.disks, full, on: "seoul-pg-2") } == .fail)
    }

    /// A replica of the site's own cluster follows its leader, whomever that follows.
    @Test func aClusterWhoseLeaderFollowsNobodyFollowsNobody() throws {
        let site = try #require(Fixtures.patroniInventory().site("seoul"))
        var observation = Fixtures.patroniReturned()
        #expect(!site.followsNobody(in: observation))
        observation.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        #expect(site.followsNobody(in: observation))
        observation.put(\.database, Fixtures.standby(receiver: Fixtures.receiver(host: nil)), on: "seoul-pg-2")
        #expect(!site.followsNobody(in: observation))
    }

    @Test func whatAFollowerStoppedWithItsLeaderHasSavedIsTheLeaders() throws {
        let site = try #require(Fixtures.patroniInventory().site("seoul"))
        var observation = Fixtures.patroniReturning()
        // Two that both led last: nobody knows which of them has what.
        #expect(site.followers(in: observation) == [])
        observation.put(\.controlData, Fixtures.controlData("shut down in recovery"), on: "seoul-pg-2")
        #expect(site.followers(in: observation).map(\.id) == ["seoul-pg-2"])
        let ahead = Fixtures.controlData(
            "shut down in recovery", checkpoint: LogPosition(bytes: Fixtures.current.bytes + 1))
        observation.put(\.controlData, ahead, on: "seoul-pg-2")
        #expect(site.followers(in: observation) == [])
        observation.change("seoul-pg-2") { $0.controlData = .unknown(reason: "no answer") }
        #expect(site.followers(in: observation) == [])
    }
}
