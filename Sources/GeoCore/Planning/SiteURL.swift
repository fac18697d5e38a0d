/// A URL that a site can be given: what GitLab takes for `external_url`, and nothing that could mean more than a URL.
package enum SiteURL {
    /// Why not; `nil` when it can. Letters, digits, dots, dashes, a port, a path: no user, no query, no quotes.
    package static func whyNot(_ url: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: url.hasPrefix) else {
            return "it begins with neither https:// nor http://"
        }
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        let isName = parts[0].utf8.allSatisfy(isPlain) && parts[0].first.map { $0 != "-" && $0 != "." } == true
        guard isName, !parts[0].contains("_") else { return "\(authority) is no host name or IPv4 address" }
        if parts.count > 2 || parts.count == 2 && Int(parts[1]).map({ (1...65_535).contains($0) }) != true {
            return "\(authority) has no port behind its colon"
        }
        guard rest.dropFirst(authority.count).utf8.allSatisfy({ isPlain($0) || $0 == UInt8(ascii: "/") }) else {
            return "its path has other than letters, digits, dots, dashes and underscores"
        }
        return url.utf8.count > 255 ? "it is longer than 255 characters" : nil
    }

    /// Geo's tables end a URL with a slash, gitlab.rb and inventories do not.
    package static func areEqual(_ left: String, _ right: String) -> Bool { bare(left) == bare(right) }

    private static func bare(_ url: String) -> Substring { url.hasSuffix("/") ? url.dropLast() : url[...] }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
