package import GeoCore

/// A check that is made again and again: a screen that is redrawn, or a line per look elsewhere.
package enum CheckScreen {
    /// At most `rows` lines, the verdict first; what does not fit is counted.
    package static func screen(_ report: CheckReport, next seconds: Int, rows: Int, style: Style) -> String {
        let head =
            "geo-failover check of \(report.deployment), looked at \(report.endedAt.toSeconds) UTC;"
            + " again after \(DurationText.of(seconds)), Ctrl-C ends"
        var lines = Layout.wrap(head, width: style.width).map { style.paint($0, .faint) } + [""]
        lines += Plain.coloured(FindingsView.text(report.assessments, now: report.now, style: style))
        for loss in report.losses { lines += Plain.coloured(LossView.text(loss, now: report.now, style: style)) }
        let most = max(8, rows - 1)
        if lines.count > most {
            let hidden = lines.count - most + 1
            lines = Array(lines.prefix(most - 1)) + ["... \(hidden) more lines; a taller window shows them"]
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// What stands in a log: the verdict of each failover, and what changed since the look before.
    package static func lines(_ report: CheckReport, changes: [CheckDifference]) -> [String] {
        let time = report.endedAt.toSeconds
        return report.assessments.flatMap { assessment -> [String] in
            let own = changes.filter { Subject.failover(from: $0.from, to: $0.to) == assessment.subject }
            return ["\(time) \(Plain.line(assessment.headline))"]
                + own.flatMap(DifferenceView.lines).map { "\(time)   \($0)" }
        }
    }
}
