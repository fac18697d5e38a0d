package import GeoCore

/// What was found out about one failover (or a site, a node, the deployment), and what a named person accepted of it.
package struct Assessment: Sendable, Hashable {
    package var subject: Subject
    package var findings: [Finding]
    package var waivers: [Waiver]
    package var profile: CheckProfile
    /// Findings that do not stand in the way of the profile, and why.
    package var accepted: [Finding: String]

    package init(
        subject: Subject, findings: [Finding], profile: CheckProfile = .planned, accepted: [Finding: String] = [:],
        waivers: [Waiver] = []
    ) {
        self.subject = subject
        self.findings = findings
        self.profile = profile
        self.accepted = accepted
        self.waivers = waivers
    }

    /// Whether a person or the profile took it upon them.
    func isCovered(_ finding: Finding) -> Bool { waiver(of: finding) != nil || accepted[finding] != nil }

    /// A waiver counts for exactly what was seen when it was given, and never for an invariant.
    package func waiver(of finding: Finding) -> Waiver? {
        guard finding.verdict != .pass, CheckCatalog.check(finding.check)?.isInvariant != true else { return nil }
        return waivers.first { $0.covers(finding) }
    }

    /// Nothing fails or is unknown but what was waived; no finding at all is not ready.
    package var isReady: Bool {
        !findings.isEmpty && findings.allSatisfy { $0.verdict < .unknown || isCovered($0) }
    }

    /// Checks by their worst finding that nobody waived.
    package func checks(at verdict: Verdict) -> [CheckID] {
        groups.filter { $0.verdict == verdict && !$0.isWaived }.map(\.check)
    }

    /// Findings of one check.
    struct Group {
        var check: CheckID
        /// The worst that is not waived; the worst of all when everything is.
        var verdict: Verdict
        var isWaived: Bool
        var findings: [Finding]
    }

    /// Worst first, and among equals in the order of the findings.
    var groups: [Group] {
        var order: [CheckID] = []
        var members: [CheckID: [Finding]] = [:]
        for finding in findings {
            if members[finding.check] == nil { order.append(finding.check) }
            members[finding.check, default: []].append(finding)
        }
        let groups = order.map { check -> Group in
            let all = members[check] ?? []
            let open = all.filter { !isCovered($0) }
            let isWaived = open.allSatisfy { $0.verdict == .pass } && all.contains { $0.verdict != .pass }
            return Group(check: check, verdict: (isWaived ? all : open).worst, isWaived: isWaived, findings: all)
        }
        let ranks: [Verdict] = [.fail, .unknown, .warn, .pass]
        return ranks.flatMap { rank in groups.filter { $0.verdict == rank && !$0.isWaived } }
            + groups.filter(\.isWaived)
    }

    /// `READY`, or `NOT READY` with how many checks stand against it.
    package var headline: String {
        let counts: [(String, Int)] = [
            (
                checks(at: .fail).count == 1 ? "1 check fails" : "\(checks(at: .fail).count) checks fail",
                checks(at: .fail).count
            ),
            ("\(checks(at: .unknown).count) unknown", checks(at: .unknown).count),
            (CountText.of(checks(at: .warn).count, "warning"), checks(at: .warn).count),
            ("\(groups.count(where: isWaived)) waived", groups.count(where: isWaived)),
            ("\(groups.count(where: isAccepted)) accepted", groups.count(where: isAccepted)),
        ]
        let told = counts.filter { $0.1 > 0 }.map(\.0).joined(separator: ", ")
        if findings.isEmpty { return "\(name): NOT READY: nothing was checked" }
        let name = profile == .planned ? name : "\(name) (\(profile.rawValue))"
        if isReady { return "\(name): READY" + (told.isEmpty ? "" : " (\(told))") }
        return "\(name): NOT READY: \(told)"
    }

    /// Covered by a waiver, at least in part.
    func isWaived(_ group: Group) -> Bool {
        group.isWaived && group.findings.contains { waiver(of: $0) != nil }
    }

    /// Covered by the profile alone.
    func isAccepted(_ group: Group) -> Bool { group.isWaived && !isWaived(group) }

    var name: String { SubjectText.of(subject) }

    /// Answers that are missing only because their node was not reached, by node: one cause, said once.
    var unansweredOfUnreached: [Subject: [Finding]] {
        let unreached = Set(findings.filter { $0.check == "node.reachable" && $0.verdict > .warn }.map(\.subject))
        let missing = findings.filter {
            unreached.contains($0.subject) && $0.check != "node.reachable" && $0.verdict == .unknown
        }
        return Dictionary(grouping: missing, by: \.subject)
    }
}

enum SubjectText {
    static func of(_ subject: Subject) -> String {
        if case .failover(let from, let to) = subject { "\(from) -> \(to)" } else { subject.description }
    }

    /// For programs: `deployment`, `site`, `node`, `failover`.
    static func kind(_ subject: Subject) -> String {
        switch subject {
        case .deployment: "deployment"
        case .site: "site"
        case .node: "node"
        case .failover: "failover"
        }
    }
}
