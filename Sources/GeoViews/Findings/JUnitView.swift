import GeoCore

/// Findings as JUnit XML, which continuous integration shows as tests.
///
/// One suite per failover and one case per finding: fail is a failure, unknown an error, a warning passes and is said in
/// `system-out`; what a person waived or the profile accepts is skipped with the reason, and never counted as passed.
package enum JUnitView {
    package static func xml(_ report: CheckReport) -> String {
        let suites = report.assessments.map { suite($0, report) }
        let counts = report.assessments.map(Counts.init).reduce(Counts(), +)
        var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
        lines.append("<testsuites name=\"geo-failover check\"\(counts.attributes)>")
        lines += suites.joined()
        lines.append("</testsuites>")
        return lines.map { $0 + "\n" }.joined()
    }

    private struct Counts {
        var tests = 0
        var failures = 0
        var errors = 0
        var skipped = 0

        init() {}

        init(_ assessment: Assessment) {
            for finding in assessment.findings {
                tests += 1
                guard finding.verdict > .warn else { continue }
                if assessment.isCovered(finding) {
                    skipped += 1
                } else if finding.verdict == .fail {
                    failures += 1
                } else {
                    errors += 1
                }
            }
            // Nothing checked is no success.
            if assessment.findings.isEmpty { (tests, errors) = (1, 1) }
        }

        static func + (left: Counts, right: Counts) -> Counts {
            var sum = Counts()
            sum.tests = left.tests + right.tests
            sum.failures = left.failures + right.failures
            sum.errors = left.errors + right.errors
            sum.skipped = left.skipped + right.skipped
            return sum
        }

        var attributes: String {
            " tests=\"\(tests)\" failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\""
        }
    }

    private static func suite(_ assessment: Assessment, _ report: CheckReport) -> [String] {
        let name = XML.attribute(assessment.name)
        let started = String(report.startedAt.description.prefix(19))
        let seconds = "\((report.seconds * 1000).rounded() / 1000)"
        var lines = [
            "  <testsuite name=\"\(name)\"\(Counts(assessment).attributes) timestamp=\"\(started)\" time=\"\(seconds)\">",
            "    <properties>", property("deployment", report.deployment), property("for", report.profile.rawValue),
            property("verdict", assessment.headline), "    </properties>",
        ]
        if assessment.findings.isEmpty {
            lines.append("    <testcase classname=\"\(name)\" name=\"check\">")
            lines += element("error", message: "nothing was checked", type: "check", [])
            lines.append("    </testcase>")
        }
        for group in assessment.groups {
            for finding in group.findings { lines += testCase(finding, assessment, report) }
        }
        if let loss = report.loss(of: assessment) {
            lines += output(Plain.lines(LossView.text(loss, now: report.now, style: Style(width: 100))))
        }
        return lines + ["  </testsuite>"]
    }

    private static func property(_ name: String, _ value: String) -> String {
        "      <property name=\"\(name)\" value=\"\(XML.attribute(value))\"/>"
    }

    private static func testCase(_ finding: Finding, _ assessment: Assessment, _ report: CheckReport) -> [String] {
        let name = XML.attribute("\(finding.check) \(SubjectText.of(finding.subject))")
        let start = "    <testcase classname=\"\(XML.attribute(assessment.name))\" name=\"\(name)\""
        let details = finding.detailLines(now: report.now)
        let type = finding.check.rawValue
        let body: [String]
        if finding.verdict > .warn, let waiver = assessment.waiver(of: finding) {
            let message = "\(finding.verdict.word), waived by \(waiver.by): \(waiver.reason)"
            body = element("skipped", message: message, type: nil, []) + output(details)
        } else if finding.verdict > .warn, let reason = assessment.accepted[finding] {
            body =
                element("skipped", message: "\(finding.verdict.word), accepted: \(reason)", type: nil, [])
                + output(details)
        } else {
            switch finding.verdict {
            case .pass: body = []
            case .warn: body = output(["WARN"] + details)
            case .unknown: body = element("error", message: finding.summary, type: type, details)
            case .fail: body = element("failure", message: finding.summary, type: type, details)
            }
        }
        return body.isEmpty ? [start + "/>"] : [start + ">"] + body + ["    </testcase>"]
    }

    private static func element(_ name: String, message: String, type: String?, _ details: [String]) -> [String] {
        let type = type.map { " type=\"\(XML.attribute($0))\"" } ?? ""
        let start = "      <\(name) message=\"\(XML.attribute(message))\"\(type)"
        guard !details.isEmpty else { return [start + "/>"] }
        return [start + ">" + XML.text(details) + "</\(name)>"]
    }

    private static func output(_ lines: [String]) -> [String] {
        ["      <system-out>\(XML.text(lines.filter { !$0.isEmpty }))</system-out>"]
    }
}

/// Text in XML 1.0, which has no way at all to write most control characters.
enum XML {
    static func text(_ lines: [String]) -> String { lines.map { escaped(Plain.line($0)) }.joined(separator: "\n") }

    static func attribute(_ text: String) -> String { escaped(Plain.line(text)) }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
