import FoundationEssentials

/// One JSON object on one line, with `schema` and `type` beside the body's own members; keys are sorted.
enum JSONLine {
    /// Of these lines; grows when a member changes its meaning or goes away, not when one is added.
    static let schema = 1

    static func of(_ type: MessageType, _ body: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "infinity", negativeInfinity: "-infinity", nan: "nan")
        do {
            return escaped(String(decoding: try encoder.encode(Envelope(type: type, body: body)), as: UTF8.self))
        } catch {
            // No body of this module can fail to encode; a reader of lines still gets a line.
            return #"{"headline":"a \#(type.rawValue) could not be written as JSON","schema":1,"type":"error"}"#
        }
    }

    /// JSON escapes only the first 32 control characters by itself. Others occur only inside strings.
    private static func escaped(_ line: String) -> String {
        guard !line.unicodeScalars.allSatisfy(Plain.isHarmless) else { return line }
        return line.unicodeScalars.reduce(into: "") { result, scalar in
            guard !Plain.isHarmless(scalar) else { return result.unicodeScalars.append(scalar) }
            for unit in UTF16.encode(scalar) ?? .init([]) {
                let digits = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
    }
}

private struct Envelope<Body: Encodable>: Encodable {
    let type: MessageType
    let body: Body

    private enum Key: String, CodingKey { case schema, type }

    func encode(to encoder: any Encoder) throws {
        try body.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(JSONLine.schema, forKey: .schema)
        try container.encode(type.rawValue, forKey: .type)
    }
}
