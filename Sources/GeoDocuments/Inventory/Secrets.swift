import GeoCore

/// Reads references to secrets. What is not a reference may be the secret itself and is never repeated.
enum Secrets {
    static let forms = "env:NAME, file:PATH or command:PROGRAM ARGUMENTS"

    static func read(_ value: YAMLValue, _ label: String, _ locations: Locations, _ problems: Problems)
        -> SecretReference?
    {
        func refuse(_ message: String, _ suggestion: String?) -> SecretReference? {
            problems.error(message, at: value.position, expected: forms, suggestion: suggestion)
            return nil
        }
        guard case .scalar(let text, _) = value.content else {
            return refuse("\(label) is no reference to a secret", nil)
        }
        guard let colon = text.firstIndex(of: ":") else {
            return refuse("\(label) must not hold the secret itself (its text is not shown)", "env:GEO_FAILOVER_SECRET")
        }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "env":
            guard isVariable(rest) else { return refuse("\(label) has no name of a variable after 'env:'", nil) }
            return .environment(name: rest)
        case "file":
            guard !rest.isEmpty, rest.first != " ", let path = locations.resolve(rest) else {
                return refuse("\(label) has no usable path after 'file:'", nil)
            }
            return .file(path: path)
        case "command":
            let arguments = rest.split(separator: " ").map(String.init)
            guard let program = arguments.first, let resolved = locations.resolve(program: program) else {
                return refuse("\(label) has no program after 'command:'", nil)
            }
            guard !rest.contains(where: { "'\"`$|;&<>\\".contains($0) }) else {
                return refuse(
                    "\(label) has quotes or other signs of a shell after 'command:'; no shell reads it",
                    "put the line into a script and name the script")
            }
            return .command(arguments: [resolved] + arguments.dropFirst())
        default:
            return refuse("\(label) must not hold the secret itself (its text is not shown)", "env:GEO_FAILOVER_SECRET")
        }
    }

    private static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "_")
        }
    }
}
