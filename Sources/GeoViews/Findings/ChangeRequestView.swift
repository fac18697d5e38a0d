import GeoCore

/// A check as Markdown for a change request: verdict, table, evidence, what would be lost.
package enum ChangeRequestView {
    package static func markdown(_ report: CheckReport) -> String {
        var lines: [String] = []
        for assessment in report.assessments {
            if !lines.isEmpty { lines += ["---", ""] }
            lines += document(assessment, report)
        }
        if lines.isEmpty { lines = ["# Failover readiness", "", "**NOT READY: nothing was checked**", ""] }
        return lines.joined(separator: "\n")
    }

    private static func document(_ assessment: Assessment, _ report: CheckReport) -> [String] {
        var summary = Table(header: ["", ""])
        summary.add("deployment", report.deployment)
        summary.add("checked for", "\(report.profile.rawValue): \(report.profile.meaning)")
        summary.add("looked at", "\(report.startedAt.toSeconds) to \(report.endedAt.clockTime) UTC")
        let groups = assessment.groups
        for verdict in [Verdict.fail, .unknown, .warn, .pass] {
            let checks = groups.filter { $0.verdict == verdict && !$0.isWaived }
            summary.add(verdict.word, "\(checks.count)")
        }
        return ["# Failover readiness: \(Markdown.escaped(assessment.name))", ""]
            + ["**\(Markdown.escaped(assessment.headline))**", ""]
            + summary.markdown + [""] + concerns(assessment) + covered(assessment) + evidence(assessment, report)
            + loss(report.loss(of: assessment), report) + passes(assessment)
    }

    private static func open(_ assessment: Assessment) -> [Finding] {
        assessment.groups.flatMap(\.findings).filter { $0.verdict != .pass && !assessment.isCovered($0) }
            .sorted { $0.verdict > $1.verdict }
    }

    private static func concerns(_ assessment: Assessment) -> [String] {
        let open = open(assessment)
        guard !open.isEmpty else { return ["Nothing stands in the way.", ""] }
        var table = Table(header: ["verdict", "check", "about", "what was seen"])
        for finding in open {
            table.add(finding.verdict.word, finding.check.rawValue, SubjectText.of(finding.subject), finding.summary)
        }
        return ["## Stands in the way, or is worth knowing", ""] + table.markdown + [""]
    }

    private static func covered(_ assessment: Assessment) -> [String] {
        let covered = assessment.findings.filter { $0.verdict != .pass && assessment.isCovered($0) }
        guard !covered.isEmpty else { return [] }
        var table = Table(header: ["verdict", "check", "about", "what was seen", "who took it upon them, and why"])
        for finding in covered {
            let who =
                assessment.waiver(of: finding).map { "waived by \($0.by): \($0.reason)" }
                ?? "accepted: \(assessment.accepted[finding] ?? "")"
            table.add(
                finding.verdict.word, finding.check.rawValue, SubjectText.of(finding.subject), finding.summary, who)
        }
        return ["## Waived or accepted", ""] + table.markdown + [""]
    }

    private static func evidence(_ assessment: Assessment, _ report: CheckReport) -> [String] {
        let open = open(assessment)
        guard !open.isEmpty else { return [] }
        return ["## Evidence and remedies", ""]
            + open.flatMap { finding -> [String] in
                let title = "\(finding.check) \(SubjectText.of(finding.subject))"
                let seen = finding.evidence.map { evidence in
                    let source = [evidence.from.map { "seen from \($0)" }, evidence.at.map { "\($0.toSeconds) UTC" }]
                        .compactMap(\.self).joined(separator: ", ")
                    return "- \(Markdown.code(evidence.text))" + (source.isEmpty ? "" : " (\(source))")
                }
                let remedies = Plain.lines(finding.remedy ?? "").filter { !$0.isEmpty }
                let fix = remedies.flatMap { remedy in
                    CommandText.isCommand(remedy) ? Markdown.block([remedy]) : [Markdown.escaped(remedy)]
                }
                return [
                    "### \(finding.verdict.word) \(Markdown.escaped(title))", "", Markdown.escaped(finding.summary),
                ]
                    + [""] + seen + (seen.isEmpty ? [] : [""])
                    + (fix.isEmpty ? [] : ["To do:", ""] + fix + [""])
            }
    }

    private static func loss(_ loss: LossStatement?, _ report: CheckReport) -> [String] {
        guard let loss else { return [] }
        let lines = Plain.lines(LossView.text(loss, now: report.now, style: Style(width: 100), isDetailed: true))
        return ["## What a failover at that moment would lose", "", "```"]
            + lines.filter { !$0.isEmpty }.map { $0.replacing("```", with: "'''") } + ["```", ""]
    }

    private static func passes(_ assessment: Assessment) -> [String] {
        let passed = assessment.groups.filter { $0.verdict == .pass && !$0.isWaived }
        guard !passed.isEmpty else { return [] }
        return ["## Passed", "", passed.map { Markdown.code($0.check.rawValue) }.joined(separator: " "), ""]
    }
}
