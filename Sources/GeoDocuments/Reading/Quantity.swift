import GeoCore

/// Durations and sizes as people write them: a whole number and one unit.
package enum Quantity {
    package static let durationForm = "a duration such as 90s, 5m, 2h or 1d"
    private static let secondsOfUnit = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    private static let bytesOfUnit = ["B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40]

    /// Seconds of `90s 5m 2h 1d`; `nil` for anything else, and beyond 10 years.
    package static func seconds(_ text: String) -> Int? {
        guard let seconds = amount(text, units: secondsOfUnit), seconds <= 3650 * 86_400 else { return nil }
        return seconds
    }

    /// Bytes of `512B 16KiB 16MiB 2GiB 1TiB`; `nil` for anything else.
    static func bytes(_ text: String) -> Int? { amount(text, units: bytesOfUnit) }

    /// The form that `text` was probably meant to have: `1h30m` is `90m`, `5 min` is `5m`, `60` is `60s`.
    static func durationMeant(by text: String) -> String? {
        var total = 0
        var rest = Substring(text.lowercased().filter { $0 != " " })
        guard !rest.isEmpty, rest.utf8.count <= 40 else { return nil }
        if rest.allSatisfy({ ("0"..."9").contains($0) }) { return rest + "s" }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !("0"..."9").contains($0) }
            rest = rest.dropFirst(unit.count)
            guard let number = Int(digits), number < 1 << 32, let size = unitSize(unit) else { return nil }
            total += number * size
        }
        return written(seconds: total)
    }

    /// The form that a size was probably meant to have: `16MB` is `16MiB`.
    static func sizeMeant(by text: String) -> String? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard !digits.isEmpty, let letter = unit.first, ["k", "m", "g", "t"].contains(letter),
            ["b", "ib"].contains(String(unit.dropFirst()))
        else { return nil }
        return "\(digits)\(letter.uppercased())iB"
    }

    static let rateForm = "how much a second, from 32kB to 1024MB, such as 50MB"
    /// As PostgreSQL counts (PostgreSQL documentation, setting parameters).
    private static let kilobytesOfUnit = ["kB": 1, "MB": 1 << 10, "GB": 1 << 20]

    /// Units of 1024 bytes of `100kB 50MB 1GB`; `nil` for anything else.
    static func kilobytes(_ text: String) -> Int? { amount(text, units: kilobytesOfUnit) }

    /// The rate that `text` was probably meant to have: `50`, `50 mb/s` and `50MiB` are 50 MB a second, `2GB` is the fastest
    /// that there is.
    static func rateMeant(by text: String) -> CopyRate? {
        let digits = text.prefix { ("0"..."9").contains($0) }
        var unit = text.dropFirst(digits.count).filter { $0 != " " }.lowercased()
        for end in ["/s", "ps"] where unit.hasSuffix(end) { unit.removeLast(end.count) }
        let sizes = ["": 1 << 10, "k": 1, "m": 1 << 10, "g": 1 << 20]
        if unit.hasSuffix("b") { unit.removeLast(unit.hasSuffix("ib") ? 2 : 1) }
        guard let number = Int(digits), number < 1 << 32, let size = sizes[unit] else { return nil }
        let least = CopyRate.range.lowerBound, most = CopyRate.range.upperBound
        return CopyRate(kilobytesPerSecond: min(max(number * size, least), most))
    }

    /// The shortest way to write a duration exactly.
    static func written(seconds: Int) -> String {
        switch seconds {
        case let seconds where seconds != 0 && seconds % 3600 == 0: "\(seconds / 3600)h"
        case let seconds where seconds != 0 && seconds % 60 == 0: "\(seconds / 60)m"
        default: "\(seconds)s"
        }
    }

    private static func unitSize(_ unit: Substring) -> Int? {
        switch unit {
        case "", "s", "sec", "secs", "second", "seconds": 1
        case "m", "min", "mins", "minute", "minutes": 60
        case "h", "hr", "hrs", "hour", "hours": 3600
        case "d", "day", "days": 86_400
        default: nil
        }
    }

    private static func amount(_ text: String, units: [String: Int]) -> Int? {
        let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)),
            let unit = units[String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self)]
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}
