/// Names that people give: of deployments, sites, nodes, hooks, runbooks, steps.
///
/// Narrow on purpose: they become file names, arguments of commands and keys of records.
enum Names {
    static let form = "lower-case letters, digits, '.', '_' and '-', beginning with a letter or digit"
    private static let longest = 63

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= longest, isWordByte(first) else { return false }
        return text.utf8.allSatisfy { isWordByte($0) || ".-_".utf8.contains($0) }
    }

    /// Reports a name of another form, with one that would do.
    static func check(_ text: String, _ label: @autoclosure () -> String, at position: Position, _ problems: Problems) {
        guard !isName(text) else { return }
        var meant = ""
        for byte in text.lowercased().utf8.prefix(longest) {
            let isAllowed = isWordByte(byte) || ".-_".utf8.contains(byte)
            meant.unicodeScalars.append(Unicode.Scalar(isAllowed ? byte : UInt8(ascii: "-")))
        }
        while let first = meant.utf8.first, !isWordByte(first) { meant.removeFirst() }
        problems.error(
            "\(label()) is \(quoted(text))", at: position, expected: form, suggestion: isName(meant) ? meant : nil)
    }

    /// Like a name, with one dot at least: `replication.lag`.
    static func isCheckName(_ text: String) -> Bool {
        isName(text) && text.utf8.contains(UInt8(ascii: ".")) && !text.hasSuffix(".") && !text.contains("..")
    }

    /// `at_most`: how limits are named.
    static func isLimitName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7A).contains(first), text.utf8.count <= longest else {
            return false
        }
        return text.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "_") }
    }

    /// The word in a site's name that says a role, which changes hands while the name stays.
    static func role(in name: String) -> String? {
        let roles = [
            "primary", "secondary", "master", "slave", "active", "passive", "standby", "replica", "leader", "follower",
        ]
        return name.split { ".-_0123456789".contains($0) }.map(String.init).first { roles.contains($0) }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
