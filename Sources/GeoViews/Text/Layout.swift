/// Breaking text into lines of a given width. A word that is longer than a line stays whole: it may have to be copied.
enum Layout {
    /// Columns that a text takes on a terminal: two for East Asian wide characters.
    static func columns(_ text: some StringProtocol) -> Int {
        text.reduce(0) { $0 + (isWide($1) ? 2 : 1) }
    }

    static func wrap(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        var used = 0
        for word in Plain.line(text).split(separator: " ") {
            let length = columns(word)
            if used > 0, used + 1 + length > width {
                lines.append(line)
                (line, used) = ("", 0)
            }
            line += used == 0 ? String(word) : " " + word
            used += used == 0 ? length : length + 1
        }
        return lines + (used > 0 || lines.isEmpty ? [line] : [])
    }

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - columns(text)))
    }

    /// At most `width` columns; the end gives way. Only for what is redrawn and for hints, never for commands.
    static func cut(_ text: String, to width: Int) -> String {
        guard columns(text) > width else { return text }
        var result = ""
        var used = 0
        for character in text {
            let next = used + (isWide(character) ? 2 : 1)
            if next > width - 3 { break }
            result.append(character)
            used = next
        }
        return result + "..."
    }

    private static func isWide(_ character: Character) -> Bool {
        guard let value = character.unicodeScalars.first?.value else { return false }
        return switch value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

/// Lines under construction: wrapped prose, and literals that are never wrapped.
struct Page {
    let style: Style
    private(set) var lines: [String] = []

    init(_ style: Style) { self.style = style }

    var text: String { lines.map { $0 + "\n" }.joined() }

    /// Prose, wrapped; following lines stand under `hanging` more columns. `lead` (already harmless) may have its tone.
    mutating func say(
        _ text: String, indent: Int = 0, lead: String = "", leadTone: Style.Tone = .plain, tone: Style.Tone = .plain,
        hanging: Int? = nil
    ) {
        let space = String(repeating: " ", count: indent)
        let leadWidth = lead.isEmpty ? 0 : Layout.columns(lead) + 1
        let hang = hanging ?? leadWidth
        let wrapped = Layout.wrap(text, width: max(20, style.width - indent - max(leadWidth, hang)))
        for (index, words) in wrapped.enumerated() {
            let start =
                index > 0
                ? String(repeating: " ", count: hang) : lead.isEmpty ? "" : style.paint(lead, leadTone) + " "
            add(space + start + style.paint(words, tone))
        }
    }

    /// Parts three columns apart while they fit on a line; else wrapped.
    mutating func heading(_ parts: [String], tone: Style.Tone) {
        let parts = parts.map(Plain.line)
        let line = parts.joined(separator: "   ")
        guard Layout.columns(line) > style.width else { return add(style.paint(line, tone)) }
        say(parts.joined(separator: " "), tone: tone, hanging: 2)
    }

    /// Never wrapped nor cut: a command or an address.
    mutating func literal(_ text: String, indent: Int = 0, lead: String = "", leadTone: Style.Tone = .plain) {
        let start = lead.isEmpty ? "" : style.paint(lead, leadTone) + " "
        for line in Plain.lines(text) { add(String(repeating: " ", count: indent) + start + line) }
    }

    /// Cells under each other; see ``Table``.
    mutating func table(_ table: Table, indent: Int = 0) {
        for line in table.lines(width: style.width - indent) { add(String(repeating: " ", count: indent) + line) }
    }

    mutating func blank() {
        if lines.last?.isEmpty == false { lines.append("") }
    }

    mutating func append(_ ready: [String]) { ready.forEach { add($0) } }

    private mutating func add(_ line: String) {
        var line = line
        while line.last == " " { line.removeLast() }
        lines.append(line)
    }
}
