/// Takes secrets out of saved output, word by word: the log is never hidden as a whole.
package enum Redactor {
    /// Shown in place of a secret.
    package static let mark = "[REDACTED]"

    /// Replaces what follows `password=`, `token:`, `secret_key_base =>` and their kin, passwords in URLs, GitLab's token
    /// prefixes, and private keys. Line structure and everything else stays byte for byte.
    package static func redact(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var isInsideKey = false
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            if index > 0 { result.append(UInt8(ascii: "\n")) }
            let border = keyBorder(line)
            if border == .end { isInsideKey = false }
            result += isInsideKey ? Array(mark.utf8) : redactLine(Array(line))
            if border == .begin { isInsideKey = true }
        }
        return result
    }

    /// The same, and every occurrence of secrets that are known, wherever they stand.
    package static func redact(_ bytes: [UInt8], hiding secret: [UInt8]?) -> [UInt8] {
        guard let secret, !secret.isEmpty else { return redact(bytes) }
        var clean: [UInt8] = []
        var rest = bytes[...]
        while let range = rest.firstRange(of: secret) {
            clean += rest[..<range.lowerBound] + Array(mark.utf8)
            rest = rest[range.upperBound...]
        }
        return redact(clean + rest)
    }

    private enum KeyBorder { case begin, end }

    private static func keyBorder(_ line: some Collection<UInt8>) -> KeyBorder? {
        guard line.contains(UInt8(ascii: "-")) else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        guard text.contains("PRIVATE KEY-----") else { return nil }
        return text.contains("-----END ") ? .end : text.contains("-----BEGIN ") ? .begin : nil
    }

    private static let keys = ["password", "passwd", "secret", "token", "private_key", "api_key", "key_base"]
    private static let prefixes = ["glpat-", "glrt-", "gldt-", "glptt-", "glsoat-", "glcbt-", "glft-", "glimt-"]

    /// Every word that something is taken out for, as bytes: most lines hold none, and a log has many.
    private static let marks = (keys + prefixes + ["://"]).map { Array($0.utf8) }

    private static func mayHold(_ line: [UInt8]) -> Bool {
        // Letters beyond ASCII may have a small letter within it.
        let isPlain = line.allSatisfy { $0 < 0x80 }
        let lowered =
            isPlain
            ? line.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
            : Array(String(decoding: line, as: UTF8.self).lowercased().utf8)
        return lowered.indices.contains { start in
            marks.contains { $0[0] == lowered[start] && lowered[start...].starts(with: $0) }
        }
    }

    private static func redactLine(_ line: [UInt8]) -> [UInt8] {
        // Bytes that are not UTF-8 stay as they are unless something has to be taken out.
        guard mayHold(line) else { return line }
        let text = String(decoding: line, as: UTF8.self)
        var next = Next.stays
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map { word -> String in
            if word.isEmpty { return "" }
            switch next {
            case .isHidden:
                next = .stays
                return mark
            case .isHiddenAfterSeparator where ["=", ":", "=>"].contains(word):
                next = .isHidden
                return String(word)
            case .isHiddenAfterSeparator, .stays:
                let (clean, following) = redactWord(String(word))
                next = following
                return clean
            }
        }
        let clean = words.joined(separator: " ")
        return clean == text ? line : Array(clean.utf8)
    }

    /// What becomes of the word after one.
    private enum Next { case stays, isHidden, isHiddenAfterSeparator }

    private static func redactWord(_ word: String) -> (String, Next) {
        let lowered = word.lowercased()
        if let prefix = prefixes.first(where: lowered.contains), let range = lowered.firstRange(of: prefix) {
            let start = lowered.distance(from: lowered.startIndex, to: range.lowerBound)
            return (String(word.prefix(start)) + mark, .stays)
        }
        if let clean = redactURL(word) { return (clean, .stays) }
        for key in keys where lowered.contains(key) {
            guard let range = lowered.firstRange(of: key) else { continue }
            let end = lowered.distance(from: lowered.startIndex, to: range.upperBound)
            // The name may go on (`secret_key_base`) and be quoted.
            let trimmed = word.dropFirst(end).drop { $0.isLetter || $0.isNumber || "_-'\"]".contains($0) }
            guard let separator = trimmed.first else {
                // An option takes the next word; a word of prose does not.
                return (word, word.hasPrefix("--") ? .isHidden : .isHiddenAfterSeparator)
            }
            guard separator == "=" || separator == ":" else { continue }
            let value = trimmed.drop { "=:>".contains($0) }
            return value.isEmpty ? (word, .isHidden) : (word.dropLast(value.count) + mark, .stays)
        }
        return (word, .stays)
    }

    /// A password may hold an `@`: the last one before the path ends it.
    private static func redactURL(_ word: String) -> String? {
        guard let scheme = word.firstRange(of: "://") else { return nil }
        let authority = word[scheme.upperBound...].prefix { !"/?#".contains($0) }
        let end = authority.lastIndex(of: "@") ?? word[scheme.upperBound...].lastIndex(of: "@")
        guard let end, let colon = word[scheme.upperBound..<end].firstIndex(of: ":") else { return nil }
        return word[...colon] + mark + word[end...]
    }
}
