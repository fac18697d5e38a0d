/// Where something begins in a file; both numbers count from 1.
struct Position: Hashable, Comparable, Sendable {
    var line: Int
    var column: Int

    static let start = Position(line: 1, column: 1)
    static func < (left: Self, right: Self) -> Bool { (left.line, left.column) < (right.line, right.column) }
}

/// Collects everything that is wrong with one file, so that its author sees it at once.
final class Problems {
    /// More than this many help nobody; the rest is counted.
    private static let limit = 200

    private let path: String
    private var found: Set<Diagnostic> = []
    private var left = 0
    private(set) var hasErrors = false

    init(path: String) { self.path = path }

    func error(_ message: String, at position: Position, expected: String? = nil, suggestion: String? = nil) {
        hasErrors = true
        add(.error, message, position, expected, suggestion)
    }

    func warning(_ message: String, at position: Position, expected: String? = nil, suggestion: String? = nil) {
        add(.warning, message, position, expected, suggestion)
    }

    /// In the order of the file. The same problem in a part that several places share (an anchor) appears once.
    var inOrder: [Diagnostic] {
        var list = found.sorted {
            ($0.line, $0.column, $0.severity.rawValue, $0.message) < (
                $1.line, $1.column, $1.severity.rawValue, $1.message
            )
        }
        if left > 0, let last = list.last {
            list.append(
                Diagnostic(
                    path: path, line: last.line, column: last.column, severity: .error,
                    message: "\(left) more problems are not shown", suggestion: "correct these first"))
        }
        return list
    }

    private func add(
        _ severity: Diagnostic.Severity, _ message: String, _ position: Position, _ expected: String?,
        _ suggestion: String?
    ) {
        let diagnostic = Diagnostic(
            path: path, line: position.line, column: position.column, severity: severity, message: message,
            expected: expected, suggestion: suggestion)
        if found.count < Self.limit {
            found.insert(diagnostic)
        } else if !found.contains(diagnostic) {
            left += 1
        }
    }
}
