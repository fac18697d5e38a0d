package import GeoCore

/// How text may look, settled once from the terminal, `NO_COLOR` and the flags. Views take it as a value.
package struct Style: Sendable, Hashable {
    package var isColoured: Bool
    /// Columns; what is meant to be copied (commands, addresses) may be longer.
    package var width: Int

    package init(isColoured: Bool = false, width: Int = 80) {
        self.isColoured = isColoured
        self.width = max(40, width)
    }

    /// What a colour may underline. The words beside it say the same without it.
    package enum Tone: Sendable, Hashable, CaseIterable {
        case plain, good, caution, bad, strong, faint

        fileprivate var code: String? {
            switch self {
            case .plain: nil
            case .good: "32"
            case .caution: "33"
            case .bad: "1;31"
            case .strong: "1"
            case .faint: "2"
            }
        }
    }

    package func paint(_ text: String, _ tone: Tone) -> String {
        guard isColoured, let code = tone.code, !text.isEmpty else { return text }
        return "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}

extension Verdict {
    /// `PASS`, `WARN`, `UNKNOWN`, `FAIL`: the meaning, with or without colours.
    package var word: String { rawValue.uppercased() }

    var tone: Style.Tone {
        switch self {
        case .pass: .good
        case .warn: .caution
        case .unknown, .fail: .bad
        }
    }
}
