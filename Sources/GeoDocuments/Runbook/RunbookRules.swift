import GeoCore

/// What must hold between the steps of a runbook, as far as no catalogue is needed to say it.
struct RunbookRules {
    let problems: Problems

    func check(_ steps: [PlacedStep]) {
        checkUnique(steps)
        checkOrder(steps)
        for step in steps where step.action != nil { checkShape(step) }
    }

    private func checkUnique(_ steps: [PlacedStep]) {
        var seen: [String: Position] = [:]
        for step in steps where !step.id.isEmpty {
            guard let first = seen[step.id] else {
                seen[step.id] = step.position
                continue
            }
            problems.error(
                "the id \(quoted(step.id)) is used again; the first is in line \(first.line)", at: step.position,
                expected: "ids that are unique in the runbook")
        }
    }

    private func checkOrder(_ steps: [PlacedStep]) {
        let ids = steps.map(\.id)
        let first = Dictionary(ids.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, step) in steps.enumerated() {
            for (name, position) in step.after {
                guard let other = first[name] else {
                    problems.error(
                        "'after' of step \(quoted(step.id)) names \(quoted(name)), which is no step", at: position,
                        expected: "the id of an earlier step",
                        suggestion: Spelling.nearest(to: name, among: ids[..<index].filter { !$0.isEmpty }))
                    continue
                }
                guard other >= index else { continue }
                if let cycle = path(from: other, to: index, steps, first) {
                    let circle = ([index] + cycle).map { ids[$0] }.joined(separator: " -> ")
                    problems.error(
                        "the order of steps is a circle: \(quoted(circle)), each after the next", at: position)
                } else {
                    problems.error(
                        "'after' of step \(quoted(step.id)) names \(quoted(name)), which comes later", at: position,
                        expected: "the id of an earlier step", suggestion: "move the step \(quoted(name)) up")
                }
            }
        }
    }

    /// The steps from one to another along `after`, both included; `nil` when there is no way.
    private func path(from start: Int, to goal: Int, _ steps: [PlacedStep], _ first: [String: Int]) -> [Int]? {
        var cameFrom: [Int: Int] = [start: start]
        var waiting = [start]
        while let current = waiting.popLast() {
            if current == goal {
                var way = [goal]
                while let last = way.last, last != start, let before = cameFrom[last] { way.append(before) }
                return way.reversed()
            }
            for next in steps[current].after.compactMap({ first[$0.id] }) where cameFrom[next] == nil {
                cameFrom[next] = current
                waiting.append(next)
            }
        }
        return nil
    }

    private func checkShape(_ step: PlacedStep) {
        guard let action = step.action else { return }
        let subject = "step \(quoted(step.id)) (\(action.rawValue))"
        if action.changesSomething {
            require("why", step, "\(subject) changes something and has no 'why'", "a sentence that says why it is done")
        }
        checkProof(step, action, subject)
        switch action {
        case .wait:
            require("until", step, "\(subject) has no 'until'", "{ check, within }: what it waits for")
        case .confirm, .manual:
            let key = action == .confirm ? "ask" : "text"
            guard step.fields.has("text") || step.fields.has("ask") else {
                problems.error(
                    "\(subject) has no '\(key)'", at: step.position,
                    expected: action == .confirm ? "what the operator confirms" : "what the person has to do")
                break
            }
        case .hook: require("hook", step, "\(subject) has no 'hook'", "the name of a hook of the inventory")
        default: break
        }
        refuseMisplaced(step, action, subject)
    }

    /// Exit statuses are claims: what changes something needs a check that sees it.
    private func checkProof(_ step: PlacedStep, _ action: ActionName, _ subject: String) {
        guard action.changesSomething, !step.fields.has("until") else { return }
        let message = "\(subject) changes something and has no 'until'"
        let expected = "{ check, within }: how its success is seen"
        switch action {
        case .pushCanary: break  // The push itself is the look.
        case .hook:
            problems.warning(message + ": its exit status will be believed", at: step.position, expected: expected)
        default: problems.error(message, at: step.position, expected: expected)
        }
    }

    /// Keys that would be read and then mean nothing.
    private func refuseMisplaced(_ step: PlacedStep, _ action: ActionName, _ subject: String) {
        if action != .hook, let entry = step.fields.entry("hook") {
            problems.error(
                "\(subject) is no hook and has the key 'hook'", at: entry.keyPosition, suggestion: "do: hook")
        }
        if ![.confirm, .manual].contains(action) {
            for key in ["text", "ask"] {
                guard let entry = step.fields.entry(key) else { continue }
                problems.error(
                    "\(subject) asks nobody and has the key '\(key)'", at: entry.keyPosition, suggestion: "why")
            }
        } else if step.fields.has("text"), let entry = step.fields.entry("ask") {
            problems.error("\(subject) has both 'text' and 'ask'", at: entry.keyPosition, expected: "one of them")
        } else if action == .manual, let entry = step.fields.entry("ask") {
            problems.error("\(subject) has no question", at: entry.keyPosition, suggestion: "text")
        }
    }

    private func require(_ key: String, _ step: PlacedStep, _ message: @autoclosure () -> String, _ expected: String) {
        guard !step.fields.has(key) else { return }
        problems.error(message(), at: step.position, expected: expected)
    }
}

extension ActionName {
    /// Whether an author must say why it is done and how its success is seen.
    var changesSomething: Bool { self != .wait && self != .confirm }
}
