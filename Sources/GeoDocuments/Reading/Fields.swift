/// The keys of one mapping while it is read. Every reading function reports what is wrong and then answers `nil`, so
/// that a reader goes on and finds the next problem.
struct Fields {
    /// What the mapping describes, for messages: `node 'tokyo-pg-1'`.
    let subject: String
    /// Where a missing key is reported.
    let position: Position
    let problems: Problems
    private let entries: [YAMLEntry]

    /// Reports keys that are not in `keys`, each with the nearest one. `nil` if the value is no mapping.
    init?(_ value: YAMLValue, of subject: String, at position: Position? = nil, keys: [String], problems: Problems) {
        self.subject = subject
        self.problems = problems
        self.position = position ?? value.position
        guard case .mapping(let entries) = value.content else {
            problems.error(
                "\(subject) is \(value.described)", at: value.position,
                expected: "a mapping with \(keys.joined(separator: ", "))")
            return nil
        }
        self.entries = entries
        for entry in entries where !keys.contains(entry.key) {
            let nearest = Spelling.nearest(to: entry.key, among: keys)
            problems.error(
                "\(subject) has no key \(quoted(entry.key))", at: entry.keyPosition,
                expected: "one of \(keys.joined(separator: ", "))", suggestion: nearest)
        }
    }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }
    func entry(_ key: String) -> YAMLEntry? { entries.first { $0.key == key } }

    /// The value of a key that must be there.
    func required(_ key: String, expected: String, suggestion: String? = nil) -> YAMLValue? {
        if let entry = entry(key) { return entry.value }
        problems.error("\(subject) has no '\(key)'", at: position, expected: expected, suggestion: suggestion)
        return nil
    }

    func label(_ key: String) -> String { "'\(key)' of \(subject)" }

    // MARK: Reading values of keys that may be missing

    func text(_ key: String) -> String? {
        entry(key)?.value.text(label(key), problems)
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        entry(key)?.value.integer(label(key), in: range, problems)
    }

    func flag(_ key: String) -> Bool? {
        guard let value = entry(key)?.value else { return nil }
        if case .scalar(let text, isQuoted: false) = value.content {
            if ["true", "True", "TRUE"].contains(text) { return true }
            if ["false", "False", "FALSE"].contains(text) { return false }
        }
        var meant: String?
        if case .scalar(let text, _) = value.content {
            meant =
                ["yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"][
                    text.lowercased()]
        }
        problems.error(
            "\(label(key)) is \(value.described)", at: value.position, expected: "true or false", suggestion: meant)
        return nil
    }

    /// Whole seconds.
    func duration(_ key: String, atLeast least: Int = 1) -> Int? {
        entry(key)?.value.duration(label(key), atLeast: least, problems)
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        entry(key)?.value.choice(label(key), of: type, problems)
    }
}

extension YAMLValue {
    /// Text that is not empty. Numbers and words that other readers take for flags are text here.
    func text(_ label: @autoclosure () -> String, _ problems: Problems, expected: String = "text") -> String? {
        if case .scalar(let text, _) = content, !text.allSatisfy(\.isWhitespace) { return text }
        problems.error("\(label()) is \(described)", at: position, expected: expected)
        return nil
    }

    func integer(_ label: @autoclosure () -> String, in range: ClosedRange<Int>, _ problems: Problems) -> Int? {
        let expected =
            range.upperBound == .max
            ? "a whole number, at least \(range.lowerBound)"
            : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .scalar(let text, let isQuoted) = content, let number = Int(text) else {
            problems.error("\(label()) is \(described)", at: position, expected: expected)
            return nil
        }
        guard !isQuoted, range.contains(number) else {
            problems.error(
                "\(label()) is \(described)", at: position, expected: expected,
                suggestion: range.contains(number) ? "\(number), without quotes" : nil)
            return nil
        }
        return number
    }

    func duration(_ label: @autoclosure () -> String, atLeast least: Int, _ problems: Problems) -> Int? {
        guard case .scalar(let text, _) = content, let seconds = Quantity.seconds(text) else {
            var meant: String?
            if case .scalar(let text, _) = content { meant = Quantity.durationMeant(by: text) }
            problems.error(
                "\(label()) is \(described)", at: position, expected: Quantity.durationForm, suggestion: meant)
            return nil
        }
        guard seconds >= least else {
            problems.error("\(label()) is \(described)", at: position, expected: "a duration of at least \(least)s")
            return nil
        }
        return seconds
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ label: @autoclosure () -> String, of type: Choice.Type, _ problems: Problems
    ) -> Choice? where Choice.RawValue == String {
        if case .scalar(let text, _) = content {
            if let choice = Choice.allCases.first(where: { $0.rawValue == text }) { return choice }
            let all = Choice.allCases.map(\.rawValue)
            problems.error(
                "\(label()) is \(described)", at: position, expected: listed(all),
                suggestion: Spelling.nearest(to: text, among: all))
        } else {
            problems.error(
                "\(label()) is \(described)", at: position, expected: listed(Choice.allCases.map(\.rawValue)))
        }
        return nil
    }

    /// The elements of a list.
    func list(_ label: @autoclosure () -> String, _ problems: Problems, expected: String, suggestion: String? = nil)
        -> [YAMLValue]?
    {
        if case .list(let elements) = content { return elements }
        problems.error("\(label()) is \(described)", at: position, expected: expected, suggestion: suggestion)
        return nil
    }

    /// The elements of a list, or a single word as a list of one.
    var oneOrMore: [YAMLValue] {
        if case .list(let elements) = content { elements } else { [self] }
    }

    /// The entries of a mapping.
    func mapping(_ label: @autoclosure () -> String, _ problems: Problems, expected: String) -> [YAMLEntry]? {
        if case .mapping(let entries) = content { return entries }
        problems.error("\(label()) is \(described)", at: position, expected: expected)
        return nil
    }
}
