import GeoCore

/// A step as far as it could be read, with the places that rules speak of.
struct PlacedStep {
    /// Empty when it was missing or no text.
    var id: String
    var position: Position
    /// `nil` when it was missing or unknown; rules about what an action needs are silent then.
    var action: ActionName?
    var after: [(id: String, position: Position)]
    /// Keys that the step has, whatever their values are.
    var fields: Fields
    var step: RunbookStep?
}

/// Reads one step of a runbook.
struct StepReader {
    static let keys = [
        "id", "title", "do", "on", "after", "until", "why", "hook", "text", "ask", "on_failure", "optional",
        "time_limit",
    ]

    let problems: Problems
    let knownChecks: Set<String>?

    func read(_ value: YAMLValue) -> PlacedStep? {
        let name = Self.name(of: value)
        let subject = name.isEmpty ? "a step" : "step \(quoted(name))"
        guard let fields = Fields(value, of: subject, keys: Self.keys, problems: problems) else { return nil }
        let id = fields.required("id", expected: "a name that is unique in the runbook")
        if let text = id?.text(fields.label("id"), problems), let id {
            Names.check(text, fields.label("id"), at: id.position, problems)
        }
        let action = fields.required("do", expected: "an action: \(listed(ActionName.allCases.map(\.rawValue)))")?
            .choice(fields.label("do"), of: ActionName.self, problems)
        let after = names("after", fields)
        var placed = PlacedStep(
            id: name, position: id?.position ?? fields.position, action: action, after: after, fields: fields)
        let step = RunbookStep(
            id: StepID(name), title: fields.text("title"), action: action ?? .wait, target: target(fields),
            after: after.map { StepID($0.id) }, until: until(fields), why: fields.text("why"),
            hook: fields.text("hook"),
            text: fields.text("text") ?? fields.text("ask"),
            onFailure: fields.choice("on_failure", of: FailurePolicy.self) ?? .halt,
            isOptional: fields.flag("optional") ?? false, timeLimitSeconds: fields.duration("time_limit"))
        if !name.isEmpty, action != nil { placed.step = step }
        return placed
    }

    private static func name(of value: YAMLValue) -> String {
        guard case .mapping(let entries) = value.content, let id = entries.first(where: { $0.key == "id" })?.value,
            case .scalar(let text, _) = id.content
        else { return "" }
        return text
    }

    private func names(_ key: String, _ fields: Fields) -> [(id: String, position: Position)] {
        guard let value = fields.entry(key)?.value else { return [] }
        var seen: Set<String> = []
        return value.oneOrMore.compactMap { element in
            guard let text = element.text(fields.label(key), problems, expected: "the id of an earlier step") else {
                return nil
            }
            if seen.insert(text).inserted { return (text, element.position) }
            problems.error("\(fields.label(key)) names \(quoted(text)) twice", at: element.position)
            return nil
        }
    }

    private func target(_ fields: Fields) -> RunbookStep.Target? {
        guard let value = fields.entry("on")?.value else { return nil }
        let label = fields.label("on")
        if case .scalar(let text, _) = value.content {
            problems.error(
                "\(label) is \(value.described)", at: value.position,
                expected: "a mapping with site, component, nodes, at_once",
                suggestion: Part(rawValue: text).map { "{ site: \($0.rawValue) }" })
            return nil
        }
        let keys = ["site", "component", "nodes", "at_once"]
        guard let on = Fields(value, of: label, keys: keys, problems: problems) else { return nil }
        let part = on.required("site", expected: "from or to")?.choice(on.label("site"), of: Part.self, problems)
        let components = on.entry("component")?.value.oneOrMore.compactMap {
            $0.choice(on.label("component"), of: Component.self, problems)
        }
        if components?.isEmpty == true, let value = on.entry("component")?.value, case .list(let list) = value.content,
            list.isEmpty
        {
            problems.error(
                "\(on.label("component")) is an empty list", at: value.position,
                expected: "a component, or no such key for all nodes")
        }
        let nodes = on.choice("nodes", of: RunbookStep.Nodes.self)
        let atOnce = on.integer("at_once", in: 1...(.max))
        return part.map {
            RunbookStep.Target(part: $0, components: components ?? [], nodes: nodes ?? .all, atOnce: atOnce)
        }
    }

    private func until(_ fields: Fields) -> RunbookStep.Until? {
        guard let value = fields.entry("until")?.value,
            let until = Fields(
                value, of: fields.label("until"), keys: ["check", "on", "within", "limits"], problems: problems)
        else { return nil }
        let check = check(until)
        let part = until.choice("on", of: Part.self)
        let limits = limits(until)
        guard let within = until.required("within", expected: "\(Quantity.durationForm): every wait has an end"),
            let seconds = within.duration(until.label("within"), atLeast: 1, problems), let check
        else { return nil }
        return RunbookStep.Until(check: check, on: part, withinSeconds: seconds, limits: limits)
    }

    /// The check that a mapping names.
    func check(_ fields: Fields) -> CheckID? {
        guard let value = fields.required("check", expected: "the name of a check, such as replication.lag"),
            let text = value.text(fields.label("check"), problems, expected: "the name of a check")
        else { return nil }
        guard Names.isCheckName(text) else {
            problems.error(
                "\(fields.label("check")) is \(value.described)", at: value.position,
                expected: "the name of a check: subject.property",
                suggestion: knownChecks.flatMap { Spelling.nearest(to: text, among: $0.sorted()) })
            return nil
        }
        if let knownChecks, !knownChecks.contains(text) {
            problems.error(
                "there is no check \(quoted(text))", at: value.position, expected: "a check of the catalogue",
                suggestion: Spelling.nearest(to: text, among: knownChecks.sorted()))
        }
        return CheckID(text)
    }

    /// Numbers as they are, durations in seconds, sizes in bytes.
    func limits(_ fields: Fields) -> Limits {
        guard let value = fields.entry("limits")?.value,
            let entries = value.mapping(fields.label("limits"), problems, expected: "a mapping of names to numbers")
        else { return Limits() }
        var limits = Limits()
        for entry in entries {
            if !Names.isLimitName(entry.key) {
                problems.error(
                    "\(fields.label("limits")) has the name \(quoted(entry.key))", at: entry.keyPosition,
                    expected: "lower-case letters, digits and '_'",
                    suggestion: Self.limitName(meantBy: entry.key))
            }
            limits.values[entry.key] = limit(entry, fields)
        }
        return limits
    }

    private func limit(_ entry: YAMLEntry, _ fields: Fields) -> Int? {
        var meant: String?
        if case .scalar(let text, let isQuoted) = entry.value.content {
            if let number = isQuoted ? nil : Int(text), number >= 0 { return number }
            if let amount = Quantity.seconds(text) ?? Quantity.bytes(text) { return amount }
            meant = Quantity.sizeMeant(by: text) ?? (text.hasPrefix("-") ? nil : Quantity.durationMeant(by: text))
        }
        problems.error(
            "the limit \(quoted(entry.key)) is \(entry.value.described)", at: entry.value.position,
            expected: "a whole number, a duration (30s) or a size (16MiB)", suggestion: meant)
        return nil
    }

    private static func limitName(meantBy key: String) -> String? {
        var meant = ""
        for character in key {
            if character.isUppercase, !meant.isEmpty { meant += "_" }
            meant += character.isLetter || character.isNumber ? character.lowercased() : "_"
        }
        return Names.isLimitName(meant) ? meant : nil
    }
}
