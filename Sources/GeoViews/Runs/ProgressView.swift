package import GeoCore

/// A run while it goes on.
package enum ProgressView {
    // MARK: A terminal, redrawn

    /// Lines to put in the place of the last ones; none is wider than the terminal, since a wrapped line would break
    /// the redrawing; and no more than the rows that the terminal has for them.
    package static func live(
        _ state: RunState, activity: [StepActivity], now: Timestamp, style: Style, rowsAtMost: Int = 20
    ) -> [String] {
        guard let group = state.place else { return [] }
        let clock = RunClock(state).text(now: now).map { "  (\($0))" } ?? ""
        let head = Layout.cut("\(position(group)) \(group.id)  \(group.place)\(clock)", to: style.width)
        var lines = [style.paint(head, .strong)]
        for running in activity {
            lines += rows(running, state.plan, now, style)
        }
        if activity.isEmpty { lines.append("  nothing is running") }
        guard lines.count > rowsAtMost, rowsAtMost > 1 else { return lines }
        // Every step keeps its first row as long as there is room.
        let brief = [lines[0]] + activity.map { row($0, state.plan, now, style) }
        guard brief.count > rowsAtMost else { return brief }
        let shown = max(1, rowsAtMost - 1)
        return Array(brief.prefix(shown)) + ["  and \(brief.count - shown) more"]
    }

    private static func rows(_ activity: StepActivity, _ plan: Plan, _ now: Timestamp, _ style: Style) -> [String] {
        var rows = [row(activity, plan, now, style)]
        if let line = activity.lastLine, !line.isEmpty {
            rows.append("    " + style.paint(Layout.cut("> " + Plain.line(line), to: style.width - 4), .faint))
        }
        if let pace = activity.pace.text {
            rows.append("    " + Layout.cut(pace, to: style.width - 4))
        } else if let quiet = quiet(activity, plan, now) {
            rows.append("    " + style.paint(Layout.cut(quiet.text, to: style.width - 4), quiet.tone))
        }
        return rows
    }

    /// `  tokyo-pg-1  stop-database  45 s of about 20 s`
    private static func row(_ activity: StepActivity, _ plan: Plan, _ now: Timestamp, _ style: Style) -> String {
        let step = plan.step(activity.step)
        let place = activity.node?.rawValue ?? "here"
        let expected = step.map { " of about \(DurationText.of($0.expectedSeconds))" } ?? ""
        let text =
            "  \(Layout.padded(place, to: 16)) \(step?.group.rawValue ?? activity.step.rawValue)"
            + "  \(elapsed(activity, now))\(expected)"
        return Layout.cut(text, to: style.width)
    }

    private static func elapsed(_ activity: StepActivity, _ now: Timestamp) -> String {
        DurationText.of(max(0, Int(now.seconds(since: activity.since).rounded())))
    }

    /// Why nothing is printed; `nil` as long as that needs no explanation.
    private static func quiet(_ activity: StepActivity, _ plan: Plan, _ now: Timestamp) -> (
        text: String, tone: Style.Tone
    )? {
        let seconds = Int(now.seconds(since: activity.lastOutputAt ?? activity.since).rounded())
        guard seconds >= 30, let step = plan.step(activity.step) else { return nil }
        guard let normal = step.commands.map(\.quietSeconds).max() else { return nil }
        if seconds <= normal {
            return (
                "quiet for \(DurationText.of(seconds)); quiet is normal for up to \(DurationText.of(normal))", .faint
            )
        }
        return (
            "QUIET for \(DurationText.of(seconds)), longer than the normal \(DurationText.of(normal)); it goes on",
            .caution
        )
    }

    // MARK: No terminal

    /// One line without colours that says that the run lives; what matters least gives way to the width.
    package static func heartbeat(
        _ state: RunState, activity: [StepActivity], now: Timestamp, width: Int = 80
    ) -> String {
        guard let group = state.place else { return "\(now.clockTime) the plan has no steps" }
        let head = "\(now.clockTime) \(position(group)) \(group.id)"
        let longest = activity.min { $0.since < $1.since }
        var essence = "nothing is running"
        if let longest {
            let expected = state.plan.step(longest.step).map { " of ~\(DurationText.of($0.expectedSeconds))" } ?? ""
            essence = "\(longest.node?.rawValue ?? "here") \(elapsed(longest, now))"
            essence += longest.pace.brief.map { "; \($0)" } ?? expected
        }
        let extras = [
            RunClock(state).brief(now: now), activity.count > 1 ? "\(activity.count) running" : nil,
            longest.flatMap { $0.pace.last == nil ? quiet($0, state.plan, now)?.text : nil },
            longest?.lastLine.map { "last line: \(Plain.line($0))" },
        ]
        var line = "\(head): \(essence)"
        for extra in extras.compactMap(\.self) where Layout.columns(line) + 2 + Layout.columns(extra) <= width {
            line += "; " + extra
        }
        return Layout.cut(Plain.line(line), to: width)
    }

    private static func position(_ group: GroupText) -> String { "[\(group.position)/\(group.plan.groups.count)]" }

    // MARK: What happened

    /// An entry of the journal as it is written, with the exact command before it runs; empty for what says nothing.
    package static func lines(_ record: JournalRecord, plan: Plan, style: Style) -> [String] {
        var page = Page(style)
        let clock = record.at.clockTime
        if case .commandStarted(let id, _, let index, _) = record.entry, let step = plan.step(id),
            step.commands.indices.contains(index)
        {
            page.literal(
                CommandText.shell(step.commands[index]), lead: "\(clock) \(step.node?.rawValue ?? "here") $",
                leadTone: .faint)
        } else if let text = Timeline.text(record.entry) {
            page.say(text, lead: clock, leadTone: .faint, tone: tone(record.entry))
        }
        return page.lines
    }

    private static func tone(_ entry: JournalEntry) -> Style.Tone {
        switch entry {
        case .stepSucceeded, .runFinished: .good
        case .stepFailed, .stepLeftInDoubt, .stepSkipped, .stepPassed, .runHalted, .runAbandoned: .bad
        case .driftChecked(_, let drift): drift.isEmpty ? .plain : .bad
        case .siteGivenUp, .lossSeen, .nodeAttested, .nodeReturned, .commandCancelled: .bad
        case .nodeFencedAgain(_, _, let findings): findings.worst <= .warn ? .good : .bad
        case .leaseTaken(_, let missing, let from, _): missing.isEmpty && from == nil ? .plain : .bad
        case .runStarted, .runResumed, .approved, .signed, .stepStarted, .commandSkipped, .commandStarted,
            .commandFinished,
            .answered:
            .plain
        }
    }

    // MARK: JSON

    package static func json(_ record: JournalRecord, plan: Plan) -> String {
        JSONLine.of(.record, RecordBody(record, plan))
    }

    package static func heartbeatJSON(_ state: RunState, activity: [StepActivity], now: Timestamp) -> String {
        JSONLine.of(.heartbeat, HeartbeatBody(state, activity, now))
    }
}

private struct RecordBody: Encodable {
    var at: Timestamp
    var run: RunID
    var sequence: Int
    var step: StepID?
    var node: NodeID?
    var command: String?
    var text: String?

    init(_ record: JournalRecord, _ plan: Plan) {
        self.at = record.at
        self.run = record.run
        self.sequence = record.sequence
        let step = Timeline.step(record.entry)
        self.step = step
        self.node = step.flatMap(plan.step)?.node
        self.text = Timeline.text(record.entry)
        if case .commandStarted(let id, _, let index, _) = record.entry, let commands = plan.step(id)?.commands,
            commands.indices.contains(index)
        {
            self.command = CommandText.shell(commands[index])
        }
    }
}

private struct HeartbeatBody: Encodable {
    struct Running: Encodable {
        var step: StepID
        var node: NodeID?
        var since: Timestamp
        var expectedSeconds: Int?
        var lastLine: String?
        var lastOutputAt: Timestamp?
        /// How far it has come; `null` where nobody tells.
        var progress: Measure?
        var perSecond: Double?
        var remainingSeconds: Int?
    }
    var at: Timestamp
    var group: StepID?
    var position: Int?
    var groups: Int
    var done: Int
    var total: Int
    var running: [Running]

    init(_ state: RunState, _ activity: [StepActivity], _ now: Timestamp) {
        let place = state.place
        self.at = now
        self.group = place?.id
        self.position = place?.position
        self.groups = state.plan.groups.count
        self.done = state.succeededCount
        self.total = state.plan.steps.count
        self.running = activity.map {
            Running(
                step: $0.step, node: $0.node, since: $0.since,
                expectedSeconds: state.plan.step($0.step)?.expectedSeconds, lastLine: $0.lastLine,
                lastOutputAt: $0.lastOutputAt, progress: $0.pace.last, perSecond: $0.pace.perSecond,
                remainingSeconds: $0.pace.remainingSeconds)
        }
    }
}
