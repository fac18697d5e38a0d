import GeoCore
import GeoTestSupport
import GeoViews

/// One check in every form that `check --output` has.
enum CheckOutputs {
    static func report(_ assessments: [Assessment], losses: [LossStatement] = []) -> CheckReport {
        CheckReport(
            deployment: "acme", profile: assessments.first?.profile ?? .planned, assessments: assessments,
            losses: losses, startedAt: Deployment.at(2, 58, 50), endedAt: Deployment.at(2, 59), now: Outputs.now)
    }

    static let mixed = report([Outputs.assessment], losses: [Losses.some])
    static let unplanned = report([Outputs.unplanned], losses: [Losses.lastSeen])
    static let both = report([Outputs.ready, Outputs.assessment])
    static let hostile = report([Outputs.hostile])
    static let nothing = report([Assessment(subject: .failover(from: "tokyo", to: "seoul"), findings: [])])
    static let allGood = report(
        [
            Assessment(
                subject: .failover(from: "tokyo", to: "seoul"),
                findings: Deployment.mixed.filter { $0.verdict == .pass })
        ], losses: [Losses.statement()])

    static let before = SavedCheck.Pair(
        from: "tokyo", to: "seoul", isReady: true,
        findings: Deployment.mixed.filter { $0.verdict <= .warn }, loss: Losses.statement())
    static let after = SavedCheck.Pair(
        from: "tokyo", to: "seoul", isReady: false,
        findings: Deployment.mixed.filter { $0.verdict != .warn }, loss: Losses.some)
    static let difference = CheckDifference(from: before, to: after)
    static let same = CheckDifference(from: before, to: before)

    static func texts(_ style: Style) -> [String: String] {
        let since = Deployment.at(1, 0)
        return [
            "difference.txt": DifferenceView.text([difference], since: since, now: Outputs.now, style: style),
            "difference-back.txt": DifferenceView.text(
                [CheckDifference(from: after, to: before)], since: since, now: Outputs.now, style: style,
                isVerbose: true),
            "difference-none.txt": DifferenceView.text([same], since: since, now: Outputs.now, style: style),
            "loss-last-seen.txt": LossView.text(Losses.lastSeen, now: Losses.now, style: style),
            "check-watch.txt": CheckScreen.screen(mixed, next: 30, rows: 24, style: style),
        ]
    }

    static var files: [String: String] {
        [
            "check.junit.xml": JUnitView.xml(mixed), "check-unplanned.junit.xml": JUnitView.xml(unplanned),
            "check-nothing.junit.xml": JUnitView.xml(nothing),
            "check.md": ChangeRequestView.markdown(mixed), "check-unplanned.md": ChangeRequestView.markdown(unplanned),
            "check.nagios": Outputs.lines(
                [mixed, unplanned, both, hostile, nothing, allGood].map(NagiosView.line)
                    + [NagiosView.failure("inventory.yaml:1:1: error: a|b\nno")]),
            "check-watch-lines.txt": Outputs.lines(CheckScreen.lines(mixed, changes: [difference])),
        ]
    }

    static var jsonLines: [String: String] {
        [
            "difference.jsonl": Outputs.lines(DifferenceView.json([difference, same], since: Deployment.at(1, 0))),
            "loss-last-seen.jsonl": LossView.json(Losses.lastSeen, profile: .unplanned) + "\n",
        ]
    }
}
