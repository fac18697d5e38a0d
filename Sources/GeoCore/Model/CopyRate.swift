/// The most that a copy of a database may take of a link and of the source's disks, in units of 1024 bytes a second.
package struct CopyRate: Hashable, Sendable, Codable, CustomStringConvertible {
    package let kilobytesPerSecond: Int

    /// What `pg_basebackup --max-rate` takes: from 32 kB to 1024 MB, of 1024 bytes and of 1024 kB (PostgreSQL documentation,
    /// pg_basebackup).
    package static let range = 32...(1024 << 10)

    /// `nil` outside of ``range``.
    package init?(kilobytesPerSecond: Int) {
        guard Self.range.contains(kilobytesPerSecond) else { return nil }
        self.kilobytesPerSecond = kilobytesPerSecond
    }

    private var isWholeMegabytes: Bool { kilobytesPerSecond % 1024 == 0 }
    private var number: Int { isWholeMegabytes ? kilobytesPerSecond / 1024 : kilobytesPerSecond }

    /// As `--max-rate` reads it.
    package var argument: String { "\(number)\(isWholeMegabytes ? "M" : "k")" }

    /// As inventories have it: `50MB`, `100kB`.
    package var written: String { "\(number)\(isWholeMegabytes ? "MB" : "kB")" }

    /// `50 MB a second`.
    package var description: String { "\(number) \(isWholeMegabytes ? "MB" : "kB") a second" }

    /// Whole seconds that so much takes at this rate, rounded up. The WAL of meanwhile is not limited, and not in it.
    package func seconds(for bytes: Int) -> Int {
        let perSecond = kilobytesPerSecond << 10
        return bytes / perSecond + (bytes % perSecond == 0 ? 0 : 1)
    }

    /// The slowest rate in whole megabytes at which so much takes no longer than that; `nil` where none does.
    package static func slowest(for bytes: Int, within seconds: Int) -> CopyRate? {
        guard seconds > 0 else { return nil }
        let megabytes = ((bytes / seconds) >> 20) + 1
        return CopyRate(kilobytesPerSecond: megabytes << 10)
    }
}
