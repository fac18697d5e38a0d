import Yams

/// Turns text into a tree with places. What YAML allows and nobody can read is refused here: duplicate keys, keys
/// that are no words, tags of other programs, several documents.
struct YAMLReader {
    private static let nodeLimit = 1_000_000
    private static let depthLimit = 32
    private static let duplicateLimit = 20
    private static let harmlessTags: Set<String> = [
        "!", Tag.Name.str.rawValue, Tag.Name.int.rawValue, Tag.Name.bool.rawValue,
    ]

    private let problems: Problems
    private var source: SourceText
    /// First scalars of keys that were exchanged so that the parser goes on after a duplicate key, by place.
    private var masks: [Position: Unicode.Scalar] = [:]
    private var duplicates = 0
    private var nodes = 0
    private var isTooLarge = false

    /// The tree of the only document in `text`; `nil` when there is none, and then a problem says why.
    static func read(_ text: String, problems: Problems) -> YAMLValue? {
        var reader = YAMLReader(problems: problems, source: SourceText(text))
        return reader.read()
    }

    private init(problems: Problems, source: SourceText) {
        self.problems = problems
        self.source = source
    }

    private mutating func read() -> YAMLValue? {
        if let objection = source.objection {
            problems.error(
                objection.message, at: objection.position, expected: objection.expected,
                suggestion: objection.suggestion)
            return nil
        }
        guard let root = compose() else { return nil }
        let value = convert(root, depth: 0)
        if masks.count > duplicates, let place = masks.keys.min() {
            problems.error("the same key is given twice in this mapping", at: place)
        }
        return isTooLarge ? nil : value
    }

    // MARK: Parsing

    private mutating func compose() -> Yams.Node? {
        while true {
            do {
                if let root = try Yams.compose(yaml: source.text, .basic, .default, .utf8) { return root }
                problems.error("the file is empty", at: .start)
                return nil
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let place = Position(line: max(1, context.mark.line), column: max(1, context.mark.column))
                guard mask(keyAt: place) else {
                    problems.error("the key \(quoted(names.first ?? "")) is given twice in this mapping", at: place)
                    return nil
                }
            } catch let error as YamlError {
                report(error)
                return nil
            } catch {
                problems.error("the file cannot be read as YAML", at: .start)
                return nil
            }
        }
    }

    /// The parser stops at the first duplicate key. Exchanging the first scalar of its first occurrence by one that
    /// nobody types lets it go on, so that duplicates are reported with everything else.
    private mutating func mask(keyAt place: Position) -> Bool {
        guard masks.count < Self.duplicateLimit, source.text.utf8.count < 1 << 20 || masks.isEmpty,
            let first = source.scalar(at: place), let stand = Unicode.Scalar(0xE000 + masks.count)
        else { return false }
        var target = place
        if first == "\"" || first == "'" { target.column += 1 }
        guard let old = source.scalar(at: target),
            old.properties.isAlphabetic || ("0"..."9").contains(old) || old == "_",
            masks[place] == nil, let changed = source.replacing(at: target, with: stand)
        else { return false }
        source = changed
        masks[place] = old
        return true
    }

    private func report(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let position = Position(line: max(1, mark.line), column: max(1, mark.column))
            if problem.hasPrefix("Maximum nesting") {
                problems.error("the file is nested too deeply", at: position)
                return
            }
            let explained = explain(problem, at: position)
            let during = context.map { ", \($0.text) that begins in line \($0.mark.line)" } ?? ""
            problems.error(
                "this is not YAML: \(problem)\(during)", at: position, expected: explained.expected,
                suggestion: explained.suggestion)
        case .memory: problems.error("the file is nested too deeply", at: .start)
        default: problems.error("the file cannot be read as YAML", at: .start)
        }
    }

    private func explain(_ problem: String, at position: Position) -> (expected: String?, suggestion: String?) {
        switch problem {
        case _ where source.scalar(at: position) == "\t": (nil, "indent with spaces; YAML forbids tabs there")
        case "mapping values are not allowed in this context":
            (nil, "check the indentation, and quote text that holds ': '")
        case "found character that cannot start any token": (nil, "quote text that begins with @, %, ` or another sign")
        case "found undefined alias": (nil, "quote text that begins with *, or define the anchor before it")
        case "but found another document": ("one document in a file", nil)
        case "did not find expected ',' or '}'":
            (nil, "close the braces, and quote text that holds { or }")
        default: (nil, nil)
        }
    }

    // MARK: Converting

    private mutating func convert(_ node: Yams.Node, depth: Int) -> YAMLValue {
        let position = node.mark.map { Position(line: $0.line, column: $0.column) } ?? .start
        nodes += 1
        guard !isTooLarge, nodes <= Self.nodeLimit, depth <= Self.depthLimit else {
            if !isTooLarge {
                let reason =
                    depth > Self.depthLimit ? "is nested too deeply" : "grows too large when its aliases are filled in"
                problems.error("the file \(reason)", at: position)
                isTooLarge = true
            }
            return YAMLValue(content: .nothing, position: position)
        }
        switch node {
        case .scalar(let scalar): return YAMLValue(content: content(of: scalar, at: position), position: position)
        case .sequence(let sequence):
            let elements = sequence.map { convert($0, depth: depth + 1) }
            return YAMLValue(content: .list(elements), position: position)
        case .mapping(let mapping):
            return YAMLValue(content: .mapping(entries(of: mapping, depth: depth)), position: position)
        case .alias:
            return YAMLValue(content: .nothing, position: position)
        }
    }

    private func content(of scalar: Yams.Node.Scalar, at position: Position) -> YAMLValue.Content {
        let isPlain = scalar.style == .plain
        let tag = scalar.tag.rawValue
        if !tag.isEmpty, !Self.harmlessTags.contains(tag) {
            problems.error("the tag \(quoted(tag)) has no meaning here", at: position, suggestion: "remove it")
        }
        if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .nothing }
        return .scalar(scalar.string, isQuoted: !isPlain)
    }

    private mutating func entries(of mapping: Yams.Node.Mapping, depth: Int) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        entries.reserveCapacity(mapping.count)
        var places: [String: Position] = [:]
        var merged: [YAMLEntry] = []
        for (key, node) in mapping {
            let value = convert(node, depth: depth + 1)
            let place = key.mark.map { Position(line: $0.line, column: $0.column) } ?? value.position
            guard case .scalar(let scalar) = key else {
                problems.error("a key is not a word", at: place, expected: "a plain word")
                continue
            }
            let name = unmasked(scalar.string, at: place)
            if name == "<<", scalar.style == .plain {
                merged += mergeable(value)
            } else if let first = places[name] {
                duplicates += 1
                problems.error(
                    "the key \(quoted(name)) is given twice in this mapping; "
                        + "the first is in line \(first.line), column \(first.column)",
                    at: place, suggestion: "remove or rename one of them")
            } else {
                places[name] = place
                entries.append(YAMLEntry(key: name, keyPosition: place, value: value))
            }
        }
        for entry in merged where places[entry.key] == nil {
            places[entry.key] = entry.keyPosition
            entries.append(entry)
        }
        return entries
    }

    private func unmasked(_ key: String, at place: Position) -> String {
        guard !masks.isEmpty, let first = masks[place] else { return key }
        var scalars = String.UnicodeScalarView([first])
        scalars.append(contentsOf: key.unicodeScalars.dropFirst())
        return String(scalars)
    }

    /// What `<<: *anchor` brings: the keys of a mapping, or of several.
    private func mergeable(_ value: YAMLValue) -> [YAMLEntry] {
        switch value.content {
        case .mapping(let entries): return entries
        case .list(let values): return values.flatMap { mergeable($0) }
        case .nothing, .scalar:
            problems.error(
                "'<<' is \(value.described)", at: value.position, expected: "the alias of a mapping, such as *defaults")
            return []
        }
    }
}
