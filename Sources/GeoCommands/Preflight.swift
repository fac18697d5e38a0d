package import GeoCore
import GeoViews

/// The questions before a failover: whom to ask, and what the answers mean for a pair of sites.
package struct Preflight {
    package struct Pair: Hashable {
        package var from: SiteID
        package var to: SiteID

        package init(from: SiteID, to: SiteID) {
            self.from = from
            self.to = to
        }
    }

    let inventory: Inventory
    let profile: CheckProfile
    /// The runbook's limits, by check.
    private let limits: [CheckID: Limits]

    package init(inventory: Inventory, runbook: Runbook, profile: CheckProfile = .planned) {
        self.inventory = inventory
        self.profile = profile
        self.limits = Dictionary(
            runbook.preflight.map { ($0.check, $0.limits) }, uniquingKeysWith: { first, _ in first }
        ).merging(profile.limits) { own, _ in own }
    }

    /// With the limits of a plan, where its runbook is not at hand.
    init(inventory: Inventory, limits: [CheckID: Limits], profile: CheckProfile) {
        self.inventory = inventory
        self.profile = profile
        self.limits = limits.merging(profile.limits) { own, _ in own }
    }

    /// Everything that may be needed: which site is the primary is not known before it was looked at.
    package func scope(from: String?, to: String?) -> ObservationScope {
        var scope = ObservationScope()
        for pair in orderedPairs where matches(pair, from, to) {
            for reference in references(pair) {
                guard let check = CheckCatalog.check(reference.check) else { continue }
                scope.formUnion(check.needs(context(reference, pair)))
            }
        }
        return scope
    }

    /// What the loss statement needs beside the checks; not for a site whose data is given up anyway.
    func lossScope(from: String?, to: String?) -> ObservationScope {
        var scope = ObservationScope()
        guard profile != .reseed else { return scope }
        for pair in orderedPairs where matches(pair, from, to) {
            guard let left = inventory.site(pair.from), let right = inventory.site(pair.to) else { continue }
            scope.formUnion(LossStatement.scope(from: left, to: right))
        }
        return scope
    }

    /// The failovers to judge: what was named, and else those away from the site that is the primary.
    func pairs(from: String?, to: String?, _ observation: Observation) throws -> [Pair] {
        for name in [from, to].compactMap(\.self) where inventory.site(SiteID(name)) == nil {
            let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
            throw CommandFailure("the inventory has no site named \(name); it has \(known)", .badDocument)
        }
        if let from, from == to { throw CommandFailure("a site cannot fail over to itself", .badDocument) }
        let matching = orderedPairs.filter { matches($0, from, to) }
        let primaries = Set(inventory.sites.filter { isPrimary($0, observation) }.map(\.id))
        let away = matching.filter { primaries.contains($0.from) }
        guard from == nil, primaries.count == 1, !away.isEmpty else {
            if matching.isEmpty {
                throw CommandFailure("the inventory has one site: there is nowhere to go", .badDocument)
            }
            return matching
        }
        return away
    }

    package func findings(_ pair: Pair, _ observation: Observation) -> [Finding] {
        let findings = references(pair).flatMap { reference in
            CheckCatalog.check(reference.check)?.findings(context(reference, pair), observation) ?? []
        }
        return FormerPrimary.guarded(findings, in: inventory, observation)
    }

    /// Findings that do not stand in the way of this profile, and why.
    func accepted(_ findings: [Finding], _ pair: Pair, _ observation: Observation) -> [Finding: String] {
        findings.reduce(into: [:]) { accepted, finding in
            accepted[finding] = profile.acceptance(
                of: finding, limits: limits[finding.check] ?? .init(), in: inventory, from: pair.from, to: pair.to,
                observation)
        }
    }

    /// The sites that could take over from one, ranked by this profile's verdict and by what would be lost.
    func ranking(from: SiteID, _ observation: Observation) -> CandidateRanking {
        let candidates = orderedPairs.filter { $0.from == from }.map { pair in
            let findings = findings(pair, observation)
            let assessment = Assessment(
                subject: .failover(from: pair.from, to: pair.to), findings: findings, profile: profile,
                accepted: accepted(findings, pair, observation))
            return CandidateRanking.Candidate(
                loss: LossStatement(inventory: inventory, from: pair.from, to: pair.to, observation: observation),
                isReady: assessment.isReady,
                blockers: assessment.checks(at: .fail) + assessment.checks(at: .unknown))
        }
        return CandidateRanking(from: from, candidates, in: inventory, observation)
    }

    private func references(_ pair: Pair) -> [CheckReference] {
        profile.preflight.flatMap { item -> [CheckReference] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            return CheckCatalog.subjects(
                of: check, inventory: inventory, from: pair.from, to: pair.to, asked: item.subjects
            ).map {
                CheckReference(check: item.check, subject: $0, limits: limits[item.check] ?? .init())
            }
        }
    }

    private func context(_ reference: CheckReference, _ pair: Pair) -> CheckContext {
        CheckContext(
            inventory: inventory, subject: reference.subject, limits: reference.limits, from: pair.from, to: pair.to)
    }

    private var orderedPairs: [Pair] {
        inventory.sites.flatMap { from in
            inventory.sites.filter { $0.id != from.id }.map { Pair(from: from.id, to: $0.id) }
        }
    }

    private func matches(_ pair: Pair, _ from: String?, _ to: String?) -> Bool {
        (from == nil || pair.from.rawValue == from) && (to == nil || pair.to.rawValue == to)
    }

    private func isPrimary(_ site: Site, _ observation: Observation) -> Bool {
        site.databaseNodes.contains { observation[$0.id].database.value?.isInRecovery == false }
    }
}

/// `--waive CHECK@SUBJECT=REASON`, bound to what was seen when it was given.
struct Waivers {
    private struct Given {
        var check: CheckID
        var subject: String
        var reason: String
    }
    private let given: [Given]

    init(_ arguments: [String]) throws {
        given = try arguments.map { argument in
            guard let at = argument.firstIndex(of: "@"), let equals = argument[at...].firstIndex(of: "=") else {
                throw CommandFailure("--waive takes CHECK@SUBJECT=REASON, and got `\(argument)`", .badDocument)
            }
            let check = CheckID(String(argument[..<at]))
            let reason = argument[argument.index(after: equals)...].drop { $0 == " " }
            guard let known = CheckCatalog.check(check) else {
                throw CommandFailure(
                    "--waive names \(check), and no such check exists; see geo-failover check --list", .badDocument)
            }
            guard !known.isInvariant else {
                throw CommandFailure("\(check) holds up a promise of the tool and cannot be waived", .refused)
            }
            guard reason.count >= 5 else {
                throw CommandFailure(
                    "--waive \(check) needs a reason that a reader of the report understands", .badDocument)
            }
            return Given(
                check: check, subject: String(argument[argument.index(after: at)..<equals]), reason: String(reason))
        }
    }

    func bound(to findings: [Finding], allPairs: Bool) throws -> [Waiver] {
        try given.flatMap { given -> [Waiver] in
            let matching = findings.filter {
                $0.check == given.check && $0.subject.description == given.subject && $0.verdict >= .unknown
            }
            guard !matching.isEmpty || allPairs else {
                throw CommandFailure(
                    "--waive \(given.check)@\(given.subject) accepts nothing: there is no such finding now",
                    .badDocument)
            }
            return matching.map {
                Waiver(
                    check: given.check, subject: given.subject, reason: given.reason,
                    by: "\(Settings.user)@\(Settings.host)",
                    at: LiveClock.now(), observed: $0.summary)
            }
        }
    }
}
