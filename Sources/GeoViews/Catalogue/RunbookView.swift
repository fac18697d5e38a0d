package import GeoCore

/// Runbooks to choose from and to read.
package enum RunbookView {
    package static func list(_ runbooks: [Runbook], style: Style) -> String {
        var page = Page(style)
        var table = Table(header: ["name", "scenario", "steps", "title"])
        for runbook in runbooks {
            let count = runbook.stages.isEmpty ? "\(runbook.steps.count)" : "\(runbook.stages.count) runs"
            table.add(runbook.name, runbook.scenario.rawValue, count, runbook.title)
        }
        if runbooks.isEmpty { page.say("There are no runbooks here.") } else { page.table(table) }
        return page.text
    }

    /// Markdown, to read before it is used.
    package static func show(_ runbook: Runbook) -> String {
        var head = Table(header: ["", ""])
        head.add("name", runbook.name)
        head.add("scenario", runbook.scenario.rawValue)
        head.add("objectives", ObjectiveText.of(runbook.objectives))
        head.add("file", runbook.source.path)
        var lines = ["# \(Markdown.escaped(runbook.title))", ""] + head.markdown + [""]
        if !runbook.preflight.isEmpty { lines += ["## Must hold before", ""] }
        for reference in runbook.preflight {
            let question = CheckCatalog.check(reference.check)?.question
            lines.append(
                "- \(Markdown.code(reference.check.rawValue))\(LimitText.brackets(reference.limits, of: reference.check))"
                    + (question.map { ": \(Markdown.escaped($0))" } ?? ""))
        }
        guard runbook.stages.isEmpty else {
            lines += runbook.stages.enumerated().flatMap { section($1, $0 + 1) }
            return lines.joined(separator: "\n")
        }
        lines += (runbook.preflight.isEmpty ? [] : [""]) + ["## Steps", ""]
        for (index, step) in runbook.steps.enumerated() {
            lines += section(step, index + 1, previous: previous(runbook, index))
        }
        return lines.joined(separator: "\n")
    }

    private static func section(_ stage: RunbookStage, _ number: Int) -> [String] {
        var lines = ["## \(number). \(stage.id)", "", Markdown.escaped(stage.title)]
        if let why = stage.why { lines += ["", "Why: \(Markdown.escaped(why))"] }
        if let hold = stage.hold { lines += ["", "Hold before it: \(Markdown.escaped(hold))"] }
        let other = stage.from == .from ? Part.to : .from
        lines += [
            "",
            "- a run of \(Markdown.code(stage.runbook)), from the site called `\(stage.from.rawValue)` to the one called"
                + " `\(other.rawValue)`; planned when it comes up",
        ]
        if let patroni = stage.patroniRunbook {
            lines.append(
                "- a run of \(Markdown.code(patroni)) in its place, where the site called `\(other.rawValue)` runs Patroni"
            )
        }
        return lines + [""]
    }

    private static func previous(_ runbook: Runbook, _ index: Int) -> StepID? {
        index > 0 ? runbook.steps[index - 1].id : nil
    }

    private static func section(_ step: RunbookStep, _ number: Int, previous: StepID?) -> [String] {
        let action = ActionCatalog.action(step.action)
        var lines = ["### \(number). \(step.id)", "", Markdown.escaped(step.title ?? action.summary)]
        if let why = step.why { lines += ["", "Why: \(Markdown.escaped(why))"] }
        if let text = step.text { lines += ["", "> \(Markdown.escaped(text))"] }
        lines += ["", "- does \(Markdown.code(step.action.rawValue)): \(Markdown.escaped(action.summary))"]
        if let hook = step.hook { lines.append("- hook \(Markdown.code(hook))") }
        if let target = step.target { lines.append("- on \(place(target))") }
        if !step.after.isEmpty, step.after != previous.map({ [$0] }) {
            lines.append("- after \(step.after.map { Markdown.code($0.rawValue) }.joined(separator: ", "))")
        }
        if let until = step.until { lines.append("- until \(proof(until))") }
        if action.effect != .none {
            lines.append("- users: \(GroupText.word(action.effect)), \(Markdown.escaped(action.effectText))")
        }
        if let limit = step.timeLimitSeconds { lines.append("- commands may take \(DurationText.of(limit))") }
        switch step.onFailure {
        case .halt: break
        case .ask: lines.append("- if it fails, the run asks whether to go on without it")
        case .continue: lines.append("- if it fails, the run goes on, and the report says so")
        }
        if step.isOptional { lines.append("- left out, visibly, where the inventory has nothing for it") }
        return lines + [""]
    }

    private static func place(_ target: RunbookStep.Target) -> String {
        let nodes =
            switch target.nodes {
            case .all: "every node"
            case .one: "one node"
            case .rest: "every node but the first"
            }
        let components = target.components.map(\.rawValue).joined(separator: ", ")
        let which = components.isEmpty ? "" : " with \(components)"
        let site = target.part == .from ? "the site that is left" : "the site that is promoted"
        return "\(nodes)\(which) of \(site)\(target.atOnce.map { ", \($0) at a time" } ?? "")"
    }

    private static func proof(_ until: RunbookStep.Until) -> String {
        let site: String? =
            switch until.on {
            case .from: " of the site that is left"
            case .to: " of the site that is promoted"
            case nil: nil
            }
        let question = CheckCatalog.check(until.check).map { ": \(Markdown.escaped($0.question))" }
        return "\(Markdown.code(until.check.rawValue))\(LimitText.brackets(until.limits, of: until.check))\(site ?? "")"
            + " within \(DurationText.of(until.withinSeconds))\(question ?? "")"
    }

    package static func json(_ runbooks: [Runbook]) -> [String] {
        runbooks.map { runbook in
            JSONLine.of(
                .runbook,
                RunbookBody(
                    name: runbook.name, title: runbook.title, scenario: runbook.scenario,
                    objectives: runbook.objectives, path: runbook.source.path, digest: runbook.source.digest,
                    preflight: runbook.preflight.map(\.check), steps: runbook.steps.map(\.id)))
        }
    }
}

private struct RunbookBody: Encodable {
    var name: String
    var title: String
    var scenario: Scenario
    var objectives: Objectives
    var path: String
    var digest: Digest
    var preflight: [CheckID]
    var steps: [StepID]
}
