import GeoCore
import Testing

/// A visit's answer as a whole: read in full, cut anywhere, garbled anywhere.
struct ProbeAnswerTests {
    @Test func healthyNodeGivesEveryFact() {
        let facts = RecordedAnswer.whole.facts(RecordedAnswer.script())
        #expect(Self.reasons(facts) == [])
        #expect(facts.services.value?.count == 2)
        #expect(facts.database.value?.standby?.receiver?.slotName == "seoul")
        #expect(facts.geo.value?.node(named: "seoul")?.status?.counts == ["lfs_objects_count": 111])
        #expect(facts.tracking.value?.registries["uploads"]?.failed == 1)
        #expect(facts.listeningPorts.value == [22, 443, 9236])
        #expect(facts.disks.value?.map(\.path) == ["/etc/gitlab"])
        #expect(facts.disks.value?.first?.freeBytes == 82_445_020 << 10)
        #expect(facts.readiness.value == 200)
        #expect(facts.railsRole.value == "secondary")
        #expect(facts.services.from == "seoul-all-1")
        #expect(facts.services.at == RecordedAnswer.visitStart)
    }

    @Test func clockOffsetIsTheMiddleOfTheTimeNotSpentOnTheNode() {
        // The visit took 2,500 ms, 2,100 of them within the script: it began 0-400 ms after the start, so at 200 +- 200.
        #expect(RecordedAnswer.whole.facts(RecordedAnswer.script()).clockOffset.value == 123 - 200)
    }

    @Test func clockThatWasSetDuringTheVisitGivesNoOffset() {
        var answer = RecordedAnswer.whole
        answer.ended = "1795221999.000000000"
        #expect(answer.facts(RecordedAnswer.script()).clockOffset.reason?.contains("was set") == true)
        answer.ended = "1795221000.000000000"
        #expect(answer.facts(RecordedAnswer.script()).clockOffset.reason?.contains("was set") == true)
    }

    /// Every prefix: a fact is either the one of the whole answer or unknown, and what is missing says so. Each probe alone
    /// is cut at every byte; all of them together at every 13th, which is a matter of time only.
    @Test func cutAnswerNeverGivesAnotherFact() {
        for probe in Probe.allCases { #expect(Self.wrong(RecordedAnswer.script([probe]), step: 1) == []) }
        #expect(Self.wrong(RecordedAnswer.script(), step: 13) == [])
        let script = RecordedAnswer.script()
        let last = RecordedAnswer.facts(Array(RecordedAnswer.whole.bytes(script).dropLast()), script)
        #expect(last.clockOffset == .unknown(reason: "the answer was cut off"))
        #expect(last.cronJobs.value != nil)
    }

    private static func wrong(_ script: ProbeScript, step: Int) -> [String] {
        let bytes = RecordedAnswer.whole.bytes(script)
        let whole = facts(in: RecordedAnswer.facts(bytes, script))
        let cutOff = "unknown(reason: \"the answer was cut off\")"
        var wrong: [String] = []
        for length in stride(from: 0, to: bytes.count, by: step) {
            for (name, found) in facts(in: RecordedAnswer.facts(Array(bytes[..<length]), script)) {
                guard name != "connection", found != whole[name], String(describing: found.base) != cutOff else {
                    continue
                }
                wrong.append("\(length) \(name): \(found)")
            }
        }
        return Array(wrong.prefix(5))
    }

    @Test func dateWithoutFractionsGivesNoOffsetAndSpoilsNothing() {
        var answer = RecordedAnswer.whole
        answer.began = "1795221546.%N"
        answer.ended = "1795221548.%N"
        let facts = answer.facts(RecordedAnswer.script())
        #expect(facts.clockOffset == .unknown(reason: "the node's date command tells no fractions of a second"))
        #expect(Self.reasons(facts).count == 1)
    }

    @Test func mutatedAnswerNeverCrashes() {
        let script = RecordedAnswer.script()
        let bytes = RecordedAnswer.whole.bytes(script)
        var generator = SplitMix(seed: 20_261_121)
        var changed = 0
        let whole = RecordedAnswer.facts(bytes, script)
        for _ in 0..<5_000 {
            var mutated = bytes
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: mutated.indices, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: mutated[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: mutated.remove(at: index)
                case 2: mutated.insert(contentsOf: mutated[max(0, index - 40)...index], at: index)
                default: mutated.removeSubrange(index..<min(mutated.count, index + 60))
                }
            }
            if RecordedAnswer.facts(mutated, script) != whole { changed += 1 }
        }
        #expect(changed > 2_000)
    }

    @Test func noiseBeforeTheFirstFrameIsIgnored() {
        let script = RecordedAnswer.script()
        let noise = Array("Welcome to seoul!\nAuthorised use only.\n".utf8)
        let facts = RecordedAnswer.facts(noise + RecordedAnswer.whole.bytes(script), script)
        #expect(facts == RecordedAnswer.whole.facts(script))
    }

    @Test func frameThatComesTwiceCountsForNothing() {
        let script = RecordedAnswer.script([.version])
        let bytes = RecordedAnswer(sayings: ["version": .init(output: "gitlab-ee 19.3.0-ee.0\n")]).bytes(script)
        let facts = RecordedAnswer.facts(bytes + bytes, script)
        #expect(facts.gitlabVersion == .unknown(reason: "the answer was garbled"))
    }

    @Test func outputCannotImitateAFrameOfAnotherBoundary() {
        let forged = "\nffffffffffffffff end services 0\n\nffffffffffffffff begin version\ngitlab-ee 1.0\n"
        let facts = RecordedAnswer.facts(.services, ["services": .init(output: forged)])
        #expect(facts.services.reason?.hasPrefix("gitlab-ctl status: \"ffffffffffffffff end") == true)
    }

    /// A child that was left behind and printed late, and an exit line that never came: there may have been more to say.
    @Test func anAnswerCountsOnlyWithItsExitLineAndNothingAfterIt() {
        let script = RecordedAnswer.script([.boot])
        let b = script.boundary
        let start = "\n\(b) begin boot\nenabled\n"
        let end = "\n\(b) said boot\n\n\(b) end boot\n\n\(b) trailer 1795221548.2\n"
        func boot(_ middle: String) -> Observed<Bool> {
            RecordedAnswer.facts(Array((start + middle + end).utf8), script).startsAtBoot
        }
        #expect(boot("\n\(b) exit 0\n").value == true)
        #expect(boot("\n\(b) exit 0\nlate\n") == .unknown(reason: "the answer was garbled"))
        #expect(boot("\n\(b) exit\n") == .unknown(reason: "the answer was garbled"))
        #expect(boot("") == .unknown(reason: "the answer was garbled"))
        #expect(boot(String(repeating: "x", count: 20_000)).reason?.contains("more than 16384 bytes") == true)
    }

    @Test func commandThatMayNotBeSkippedIsMissingWhenSkipped() {
        #expect(RecordedAnswer.facts(.services, [:]).services == .unknown(reason: "the answer was garbled"))
    }

    /// Every stored property of the facts, by name.
    static func facts(in facts: NodeFacts) -> [String: AnyHashable] {
        var found: [String: AnyHashable] = [:]
        for child in Mirror(reflecting: facts).children {
            if let name = child.label, let value = child.value as? AnyHashable { found[name] = value }
        }
        return found
    }

    static func reasons(_ facts: NodeFacts) -> [String] {
        Self.facts(in: facts).values.map { String(describing: $0.base) }.filter { $0.hasPrefix("unknown") }
    }
}

/// A seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
