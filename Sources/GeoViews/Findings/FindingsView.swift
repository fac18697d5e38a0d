package import GeoCore

/// Answers of checks: what stands in the way first, and what to do about it.
package enum FindingsView {
    /// Evidence of one finding that is shown unless `verbose`; a check keeps everything that it read.
    private static let evidenceShown = 4

    package static func text(
        _ assessments: [Assessment], now: Timestamp, style: Style, isVerbose: Bool = false
    ) -> String {
        var page = Page(style)
        for assessment in assessments {
            page.blank()
            add(assessment, to: &page, now, isVerbose)
        }
        if assessments.isEmpty { page.say("nothing was checked") }
        // The end of a long answer is what is still on the screen.
        if page.lines.count > 24 || assessments.count > 1 {
            page.blank()
            for assessment in assessments { headline(assessment, &page) }
        }
        return page.text
    }

    private static func headline(_ assessment: Assessment, _ page: inout Page) {
        page.say(assessment.headline, tone: assessment.isReady ? .good : .bad, hanging: 2)
    }

    private static func add(_ assessment: Assessment, to page: inout Page, _ now: Timestamp, _ isVerbose: Bool) {
        headline(assessment, &page)
        let groups = assessment.groups
        let unanswered = isVerbose ? [:] : assessment.unansweredOfUnreached
        let hidden = Set(unanswered.values.joined())
        for var group in groups where isVerbose || group.verdict != .pass {
            group.findings.removeAll(where: hidden.contains)
            if !isVerbose, group.findings.allSatisfy({ $0.verdict == .pass }) { continue }
            page.blank()
            add(group, of: assessment, to: &page, now, isVerbose)
            guard group.check == "node.reachable" else { continue }
            for finding in group.findings {
                guard let count = unanswered[finding.subject]?.count else { continue }
                page.say(
                    "so \(CountText.of(count, "more check")) of \(SubjectText.of(finding.subject)) have no answer"
                        + " (--verbose lists them)", indent: 2, hanging: 2)
            }
        }
        let passed = groups.filter { $0.verdict == .pass && !$0.isWaived }
        guard !passed.isEmpty, !isVerbose else { return }
        page.blank()
        page.say("\(passed.count == 1 ? "1 check passes" : "\(passed.count) checks pass") (shown with --verbose)")
    }

    private static func add(
        _ group: Assessment.Group, of assessment: Assessment, to page: inout Page, _ now: Timestamp, _ isVerbose: Bool
    ) {
        page.say(
            group.check.rawValue + (group.isWaived ? assessment.isWaived(group) ? " (waived)" : " (accepted)" : ""),
            lead: Layout.padded(group.verdict.word, to: 7),
            leadTone: group.verdict.tone, tone: .strong)
        let order: [Verdict] = [.fail, .unknown, .warn, .pass]
        let shown = order.flatMap { verdict in group.findings.filter { $0.verdict == verdict } }
            .filter { isVerbose || $0.verdict != .pass }
        let remedies = Set(shown.map { $0.remedy ?? "" })
        let isOneRemedy = shown.count > 1 && remedies.count == 1
        for finding in shown {
            // A group is named by its worst; whoever differs says so.
            let word = finding.verdict == group.verdict ? "" : "\(finding.verdict.word) "
            page.say(
                "\(word)\(SubjectText.of(finding.subject)): \(finding.summary)", indent: 2, tone: finding.tone,
                hanging: 2)
            addEvidence(finding, &page, now, isVerbose)
            if let waiver = assessment.waiver(of: finding) {
                page.say("waived by \(waiver.by): \(waiver.reason)", indent: 4, hanging: 2)
            }
            if let reason = assessment.accepted[finding] {
                page.say("accepted: \(reason)", indent: 4, hanging: 2)
            }
            if !isOneRemedy { addRemedy(finding.remedy, &page) }
        }
        if isOneRemedy { addRemedy(shown.first?.remedy, &page) }
    }

    private static func addEvidence(_ finding: Finding, _ page: inout Page, _ now: Timestamp, _ isVerbose: Bool) {
        let shown = isVerbose ? finding.evidence[...] : finding.evidence.prefix(evidenceShown)
        for evidence in shown {
            let seen = [evidence.from.map { "seen from \($0)" }, evidence.at.map { AgeText.of($0, now: now) }]
                .compactMap(\.self).joined(separator: ", ")
            page.say(
                evidence.text + (seen.isEmpty ? "" : " (\(seen))"), indent: 6, tone: .faint, hanging: 2)
        }
        let hidden = finding.evidence.count - shown.count
        if hidden > 0 { page.say("and \(hidden) more (--verbose)", indent: 6, tone: .faint) }
    }

    private static func addRemedy(_ remedy: String?, _ page: inout Page) {
        guard let remedy, !remedy.isEmpty else { return }
        for line in Plain.lines(remedy) where !line.isEmpty {
            if CommandText.isCommand(line) {
                page.literal(line, indent: 4, lead: "fix:", leadTone: .strong)
            } else {
                page.say(line, indent: 4, lead: "fix:", leadTone: .strong)
            }
        }
    }

    // MARK: JSON

    /// One `finding` per line, and a `verdict` that closes each assessment.
    package static func json(_ assessments: [Assessment], now: Timestamp) -> [String] {
        assessments.flatMap { assessment in
            assessment.findings.map { JSONLine.of(.finding, FindingBody($0, in: assessment, now)) }
                + [JSONLine.of(.verdict, VerdictBody(assessment))]
        }
    }
}

struct EvidenceBody: Encodable {
    var text: String
    var from: String?
    var at: Timestamp?
    var ageSeconds: Double?

    init(_ evidence: Evidence, _ now: Timestamp?) {
        self.text = evidence.text
        self.from = evidence.from
        self.at = evidence.at
        if let at = evidence.at { self.ageSeconds = now?.seconds(since: at) }
    }
}

struct FindingBody: Encodable {
    var about: String?
    var check: CheckID
    var subject: String
    var subjectKind: String
    var verdict: Verdict
    var summary: String
    var evidence: [EvidenceBody]
    var remedy: String?
    var waivedBy: String?
    /// Why it does not stand in the way of the profile.
    var accepted: String?

    init(_ finding: Finding, in assessment: Assessment?, _ now: Timestamp?) {
        self.about = assessment?.subject.description
        self.check = finding.check
        self.subject = finding.subject.description
        self.subjectKind = SubjectText.kind(finding.subject)
        self.verdict = finding.verdict
        self.summary = finding.summary
        self.evidence = finding.evidence.map { EvidenceBody($0, now) }
        self.remedy = finding.remedy
        self.waivedBy = assessment?.waiver(of: finding)?.by
        self.accepted = assessment?.accepted[finding]
    }
}

private struct VerdictBody: Encodable {
    var about: String
    var headline: String
    var isReady: Bool
    /// Checks by their worst finding that nobody waived.
    var checks: [String: Int]
    var waived: Int
    var accepted: Int
    var profile: CheckProfile

    init(_ assessment: Assessment) {
        self.about = assessment.subject.description
        self.headline = assessment.headline
        self.isReady = assessment.isReady
        self.checks = Dictionary(
            uniqueKeysWithValues: Verdict.allCases.map { ($0.rawValue, assessment.checks(at: $0).count) })
        self.waived = assessment.groups.count(where: assessment.isWaived)
        self.accepted = assessment.groups.count(where: assessment.isAccepted)
        self.profile = assessment.profile
    }
}
