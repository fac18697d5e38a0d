/// Reads the values of SSH's wire format (RFC 4251, 5).
///
/// Every read checks what is left; a failed one gives `nil`.
struct WireReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    init(_ bytes: [UInt8]) { self.init(bytes[...]) }

    var isAtEnd: Bool { position == bytes.endIndex }
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func byte() -> UInt8? {
        guard position < bytes.endIndex else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func uint32() -> UInt32? {
        guard bytes.endIndex - position >= 4 else { return nil }
        defer { position += 4 }
        return bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func string() -> [UInt8]? {
        let start = position
        guard let length = uint32(), Int(length) <= bytes.endIndex - position else {
            position = start
            return nil
        }
        defer { position += Int(length) }
        return Array(bytes[position..<position + Int(length)])
    }

    mutating func text() -> String? { string().map { String(decoding: $0, as: UTF8.self) } }
}

/// Writes the values of SSH's wire format.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func uint32(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func string(_ value: some Collection<UInt8>) {
        uint32(UInt32(value.count))
        bytes += value
    }

    mutating func string(_ value: String) { string(value.utf8) }

    /// A number that is not negative, from big-endian bytes.
    mutating func mpint(_ value: [UInt8]) {
        let significant = value.drop { $0 == 0 }
        let needsZero = (significant.first ?? 0) & 0x80 != 0
        uint32(UInt32(significant.count + (needsZero ? 1 : 0)))
        if needsZero { byte(0) }
        bytes += significant
    }
}

/// Base 64 (RFC 4648, 4), as keys and fingerprints are written.
///
/// White space is skipped; anything else wrong gives `nil`.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8: UInt32] = .init(
        uniqueKeysWithValues: alphabet.enumerated().map { ($1, UInt32($0)) })
    private static let table: [UInt8] = (0...255).map { UInt8(values[$0] ?? 255) }

    static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var padding = 0
        for character in text {
            switch character {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): continue
            case UInt8(ascii: "="): padding += 1
            default:
                let value = table[Int(character)]
                guard value != 255, padding == 0 else { return nil }
                bits = bits << 6 | UInt32(value)
                count += 1
                if count % 4 == 0 {
                    result += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
                    bits = 0
                }
            }
        }
        switch count % 4 {
        case 0 where padding == 0: return result
        case 2 where padding == 2: return result + [UInt8(bits >> 4 & 255)]
        case 3 where padding == 1: return result + [UInt8(bits >> 10 & 255), UInt8(bits >> 2 & 255)]
        default: return nil
        }
    }

    /// Without padding when asked, as OpenSSH prints fingerprints.
    static func encode(_ bytes: [UInt8], padded: Bool = true) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                if index <= group.count {
                    text.append(alphabet[Int(bits >> UInt32(18 - 6 * index) & 63)])
                } else if padded {
                    text.append(UInt8(ascii: "="))
                }
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
