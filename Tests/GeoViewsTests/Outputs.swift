import GeoCore
import GeoViews

/// Every text that the module can make from the fixtures, by the name of its golden file.
enum Outputs {
    static let now = Deployment.at(2, 59, 20)
    static let style = Style()

    static let assessment = Assessment(
        subject: .failover(from: "tokyo", to: "seoul"), findings: Deployment.mixed, waivers: [Deployment.diskWaiver])
    static let ready = Assessment(
        subject: .failover(from: "seoul", to: "tokyo"), findings: Deployment.mixed.filter { $0.verdict <= .warn })
    static let hostile = Assessment(subject: .deployment, findings: [Deployment.hostile])

    static func texts(_ style: Style) throws -> [String: String] {
        let half = try Runs.state(Runs.half)
        let halted = try Runs.state(Runs.halted)
        let finished = try Runs.state(Runs.finished)
        return [
            "findings.txt": FindingsView.text([assessment], now: now, style: style),
            "findings-verbose.txt": FindingsView.text([assessment], now: now, style: style, isVerbose: true),
            "findings-pairs.txt": FindingsView.text([ready, assessment], now: now, style: style),
            "findings-hostile.txt": FindingsView.text([hostile], now: now, style: style),
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
            "status-finished.txt": StatusView.text(Failover.run, finished, now: liveNow, style: style),
        ]
    }

    static func markdowns() throws -> [String: String] {
        [
            "plan.md": PlanSheet.markdown(Failover.plan, digest: Failover.digest),
            "report-halted.md": ReportView.markdown(try Runs.report(Runs.halted)),
            "report-finished.md": ReportView.markdown(try Runs.report(Runs.finished)),
        ]
    }

    static func jsonLines() throws -> [String: String] {
        let half = try Runs.state(Runs.half)
        return [
            "findings.jsonl": lines(FindingsView.json([ready, assessment, hostile], now: now)),
            "status.jsonl": StatusView.json(Failover.run, half, now: liveNow) + "\n",
            "heartbeat.jsonl": ProgressView.heartbeatJSON(half, activity: activity, now: liveNow) + "\n",
            "journal.jsonl": lines(Runs.halted.map { ProgressView.json($0, plan: Failover.plan) }),
            "report.jsonl": lines(ReportView.json(try Runs.report(Runs.finished))),
        ]
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
                lastLine: "\u{1B}[0Kwaiting for the server to shut down, which takes as long as its last checkpoint does....",
                lastOutputAt: since),
        ]
    }

    static func lines(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
}
