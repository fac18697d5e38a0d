/// An IPv4 or IPv6 address as its bytes, to compare with networks; names are not looked up.
package struct NetworkAddress: Sendable, Hashable {
    package let bytes: [UInt8]

    /// `nil` for anything but an address in its usual spelling.
    package init?(_ text: some StringProtocol) {
        guard let bytes = text.contains(":") ? Self.six(text) : Self.four(text) else { return nil }
        self.bytes = bytes
    }

    /// Whether it belongs to the network of that address and mask, both of its own kind.
    package func isIn(_ network: NetworkAddress, mask: NetworkAddress) -> Bool {
        guard bytes.count == network.bytes.count, bytes.count == mask.bytes.count else { return false }
        return bytes.indices.allSatisfy { bytes[$0] & mask.bytes[$0] == network.bytes[$0] & mask.bytes[$0] }
    }

    private static func four(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let bytes = parts.compactMap { part in part.allSatisfy(\.isNumber) ? UInt8(part) : nil }
        return parts.count == 4 && bytes.count == 4 ? bytes : nil
    }

    private static func six(_ text: some StringProtocol) -> [UInt8]? {
        // A zone belongs to a link, not to the address.
        let halves = text.split(separator: "%", maxSplits: 1)[0].split(
            separator: "::", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count) else { return nil }
        var groups: [[UInt16]] = []
        for half in halves {
            let parts = half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
            let numbers = parts.compactMap { $0.utf8.count <= 4 ? UInt16($0, radix: 16) : nil }
            guard numbers.count == parts.count else { return nil }
            groups.append(numbers)
        }
        let told = groups.reduce(0) { $0 + $1.count }
        guard halves.count == 2 ? told < 8 : told == 8 else { return nil }
        let gap = [UInt16](repeating: 0, count: 8 - told)
        return (groups[0] + gap + (groups.count == 2 ? groups[1] : [])).flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }
}
