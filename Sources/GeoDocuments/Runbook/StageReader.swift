import GeoCore

/// Reads the stages of a failback.
struct StageReader {
    static let keys = ["id", "title", "runbook", "patroni_runbook", "from", "hold", "why"]

    let problems: Problems

    func stages(_ fields: Fields) -> [RunbookStage] {
        let expected = "a list of stages: \(Self.keys.joined(separator: ", "))"
        guard let value = fields.required("stages", expected: expected),
            let elements = value.list(fields.label("stages"), problems, expected: expected)
        else { return [] }
        if elements.isEmpty { problems.error("there is no stage", at: value.position, expected: expected) }
        var seen: [String: Position] = [:]
        return elements.compactMap { element in
            guard let stage = read(element) else { return nil }
            if let first = seen.updateValue(element.position, forKey: stage.id.rawValue) {
                problems.error(
                    "the id \(quoted(stage.id.rawValue)) is used again; the first is in line \(first.line)",
                    at: element.position, expected: "ids that are unique in the runbook")
            }
            return stage
        }
    }

    private func read(_ value: YAMLValue) -> RunbookStage? {
        guard let fields = Fields(value, of: "a stage", keys: Self.keys, problems: problems) else { return nil }
        let id = name("id", "a name that is unique in the runbook", fields)
        let runbook = name("runbook", "the name of the runbook that is run", fields)
        let title = fields.required("title", expected: "a line that says what the stage does")?
            .text(fields.label("title"), problems)
        let from = fields.required("from", expected: "which site is `from` in it: from or to")?
            .choice(fields.label("from"), of: Part.self, problems)
        guard let id, let runbook, let title, let from else { return nil }
        return RunbookStage(
            id: StepID(id), title: title, runbook: runbook,
            patroniRunbook: fields.entry("patroni_runbook").flatMap { name("patroni_runbook", $0.value, fields) },
            from: from, hold: fields.text("hold"), why: fields.text("why"))
    }

    private func name(_ key: String, _ expected: String, _ fields: Fields) -> String? {
        fields.required(key, expected: expected).flatMap { name(key, $0, fields) }
    }

    private func name(_ key: String, _ value: YAMLValue, _ fields: Fields) -> String? {
        guard let text = value.text(fields.label(key), problems) else { return nil }
        Names.check(text, fields.label(key), at: value.position, problems)
        return text
    }
}
