package import GeoCore

/// Where a run is, what is writable, what is safe, and which command comes next. Works for every state.
package enum StatusView {
    package static func text(_ run: RunID, _ state: RunState, now: Timestamp, style: Style) -> String {
        let status = RunStatus(run: run, state: state)
        var page = Page(style)
        page.say(
            status.sentence, tone: status.isFinished ? .good : status.haltReason == nil ? .strong : .bad, hanging: 2)
        let sentences = [position(status, state, now), status.writability, times(state, now), safe(status)]
        page.say(sentences.compactMap(\.self).joined(separator: " "))
        for word in status.unproven { page.say(word, indent: 2, lead: "NOT PROVEN:", leadTone: .bad, tone: .bad) }
        for trouble in status.troubled { page.say("\(trouble.step): \(trouble.reason)", indent: 2, lead: "-") }
        page.blank()
        page.say("Next:", tone: .strong)
        for node in status.nodesToIsolate {
            guard let fence = state.plan.inventory.fences(for: node).first else { continue }
            let command = fence.run.map(RemoteCommand.quoted).joined(separator: " ")
            page.literal("\(command)  # if \(node.id) does not answer any more: isolates it", indent: 2)
        }
        page.literal(status.nextCommand, indent: 2)
        if status.isFinished, let stage = status.stage {
            for line in StageText.next(stage) { page.literal(line, indent: 2) }
            if let hold = stage.next?.hold { page.say(hold, indent: 2, lead: "HOLD before it:", hanging: 2) }
        }
        if status.canGoBack, !state.acted.isEmpty {
            page.literal("\(NextCommand.abort(run))  # or go back", indent: 2)
        }
        return page.text
    }

    /// One line to paste into a chat.
    package static func short(_ run: RunID, _ state: RunState, now: Timestamp) -> String {
        let status = RunStatus(run: run, state: state)
        let point = "point of no return \(status.isPastPointOfNoReturn ? "passed" : "not passed")"
        let clock = RunClock(state).text(now: now)
        let more = [status.isFinished ? nil : point, clock, "next: \(status.nextCommand)"].compactMap(\.self)
        return Plain.line("\(status.sentence) \(more.joined(separator: "; "))")
    }

    package static func json(_ run: RunID, _ state: RunState, now: Timestamp) -> String {
        JSONLine.of(.status, StatusBody(RunStatus(run: run, state: state), state, now))
    }

    /// The commands that put the former primary back into service, newest step first; what was begun counts as done.
    package static func undo(_ run: RunID, _ state: RunState, style: Style) -> String {
        let status = RunStatus(run: run, state: state)
        var page = Page(style)
        guard status.canGoBack else {
            page.say(
                "There is no way back\([.changeURL, .reseed].contains(status.scenario) ? "" : " to \(status.from)"): \(status.writability)",
                tone: .bad)
            return page.text
        }
        let steps = state.plan.steps.filter { state.acted.contains($0.id) }.reversed()
        let undone = steps.compactMap { step -> (Step, [RemoteCommand])? in
            guard case .reversible(let undo) = step.reversibility else { return nil }
            return (step, undo)
        }
        if undone.isEmpty {
            let site = [.changeURL, .reseed].contains(status.scenario) ? status.to : status.from
            page.say("Nothing was changed on \(site) yet: there is nothing to undo.", tone: .good)
            return page.text
        }
        let what =
            switch status.scenario {
            case .changeURL: "To give \(status.to) its former URL back"
            case .reseed: "To leave \(status.to) as it was"
            case .planned, .unplanned, .failback, .dropSlots, .abort: "To put \(status.from) back into service"
            }
        page.say("\(what), on each node in this order:", tone: .strong)
        for (step, commands) in undone {
            page.say("undo \(step.id)", indent: 2, tone: .faint)
            for command in commands {
                page.literal(CommandText.shell(command), indent: 2, lead: "\(step.node?.rawValue ?? "here") $")
            }
        }
        page.say("Then look: \(NextCommand.check(from: state.plan.from, to: state.plan.to))")
        return page.text
    }

    private static func position(_ status: RunStatus, _ state: RunState, _ now: Timestamp) -> String? {
        guard !status.isFinished, let group = state.place else { return nil }
        let holder = state.actor.map {
            "\($0.user) on \($0.host) started or resumed it last, under epoch \(state.epoch). "
        }
        let place =
            (holder ?? "")
            + "It is at group \(group.position) of \(state.plan.groups.count), \(group.id) (\(group.place))"
        guard !status.running.isEmpty else { return place + "; by the journal nothing is running." }
        let running = status.running.map { step, since in
            "\(step)\(since.map { ", started \(AgeText.of($0, now: now))" } ?? "")"
        }
        return "\(place); by the journal these run: \(running.joined(separator: "; "))."
    }

    /// The objective is about users; they are named first.
    static func times(_ state: RunState, _ now: Timestamp) -> String? {
        RunClock(state).text(now: now).map { "Users have \($0)." }
    }

    static func safe(_ status: RunStatus) -> String {
        if status.isFinished || status.undoneBy != nil { return "It is safe to look." }
        if status.scenario == .abort {
            return "It is safe to look, and to resume. Nothing goes forward to \(status.to)."
        }
        let alive =
            status.running.isEmpty || status.haltReason != nil
            ? "" : " If a geo-failover still executes it, leave it alone; a second one on this machine is refused."
        let look = "It is safe to look"
        let resume = "to resume (what was begun is looked up first, nothing is done twice)"
        return status.canGoBack
            ? "\(look), \(resume), and to go back: abort \(status.wayBack).\(alive)"
            : "\(look) and \(resume). It is not safe to start \(status.scenario == .reseed ? status.to : status.from) again.\(alive)"
    }
}

private struct StatusBody: Encodable {
    struct Trouble: Encodable {
        var step: StepID
        var reason: String
    }
    struct Running: Encodable {
        var step: StepID
        var since: Timestamp?
    }
    var at: Timestamp
    var run: RunID
    var from: SiteID
    var to: SiteID
    var done: Int
    var total: Int
    var isFinished: Bool
    var isPastPointOfNoReturn: Bool
    var haltReason: String?
    var running: [Running]
    var troubled: [Trouble]
    /// Nodes of the site that was left of which nobody saw that they can write nothing.
    var unproven: [String]
    var writability: String
    var sentence: String
    /// `null`: it is not over, or it never began; `outageSince` tells which.
    var outageSeconds: Double?
    var outageSince: Timestamp?
    var rtoSeconds: Int?
    var nextCommand: String

    init(_ status: RunStatus, _ state: RunState, _ now: Timestamp) {
        let clock = RunClock(state)
        self.at = now
        self.run = status.run
        self.from = status.from
        self.to = status.to
        self.done = status.done
        self.total = status.total
        self.isFinished = status.isFinished
        self.isPastPointOfNoReturn = status.isPastPointOfNoReturn
        self.haltReason = status.haltReason
        self.running = status.running.map { Running(step: $0.step, since: $0.since) }
        self.troubled = status.troubled.map { Trouble(step: $0.step, reason: $0.reason) }
        self.unproven = status.unproven
        self.writability = status.writability
        self.sentence = status.sentence
        self.outageSeconds = clock.outage?.seconds
        self.outageSince = clock.outage?.from
        self.rtoSeconds = clock.objectives.rtoSeconds
        self.nextCommand = status.nextCommand
    }
}
