/// A position in PostgreSQL's write-ahead log (LSN), written `16/B374D848`. Differences are bytes.
package struct LogPosition: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let bytes: UInt64
    package init(bytes: UInt64) { self.bytes = bytes }

    /// Reads `X/Y`, two hexadecimal numbers of at most eight digits; `nil` for anything else.
    package init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, halves.allSatisfy({ (1...8).contains($0.count) }),
            let high = UInt64(halves[0], radix: 16), let low = UInt64(halves[1], radix: 16)
        else { return nil }
        self.bytes = high << 32 | low
    }

    package static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    package var description: String {
        String(bytes >> 32, radix: 16, uppercase: true) + "/" + String(bytes & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    /// Bytes from this position to a later one; 0 when `later` is not later.
    package func distance(to later: LogPosition) -> Int { later > self ? Int(later.bytes - bytes) : 0 }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = LogPosition(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a WAL position: \(text)")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
