import GeoCore
import GeoTestSupport
import Testing

@testable import GeoCommands

/// The sweep behind "no false green": one fact at a time of a deployment that is ready is made unknown, old, dated ahead
/// or wrong, every fact of every node, and the verdict has to notice.
@Suite struct FalseGreenTests {
    private static let preflight = Preflight(
        inventory: Fixtures.inventory(),
        runbook: Runbook(
            name: "r", title: "r", scenario: .planned, preflight: [], steps: [],
            source: DocumentReference(path: "r", digest: Digest(of: []))))
    private static let pair = Preflight.Pair(from: Fixtures.tokyo, to: Fixtures.seoul)
    /// Only what the check asks for, as the observer would bring it home.
    private static let ready = Fixtures.healthy().restricted(to: preflight.scope(from: "tokyo", to: "seoul"))

    /// What became of one change of one fact.
    enum Outcome: Hashable { case notReady, warned, unnoticed }

    /// One question of the preflight, and of which facts of which nodes its answer is made.
    private struct Question {
        var check: Check
        var context: CheckContext
        var facts: [NodeID: Set<String>]

        init(_ check: Check, _ subject: Subject) throws {
            self.check = check
            self.context = CheckContext(
                inventory: Fixtures.inventory(), subject: subject, from: pair.from, to: pair.to)
            self.facts = try ready.restricted(to: check.needs(context)).nodes.mapValues { facts in
                guard case .object(let members) = try JSONTree.of(facts) else { return [] }
                return Set(members.filter { $0.value["known"] != nil }.keys)
            }
        }
    }

    private static let questions: [Question] = {
        do {
            return try CheckCatalog.plannedPreflight.flatMap { item -> [Question] in
                guard let check = CheckCatalog.check(item.check) else { return [] }
                return try CheckCatalog.subjects(
                    of: check, inventory: Fixtures.inventory(), from: pair.from, to: pair.to, asked: item.subjects
                ).map { try Question(check, $0) }
            }
        } catch {
            return []
        }
    }()

    /// Asks only who is asked about that fact: another test holds that no check leans on anything else.
    private static func outcome(_ node: NodeID, _ fact: String, _ observation: Observation) -> Outcome {
        // Who visits the node at all leans on the visit itself.
        let asked = questions.filter { question in
            fact == "connection" ? question.facts[node] != nil : question.facts[node]?.contains(fact) == true
        }
        return outcome(asked.flatMap { $0.check.findings($0.context, observation) })
    }

    private static func outcome(_ findings: [Finding]) -> Outcome {
        if findings.contains(where: { $0.verdict >= .unknown }) { return .notReady }
        return findings.allSatisfy { $0.verdict == .pass } ? .unnoticed : .warned
    }

    @Test func whatTheSweepStartsFromIsReadyAndNothingElse() {
        let findings = Self.preflight.findings(Self.pair, Self.ready)
        #expect(Self.outcome(findings) == .unnoticed && Readiness(of: findings).isReady)
        #expect(Self.questions.count == findings.count)
    }

    @Test(arguments: Fixtures.inventory().nodes.map(\.id))
    func noFactOfANodeIsUnknownOrOldAndTheVerdictReady(_ node: NodeID) throws {
        let facts = try JSONTree.of(Self.ready[node])
        guard case .object(let members) = facts else { return }
        var tried = 0
        for (name, fact) in members.sorted(by: { $0.key < $1.key }) {
            guard let known = fact["known"] else { continue }
            for (kind, changed) in try Self.faded(known) {
                var copy = facts
                copy[name] = changed
                let other = try #require(try copy.read(NodeFacts.self))
                let outcome = Self.outcome(node, name, Self.ready.changing(node) { $0 = other })
                tried += 1
                let isExcused = NotLoadBearing.mayBeUnknown.contains {
                    node.rawValue.hasPrefix($0.node) && name == $0.fact
                }
                if outcome != .notReady, !isExcused {
                    Issue.record("\(node) \(name) \(kind): \(outcome)")
                }
            }
        }
        #expect(tried > 0)
    }

    private static func faded(_ known: JSONTree) throws -> [(String, JSONTree)] {
        var old = known
        old["at"] = try .of(Fixtures.moment(-3600))
        var ahead = known
        ahead["at"] = try .of(Fixtures.moment(3600))
        return [
            ("unknown", .object(["unknown": .object(["reason": .text("made unknown")])])),
            ("old", .object(["known": old])), ("ahead", .object(["known": ahead])),
        ]
    }

    /// Every place of every fact, each with the values that it could have instead.
    @Test func noFactOfANodeIsWrongAndNobodySaysAWord() throws {
        var counts: [Outcome: Int] = [:]
        var excused: [NotLoadBearing.Line: Int] = [:]
        var noticed: Set<NotLoadBearing.Line> = []
        for node in Fixtures.inventory().nodes.map(\.id) {
            let (found, lines) = try Self.sweep(node, &noticed)
            counts.merge(found, uniquingKeysWith: +)
            excused.merge(lines, uniquingKeysWith: +)
        }
        for line in NotLoadBearing.lines where line.hasLimit && !noticed.contains(line) {
            Issue.record("\(line.path) is said to have a limit, and nothing beyond it was noticed")
        }
        for line in NotLoadBearing.lines where excused[line] == nil {
            Issue.record("\(line.path) excuses nothing any more: \(line.reason)")
        }
        let excuses = excused.values.reduce(0, +)
        #expect(counts[.unnoticed] == excuses, "\(counts)")
        // How many of each, so that a sweep that tries nothing is seen.
        #expect((counts[.notReady] ?? 0) > 2000 && (counts[.warned] ?? 0) > 50, "\(counts), \(excuses) excused")
    }

    private static func sweep(
        _ node: NodeID, _ noticed: inout Set<NotLoadBearing.Line>
    ) throws -> ([Outcome: Int], [NotLoadBearing.Line: Int]) {
        var counts: [Outcome: Int] = [:]
        var excused: [NotLoadBearing.Line: Int] = [:]
        var unnoticed: [String: Int] = [:]
        let facts = try JSONTree.of(ready[node])
        guard case .object(let members) = facts else { return ([:], [:]) }
        for (name, fact) in members.sorted(by: { $0.key < $1.key }) {
            guard var known = fact["known"], let value = known["value"] else { continue }
            for variant in value.variants {
                known["value"] = variant.tree
                var copy = facts
                copy[name] = .object(["known": known])
                guard let other = try copy.read(NodeFacts.self), other != ready[node] else { continue }
                let outcome = outcome(node, name, ready.changing(node) { $0 = other })
                counts[outcome, default: 0] += 1
                let line = NotLoadBearing.line(node, name + variant.path, variant.change)
                guard outcome == .unnoticed else {
                    if let line { noticed.insert(line) }
                    continue
                }
                if let line {
                    excused[line, default: 0] += 1
                } else {
                    unnoticed["\(name)\(variant.path) \(variant.change)", default: 0] += 1
                }
            }
        }
        for (place, count) in unnoticed.sorted(by: { $0.key < $1.key }) {
            Issue.record("\(node) \(place): \(count) wrong values that no check speaks of")
        }
        return (counts, excused)
    }
}
