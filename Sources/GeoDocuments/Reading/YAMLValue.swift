/// A value of a YAML file with its place. Text stays text until a reader asks for a number or a flag, so that
/// nobody's host called `no` becomes `false`.
struct YAMLValue {
    enum Content {
        case nothing
        case scalar(String, isQuoted: Bool)
        case list([YAMLValue])
        /// In the order of the file; keys are unique.
        case mapping([YAMLEntry])
    }

    var content: Content
    var position: Position

    /// What was found, for a message.
    var described: String {
        switch content {
        case .nothing: "empty"
        case .scalar(let text, isQuoted: true): "the text \(quoted(text))"
        case .scalar(let text, isQuoted: false): quoted(text)
        case .list(let elements): elements.isEmpty ? "an empty list" : "a list"
        case .mapping: "a mapping"
        }
    }
}

struct YAMLEntry {
    var key: String
    var keyPosition: Position
    var value: YAMLValue
}
