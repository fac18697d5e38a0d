/// Takes secrets out of saved output, word by word: the log is never hidden as a whole.
package enum Redactor {
    /// Shown in place of a secret.
    package static let mark = "[REDACTED]"

    /// Replaces what follows `password=`, `token:` and their kin, passwords in URLs, and GitLab's token prefixes.
    /// Line structure and everything else stays byte for byte.
    package static func redact(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result.append(UInt8(ascii: "\n")) }
            result += redactLine(Array(line))
        }
        return result
    }

    private static let keys = ["password", "passwd", "secret", "token", "pgpassword", "private_key", "api_key"]
    private static let prefixes = ["glpat-", "glrt-", "gldt-", "glptt-", "glsoat-", "glcbt-", "glft-", "glimt-"]

    private static func redactLine(_ line: [UInt8]) -> [UInt8] {
        let text = String(decoding: line, as: UTF8.self)
        let lowered = text.lowercased()
        let mayHold =
            keys.contains(where: lowered.contains) || prefixes.contains(where: lowered.contains)
            || lowered.contains("://")
        // Bytes that are not UTF-8 stay as they are unless something has to be taken out.
        guard mayHold else { return line }
        var hidesNext = false
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
            if hidesNext, !word.isEmpty {
                hidesNext = false
                return mark
            }
            let (clean, next) = redactWord(String(word))
            hidesNext = next
            return clean
        }
        let clean = words.joined(separator: " ")
        return clean == text ? line : Array(clean.utf8)
    }

    private static func redactWord(_ word: String) -> (String, hidesNext: Bool) {
        let lowered = word.lowercased()
        if let prefix = prefixes.first(where: lowered.contains), let range = lowered.firstRange(of: prefix) {
            let start = lowered.distance(from: lowered.startIndex, to: range.lowerBound)
            return (String(word.prefix(start)) + mark, false)
        }
        if let scheme = word.firstRange(of: "://"), let at = word[scheme.upperBound...].firstIndex(of: "@"),
            let colon = word[scheme.upperBound..<at].firstIndex(of: ":")
        {
            return (word[...colon] + mark + word[at...], false)
        }
        for key in keys where lowered.contains(key) {
            guard let range = lowered.firstRange(of: key) else { continue }
            let end = lowered.distance(from: lowered.startIndex, to: range.upperBound)
            let rest = word.dropFirst(end)
            let trimmed = rest.drop { "'\"]".contains($0) }
            guard let separator = trimmed.first, separator == "=" || separator == ":" else { continue }
            let head = word.prefix(word.count - trimmed.count + 1)
            return trimmed.count > 1 ? (head + mark, false) : (word, true)
        }
        return (word, false)
    }
}
