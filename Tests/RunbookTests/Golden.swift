import FoundationEssentials
import Testing

/// Compares with a file of the repository; `GOLDEN=record swift test` writes the files anew, to be read in the diff.
enum Golden {
    static func expect(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let file = Shipped.root + "/" + name
        if ProcessInfo.processInfo.environment["GOLDEN"] == "record" {
            try Data(text.utf8).write(to: URL(filePath: file))
            return
        }
        guard let data = FileManager.default.contents(atPath: file) else {
            Issue.record("no golden file \(name); GOLDEN=record writes it", sourceLocation: sourceLocation)
            return
        }
        let expected = String(decoding: data, as: UTF8.self)
        guard text != expected else { return }
        let pairs = zip(lines(text) + ["(end)"], lines(expected) + ["(end)"])
        let difference = pairs.enumerated().first { $1.0 != $1.1 }
        Issue.record(
            """
            \(name), line \((difference?.offset ?? 0) + 1):
              is       \(difference?.element.0 ?? "longer or shorter")
              expected \(difference?.element.1 ?? "")
            """, sourceLocation: sourceLocation)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
