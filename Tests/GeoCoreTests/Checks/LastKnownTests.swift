import GeoCore
import GeoTestSupport
import Testing

/// What is kept of a primary, and what it says on the day on which the primary does not answer.
@Suite struct LastKnownTests {
    private static let inventory = Fixtures.inventory()
    private static let kept = known(Fixtures.healthy())

    private static func known(_ observations: Observation...) -> LastKnown {
        var known = LastKnown(deployment: "lab")
        for observation in observations { known.learn(from: observation, of: inventory) }
        return known
    }

    private static func loss(_ observation: Observation, _ known: LastKnown? = kept) -> LossStatement {
        LossStatement(
            inventory: inventory, from: "tokyo", to: "seoul", observation: observation, lastKnown: known)
    }

    /// The same deployment an hour later, with the primary's site gone.
    private static func disaster(_ change: (inout Observation) -> Void = { _ in }) -> Observation {
        var later = Fixtures.healthy()
        for node in later.nodes.keys where node.rawValue.hasPrefix("tokyo-") { later = later.losing(node) }
        change(&later)
        return later
    }

    @Test func onlyTheOnePrimaryIsKept() {
        #expect(Array(Self.kept.primaries.keys) == ["tokyo"])
        #expect(Self.kept.primaries["tokyo"]?.database.value?.primary?.current == Fixtures.current)
        let both = Fixtures.healthy().changing("seoul-pg-1") {
            $0.database = Fixtures.seen(Fixtures.primary(), on: "seoul-pg-1")
        }
        #expect(Self.known(both).primaries.isEmpty)
        #expect(Self.known(Self.disaster()).primaries.isEmpty)
    }

    @Test func whatALaterLookCouldNotSeeKeepsItsOlderAnswer() throws {
        var later = Fixtures.healthy()
        later.change("tokyo-pg-1") { facts in
            facts.database = .known(
                value: Fixtures.primary(current: LogPosition(bytes: Fixtures.current.bytes + 64)),
                at: Fixtures.moment(600), from: "tokyo-pg-1")
            facts.markUnknown(.geo, reason: "timed out")
        }
        let known = try #require(Self.known(Fixtures.healthy(), later).primaries["tokyo"])
        #expect(known.database.at == Fixtures.moment(600))
        #expect(known.geo.at == Fixtures.moment(-5))
        // Of another history nothing is kept: its numbers would be another database's.
        later.change("tokyo-pg-1") {
            $0.database = .known(
                value: Fixtures.primary(timeline: 2), at: Fixtures.moment(600), from: "tokyo-pg-1")
        }
        #expect(try #require(Self.known(Fixtures.healthy(), later).primaries["tokyo"]).geo.value == nil)
        // An older look changes nothing.
        let older = Self.known(later, Fixtures.healthy())
        #expect(older.primaries["tokyo"]?.database.at == Fixtures.moment(600))
    }

    @Test func whereThePrimaryAnswersMemoryAddsNothing() {
        #expect(Self.loss(Fixtures.healthy()).lastSeen == nil)
        #expect(Self.loss(Fixtures.healthy()) == Self.loss(Fixtures.healthy(), nil))
    }

    @Test func aLostPrimaryIsMeasuredByItsLastWordsAndNeverMixed() throws {
        let later = Self.disaster { observation in
            observation.put(
                \.database,
                Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes - 4096), receiver: nil),
                on: "seoul-pg-1")
            observation.tracking { $0.cursorEventID = 4700 }
            observation.registry("uploads") {
                $0 = .init(total: 1, synced: 1, failed: 0, verified: 1, verificationFailed: 0)
            }
        }
        let loss = Self.loss(later)
        let seen = try #require(loss.lastSeen)
        #expect(seen.bytes == .init(value: 4096, at: Fixtures.moment(-5), from: "tokyo-pg-1"))
        #expect(seen.events?.value == 11)
        #expect(seen.missing["uploads"]?.value == 2)
        #expect(seen.missing["job_artifacts"]?.value == 0)
        #expect(seen.projects?.from == "tokyo-pg-1")
        // What is not known now stays not known.
        #expect(loss.bytesNotReplayed.value == nil && loss.eventsBehind.value == nil && !loss.isNothing)
        var without = loss
        without.lastSeen = nil
        #expect(without == Self.loss(later, nil))
    }

    @Test func aCandidateThatPassedTheLastWordsIsNeverSaidToLoseNothing() {
        let loss = Self.loss(Self.disaster())
        #expect(loss.lastSeen?.bytes?.value == 0)
        #expect(!loss.isNothing)
    }

    @Test func anotherHistoryIsRefusedAndSaysWhy() throws {
        let later = Self.disaster {
            $0.put(\.database, Fixtures.standby(receiver: nil, timeline: 2), on: "seoul-pg-1")
        }
        let seen = try #require(Self.loss(later).lastSeen)
        #expect(seen.refusal?.contains("not of this database") == true)
        #expect(seen.bytes == nil && seen.events == nil && seen.missing.isEmpty && seen.projects == nil)
    }

    @Test func withoutTheCandidatesDatabaseNothingIsMeasured() {
        #expect(Self.loss(Self.disaster { $0 = $0.losing("seoul-pg-1") }).lastSeen == nil)
        #expect(Self.loss(Self.disaster(), LastKnown(deployment: "lab")).lastSeen == nil)
    }

    @Test func countsOfAStatusThatWasOldThenAreNotUsed() throws {
        let stale = Fixtures.healthy().changing("tokyo-pg-1") { facts in
            guard var geo = facts.geo.value else { return }
            for index in geo.nodes.indices { geo.nodes[index].status?.ageSeconds = 7200 }
            facts.geo = Fixtures.seen(geo, on: "tokyo-pg-1")
        }
        #expect(try #require(Self.loss(Self.disaster(), Self.known(stale)).lastSeen).missing.isEmpty)
    }
}
