import GeoCore
import GeoRuntime
import GeoViews

/// Shows a run while it goes on: redrawn lines on a terminal, plain lines with heartbeats elsewhere, or JSON lines.
actor Display {
    /// Longest silence where nothing is redrawn.
    private static let heartbeatSeconds = 15.0

    private let plan: Plan
    private let output: OutputFormat
    private let style = Console.style(forResult: false)
    private let isLive: Bool
    private(set) var state: RunState
    private var activities: [StepID: StepActivity] = [:]
    private var linesShown = 0
    private var isAsking = false
    private var lastSaidAt = LiveClock.uptime()

    init(plan: Plan, state: RunState, output: OutputFormat) {
        self.plan = plan
        self.state = state
        self.output = output
        self.isLive = output == .text && Console.isTerminal
    }

    /// Shows events until their stream ends.
    func follow(_ events: AsyncStream<RunEvent>, _ interruption: Interruption) async {
        let ticker = Task {
            while !Task.isCancelled {
                await LiveClock.wall.sleep(.milliseconds(500))
                tick()
            }
        }
        for await event in events { show(event) }
        ticker.cancel()
        erase()
    }

    func show(_ event: RunEvent) {
        let now = LiveClock.now()
        switch event {
        case .recorded(let record): show(record)
        case .output(let step, let line):
            activities[step]?.lastLine = line
            activities[step]?.lastOutputAt = now
        case .waiting(let step, let finding):
            if let finding { activities[step]?.lastLine = "waiting: \(finding.summary)" }
            if let measure = finding?.progress { activities[step]?.pace.add(measure, at: now) }
        case .progress(let step, let measure): activities[step]?.pace.add(measure, at: now)
        case .unreachable(let step, let text): activities[step]?.lastLine = "trying again: \(text)"
        case .notice(let text):
            erase()
            Console.say("note: \(text)")
        }
    }

    private func show(_ record: JournalRecord) {
        do {
            try state.apply(record.entry, at: record.at)
        } catch {
            Console.say("note: \(error)")
        }
        note(record)
        if output == .json {
            Console.result(ProgressView.json(record, plan: plan))
            return
        }
        let lines = ProgressView.lines(record, plan: plan, style: style)
        guard !lines.isEmpty else { return }
        erase()
        Console.say(lines.joined(separator: "\n"))
        lastSaidAt = LiveClock.uptime()
    }

    private func note(_ record: JournalRecord) {
        switch record.entry {
        case .stepStarted(let step, _):
            activities[step] = StepActivity(step: step, node: plan.step(step)?.node, since: record.at)
        case .stepSucceeded(let step, _, _, _), .stepFailed(let step, _, _, _), .stepLeftInDoubt(let step, _, _):
            activities[step] = nil
        case .runResumed:
            for step in plan.steps where activities[step.id] == nil {
                guard case .running = state.progress(of: step.id) else { continue }
                activities[step.id] = StepActivity(step: step.id, node: step.node, since: record.at)
            }
        default: break
        }
    }

    private var running: [StepActivity] { plan.steps.compactMap { activities[$0.id] } }

    private func tick() {
        guard !isAsking else { return }
        let now = LiveClock.now()
        if isLive {
            let lines = ProgressView.live(
                state, activity: running, now: now, style: style, rowsAtMost: max(4, Console.rows - 4))
            erase()
            Console.raw(lines.map { $0 + "\n" }.joined())
            linesShown = lines.count
        } else if LiveClock.wall.seconds(since: lastSaidAt) >= Self.heartbeatSeconds {
            lastSaidAt = LiveClock.uptime()
            if output == .json {
                Console.result(ProgressView.heartbeatJSON(state, activity: running, now: now))
            } else {
                Console.say(ProgressView.heartbeat(state, activity: running, now: now))
            }
        }
    }

    private func erase() {
        guard linesShown > 0 else { return }
        Console.raw("\u{1B}[\(linesShown)A\u{1B}[J")
        linesShown = 0
    }

    /// Keeps the screen still while somebody is asked.
    func asking(_ ask: @Sendable () async -> OperatorPrompt.Answer?) async -> OperatorPrompt.Answer? {
        erase()
        isAsking = true
        defer { isAsking = false }
        return await ask()
    }
}
