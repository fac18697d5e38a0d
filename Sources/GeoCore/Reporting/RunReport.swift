/// What a run was: its timeline, its measured times, who decided what. Made from plan and journal alone.
package struct RunReport: Sendable, Hashable, Codable {
    package struct StepRow: Sendable, Hashable, Codable {
        package enum Status: String, Sendable, Hashable, Codable {
            case pending, running
            case inDoubt = "in-doubt"
            case failed, skipped, succeeded, recovered
        }
        package var step: StepID
        package var title: String
        package var node: NodeID?
        package var status: Status
        package var attempts: Int
        package var startedAt: Timestamp?
        package var endedAt: Timestamp?
        package var expectedSeconds: Int
        /// Why it failed or is in doubt; what proved it otherwise.
        package var detail: String?

        /// From its first start to its end; `nil` while it has not ended.
        package var seconds: Double? {
            guard let startedAt, let endedAt else { return nil }
            return endedAt.seconds(since: startedAt)
        }
    }

    package struct TimelineRow: Sendable, Hashable, Codable {
        package var at: Timestamp
        package var step: StepID?
        package var text: String
    }

    /// A time that users felt, measured from the journal. `nil` when it has no end, or never began.
    package struct Outage: Sendable, Hashable, Codable {
        package var from: Timestamp
        package var until: Timestamp?
        package var seconds: Double? { until.map { $0.seconds(since: from) } }
    }

    package var run: RunID
    package var plan: Digest
    package var title: String
    package var scenario: Scenario
    package var isDrill: Bool
    package var from: SiteID
    package var to: SiteID
    /// Secondaries that follow nobody since the promotion; see ``Plan/remainingSecondaries``.
    package var remaining: [SiteID]
    /// Sites whose main database is Patroni's, which are re-seeded by another runbook; `nil`: none.
    package var ofPatroni: [SiteID]?
    /// Of a failback: which stage of it this was.
    package var stage: PlanStage?
    package var state: String
    package var startedAt: Timestamp?
    package var endedAt: Timestamp?
    package var isFinished: Bool
    package var isPastPointOfNoReturn: Bool
    package var objectives: Objectives
    /// Nobody could write: from the first step that takes writes away to the proof that the candidate's URL answers
    /// with writes open. Never less than users felt, as long as they find that URL.
    package var readOnly: Outage?
    /// Nobody could use GitLab at all.
    package var outage: Outage?
    /// What was lost of the database, as the zero-loss proof found it; `nil` when there was no proof.
    package var zeroLossProof: Finding?
    /// The promoted site sends nothing to others, or may not: what to do about it. `nil`: nothing was seen of it.
    package var silence: String?
    package var operators: [Actor]
    package var waivers: [Waiver]
    package var attestations: [Attestation]
    /// Who signed the plan, as their signatures were verified.
    package var approvals: [VerifiedApproval]
    /// Of each node of the site that was left: what its fence stands on. Empty where none was left.
    package var fences: [FenceRow]
    /// What is only believed of the site that was left; see ``RunStatus/unproven``.
    package var unproven: [String]
    /// What an unplanned failover gave up, as it was told before the question that accepts it; `nil` for others.
    package var loss: LossStatement?
    /// A planned failover whose primary died in the middle: who gave it up, and what that was said to cost.
    package var givenUp: GivingUp?
    /// Of the run's time, what a person took to answer, or to resume a halted run.
    package var humanSeconds: Double
    package var steps: [StepRow]
    package var timeline: [TimelineRow]

    package init(run: RunID, digest: Digest, state: RunState, records: [JournalRecord]) {
        let plan = state.plan
        self.run = run
        self.plan = digest
        self.title = plan.title
        self.scenario = state.scenario
        self.isDrill = plan.isDrill
        self.silence = Self.silence(state)
        self.givenUp = state.givenUp
        self.from = plan.from
        self.to = plan.to
        self.state = RunStatus(run: run, state: state).sentence
        self.startedAt = state.startedAt
        self.endedAt = state.endedAt
        self.isFinished = state.phase == .finished
        self.isPastPointOfNoReturn = state.isPastPointOfNoReturn
        self.objectives = plan.objectives
        self.remaining = plan.remainingSecondaries.map(\.id)
        let ofPatroni = plan.inventory.sites.filter(\.runsPatroni).map(\.id)
        self.ofPatroni = ofPatroni.isEmpty ? nil : ofPatroni
        self.stage = plan.stage
        if plan.scenario != .reseed {
            self.readOnly = Self.outage(state, from: .readOnly, endedBy: [.disableMaintenanceMode])
            self.outage = Self.outage(state, from: .outage, endedBy: [.promoteNode])
        }
        if plan.scenario == .unplanned, let started = state.startedAt {
            // Nobody could use the lost site before the run either; the journal begins with it.
            self.outage?.from = started
        }
        self.zeroLossProof = state.findings.values.joined().first { $0.check == "database.zero-loss" }
        self.waivers = plan.waivers
        self.attestations = state.attestations
        self.approvals = records.compactMap { record in
            if case .signed(let approval) = record.entry { approval } else { nil }
        }
        self.fences = FenceRow.ledger(of: state)
        self.unproven = RunStatus(run: run, state: state).unproven
        self.loss = state.toldLoss
        self.humanSeconds = Self.humanSeconds(records)
        self.steps = plan.steps.map { Self.row($0, state) }
        var seen: Set<Actor> = []
        self.operators = records.compactMap(Self.actor).filter { seen.insert($0).inserted }
        self.timeline = records.compactMap { record in
            Timeline.text(record.entry).map { TimelineRow(at: record.at, step: Timeline.step(record.entry), text: $0) }
        }
    }

    /// Of a drill, from the moment on at which it may have been turned on; in earnest, only where it was seen.
    private static func silence(_ state: RunState) -> String? {
        let plan = state.plan
        let isSeen = state.findings.values.joined().contains {
            $0.check == GeoChecks.maintenanceOff.id && $0.subject == .site(id: plan.to)
                && $0.verdict == .warn
        }
        guard isSeen || plan.isDrill && state.isPastPointOfNoReturn else { return nil }
        let node =
            plan.inventory.site(plan.to)?.nodes(running: .rails).first?.id.rawValue ?? "a Rails node"
        return "\(plan.to) is in Silent Mode: no mail, webhooks or mirrors of it go out"
            + (plan.isDrill ? ", since this was a drill" : "")
            + ". To turn it off: sudo gitlab-rails runner '\(ActionCommands.Ruby.silentModeOff)' on \(node)"
    }

    /// Time that nothing but a person's answer or word to go on was waited for.
    private static func humanSeconds(_ records: [JournalRecord]) -> Double {
        var asked: [StepID: Timestamp] = [:]
        var haltedAt: Timestamp?
        var sum = 0.0
        for record in records {
            switch record.entry {
            case .stepStarted(let step, _): asked[step] = record.at
            case .answered(let step, _, _, _, _): sum += asked[step].map { record.at.seconds(since: $0) } ?? 0
            case .runHalted: haltedAt = record.at
            case .runResumed:
                sum += haltedAt.map { record.at.seconds(since: $0) } ?? 0
                haltedAt = nil
            default: break
            }
        }
        return max(0, sum)
    }

    private static func row(_ step: Step, _ state: RunState) -> StepRow {
        let (status, attempts, detail): (StepRow.Status, Int, String?) =
            switch state.progress(of: step.id) {
            case .pending: (.pending, 0, nil)
            case .running(let running): (.running, running.attempt, nil)
            case .inDoubt(let attempt, let reason): (.inDoubt, attempt, reason)
            case .failed(let attempt, let reason): (.failed, attempt, reason)
            case .skipped(let attempt, let reason): (.skipped, attempt, reason)
            case .succeeded(let attempt, let how):
                (how == .performed ? .succeeded : .recovered, attempt, state.findings[step.id]?.first?.summary)
            }
        return StepRow(
            step: step.id, title: step.title, node: step.node, status: status, attempts: attempts,
            startedAt: state.times[step.id]?.startedAt, endedAt: state.times[step.id]?.endedAt,
            expectedSeconds: step.expectedSeconds, detail: detail)
    }

    /// From the start of the first step with at least this effect to the end of the last step that ends it, or that
    /// waits to see the site's URL answer: nodes that are promoted serve nobody before the load balancer takes them.
    private static func outage(_ state: RunState, from effect: BlastRadius.Effect, endedBy: Set<ActionName>) -> Outage?
    {
        let starts = state.plan.steps.filter { $0.blastRadius.effect >= effect }.compactMap {
            state.times[$0.id]?.startedAt
        }
        guard let start = starts.min() else { return nil }
        let enders = state.plan.steps.filter {
            endedBy.contains($0.action) || $0.action == .wait && $0.until?.check.check == ReadinessChecks.siteReady.id
        }
        let isOver = !enders.isEmpty && enders.allSatisfy { state.hasSucceeded($0.id) }
        return Outage(from: start, until: isOver ? enders.compactMap { state.times[$0.id]?.endedAt }.max() : nil)
    }

    private static func actor(_ record: JournalRecord) -> Actor? {
        switch record.entry {
        case .runStarted(_, let by, _, _), .runResumed(let by, _, _, _), .approved(_, let by, _),
            .commandCancelled(_, _, _, _, let by, _), .answered(_, _, _, let by, _), .siteGivenUp(let by, _, _, _),
            .stepSkipped(_, _, _, let by),
            .runAbandoned(let by, _, _):
            by
        default: nil
        }
    }
}

/// Journal entries in the operator's words.
package enum Timeline {
    package static func step(_ entry: JournalEntry) -> StepID? {
        switch entry {
        case .driftChecked(let step, _), .stepStarted(let step, _), .commandSkipped(let step, _, _, _),
            .commandStarted(let step, _, _, _), .commandCancelled(let step, _, _, _, _, _),
            .commandFinished(let step, _, _, _, _),
            .answered(let step, _, _, _, _), .stepSkipped(let step, _, _, _),
            .stepPassed(let step, _, _), .stepSucceeded(let step, _, _, _),
            .stepFailed(let step, _, _, _), .stepLeftInDoubt(let step, _, _):
            step
        case .runStarted, .runResumed, .approved, .signed, .leaseTaken, .siteGivenUp, .lossSeen, .nodeAttested,
            .nodeReturned, .nodeFencedAgain, .runHalted, .runAbandoned, .runFinished:
            nil
        }
    }

    /// `nil` for entries that say nothing to a reader of the report.
    package static func text(_ entry: JournalEntry) -> String? {
        switch entry {
        case .runStarted(let plan, let by, let version, _):
            "\(by.user) on \(by.host) started the run of plan \(plan.short) with geo-failover \(version)"
        case .runResumed(let by, let version, _, let reason):
            "\(by.user) on \(by.host) resumed the run with geo-failover \(version)"
                + (reason.map { ", because: \($0)" } ?? "")
        case .approved(let plan, let by, let how): "\(by.user) on \(by.host) approved plan \(plan.short) (\(how))"
        case .signed(let one): one.sentence
        case .leaseTaken(let epoch, let missing, let from, let reason):
            (from.map { "TOOK OVER from \($0), because: \(reason ?? "no reason given"); " } ?? "")
                + "the nodes are held under epoch \(epoch)"
                + (missing.isEmpty ? "" : ", not yet \(missing.map(\.rawValue).joined(separator: ", "))")
        case .driftChecked(let step, let drift):
            drift.isEmpty
                ? "before \(step): nothing that the plan stands on had changed"
                : "before \(step): \(drift.count == 1 ? "1 fact" : "\(drift.count) facts") that the plan stands on had changed"
        case .stepStarted(let step, let attempt):
            attempt == 1 ? "\(step) started" : "\(step) started, attempt \(attempt)"
        case .commandSkipped(_, _, _, let because): "command not needed: \(because)"
        case .commandStarted: nil
        case .commandCancelled(let step, _, _, _, let by, let reason):
            "\(by.user) on \(by.host) ENDED the command of \(step), because: \(reason)"
        case .commandFinished(let step, _, _, let outcome, let transcript): "\(step): \(text(outcome, transcript))"
        case .lossSeen(let loss): "seen before the question: \(loss.sentence)"
        case .answered(let step, _, let answer, let by, let how):
            "\(by.user) on \(by.host) answered \(step) with `\(answer)` (\(how))"
        case .stepSkipped(let step, _, let reason, let by):
            "\(by.user) on \(by.host) went on WITHOUT \(step): \(reason)"
        case .stepPassed(let step, _, let reason): "\(step) taken for over, WITHOUT A PROOF: \(reason)"
        case .stepSucceeded(let step, _, let how, let findings):
            "\(step) \(how == .performed ? "done" : "found done")\(findings.first.map { ": \($0.summary)" } ?? "")"
        case .stepFailed(let step, _, let reason, _): "\(step) FAILED: \(reason)"
        case .stepLeftInDoubt(let step, _, let reason): "\(step) IN DOUBT: \(reason)"
        case .siteGivenUp(let by, let reason, let loss, let dropped):
            "\(by.user) on \(by.host) GAVE THE PRIMARY UP, because: \(reason). \(loss) Left out: "
                + (dropped.isEmpty ? "nothing" : dropped.map(\.rawValue).joined(separator: ", "))
        case .nodeAttested(let word): "\(word.by) vouched for \(word.node): \"\(word.words)\" (NOT PROVEN)"
        case .nodeReturned(let node, _, let seen, _): "\(node) ANSWERED AGAIN (\(seen)), and is fenced now"
        case .nodeFencedAgain(let node, _, let findings):
            findings.worst <= .warn
                ? "\(node) is fenced: \(findings.first?.summary ?? "")"
                : "\(node) IS NOT FENCED: \(findings.first?.summary ?? "nothing was seen")"
        case .runHalted(let reason): "the run halted: \(reason)"
        case .runAbandoned(let by, let reason, let undoneBy):
            "\(by.user) on \(by.host) ABORTED the run, because: \(reason); \(undoneBy) puts the site back"
        case .runFinished: "the run finished"
        }
    }

    package static func text(_ outcome: CommandOutcome, _ transcript: TranscriptReference?) -> String {
        let claim = transcript?.summary.saysNotOK == true ? ", and its output says NOT OK" : ""
        return switch outcome {
        case .exited(let status, let seconds):
            "the command exited with \(status) after \(Int(seconds.rounded())) s\(claim)"
        case .timedOut(let after): "the command was stopped on the node after \(after) s\(claim)"
        case .refused(let text): "the node refused the command: \(text)"
        case .lost(let text), .unreachable(let text): text
        }
    }
}
