package import GeoCore

/// Runbook files: YAML to ``Runbook``, or a list of everything that is wrong.
package enum RunbookDocument {
    /// The only schema that this tool reads.
    package static let schema = 1

    /// Decodes the text of a runbook and applies every rule that needs no inventory.
    ///
    /// With `knownChecks`, names of checks outside it are errors; whether a check fits its place is the planner's to
    /// say. A value comes back exactly when no diagnostic is an error.
    package static func load(
        text: String, path: String, knownChecks: Set<String>? = nil
    ) -> (runbook: Runbook?, diagnostics: [Diagnostic]) {
        let problems = Problems(path: path)
        let reader = RunbookReader(problems: problems, steps: StepReader(problems: problems, knownChecks: knownChecks))
        let source = DocumentReference(path: path, digest: Digest(of: text.utf8))
        let runbook = YAMLReader.read(text, problems: problems).flatMap { reader.read($0, source: source) }
        return (problems.hasErrors ? nil : runbook, problems.inOrder)
    }
}

/// Reads the top of a runbook.
struct RunbookReader {
    static let keys = ["schema", "name", "title", "scenario", "objectives", "preflight", "steps", "stages"]

    let problems: Problems
    let steps: StepReader

    func read(_ root: YAMLValue, source: DocumentReference) -> Runbook? {
        guard Schema.isReadable(root, kind: "a runbook", known: RunbookDocument.schema, problems),
            let fields = Fields(root, of: "the runbook", keys: Self.keys, problems: problems)
        else { return nil }
        let name = fields.required("name", expected: "the runbook's name").flatMap { value in
            let text = value.text(fields.label("name"), problems)
            if let text { Names.check(text, fields.label("name"), at: value.position, problems) }
            return text
        }
        let title = fields.required("title", expected: "a line that says what the runbook does")?
            .text(fields.label("title"), problems)
        let scenario = fields.required("scenario", expected: listed(Scenario.allCases.map(\.rawValue)))?
            .choice(fields.label("scenario"), of: Scenario.self, problems)
        let isOfStages = scenario == .failback
        for (key, isWrong) in [("steps", isOfStages), ("preflight", isOfStages), ("stages", !isOfStages)] {
            guard isWrong, let entry = fields.entry(key) else { continue }
            problems.error(
                "a runbook of the scenario \(scenario?.rawValue ?? "?") has no '\(key)'", at: entry.keyPosition,
                suggestion: isOfStages ? "stages" : "steps")
        }
        return Runbook(
            name: name ?? "", title: title ?? "", scenario: scenario ?? .planned, objectives: fields.objectives(),
            preflight: isOfStages ? [] : preflight(fields), steps: isOfStages ? [] : steps(fields),
            stages: isOfStages ? StageReader(problems: problems).stages(fields) : [], source: source)
    }

    private func preflight(_ fields: Fields) -> [PreflightReference] {
        let expected = "a list of { check, limits }"
        guard
            let elements = fields.entry("preflight")?.value.list(
                fields.label("preflight"), problems, expected: expected)
        else { return [] }
        var seen: [CheckID: Position] = [:]
        return elements.compactMap { element in
            guard
                let fields = Fields(
                    element, of: "a check of 'preflight'", keys: ["check", "limits"], problems: problems),
                let check = steps.check(fields)
            else { return nil }
            if let first = seen.updateValue(element.position, forKey: check) {
                problems.error(
                    "the check \(quoted(check.rawValue)) is listed again; the first is in line \(first.line)",
                    at: element.position,
                    suggestion: "put its limits into one place")
            }
            return PreflightReference(check: check, limits: steps.limits(fields))
        }
    }

    private func steps(_ fields: Fields) -> [RunbookStep] {
        let expected = "a list of steps"
        guard let value = fields.required("steps", expected: expected),
            let elements = value.list(fields.label("steps"), problems, expected: expected)
        else { return [] }
        if elements.isEmpty { problems.error("there is no step", at: value.position, expected: expected) }
        let placed = elements.compactMap(steps.read)
        RunbookRules(problems: problems).check(placed)
        return placed.compactMap(\.step)
    }
}
