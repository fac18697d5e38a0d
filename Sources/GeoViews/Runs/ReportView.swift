package import GeoCore

/// What a run was, for the people who were not there. A number that was not measured is said to be unknown.
package enum ReportView {
    package static func markdown(_ report: RunReport) -> String {
        var lines = [
            "# \(Markdown.escaped(report.title)): \(report.from) -> \(report.to)", "", Markdown.escaped(report.state),
            "",
        ]
        lines += summary(report).markdown + [""]
        lines += openEnds(report) + fences(report) + steps(report) + timeline(report) + people(report)
        lines += ["## Next", ""] + Markdown.block([nextCommand(report)] + later(report)) + [""]
        return lines.joined(separator: "\n")
    }

    static func nextCommand(_ report: RunReport) -> String {
        report.isFinished
            ? NextCommand.check(from: report.to, to: report.from) : NextCommand.resume(report.run)
    }

    /// What a finished failover leaves to be done: for the other secondaries, for the former primary, and when users shall
    /// keep their URL.
    private static func later(_ report: RunReport) -> [String] {
        if report.isFinished, let stage = report.stage { return StageText.next(stage) }
        guard report.isFinished, [.planned, .unplanned].contains(report.scenario) else { return [] }
        func reseed(_ site: SiteID) -> String {
            NextCommand.reseed(from: report.to, to: site, runsPatroni: report.ofPatroni?.contains(site) == true)
        }
        return report.remaining.map {
            "\(reseed($0))  # \($0) follows nobody since \(report.to) was promoted"
        } + [
            "\(reseed(report.from))  # \(report.from) as a secondary, with its nodes up and fenced",
            "geo-failover plan change-url --from \(report.from) --to \(report.to)"
                + "  # if \(report.to) shall take over the URL of \(report.from)",
        ]
    }

    private static func summary(_ report: RunReport) -> Table {
        var table = Table(header: ["", ""])
        table.add("run", report.run.rawValue)
        table.add("failover", "\(report.from) -> \(report.to), \(report.scenario.rawValue)")
        if report.isDrill { table.add("drill", "yes: a real failover, promoted in Silent Mode") }
        table.add("started", moment(report.startedAt, missing: "unknown"))
        table.add("ended", moment(report.endedAt, missing: "not ended"))
        table.add("took", taken(report))
        table.add("no service", outage(report.outage, isFinished: report.isFinished))
        table.add("no writes", outage(report.readOnly, isFinished: report.isFinished))
        // What changes only a URL, or brings a secondary back, takes no service away and loses nothing.
        if report.scenario != .changeURL, report.scenario != .reseed {
            table.add("RTO reached", rto(report))
            table.add("RPO reached", rpo(report))
            table.add("point of no return", report.isPastPointOfNoReturn ? "passed" : "not passed")
        }
        table.add("plan", report.plan.text)
        return table
    }

    private static func moment(_ at: Timestamp?, missing: String) -> String {
        at.map { "\($0.toSeconds) UTC" } ?? missing
    }

    private static func taken(_ report: RunReport) -> String {
        guard let started = report.startedAt, let ended = report.endedAt else {
            return "unknown: the run has not ended"
        }
        return DurationText.of(ended.seconds(since: started))
    }

    static func outage(_ outage: RunReport.Outage?, isFinished: Bool) -> String {
        guard let outage else { return isFinished ? "no step of the run took it away" : "not begun" }
        guard let until = outage.until, let seconds = outage.seconds else {
            return "since \(outage.from.toSeconds) UTC; its end is not known"
        }
        return "\(DurationText.of(seconds)), from \(outage.from.toSeconds) to \(until.clockTime) UTC"
    }

    static func rto(_ report: RunReport) -> String {
        let objective = report.objectives.rtoSeconds
        let target = objective.map { "objective \(DurationText.of($0))" } ?? "no objective stated"
        guard let outage = report.outage else { return "not measured: the run took no service away (\(target))" }
        guard let seconds = outage.seconds else { return "not known: service is not proven to be back (\(target))" }
        guard report.scenario != .unplanned else {
            // The journal begins when somebody ran the tool, which is later than the outage did.
            let judgement = objective.map { seconds <= Double($0) ? "" : ", MISSED" } ?? ""
            let taken = zip([report.startedAt], [report.endedAt]).compactMap { start, end in
                start.flatMap { start in end.map { $0.seconds(since: start) } }
            }.first
            let split =
                taken.map { taken in
                    "; \(DurationText.of(max(0, taken - report.humanSeconds))) of the run by the machine,"
                        + " \(DurationText.of(report.humanSeconds)) waiting for a person"
                } ?? ""
            let sinceLife =
                zip([report.loss?.lastReplayedAt.value], [outage.until]).compactMap { last, until in
                    last.flatMap { last in until.map { $0.seconds(since: last) } }
                }.first.map { ", \(DurationText.of($0)) since the last transaction that reached \(report.to)" } ?? ""
            return
                "at least \(DurationText.of(seconds)), counted from the start of the run\(sinceLife)\(split) (\(target)\(judgement))"
        }
        let judgement = objective.map { seconds <= Double($0) ? ", met" : ", MISSED" } ?? ""
        return "\(DurationText.of(seconds)) (\(target)\(judgement))"
    }

    static func rpo(_ report: RunReport) -> String {
        let target = report.objectives.rpoSeconds.map { " (objective \(DurationText.of($0)))" } ?? ""
        if let givenUp = report.givenUp, report.zeroLossProof?.verdict != .pass {
            let later = report.loss.map(\.sentence).flatMap { givenUp.loss.contains($0) ? nil : " Later: \($0)" } ?? ""
            return "acknowledged by \(givenUp.by.user) when the primary was given up: \(givenUp.loss)\(later)\(target)"
        }
        if let loss = report.loss, report.zeroLossProof?.verdict != .pass {
            return "acknowledged before the promotion: \(loss.sentence)\(target)"
        }
        guard let proof = report.zeroLossProof else { return "not proven: no proof was made\(target)" }
        guard proof.verdict == .pass else { return "not proven: \(proof.verdict.word), \(proof.summary)\(target)" }
        return "no committed write of the database was lost: \(proof.summary)\(target)"
    }

    /// What somebody still has to look at; before the details, since it is why the report is read.
    private static func openEnds(_ report: RunReport) -> [String] {
        let open = report.steps.filter { [.failed, .skipped, .inDoubt, .running].contains($0.status) }
        let ends =
            open.map { row in
                "- \(word(row.status)) \(Markdown.code(row.step.rawValue)): \(Markdown.escaped(row.detail ?? "no reason recorded"))"
            }
            + report.waivers.map {
                "- WAIVED \(Markdown.code($0.check.rawValue)) \(Markdown.escaped($0.subject)):"
                    + " \(Markdown.escaped($0.observed))"
            }
            + (report.silence.map { ["- \(Markdown.escaped($0))"] } ?? [])
            + report.unproven.map { "- **NOT PROVEN to be fenced**: \(Markdown.escaped($0))" }
        let beyond = [.planned, .unplanned].contains(report.scenario) ? [beyondTheJournal, ""] : []
        return ["## Open ends", ""] + (ends.isEmpty ? ["None that the journal knows of."] : ends) + [""] + beyond
    }

    /// What no check of a failover can see.
    private static let beyondTheJournal =
        "What no journal knows: runners that had no answer for an hour ask again up to an hour later; search indexes"
        + " (Elasticsearch, Zoekt) are not replicated; whether the new primary may list and write its buckets shows in use."

    /// The fence ledger: each node of the site that was left, and whose word stands for it.
    private static func fences(_ report: RunReport) -> [String] {
        guard !report.fences.isEmpty else { return [] }
        var table = Table(header: ["node", "fence", "what was seen", "by", "at (UTC)"])
        for row in report.fences {
            var seen: Set<String> = []
            let places = row.evidence.compactMap(\.from).filter { seen.insert($0).inserted }
            table.add(
                row.node.rawValue, row.state == .proven ? "proven" : row.state.rawValue.uppercased(), row.summary,
                places.isEmpty ? "nobody" : places.joined(separator: ", "), row.at?.toSeconds ?? "never")
        }
        return ["## Fence ledger of \(report.from)", ""] + table.markdown + [""]
    }

    private static func steps(_ report: RunReport) -> [String] {
        var table = Table(header: ["step", "state", "started (UTC)", "expected", "taken", "attempts", "what was seen"])
        for row in report.steps {
            table.add(
                row.step.rawValue, word(row.status), row.startedAt?.clockTime ?? "-",
                DurationText.of(row.expectedSeconds), row.seconds.map(DurationText.of) ?? "unknown",
                "\(row.attempts)", row.detail ?? "")
        }
        return ["## Steps", ""] + table.markdown + [""]
    }

    static func word(_ status: RunReport.StepRow.Status) -> String {
        switch status {
        case .pending: "not started"
        case .running: "RUNNING"
        case .inDoubt: "IN DOUBT"
        case .failed: "FAILED"
        case .skipped: "SKIPPED"
        case .succeeded: "done"
        case .recovered: "found done"
        }
    }

    private static func timeline(_ report: RunReport) -> [String] {
        var table = Table(header: ["time (UTC)", "what happened"])
        for row in report.timeline { table.add(row.at.toSeconds, row.text) }
        return ["## Timeline", ""] + (table.isEmpty ? ["The journal holds nothing yet."] : table.markdown) + [""]
    }

    private static func people(_ report: RunReport) -> [String] {
        let operators = report.operators.map { "\($0.user) on \($0.host)" }.joined(separator: ", ")
        let waivers = report.waivers.map {
            "- \(Markdown.escaped($0.by)) at \($0.at.toSeconds) UTC accepted \(Markdown.code($0.check.rawValue))"
                + " of \(Markdown.escaped($0.subject)): \(Markdown.escaped($0.reason))"
        }
        return ["## Who decided", "", "Operators: \(operators.isEmpty ? "unknown" : Markdown.escaped(operators)).", ""]
            + report.approvals.map { "- \(Markdown.escaped($0.sentence))" } + (report.approvals.isEmpty ? [] : [""])
            + (waivers.isEmpty ? ["Nothing was waived."] : waivers) + [""]
            + report.attestations.map {
                "- \(Markdown.escaped($0.by)) at \($0.at.toSeconds) UTC vouched for \(Markdown.code($0.node.rawValue)):"
                    + " \(Markdown.escaped($0.words))"
            } + (report.attestations.isEmpty ? [] : [""])
    }

    // MARK: JSON

    /// A `report`, then a `report-step` per step.
    package static func json(_ report: RunReport) -> [String] {
        [JSONLine.of(.report, ReportBody(report))]
            + report.steps.map { JSONLine.of(.reportStep, ReportStepBody(run: report.run, $0)) }
    }
}

private struct ReportBody: Encodable {
    var run: RunID
    var plan: Digest
    var title: String
    var isDrill: Bool
    var silence: String?
    var scenario: Scenario
    var from: SiteID
    var to: SiteID
    var state: String
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var isFinished: Bool
    var isPastPointOfNoReturn: Bool
    var objectives: Objectives
    var readOnly: RunReport.Outage?
    var readOnlySeconds: Double?
    var outage: RunReport.Outage?
    var outageSeconds: Double?
    /// `true` only when the proof was seen to hold.
    var isZeroLossProven: Bool
    var zeroLossSummary: String?
    var operators: [Actor]
    var waivers: [Waiver]
    var attestations: [Attestation]
    var fences: [FenceRow]
    var unproven: [String]
    var loss: LossStatement?
    var humanSeconds: Double
    var timeline: [RunReport.TimelineRow]
    var nextCommand: String

    init(_ report: RunReport) {
        self.run = report.run
        self.plan = report.plan
        self.title = report.title
        self.isDrill = report.isDrill
        self.silence = report.silence
        self.scenario = report.scenario
        self.from = report.from
        self.to = report.to
        self.state = report.state
        self.startedAt = report.startedAt
        self.endedAt = report.endedAt
        self.isFinished = report.isFinished
        self.isPastPointOfNoReturn = report.isPastPointOfNoReturn
        self.objectives = report.objectives
        self.readOnly = report.readOnly
        self.readOnlySeconds = report.readOnly?.seconds
        self.outage = report.outage
        self.outageSeconds = report.outage?.seconds
        self.isZeroLossProven = report.zeroLossProof?.verdict == .pass
        self.zeroLossSummary = report.zeroLossProof?.summary
        self.operators = report.operators
        self.waivers = report.waivers
        self.attestations = report.attestations
        self.fences = report.fences
        self.unproven = report.unproven
        self.loss = report.loss
        self.humanSeconds = report.humanSeconds
        self.timeline = report.timeline
        self.nextCommand = ReportView.nextCommand(report)
    }
}

private struct ReportStepBody: Encodable {
    var run: RunID
    var step: StepID
    var title: String
    var node: NodeID?
    var status: RunReport.StepRow.Status
    var attempts: Int
    var startedAt: Timestamp?
    var endedAt: Timestamp?
    var expectedSeconds: Int
    var seconds: Double?
    var detail: String?

    init(run: RunID, _ row: RunReport.StepRow) {
        self.run = run
        self.step = row.step
        self.title = row.title
        self.node = row.node
        self.status = row.status
        self.attempts = row.attempts
        self.startedAt = row.startedAt
        self.endedAt = row.endedAt
        self.expectedSeconds = row.expectedSeconds
        self.seconds = row.seconds
        self.detail = row.detail
    }
}
