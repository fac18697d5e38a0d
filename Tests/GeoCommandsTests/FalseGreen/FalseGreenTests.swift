import Foundation
import GeoCore
import GeoTestSupport
import Testing

@testable import GeoCommands

/// The sweep behind "no false green": one fact at a time of a deployment that is ready is made unknown, old, dated ahead
/// or wrong, every fact of every node, of the sites' names and pages and of the tool's own machine; and the verdict of
/// each kind of check has to notice.
@Suite struct FalseGreenTests {
    private static let nodes = Fixtures.inventory().nodes.map(\.id.rawValue)
    private static let candidate = Fixtures.inventory().site("seoul")?.nodes.map(\.id.rawValue) ?? []
    private static let elsewhere = ["tokyo", "seoul", "operator"]

    /// The primary does not answer, and nobody sees it.
    private static let lost: Observation = {
        var observation = Fixtures.healthy()
        for node in Fixtures.inventory().site("tokyo")?.nodes ?? [] { observation = observation.losing(node.id) }
        for node in Fixtures.inventory().site("seoul")?.nodes ?? [] {
            observation.change(node.id) {
                $0.views = Fixtures.seen(Fixtures.views(of: ["tokyo"], .silent, readiness: nil), on: node.id)
            }
        }
        observation.change("seoul-pg-1") {
            $0.database = Fixtures.seen(Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        }
        observation.siteReadiness["tokyo"] = .unknown(reason: "no answer")
        return observation
    }()

    @Test(arguments: CheckProfile.allCases)
    func whatTheSweepStartsFromIsReadyAndNothingElse(_ profile: CheckProfile) throws {
        let sweep = try Sweep(profile)
        #expect(sweep.isReady && sweep.findings.allSatisfy { $0.verdict == .pass })
        guard case .object(let facts) = try JSONTree.of(NodeFacts()) else { return }
        #expect(Set(facts.keys) == Set(FactSetters.all.keys))
        let findings = sweep.preflight.findings(Sweep.pair, sweep.base)
        #expect(findings.count == sweep.findings.count && Readiness(of: findings).isReady)
    }

    @Test func aLostPrimaryIsReadyToBeLeft() throws {
        let sweep = try Sweep(.unplanned, from: Self.lost)
        #expect(sweep.isReady && sweep.findings.contains { $0.verdict == .unknown })
    }

    // MARK: Unknown, old, dated ahead

    @Test(arguments: CheckProfile.allCases.filter { $0 != .unplanned })
    func noFactOfANodeIsUnknownOrOldAndTheVerdictReady(_ profile: CheckProfile) throws {
        try Self.fade(try Sweep(profile), Self.nodes + Self.elsewhere, NotLoadBearing.mayBeUnknown(profile))
    }

    /// Of a lost primary anything may be unknown, and is said to be loss; of the candidate nothing may.
    @Test func noFactOfTheCandidateIsUnknownOrOldAndALostPrimaryReadyToBeLeft() throws {
        try Self.fade(
            try Sweep(.unplanned, from: Self.lost), Self.candidate + ["seoul", "operator"],
            NotLoadBearing.mayBeUnknown(.unplanned))
    }

    private static func fade(
        _ sweep: Sweep, _ owners: [String], _ excuses: [(owner: String, fact: String, reason: String)]
    ) throws {
        var tried = 0
        var used: Set<String> = []
        for place in try sweep.places(of: owners) {
            for (kind, changed) in try faded(place.known) {
                guard let observation = try place.replaced(changed) else { continue }
                tried += 1
                let outcome = sweep.outcome(place, observation)
                guard outcome != .notReady else { continue }
                let excuse = excuses.first { place.owner.hasPrefix($0.owner) && place.fact == $0.fact }
                if let excuse { used.insert(excuse.reason) }
                if excuse == nil { Issue.record("\(place.owner) \(place.fact) \(kind): \(outcome)") }
            }
        }
        for excuse in excuses where !used.contains(excuse.reason) {
            Issue.record("\(excuse.owner) \(excuse.fact) is excused and does not need it: \(excuse.reason)")
        }
        #expect(tried > 100)
        tell("\(sweep.profile), unknown, old or dated ahead", [.notReady: tried])
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

    // MARK: Wrong

    /// Every place of every fact, each with the values that it could have instead; four of the other words for a text, and
    /// all of them with `GEO_FAILOVER_TESTS=thorough`.
    @Test func noFactOfANodeIsWrongAndNobodySaysAWord() throws {
        let counts = try Self.spoil(try Sweep(.planned), Self.nodes + Self.elsewhere, NotLoadBearing.lines)
        // How many of each, so that a sweep that tries nothing is seen.
        #expect((counts[.notReady] ?? 0) > 1000 && (counts[.warned] ?? 0) > 50, "\(counts)")
    }

    /// The way back is looked at too: what only it needs is load-bearing there, and everything else as before.
    @Test func noFactThatADrillNeedsIsWrongAndNobodySaysAWord() throws {
        let counts = try Self.spoil(
            try Sweep(.drill), ["tokyo-pg-1", "seoul-pg-1"], NotLoadBearing.drill,
            sharing: NotLoadBearing.lines.filter { $0.path != "server.databaseBytes" })
        #expect((counts[.notReady] ?? 0) > 50, "\(counts)")
    }

    @Test func noFactThatASeedNeedsIsWrongAndNobodySaysAWord() throws {
        let counts = try Self.spoil(
            try Sweep(.reseed), Self.nodes + Self.elsewhere, NotLoadBearing.reseed,
            sharing: NotLoadBearing.lines)
        #expect((counts[.notReady] ?? 0) > 50, "\(counts)")
    }

    @Test func noFactOfTheCandidateIsWrongAndALostPrimaryLeftWithoutAWord() throws {
        let counts = try Self.spoil(
            try Sweep(.unplanned, from: Self.lost), Self.candidate + ["seoul", "operator"], NotLoadBearing.lost,
            sharing: NotLoadBearing.lines)
        #expect((counts[.notReady] ?? 0) > 50, "\(counts)")
    }

    private static let isThorough = ProcessInfo.processInfo.environment["GEO_FAILOVER_TESTS"] == "thorough"

    /// Deployments that are in order and unlike each other, each with facts that are unknown, old or wrong, one at a time.
    /// `GEO_FAILOVER_TESTS=thorough` makes 25 times as many deployments: 15,000 changes of 500; the seed is fixed.
    @Test func noSeededDeploymentIsWrongInOnePlaceAndReadyWithoutAWord() throws {
        var random = RandomDeployment(seed: 20_261_121)
        var counts: [Sweep.Outcome: Int] = [:]
        for number in 0..<(Self.isThorough ? 500 : 4) {
            let profile = [CheckProfile.planned, .drill][number % 2]
            let sweep = try Sweep(profile, from: random.observation())
            #expect(sweep.isReady && sweep.findings.allSatisfy { $0.verdict == .pass }, "deployment \(number)")
            let places = try sweep.places(of: Self.nodes + Self.elsewhere)
            for _ in 0..<30 {
                let place = places[random.number(below: places.count)]
                guard let change = try Self.change(of: place, &random) else { continue }
                let outcome = sweep.outcome(place, change.observation)
                counts[outcome, default: 0] += 1
                let isExcused =
                    change.isFaded
                    ? NotLoadBearing.mayBeUnknown(profile).contains {
                        place.owner.hasPrefix($0.owner) && place.fact == $0.fact
                    }
                    : NotLoadBearing.lines.contains { $0.excuses(place.owner, change.path, change.kind) }
                guard !isExcused, outcome == .unnoticed || (change.isFaded && outcome != .notReady) else { continue }
                Issue.record("deployment \(number): \(place.owner) \(change.path) \(change.kind): \(outcome)")
            }
        }
        #expect((counts[.notReady] ?? 0) > 40, "\(counts)")
        Self.tell("seeded deployments", counts)
    }

    /// For the night's log, of which docs/RELIABILITY.md and docs/TRAPS.md have the numbers.
    private static func tell(_ what: String, _ counts: [Sweep.Outcome: Int]) {
        guard isThorough else { return }
        let parts = counts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
        print("sweep, \(what): \(counts.values.reduce(0, +)) observations: \(parts)")
    }

    private struct Change {
        var observation: Observation
        var path: String
        var kind: JSONTree.Variant.Change
        var isFaded: Bool
    }

    /// `nil` when what was drawn is no value of that fact.
    private static func change(of place: Sweep.Place, _ random: inout RandomDeployment) throws -> Change? {
        let faded = try faded(place.known)
        let variants = place.known["value"]?.variants ?? []
        guard random.number(below: 3) > 0, !variants.isEmpty else {
            let observation = try place.replaced(faded[random.number(below: faded.count)].1)
            return observation.map { Change(observation: $0, path: place.fact, kind: .gone, isFaded: true) }
        }
        let variant = variants[random.number(below: variants.count)]
        var known = place.known
        known["value"] = variant.tree
        return try place.replaced(.object(["known": known])).map {
            Change(observation: $0, path: place.fact + variant.path, kind: variant.change, isFaded: false)
        }
    }

    private static func spoil(
        _ sweep: Sweep, _ owners: [String], _ lines: [NotLoadBearing.Line], sharing: [NotLoadBearing.Line]? = nil
    ) throws -> [Sweep.Outcome: Int] {
        // Of what another sweep goes through too, a quarter of the changes, and all of them when thorough.
        let every = sharing == nil || isThorough ? 1 : 4
        var number = 0
        var counts: [Sweep.Outcome: Int] = [:]
        var excused: [NotLoadBearing.Line: Int] = [:]
        var noticed: Set<NotLoadBearing.Line> = []
        for place in try sweep.places(of: owners) {
            guard var known = Optional(place.known), let value = known["value"] else { continue }
            var unnoticed: [String: Int] = [:]
            var words: [String: Int] = [:]
            for variant in value.variants {
                if variant.change == .other, !isThorough {
                    words[variant.path, default: 0] += 1
                    if words[variant.path, default: 0] > 4 { continue }
                }
                number += 1
                guard number % every == 0 else { continue }
                known["value"] = variant.tree
                guard let observation = try place.replaced(.object(["known": known])) else { continue }
                let outcome = sweep.outcome(place, observation)
                counts[outcome, default: 0] += 1
                let line = (lines + (sharing ?? [])).first {
                    $0.excuses(place.owner, place.fact + variant.path, variant.change)
                }
                if outcome != .unnoticed {
                    if let line { noticed.insert(line) }
                } else if let line {
                    excused[line, default: 0] += 1
                } else {
                    unnoticed["\(place.fact)\(variant.path) \(variant.change)", default: 0] += 1
                }
            }
            for (what, count) in unnoticed.sorted(by: { $0.key < $1.key }) {
                Issue.record("\(place.owner) \(what): \(count) wrong values that no check speaks of")
            }
        }
        #expect(counts[.unnoticed] == excused.values.reduce(0, +), "\(counts)")
        tell("\(sweep.profile), wrong", counts)
        guard every == 1 else { return counts }
        for line in lines where line.hasLimit && !noticed.contains(line) {
            Issue.record("\(line.path) is said to have a limit, and nothing beyond it was noticed")
        }
        for line in lines where excused[line] == nil {
            Issue.record("\(line.path) \(line.nodes) excuses nothing any more: \(line.reason)")
        }
        return counts
    }
}
