import GeoCore

/// Reads argument vectors of the operators' own programs.
struct ProgramReader {
    let locations: Locations
    let problems: Problems

    /// A program and its arguments; the program is looked for beside the file when its name has a slash.
    func vector(_ key: String, of fields: Fields, known: [String] = ["site", "url", "node"]) -> [String]? {
        let expected = "a list: a program and its arguments"
        let example = #"\#(key): [./program, "{\#(known[0])}"]"#
        guard let value = fields.required(key, expected: expected, suggestion: example) else { return nil }
        var suggestion: String?
        if case .scalar(let text, _) = value.content {
            suggestion =
                "["
                + text.split(separator: " ").prefix(8).map { $0.contains("{") ? "\"\($0)\"" : String($0) }
                .joined(separator: ", ") + "]"
        }
        guard let elements = value.list(fields.label(key), problems, expected: expected, suggestion: suggestion)
        else { return nil }
        var arguments = elements.compactMap { $0.text("an argument in \(fields.label(key))", problems) }
        for element in elements {
            Self.checkPlaceholders(element, fields.label(key), known: known, problems)
        }
        guard let program = arguments.first else {
            if elements.isEmpty {
                problems.error("\(fields.label(key)) is an empty list", at: value.position, expected: expected)
            }
            return nil
        }
        guard let resolved = locations.resolve(program: program) else {
            problems.error(
                "\(fields.label(key)) begins with \(quoted(program))", at: value.position, expected: "a program")
            return nil
        }
        arguments[0] = resolved
        return arguments
    }

    /// Reports `{words}` that nothing stands for.
    static func checkPlaceholders(_ value: YAMLValue, _ label: String, known: [String], _ problems: Problems) {
        guard case .scalar(let text, _) = value.content else { return }
        for match in text.matches(of: /\{([a-z_]+)\}/) where !known.contains(String(match.1)) {
            problems.error(
                "\(label) holds the placeholder \(quoted("{\(match.1)}"))", at: value.position,
                expected: listed(known.map { "{\($0)}" }),
                suggestion: Spelling.nearest(to: String(match.1), among: known).map { "{\($0)}" })
        }
    }
}

/// Reads `fences`: ways to isolate a node that does not answer, in the order to try them.
struct FenceReader {
    static let keys = ["name", "run", "prove", "time_limit", "sites", "nodes"]

    let locations: Locations
    let problems: Problems

    func fences(_ value: YAMLValue, of sites: [Site]) -> [FenceProgram] {
        var seen: [String: Position] = [:]
        let expected = "a list of { name, run, prove, time_limit }"
        return (value.list("'fences'", problems, expected: expected) ?? []).compactMap { element in
            guard let fields = Fields(element, of: "a fence", keys: Self.keys, problems: problems),
                let value = fields.required("name", expected: "the name of the fence"),
                let name = value.text(fields.label("name"), problems)
            else { return nil }
            Names.check(name, fields.label("name"), at: value.position, problems)
            if let first = seen.updateValue(value.position, forKey: name) {
                problems.error(
                    "the fence \(quoted(name)) is named again; the first is in line \(first.line)", at: value.position)
            }
            return fence(fields, name: name, sites)
        }
    }

    private func fence(_ fields: Fields, name: String, _ sites: [Site]) -> FenceProgram? {
        let programs = ProgramReader(locations: locations, problems: problems)
        let words = ["node", "address", "site", "url"]
        let forSites = names("sites", fields, known: sites.map(\.id.rawValue))
        let forNodes = names("nodes", fields, known: sites.flatMap(\.nodes).map(\.id.rawValue))
        let limit = fields.duration("time_limit") ?? 120
        // Both are read before either may be missing: all problems at once.
        let run = programs.vector("run", of: fields, known: words)
        let prove = programs.vector("prove", of: fields, known: words)
        guard let run, let prove else { return nil }
        return FenceProgram(
            name: name, run: run, prove: prove, timeLimitSeconds: limit, sites: forSites.map { SiteID($0) },
            nodes: forNodes.map { NodeID($0) })
    }

    /// Names of things of this inventory; one that is not there would leave a node without its fence, unseen.
    private func names(_ key: String, _ fields: Fields, known: [String]) -> [String] {
        (fields.entry(key)?.value.oneOrMore ?? []).compactMap { element in
            guard let name = element.text("a name in \(fields.label(key))", problems) else { return nil }
            guard known.contains(name) else {
                problems.error(
                    "\(fields.label(key)) names \(quoted(name)), which the inventory does not have",
                    at: element.position, expected: "one of \(known.prefix(8).joined(separator: ", "))",
                    suggestion: Spelling.nearest(to: name, among: known))
                return nil
            }
            return name
        }
    }
}
