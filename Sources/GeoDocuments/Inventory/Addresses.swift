/// Whether text can be an address or a URL. Judges the form only; asks no name server.
enum Addresses {
    static let form = "a host name or an IP address"

    static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) || isHostName(text) }

    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    && (Int(part) ?? 256) < 256 && (part == "0" || !part.hasPrefix("0"))
            }
    }

    static func isIPv6(_ text: String) -> Bool {
        let address = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        guard let groupsText = address.first, groupsText.contains(":"), address.count == 1 || !address[1].isEmpty else {
            return false
        }
        let halves = groupsText.components(around: "::")
        guard halves.count <= 2 else { return false }
        var count = 0
        for half in halves where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (index, group) in groups.enumerated() {
                if group.contains("."), index == groups.count - 1, isIPv4(String(group)) {
                    count += 2
                } else if (1...4).contains(group.utf8.count), group.allSatisfy(\.isHexDigit),
                    group.utf8.count == group.count
                {
                    count += 1
                } else {
                    return false
                }
            }
        }
        return halves.count == 2 ? count < 8 : count == 8
    }

    static func isHostName(_ text: String) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        let areLabels = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
                        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
        // A last label of digits means an IPv4 address that is wrong, such as 10.0.0.256.
        return areLabels && !(labels.last ?? "").utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// `host`, `host:port`, `[2001:db8::1]:port`.
    static func split(_ text: some StringProtocol) -> (host: String, port: Int?)? {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard isIPv6(host) else { return nil }
            if rest.isEmpty { return (host, nil) }
            return rest.hasPrefix(":") ? port(rest.dropFirst()).map { (host, $0) } : nil
        }
        if isIPv6(String(text)) { return (String(text), nil) }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let host = parts.first.map({ String($0) }), isIPv4(host) || isHostName(host) else { return nil }
        switch parts.count {
        case 1: return (host, nil)
        case 2: return port(parts[1]).map { (host, $0) }
        default: return nil
        }
    }

    private static func port(_ text: some StringProtocol) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text), (1...65_535).contains(port)
        else { return nil }
        return port
    }

    /// Why `text` cannot be a site's URL, and what it should be; `nil` when it can.
    static func objection(toURL text: String) -> (message: String, suggestion: String?)? {
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else { return ("has no scheme", isAddress(text) ? "https://\(text)" : "https://HOST") }
        let rest = text.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard !authority.contains("@") else { return ("holds a user or a password", "the URL without them") }
        guard split(authority) != nil else { return ("has no usable host", "\(scheme)HOST") }
        let path = rest.dropFirst(authority.count).prefix { !"?#".contains($0) }
        var clean = scheme + authority + path
        while clean.hasSuffix("/") { clean.removeLast() }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }) else {
            return ("has a path with characters that a URL cannot hold", nil)
        }
        guard rest.count == authority.count + path.count else { return ("has a query or a fragment", clean) }
        return clean == text
            ? nil : (path.hasSuffix("/") ? ("ends with a slash", clean) : ("is not in its usual form", clean))
    }
}

extension StringProtocol {
    /// The parts before, between and after a separator, like `split` with empty parts kept.
    fileprivate func components(around separator: String) -> [SubSequence] {
        ranges(of: separator).reversed().reduce(into: [self[...]]) { parts, range in
            guard let whole = parts.first else { return }
            parts.replaceSubrange(0..<1, with: [whole[..<range.lowerBound], whole[range.upperBound...]])
        }
    }
}
