import GeoCore
import GeoTestSupport

@testable import GeoCommands

/// Every place of every fact that one kind of check asks for, to be made something else one at a time.
struct Sweep {
    /// What became of one change of one fact.
    enum Outcome: Hashable { case notReady, warned, unnoticed }

    /// One question of the preflight, and of which facts of which nodes its answer is made.
    private struct Question {
        var check: Check
        var context: CheckContext
        var facts: [String: Set<String>]
        var before: [Finding]
    }

    /// One fact: whose, which, what was seen, and the deployment with something else in its place; `nil` for what the
    /// fact cannot be.
    struct Place {
        var owner: String
        var fact: String
        var known: JSONTree
        var replaced: (JSONTree) throws -> Observation?
    }

    static let pair = Preflight.Pair(from: Fixtures.tokyo, to: Fixtures.seoul)

    let profile: CheckProfile
    /// Only what the check asks for, as the observer would bring it home.
    let base: Observation
    let preflight: Preflight
    private let questions: [Question]

    init(_ profile: CheckProfile, from observation: Observation = Fixtures.healthy()) throws {
        self.profile = profile
        let preflight = Preflight(
            inventory: Fixtures.inventory(),
            runbook: Runbook(
                name: "r", title: "r", scenario: .planned, preflight: [], steps: [],
                source: DocumentReference(path: "r", digest: Digest(of: []))), profile: profile)
        let base = observation.restricted(to: preflight.scope(from: "tokyo", to: "seoul"))
        self.preflight = preflight
        self.base = base
        self.questions = try profile.preflight.flatMap { item -> [Question] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            return try CheckCatalog.subjects(
                of: check, inventory: preflight.inventory, from: Self.pair.from, to: Self.pair.to, asked: item.subjects
            ).map { subject in
                let context = CheckContext(
                    inventory: preflight.inventory, subject: subject, from: Self.pair.from, to: Self.pair.to)
                return Question(
                    check: check, context: context, facts: try Self.facts(check.needs(context)),
                    before: check.findings(context, base))
            }
        }
    }

    /// Which facts each probe answers, by their names.
    private static let factsOfProbes: Result<[Probe: Set<String>], any Error> = Result {
        guard case .object(let nothing) = try JSONTree.of(NodeFacts()) else { return [:] }
        return try Probe.allCases.reduce(into: [:]) { found, probe in
            var facts = NodeFacts()
            facts.markUnknown(probe, reason: "of this probe")
            guard case .object(let members) = try JSONTree.of(facts) else { return }
            found[probe] = Set(members.filter { nothing[$0.key] != $0.value }.keys)
        }
    }

    /// Which facts a scope asks for, by owner.
    private static func facts(_ scope: ObservationScope) throws -> [String: Set<String>] {
        let answered = try factsOfProbes.get()
        var facts: [String: Set<String>] = [:]
        for (node, probes) in scope.probes {
            // Who visits a node at all leans on the visit itself.
            facts[node.rawValue] = probes.reduce(into: ["connection"]) { $0.formUnion(answered[$1] ?? []) }
        }
        for site in scope.siteURLs { facts[site.rawValue, default: []].insert("siteReadiness") }
        for site in scope.siteNames { facts[site.rawValue, default: []].insert("siteAddresses") }
        if scope.asksOperator { facts["operator"] = ["operatorMachine"] }
        return facts
    }

    /// Without a change: what is said, and whether that is ready.
    var findings: [Finding] { questions.flatMap(\.before) }
    var isReady: Bool { stands(in: findings, base) == 0 }

    private func stands(in findings: [Finding], _ observation: Observation) -> Int {
        findings.count { finding in
            finding.verdict >= .unknown
                && profile.acceptance(
                    of: finding, limits: .init(), in: preflight.inventory, from: Self.pair.from, to: Self.pair.to,
                    observation) == nil
        }
    }

    /// Asks only who is asked about that fact: another test holds that no check leans on anything else.
    func outcome(_ place: Place, _ observation: Observation) -> Outcome {
        let asked = questions.filter { $0.facts[place.owner]?.contains(place.fact) == true }
        let found = asked.flatMap { $0.check.findings($0.context, observation) }
        if stands(in: found, observation) > 0 { return .notReady }
        // The finding's own sentence, and what it says of lesser things beside its evidence.
        func words(_ findings: [Finding]) -> Set<String> {
            findings.filter { $0.verdict > .pass }.reduce(into: []) { words, finding in
                words.insert("\(finding.check) \(finding.subject) \(finding.verdict) \(finding.summary)")
                let lesser = finding.evidence.map(\.text).filter { text in
                    ["warn: ", "unknown: ", "fail: "].contains(where: text.hasPrefix)
                }
                words.formUnion(lesser.map { "\(finding.check) \($0)" })
            }
        }
        // What was said before the change says nothing of it.
        return words(found).subtracting(words(asked.flatMap(\.before))).isEmpty ? .unnoticed : .warned
    }

    /// Every fact that is known, of those owners; in a fixed order.
    func places(of owners: [String]) throws -> [Place] {
        try owners.flatMap { owner -> [Place] in
            if owner == "operator" { return try [machinePlace()].compactMap(\.self) }
            if let site = preflight.inventory.site(SiteID(owner)) { return try sitePlaces(site.id) }
            return try nodePlaces(NodeID(owner))
        }
    }

    private func nodePlaces(_ node: NodeID) throws -> [Place] {
        guard base.nodes[node] != nil else { return [] }
        let (facts, nothing) = (try JSONTree.of(base[node]), try JSONTree.of(NodeFacts()))
        guard case .object(let members) = facts else { return [] }
        return members.sorted { $0.key < $1.key }.compactMap { name, fact in
            guard let known = fact["known"] else { return nil }
            return Place(owner: node.rawValue, fact: name, known: known) { changed in
                var copy = nothing
                copy[name] = changed
                guard let other = try copy.read(NodeFacts.self) else { return nil }
                let observation = base.changing(node) { FactSetters.all[name]?(&$0, other) }
                return observation[node] == base[node] ? nil : observation
            }
        }
    }

    private func sitePlaces(_ site: SiteID) throws -> [Place] {
        var places: [Place] = []
        if let fact = base.siteReadiness[site], let known = try JSONTree.of(fact)["known"] {
            places.append(
                Place(owner: site.rawValue, fact: "siteReadiness", known: known) { changed in
                    guard let other = try changed.read(Observed<Int>.self), other != fact else { return nil }
                    var copy = base
                    copy.siteReadiness[site] = other
                    return copy
                })
        }
        if let fact = base.siteAddresses[site], let known = try JSONTree.of(fact)["known"] {
            places.append(
                Place(owner: site.rawValue, fact: "siteAddresses", known: known) { changed in
                    guard let other = try changed.read(Observed<[String]>.self), other != fact else { return nil }
                    var copy = base
                    copy.siteAddresses[site] = other
                    return copy
                })
        }
        return places
    }

    private func machinePlace() throws -> Place? {
        guard let known = try JSONTree.of(base.operatorMachine)["known"] else { return nil }
        return Place(owner: "operator", fact: "operatorMachine", known: known) { changed in
            guard let other = try changed.read(Observed<OperatorFacts>.self), other != base.operatorMachine else {
                return nil
            }
            var copy = base
            copy.operatorMachine = other
            return copy
        }
    }
}
