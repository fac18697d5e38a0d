import FoundationEssentials

/// Whether to try every case instead of a fixed sample: minutes instead of seconds.
enum Thoroughness {
    private static let environment = ProcessInfo.processInfo.environment
    static let isThorough = environment["GEO_FAILOVER_TESTS"] == "thorough"
    /// Where to begin (GEO_FAILOVER_FROM).
    static let begin = environment["GEO_FAILOVER_FROM"].flatMap { UInt64($0) } ?? 0
    /// How many to try (GEO_FAILOVER_HISTORIES).
    static let histories = environment["GEO_FAILOVER_HISTORIES"].flatMap { UInt64($0) }

    /// Those to try of so many, whose number is fixed.
    static func part(of count: UInt64) -> Range<UInt64> {
        let begin = min(begin, count)
        return begin..<min(count, begin + (histories ?? count))
    }
}
