import FoundationEssentials

/// Whether to try every case instead of a fixed sample: minutes instead of seconds.
enum Thoroughness {
    static let isThorough = ProcessInfo.processInfo.environment["GEO_FAILOVER_TESTS"] == "thorough"
}
