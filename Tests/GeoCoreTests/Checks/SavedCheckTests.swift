import FoundationEssentials
import GeoCore
import GeoTestSupport
import Testing

/// A check that was saved, read back, and compared with a later one.
@Suite struct SavedCheckTests {
    /// A plan or a saved check of an earlier version has no word of facts that came later: they are unknown, not an error.
    @Test func factsThatAnEarlierVersionDidNotAskAreUnknown() throws {
        let facts = try JSONDecoder().decode(NodeFacts.self, from: Data("{}".utf8))
        #expect(facts == NodeFacts() && facts.settings.reason == "not asked")
        let machine = #"{"processors":2,"memoryBytes":1,"system":"debian 12","pumaWorkers":0,"sidekiqProcesses":0}"#
        #expect(try JSONDecoder().decode(MachineFacts.self, from: Data(machine.utf8)).addresses == nil)
        let site = #"{"hasOAuthApplication":true}"#
        #expect(try JSONDecoder().decode(ApplicationFacts.SiteRow.self, from: Data(site.utf8)).url == nil)
    }

    private static func pair(_ observation: Observation, _ findings: [Finding], ready: Bool = true) -> SavedCheck.Pair {
        SavedCheck.Pair(
            from: "tokyo", to: "seoul", isReady: ready, findings: findings,
            loss: LossStatement(
                inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: observation))
    }

    private static func finding(_ verdict: Verdict, _ summary: String = "", _ check: CheckID = "node.clock") -> Finding
    {
        Finding(check: check, subject: .node(id: "seoul-pg-1"), verdict: verdict, summary: summary)
    }

    private static func difference(_ before: [Finding], _ after: [Finding]) -> CheckDifference {
        CheckDifference(from: pair(Fixtures.healthy(), before), to: pair(Fixtures.healthy(), after))
    }

    @Test func aSavedCheckReadsBackWholeAndNothingElseDoes() throws {
        let healthy = Fixtures.healthy()
        let saved = SavedCheck(
            inventory: Fixtures.inventory(), profile: .drill,
            pairs: [Self.pair(healthy, [Self.finding(.warn, "2 s ahead")])], observation: healthy)
        let bytes = try saved.encoded()
        #expect(try SavedCheck(reading: bytes) == saved)
        #expect(throws: SavedCheckError.self) { _ = try SavedCheck(reading: Array(bytes.dropLast(40))) }
        #expect(throws: SavedCheckError.self) { _ = try SavedCheck(reading: Array("{}".utf8)) }
        for (part, other, words) in [
            (#""schema":1,"type""#, #""schema":2,"type""#, "version 2"),
            (#""type":"saved-check""#, #""type":"plan""#, "it holds plan"),
        ] {
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.contains(part))
            let error = #expect(throws: SavedCheckError.self) {
                _ = try SavedCheck(reading: Array(text.replacing(part, with: other).utf8))
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
    }

    @Test(
        arguments: [
            (.pass, .fail, .appeared), (nil, .warn, .appeared), (.warn, .fail, .worse), (.unknown, .fail, .worse),
            (.fail, .unknown, .better), (.fail, .warn, .better), (.fail, .pass, .cleared), (.unknown, nil, .notAsked),
            (.fail, .fail, .reworded), (.pass, .pass, nil), (.pass, nil, nil), (nil, .pass, nil),
        ] as [(Verdict?, Verdict?, CheckDifference.Kind?)])
    func everyChangeOfAnAnswerHasItsWord(before: Verdict?, after: Verdict?, kind: CheckDifference.Kind?) {
        let old = before.map { [Self.finding($0, "was")] } ?? []
        let new = after.map { [Self.finding($0, "is")] } ?? []
        #expect(Self.difference(old, new).changes.map(\.kind) == (kind.map { [$0] } ?? []))
    }

    @Test func theSameSentenceIsNoChangeAndANumberInItIsNone() {
        #expect(Self.difference([Self.finding(.fail, "x")], [Self.finding(.fail, "x")]).changes.isEmpty)
        let other = Self.difference([Self.finding(.fail, "2 s")], [Self.finding(.fail, "3 s")])
        #expect(other.changes.map(\.kind) == [.reworded] && other.isNothing)
    }

    @Test func whatIsNewStandsFirstAndTheWorstOfIt() {
        let difference = Self.difference(
            [Self.finding(.fail, "x", "a.cleared"), Self.finding(.warn, "x", "b.worse")],
            [
                Self.finding(.pass, "x", "a.cleared"), Self.finding(.fail, "x", "b.worse"),
                Self.finding(.warn, "x", "c.new"), Self.finding(.fail, "x", "d.new"),
            ])
        #expect(difference.changes.map(\.check) == ["d.new", "c.new", "b.worse", "a.cleared"])
    }

    @Test func aLossThatCannotBeToldAnyMoreIsAChangeAndNoZero() throws {
        let before = Self.pair(Fixtures.healthy(), [])
        let after = Self.pair(Fixtures.healthy().losing("tokyo-pg-1"), [], ready: false)
        let amounts = CheckDifference(from: before, to: after).amounts
        let bytes = try #require(amounts.first { $0.name == "WAL" })
        #expect(bytes.before.value == 0 && bytes.after.value == nil)
        #expect(amounts.contains { $0.name == "uploads not registered" && $0.after.value == nil })
        #expect(!CheckDifference(from: before, to: after).isNothing)
        #expect(CheckDifference(from: before, to: before).isNothing)
    }
}
