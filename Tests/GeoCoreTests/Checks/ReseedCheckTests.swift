import GeoCore
import GeoTestSupport
import Testing

/// Tokyo is the primary; Seoul, a former one, is to be seeded from it.
@Suite struct ReseedCheckTests {
    private static func direction(_ change: (inout Observation) -> Void) -> [Finding] {
        var observation = Fixtures.returning()
        change(&observation)
        return askCheck("reseed.direction", observation)
    }

    @Test func nothingButAStoppedFormerPrimaryBesideTheWritableOneIsReplaced() {
        #expect(Self.direction { _ in }.worst == .pass)
        let wrong: [(String, (inout Observation) -> Void)] = [
            ("can be written to", { $0.put(\.database, Fixtures.primary(), on: "seoul-pg-1") }),
            ("streams already", { $0.put(\.database, Fixtures.standby(), on: "seoul-pg-1") }),
            ("is in recovery", { $0.put(\.database, Fixtures.standby(), on: "tokyo-pg-1") }),
            ("not tokyo", { $0.put(\.geo, Fixtures.geo(primary: "seoul"), on: "tokyo-pg-1") }),
            ("geo-pitr-file", { $0.put(\.pointInTimeFile, .present(text: "0/3000060"), on: "tokyo-pg-1") }),
            (
                "puma of seoul-rails-1 runs",
                {
                    let node = Fixtures.inventory().node("seoul-rails-1")
                    $0.put(\.services, node.map { Fixtures.services($0) } ?? [], on: "seoul-rails-1")
                }
            ),
            (
                "are one machine",
                { observation in
                    guard let name = observation["tokyo-pg-1"].identity.value else { return }
                    observation.put(\.identity, name, on: "seoul-pg-1")
                }
            ),
        ]
        for (words, change) in wrong {
            let findings = Self.direction(change)
            #expect(
                findings.worst == .fail && findings.contains { $0.summary.contains(words) }, "\(words): \(findings)")
        }
    }

    /// What is left of a secondary whose primary was left: it serves, writes nothing, and is stopped by the run.
    @Test func aSecondaryThatFollowsNobodyMayRunAndAFormerPrimaryMayNot() {
        var observation = Fixtures.healthy()
        observation.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        #expect(askCheck("reseed.stands-still", observation).worst == .pass)
        #expect(askCheck("reseed.direction", observation).worst == .pass)
        // In Geo's tables it is none, or it follows somebody.
        observation.put(\.geo, Fixtures.geo(primary: "seoul"), on: "tokyo-pg-1")
        #expect(askCheck("reseed.stands-still", observation).worst == .fail)
        #expect(askCheck("reseed.stands-still", Fixtures.healthy()).worst == .fail)
        // A fenced one needs no row.
        let fenced = askCheck("reseed.stands-still", Fixtures.returning())
        #expect(fenced.worst == .pass, "\(fenced)")
        var half = Fixtures.returning()
        half.put(\.startsAtBoot, true, on: "seoul-gitaly-1")
        #expect(askCheck("reseed.stands-still", half).worst == .fail)
    }

    @Test func aDatabaseOfAnotherLineageIsNotMovedAside() {
        var observation = Fixtures.returning()
        observation.put(
            \.controlData, Fixtures.controlData("shut down", systemIdentifier: "7000000000000000001"), on: "seoul-pg-1")
        #expect(askCheck("reseed.own-database", observation).worst == .fail)
    }

    @Test func aCopyCountsOnlyWhileItStreamsThroughItsOwnSlot() {
        func verdict(_ standby: DatabaseFacts) -> Verdict {
            var observation = Fixtures.returned()
            observation.put(\.database, standby, on: "seoul-pg-1")
            return askCheck("database.reseeded", observation).worst
        }
        #expect(verdict(Fixtures.standby()) == .pass)
        #expect(verdict(Fixtures.standby(receiver: nil)) == .fail)
        #expect(verdict(Fixtures.standby(receiver: Fixtures.receiver(slot: "busan"))) == .fail)
        #expect(verdict(Fixtures.standby(receiver: Fixtures.receiver(slot: nil))) >= .unknown)
        #expect(verdict(Fixtures.standby(timeline: 3)) == .fail)
        #expect(verdict(Fixtures.primary()) == .fail)
        // A server that is down is no unknown: the step can be run again.
        var down = Fixtures.returning()
        #expect(askCheck("database.reseeded", down).worst == .fail)
        down.put(\.pointInTimeFile, .present(text: "0/3000060"), on: "seoul-pg-1")
        var left = Fixtures.returned()
        left.put(\.pointInTimeFile, .present(text: "0/3000060"), on: "seoul-pg-1")
        #expect(askCheck("database.reseeded", left).worst >= .unknown)
    }

    @Test func whatAnEarlierTimeLeftIsNoFreshTrackingDatabase() {
        #expect(askCheck("tracking.fresh", Fixtures.healthy(), about: .site(id: "seoul")).worst == .fail)
        #expect(askCheck("tracking.fresh", Fixtures.returned(), about: .site(id: "seoul")).worst == .pass)
        // A migration that was cut off is run again; where nobody can tell, it is not.
        for (reason, expected) in [
            ("ERROR:  relation \"event_log_states\" does not exist", Verdict.fail), ("timed out", .unknown),
        ] {
            var observation = Fixtures.returned()
            observation.change("seoul-geo-1") { $0.tracking = .unknown(reason: reason) }
            #expect(askCheck("tracking.fresh", observation, about: .site(id: "seoul")).worst == expected, "\(reason)")
        }
    }

    @Test(arguments: [
        ("geo_secondary['enable'] = true", Verdict.pass), ("  geo_secondary[\"enable\"] = true # yes", .pass),
        ("geo_secondary['enable'] = false", .fail), ("geo_secondary['enable'] = ENV['X']", .fail),
        ("geo_secondary['enable'] = true && x", .fail), ("", .fail),
        ("geo_secondary['enable'] = true\ngeo_secondary['enable'] = false", .fail),
    ])
    func onlyOnePlainLineMakesANodeASecondarys(lines: String, expected: Verdict) {
        var observation = Fixtures.returned()
        observation.put(
            \.geoSettings, lines.split(separator: "\n").map(String.init), on: "seoul-rails-1")
        #expect(
            askCheck("node.secondary-configured", observation, about: .node(id: "seoul-rails-1")).worst == expected)
    }
}
