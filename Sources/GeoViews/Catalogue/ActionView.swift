package import GeoCore

/// What the verbs of runbooks do, with the commands as they would run on a node.
package enum ActionView {
    package static func list(_ actions: [Action], style: Style) -> String {
        var page = Page(style)
        var table = Table(header: ["action", "what it does"])
        for action in actions { table.add(action.name.rawValue, action.summary) }
        page.table(table)
        return page.text
    }

    /// `node` is an example to show commands on; it should be one that the action fits.
    package static func explain(_ action: Action, on node: Node?, style: Style) -> String {
        var page = Page(style)
        page.say(action.name.rawValue, tone: .strong)
        page.say(action.summary, indent: 2)
        page.blank()
        page.table(facts(action), indent: 2)
        if let node, action.reach == .node {
            commands(action, node, &page)
        }
        return page.text
    }

    private static func facts(_ action: Action) -> Table {
        var table = Table()
        table.add("source", action.source)
        table.add("reach", reach(action))
        table.add(
            "users",
            action.effect == .none ? "notice nothing" : "\(GroupText.word(action.effect)): \(action.effectText)")
        switch action.repeatability {
        case .idempotent: table.add("again", "may be run again when its outcome is not known")
        case .once(let because): table.add("again", "never without looking: \(because)")
        }
        table.add("takes", "about \(DurationText.of(action.expectedSeconds)) until it is verified")
        if action.timeLimitSeconds > 0 { table.add("limit", "\(DurationText.of(action.timeLimitSeconds)) per command") }
        return table
    }

    private static func reach(_ action: Action) -> String {
        guard action.reach == .node else { return "once for the run" }
        let site: String? =
            switch action.part {
            case .from: " of the site that is left"
            case .to: " of the site that is promoted"
            case nil: nil
            }
        let components = action.components.map { Component.allCases.filter($0.contains).map(\.rawValue) }
        return "each chosen node\(components.map { " with " + $0.joined(separator: ", ") } ?? "")\(site ?? "")"
    }

    private static func commands(_ action: Action, _ node: Node, _ page: inout Page) {
        let commands = ActionCommands.commands(
            action.name, on: node, message: "...", timeLimit: action.timeLimitSeconds, edit: ConfigurationEdit.example,
            divergence: Divergence.example)
        page.blank()
        page.say(
            "On a node like \(node.id) (\(node.components.map(\.rawValue).joined(separator: ", "))) it runs:", indent: 2
        )
        for command in commands {
            page.say(CommandText.remark(command), indent: 4, lead: "#", leadTone: .faint, tone: .faint)
            page.literal(CommandText.shell(command), indent: 4, lead: "$")
        }
        switch ActionCommands.undo(action.name, on: node, edit: ConfigurationEdit.example) {
        case .changesNothing: page.say("There is nothing to undo.", indent: 2)
        case .irreversible(let because): page.say(because, indent: 2, lead: "It cannot be undone:", leadTone: .bad)
        case .reversible(let undo):
            page.say("It is undone by:", indent: 2)
            for command in undo { page.literal(CommandText.shell(command), indent: 4, lead: "$") }
        }
    }

    package static func json(_ actions: [Action]) -> [String] {
        actions.map { action in
            JSONLine.of(
                .action,
                ActionBody(
                    name: action.name, reach: action.reach.rawValue, summary: action.summary, source: action.source,
                    components: action.components.map { Component.allCases.filter($0.contains) }, part: action.part,
                    effect: action.effect, effectText: action.effectText, expectedSeconds: action.expectedSeconds,
                    timeLimitSeconds: action.timeLimitSeconds))
        }
    }
}

private struct ActionBody: Encodable {
    var name: ActionName
    var reach: String
    var summary: String
    var source: String
    var components: [Component]?
    var part: Part?
    var effect: BlastRadius.Effect
    var effectText: String
    var expectedSeconds: Int
    var timeLimitSeconds: Int
}
