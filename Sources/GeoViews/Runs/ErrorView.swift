package import GeoCore

/// What an operator has to know when something went wrong: four questions, in the order in which they are asked.
package struct Trouble: Sendable, Hashable {
    /// `HALTED at group 12 of 18, promote-database, on seoul-pg-1`.
    package var headline: String
    /// What happened, to what.
    package var happened: String
    /// How things stand now: who is primary, what is fenced, what users have.
    package var standing: String
    package var safe: String
    /// The commands that may come next, the best first.
    package var commands: [String]

    package init(headline: String, happened: String, standing: String, safe: String, commands: [String]) {
        self.headline = headline
        self.happened = happened
        self.standing = standing
        self.safe = safe
        self.commands = commands
    }
}

extension Trouble {
    /// What there is to say about a run that stopped before its end; `nil` for one that did not.
    package static func halted(_ run: RunID, _ state: RunState, now: Timestamp) -> Trouble? {
        let status = RunStatus(run: run, state: state)
        guard let reason = status.haltReason, let group = state.place else { return nil }
        // One step in trouble has one node to name.
        let node = status.troubled.count == 1 ? status.troubled.first.flatMap { state.plan.step($0.step)?.node } : nil
        return Trouble(
            headline: "HALTED at group \(group.position) of \(state.plan.groups.count), \(group.id)"
                + (node.map { ", on \($0)" } ?? ""),
            happened: reason,
            standing: [status.writability, StatusView.times(state, now)].compactMap(\.self).joined(separator: " "),
            safe: StatusView.safe(status),
            commands: [NextCommand.status(run), status.nextCommand]
                + (status.canGoBack ? [NextCommand.abort(run)] : []))
    }
}

package enum ErrorView {
    package static func text(_ trouble: Trouble, style: Style) -> String {
        var page = Page(style)
        page.say(trouble.headline, tone: .bad, hanging: 2)
        let answers = [("what happened:", trouble.happened), ("now:", trouble.standing), ("safe:", trouble.safe)]
        for (question, answer) in answers where !answer.isEmpty {
            page.say(answer, indent: 2, lead: question, leadTone: .strong, hanging: 2)
        }
        if !trouble.commands.isEmpty { page.say("next:", indent: 2, tone: .strong) }
        for command in trouble.commands { page.literal(command, indent: 4) }
        return page.text
    }

    package static func json(_ trouble: Trouble) -> String {
        JSONLine.of(
            .error,
            TroubleBody(
                headline: trouble.headline, happened: trouble.happened, standing: trouble.standing, safe: trouble.safe,
                commands: trouble.commands))
    }
}

private struct TroubleBody: Encodable {
    var headline: String
    var happened: String
    var standing: String
    var safe: String
    var commands: [String]
}
