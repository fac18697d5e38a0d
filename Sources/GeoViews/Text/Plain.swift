/// Text from elsewhere (nodes, files, people) made harmless for a terminal.
enum Plain {
    /// The text on one line: white space of any kind is a space, and no escape sequence survives.
    ///
    /// Other control and invisible formatting characters become `\u{FFFD}`, so that something is seen to be missing.
    static func line(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in withoutColours(text) {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                result.append(scalar.properties.isWhitespace ? " " : "\u{FFFD}")
            case .format, .surrogate: result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Without the sequences that programs colour and erase with (`ESC [ ... letter`); others are left to be seen.
    private static func withoutColours(_ text: String) -> Substring.UnicodeScalarView {
        var rest = Substring(text).unicodeScalars
        guard rest.contains("\u{1B}") else { return rest }
        var kept = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == "\u{1B}", rest.first == "[" {
                let tail = rest.dropFirst().drop { (0x20...0x3F).contains($0.value) }
                if let last = tail.first, (0x40...0x7E).contains(last.value) {
                    rest = tail.dropFirst()
                    continue
                }
            }
            kept.append(scalar)
        }
        return Substring(String(kept)).unicodeScalars
    }

    /// The lines of a text, each harmless.
    static func lines(_ text: String) -> [String] {
        text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line(String($0)) }
    }

    /// The lines of a text of our own, colours kept.
    static func coloured(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
