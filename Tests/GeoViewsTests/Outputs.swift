import GeoCore
import GeoViews

/// Every text that the module can make from the fixtures, by the name of its golden file.
enum Outputs {
    static let now = Deployment.at(2, 59, 20)
    static let style = Style()

    static let assessment = Assessment(
        subject: .failover(from: "tokyo", to: "seoul"), findings: Deployment.mixed, waivers: [Deployment.diskWaiver])
    /// What a profile takes upon it is said, and stands apart from what a person waived.
    static let unplanned = Assessment(
        subject: .failover(from: "tokyo", to: "seoul"), findings: Deployment.mixed, profile: .unplanned,
        accepted: Dictionary(
            uniqueKeysWithValues: Deployment.mixed.filter { $0.verdict > .warn && $0.check != "node.disk" }.map {
                ($0, "tokyo is the site that is lost")
            }), waivers: [Deployment.diskWaiver])
    static let ready = Assessment(
        subject: .failover(from: "seoul", to: "tokyo"), findings: Deployment.mixed.filter { $0.verdict <= .warn })
    static let hostile = Assessment(subject: .deployment, findings: [Deployment.hostile])

    static let trouble = Trouble(
        headline: "HALTED at group 12 of 20, promote-database, on seoul-pg-1",
        happened: "The connection closed 41 s after the command started; its outcome is not known.",
        standing: "tokyo is fenced. seoul is not primary yet. Users have no service since 03:02:29 UTC (6m).",
        safe: "Nothing else was started. It is safe to look, and safe to resume.",
        commands: [NextCommand.status(Failover.run), NextCommand.resume(Failover.run)])

    static let check = Check(
        id: "replication.lag", scope: .failover, question: "How far is the candidate's database behind?",
        rationale: "What is not replayed is lost when the primary is. The lag that GitLab shows reads 0 while no WAL"
            + " receiver runs, so positions are compared.", source: "https://docs.gitlab.com/api/geo_sites/",
        remedy: "wait until the standby has caught up",
        limits: [
            LimitDefault(name: "at_most_bytes", value: 16 << 20, unit: .bytes, meaning: "WAL that may be unreplayed"),
            LimitDefault(
                name: "at_most_seconds", value: 30, unit: .seconds,
                meaning: "age of the last message from the primary, beyond which the candidate is not connected to it"),
        ], needs: { _ in ObservationScope() }, evaluate: { _, _ in [] })
    static let invariant = Check(
        id: "site.fenced", scope: .site, question: "Is every node of the site proven to be fenced?",
        rationale: "One node that still writes makes two writable sites.", source: "docs/INVARIANTS.md, promise 1",
        remedy: "sudo gitlab-ctl stop on every node", isInvariant: true,
        needs: { _ in ObservationScope() }, evaluate: { _, _ in [] })

    static func texts(_ style: Style) throws -> [String: String] {
        let half = try Runs.state(Runs.half)
        let halted = try Runs.state(Runs.halted)
        let finished = try Runs.state(Runs.finished)
        return [
            "findings.txt": FindingsView.text([assessment], now: now, style: style),
            "findings-verbose.txt": FindingsView.text([assessment], now: now, style: style, isVerbose: true),
            "findings-pairs.txt": FindingsView.text([ready, assessment], now: now, style: style),
            "findings-hostile.txt": FindingsView.text([hostile], now: now, style: style),
            "loss.txt": LossView.text(Losses.some, now: Losses.now, style: style, isDetailed: true),
            "loss-unknown.txt": LossView.text(Losses.unknown, now: Losses.now, style: style),
            "loss-nothing.txt": LossView.text(Losses.statement(), now: Losses.now, style: style),
            "findings-unplanned.txt": FindingsView.text([unplanned], now: now, style: style),
            "plan.txt": PlanView.text(
                Failover.plan, digest: Failover.digest, path: "plans/tokyo-seoul.plan", style: style),
            "live.txt": lines(ProgressView.live(half, activity: activity, now: liveNow, style: style)),
            "live-small.txt": lines(
                ProgressView.live(half, activity: activity, now: liveNow, style: style, rowsAtMost: 2)),
            "heartbeat.txt": ProgressView.heartbeat(half, activity: activity, now: liveNow, width: style.width) + "\n",
            "journal.txt": lines(
                Runs.finished.flatMap { ProgressView.lines($0, plan: Failover.plan, style: style) }),
            "status-half.txt": StatusView.text(Failover.run, half, now: liveNow, style: style),
            "status-halted.txt": StatusView.text(Failover.run, halted, now: liveNow, style: style),
            "drift.txt": DriftView.text(Failover.drift, plan: Failover.plan, run: nil, style: style),
            "drift-long.txt": DriftView.text(Failover.longDrift, plan: Failover.plan, run: Failover.run, style: style),
            "error.txt": ErrorView.text(trouble, style: style),
            "error-halted.txt": Trouble.halted(Failover.run, halted, now: liveNow)
                .map { ErrorView.text($0, style: style) } ?? "",
            "inventory.txt": InventoryView.text(Deployment.inventory, style: style),
            "runbooks.txt": RunbookView.list([Failover.runbook], style: style),
            "actions.txt": ActionView.list(ActionCatalog.all, style: style),
            "action-promote-node.txt": ActionView.explain(
                ActionCatalog.action(.promoteNode), on: Deployment.inventory.node("seoul-pg-1"), style: style),
            "action-stop-and-disable.txt": ActionView.explain(
                ActionCatalog.action(.stopAndDisable), on: Deployment.inventory.node("tokyo-redis-1"), style: style),
            "action-hook.txt": ActionView.explain(ActionCatalog.action(.hook), on: nil, style: style),
            "checks.txt": CheckView.list([.init(title: "Replication", checks: [check, invariant])], style: style),
            "check.txt": CheckView.explain(check, style: style),
            "watch.txt": Watches.text(style),
            "check-invariant.txt": CheckView.explain(invariant, style: style),
            "point-of-no-return.txt": PlanView.pointOfNoReturn(Failover.plan, style: style),
            "plan-brief.txt": PlanView.brief(Failover.plan, digest: Failover.digest, style: style),
            "status-finished.txt": StatusView.text(Failover.run, finished, now: liveNow, style: style),
        ].merging(CheckOutputs.texts(style)) { first, _ in first }
    }

    static func markdowns() throws -> [String: String] {
        [
            "plan.md": PlanSheet.markdown(Failover.plan, digest: Failover.digest),
            "runbook.md": RunbookView.show(Failover.runbook),
            "report-halted.md": ReportView.markdown(try Runs.report(Runs.halted)),
            "report-finished.md": ReportView.markdown(try Runs.report(Runs.finished)),
        ].merging(CheckOutputs.files) { first, _ in first }
    }

    static func jsonLines() throws -> [String: String] {
        let half = try Runs.state(Runs.half)
        return [
            "findings.jsonl": lines(FindingsView.json([ready, assessment, hostile], now: now)),
            "loss.jsonl": lines(
                [Losses.some, Losses.unknown].map { LossView.json($0, profile: .unplanned) }),
            "plan.jsonl": lines(PlanLines.json(Failover.plan, digest: Failover.digest)),
            "drift.jsonl": lines(DriftView.json(Failover.drift, plan: Failover.plan, run: nil)),
            "watch.jsonl": lines(Watches.json),
            "error.jsonl": ErrorView.json(trouble) + "\n",
            "inventory.jsonl": lines(InventoryView.json(Deployment.inventory)),
            "catalogue.jsonl": lines(
                RunbookView.json([Failover.runbook]) + ActionView.json([ActionCatalog.action(.promoteNode)])
                    + CheckView.json([check])),
            "status.jsonl": StatusView.json(Failover.run, half, now: liveNow) + "\n",
            "heartbeat.jsonl": ProgressView.heartbeatJSON(half, activity: activity, now: liveNow) + "\n",
            "journal.jsonl": lines(Runs.halted.map { ProgressView.json($0, plan: Failover.plan) }),
            "report.jsonl": lines(ReportView.json(try Runs.report(Runs.finished))),
        ].merging(CheckOutputs.jsonLines) { first, _ in first }
    }

    /// Three minutes after the last entry of the half-done run.
    static var liveNow: Timestamp { (Runs.half.last?.at ?? now).adding(seconds: 190) }

    static var activity: [StepActivity] {
        let since = Runs.half.last?.at ?? now
        return [
            StepActivity(
                step: "fence@tokyo-sidekiq-1", node: "tokyo-sidekiq-1", since: since,
                lastLine: "ok: down: sidekiq: 0s, normally up", lastOutputAt: since.adding(seconds: 180)),
            StepActivity(
                step: "fence@tokyo-pg-1", node: "tokyo-pg-1", since: since.adding(seconds: -5),
                lastLine:
                    "\u{1B}[0Kwaiting for the server to shut down, which takes as long as its last checkpoint does....",
                lastOutputAt: since),
        ]
    }

    static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
