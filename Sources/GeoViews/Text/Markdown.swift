/// Markdown that shows text as it is, whatever the text contains.
enum Markdown {
    static func row(_ cells: [String]) -> String { "| " + cells.map(cell).joined(separator: " | ") + " |" }

    /// A bar would end the cell, also within code.
    static func cell(_ text: String) -> String { Plain.line(text).replacing("|", with: "\\|") }

    /// Prose with the characters escaped that would change how the rest is shown; `geo_node_name` stays readable.
    static func escaped(_ text: String) -> String {
        let characters = Array(Plain.line(text))
        func isWord(_ index: Int) -> Bool {
            characters.indices.contains(index) && (characters[index].isLetter || characters[index].isNumber)
        }
        return characters.indices.reduce(into: "") { result, index in
            let character = characters[index]
            let isMark =
                "\\`*<[".contains(character) || (index == 0 && "#>-+".contains(character))
                || (character == "_" && !(isWord(index - 1) && isWord(index + 1)))
            if isMark { result.append("\\") }
            result.append(character)
        }
    }

    /// Inline code; the fence is longer than any row of back-ticks inside.
    static func code(_ text: String) -> String {
        let text = Plain.line(text)
        let fence = String(repeating: "`", count: longestTicks(text) + 1)
        let space = text.hasPrefix("`") || text.hasSuffix("`") ? " " : ""
        return fence + space + text + space + fence
    }

    /// A block of commands, to be copied as it is.
    static func block(_ commands: [String], indent: Int = 0) -> [String] {
        let fence = String(repeating: "`", count: max(3, (commands.map(longestTicks).max() ?? 0) + 1))
        let space = String(repeating: " ", count: indent)
        return ([fence + "sh"] + commands.flatMap(Plain.lines) + [fence]).map { space + $0 }
    }

    private static func longestTicks(_ text: String) -> Int {
        var longest = 0
        var current = 0
        for character in text {
            current = character == "`" ? current + 1 : 0
            longest = max(longest, current)
        }
        return longest
    }
}
