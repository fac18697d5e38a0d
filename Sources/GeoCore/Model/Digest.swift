internal import CSHA256

/// A SHA-256 digest, written as `sha256:` and 64 hexadecimal digits.
package struct Digest: Hashable, Sendable, Codable, CustomStringConvertible {
    package let text: String

    package init(of bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(unsafe geo_sha256(bytes, bytes.count, &digest) == 1, "libcrypto has no SHA-256")
        self.text = digest.reduce(into: "sha256:") { text, byte in
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
    }

    /// Reads what ``text`` holds; `nil` when it is not a whole SHA-256 digest.
    package init?(_ text: String) {
        let digits = text.dropFirst("sha256:".count)
        guard text.hasPrefix("sha256:"), digits.count == 64, digits.allSatisfy(\.isHexDigit) else { return nil }
        self.text = text.lowercased()
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = Digest(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 digest: \(text)")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }

    /// The first twelve digits: enough for a person to tell two plans apart, and what `--approve` accepts at least.
    package var short: String { String(text.dropFirst("sha256:".count).prefix(12)) }
}
