/// One thing that is wrong with a file: where, what, what was expected instead, and what to write.
///
/// Never holds the text of a secret, and no control characters of the file.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    package enum Severity: String, Hashable, Sendable, CaseIterable { case error, warning }

    /// As the caller gave it.
    package var path: String
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars, as editors count.
    package var column: Int
    package var severity: Severity
    package var message: String
    package var expected: String?
    /// What to write or to do instead; `nil` when the tool cannot know.
    package var suggestion: String?

    package init(
        path: String, line: Int, column: Int, severity: Severity, message: String, expected: String? = nil,
        suggestion: String? = nil
    ) {
        self.path = path
        self.line = line
        self.column = column
        self.severity = severity
        self.message = message
        self.expected = expected
        self.suggestion = suggestion
    }

    /// One line that editors and terminals know how to jump from.
    package var description: String {
        var text = "\(path):\(line):\(column): \(severity.rawValue): \(message)"
        if let expected { text += "; expected \(expected)" }
        if let suggestion { text += "; try: \(suggestion)" }
        return text
    }
}
