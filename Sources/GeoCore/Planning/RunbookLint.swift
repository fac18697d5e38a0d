/// What is wrong with a runbook that can be said without an inventory: names and places that do not fit the catalogues.
package enum RunbookLint {
    package struct Problem: Sendable, Hashable, CustomStringConvertible {
        package var step: StepID?
        package var text: String
        package var description: String { (step.map { "step \($0): " } ?? "") + text }
    }

    package static func problems(of runbook: Runbook) -> [Problem] {
        preflightProblems(runbook) + runbook.steps.flatMap { problems($0, in: runbook.scenario) }
    }

    private static func preflightProblems(_ runbook: Runbook) -> [Problem] {
        runbook.preflight.flatMap { reference -> [Problem] in
            guard let check = CheckCatalog.check(reference.check) else {
                return [Problem(step: nil, text: "preflight names \(reference.check), and no such check exists")]
            }
            return unknownLimits(reference.limits, check, nil)
        }
    }

    private static func problems(_ step: RunbookStep, in scenario: Scenario) -> [Problem] {
        let action = ActionCatalog.action(step.action)
        var found: [Problem] = []
        func say(_ text: String) { found.append(Problem(step: step.id, text: text)) }
        if action.reach == .node, step.target == nil { say("\(step.action.rawValue) needs `on:` to say where") }
        if let part = action.part(in: scenario), let target = step.target, part != target.part {
            say("\(step.action.rawValue) belongs to the site called `\(part.rawValue)`")
        }
        if let components = action.components, let wanted = step.target?.components, !wanted.isEmpty {
            for component in wanted where !components.contains(component) {
                say("\(step.action.rawValue) does nothing on \(component.rawValue) nodes")
            }
        }
        if let until = step.until {
            guard let check = CheckCatalog.check(until.check) else {
                say("is verified by \(until.check), and no such check exists")
                return found
            }
            if check.scope == .node, action.reach != .node {
                say("is verified by \(until.check), which is about one node; the step is about none")
            }
            found += unknownLimits(until.limits, check, step.id)
        }
        return found
    }

    private static func unknownLimits(_ limits: Limits, _ check: Check, _ step: StepID?) -> [Problem] {
        let known = check.limits.map(\.name)
        return limits.values.keys.filter { !known.contains($0) }.sorted().map { name in
            let others = known.isEmpty ? "it has none" : "it has \(known.joined(separator: ", "))"
            return Problem(step: step, text: "\(check.id) has no limit named \(name); \(others)")
        }
    }
}
