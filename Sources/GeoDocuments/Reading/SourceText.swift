/// The text of a file, looked at before a YAML parser sees it.
///
/// Refuses what is no text, and what would make a parser slow or deep without ever being a document of ours.
struct SourceText {
    /// About 20,000 nodes.
    static let sizeLimit = 4 << 20
    private static let bracketLimit = 200
    private static let aliasLimit = 20

    struct Objection {
        var message: String
        var position: Position
        var expected: String?
        var suggestion: String?
    }

    /// Without a byte order mark.
    let text: String
    private let bytes: [UInt8]

    init(_ text: String) {
        let hasMark = text.unicodeScalars.first == "\u{FEFF}"
        self.text = hasMark ? String(text.unicodeScalars.dropFirst()) : text
        self.bytes = Array(self.text.utf8)
    }

    /// Why the text cannot be a document, or `nil` when a parser may look at it.
    var objection: Objection? {
        guard bytes.count <= Self.sizeLimit else {
            return Objection(
                message: "the file has \(bytes.count) bytes", position: .start,
                expected: "at most \(Self.sizeLimit >> 20) MiB")
        }
        var depth = 0
        var aliases = 0
        var complexKey: Int?
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                guard depth <= Self.bracketLimit else {
                    return Objection(message: "brackets are nested too deeply", position: position(of: index))
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if isFollowedByColon(index) { complexKey = complexKey ?? index }
            case UInt8(ascii: "*") where startsToken(index) && isNamePart(index + 1):
                aliases += 1
                var end = index + 1
                while isNamePart(end) { end += 1 }
                if isFollowedByColon(end - 1) { complexKey = complexKey ?? index }
            case UInt8(ascii: "?") where startsToken(index) && !isNamePart(index + 1):
                complexKey = complexKey ?? index
            default:
                guard isText(index) else {
                    let found = byte == 0xEF ? "something that is not UTF-8" : "a control character"
                    return Objection(
                        message: "this is not a text file: \(found) was found",
                        position: position(of: index), expected: "YAML in UTF-8")
                }
            }
        }
        // Comparing keys that are made of aliases takes time exponential in their number.
        guard let complexKey, aliases > Self.aliasLimit else { return nil }
        return Objection(
            message: "this looks like a key that is more than a word, in a file of \(aliases) aliases",
            position: position(of: complexKey), expected: "keys that are plain words",
            suggestion: "write fewer aliases")
    }

    /// Lines and columns as the YAML parser counts them.
    func position(of offset: Int) -> Position {
        var position = Position.start
        var index = 0
        while index < offset, index < bytes.count {
            let step = advance(&position, at: index)
            index += step
        }
        return position
    }

    /// The byte at which a line and column begin; `nil` beyond the end.
    func offset(of wanted: Position) -> Int? {
        var position = Position.start
        var index = 0
        while index < bytes.count {
            if position == wanted { return index }
            index += advance(&position, at: index)
        }
        return nil
    }

    /// The scalar at a position.
    func scalar(at position: Position) -> Unicode.Scalar? {
        guard let offset = offset(of: position) else { return nil }
        return String(decoding: bytes[offset..<min(offset + 4, bytes.count)], as: UTF8.self).unicodeScalars.first
    }

    /// The text with one scalar exchanged; lines and columns of everything else stay.
    func replacing(at position: Position, with scalar: Unicode.Scalar) -> SourceText? {
        guard let offset = offset(of: position), let old = self.scalar(at: position) else { return nil }
        var changed = bytes
        changed.replaceSubrange(offset..<(offset + String(old).utf8.count), with: String(scalar).utf8)
        return SourceText(String(decoding: changed, as: UTF8.self))
    }

    /// Moves a position over the scalar or line break at `index` and answers its length in bytes.
    private func advance(_ position: inout Position, at index: Int) -> Int {
        let byte = bytes[index]
        let length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
        if let breakLength = lineBreak(at: index) {
            position = Position(line: position.line + 1, column: 1)
            return breakLength
        }
        position.column += 1
        return length
    }

    private func lineBreak(at index: Int) -> Int? {
        switch (bytes[index], byte(index + 1), byte(index + 2)) {
        case (0x0D, 0x0A, _): 2
        case (0x0A, _, _), (0x0D, _, _): 1
        case (0xC2, 0x85, _): 2
        case (0xE2, 0x80, 0xA8), (0xE2, 0x80, 0xA9): 3
        default: nil
        }
    }

    private func byte(_ index: Int) -> UInt8? { bytes.indices.contains(index) ? bytes[index] : nil }

    private func isText(_ index: Int) -> Bool {
        switch (bytes[index], byte(index + 1), byte(index + 2)) {
        case (0x09, _, _), (0x0A, _, _), (0x0D, _, _), (0xC2, 0x85, _): true
        case (0..<0x20, _, _), (0x7F, _, _): false
        case (0xC2, .some(0x80..<0xA0), _): false
        // U+FFFD is what a reader of files puts in the place of bytes that are not UTF-8.
        case (0xEF, 0xBF, .some(0xBD...0xBF)): false
        default: true
        }
    }

    private func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }

    private func startsToken(_ index: Int) -> Bool {
        guard let before = byte(index - 1) else { return true }
        return before <= 0x20 || before > 0x7F || "[{,:-&!".utf8.contains(before)
    }

    private func isNamePart(_ index: Int) -> Bool {
        guard let byte = byte(index) else { return false }
        return Character(Unicode.Scalar(byte)).isLetter || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: "-")
    }

    private func isFollowedByColon(_ index: Int) -> Bool {
        var next = index + 1
        while isBlank(byte(next)) { next += 1 }
        return byte(next) == UInt8(ascii: ":")
    }
}
