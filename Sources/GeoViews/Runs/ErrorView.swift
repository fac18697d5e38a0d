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
