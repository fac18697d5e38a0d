package import GeoCore

/// Durations as every view writes them.
package enum DurationText {
    /// `0.4 s`, `45 s`, `2m 05s`, `12m`, `1h 05m`, `3d 04h`: two units at most, none that the size makes pointless.
    package static func of(_ seconds: Double) -> String {
        // A value that no Int holds is printed as it is.
        guard seconds.magnitude < 1e12 else { return "\(seconds) s" }
        if seconds < 0 { return "-" + of(-seconds) }
        if seconds < 10, seconds != seconds.rounded() {
            let tenths = Int((seconds * 10).rounded())
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        return of(Int(seconds.rounded()))
    }

    package static func of(_ seconds: Int) -> String {
        switch seconds {
        case ..<0: "-" + of(seconds == .min ? .max : -seconds)
        case ..<120: seconds == 60 ? "1m" : "\(seconds) s"
        case ..<600: seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds / 60)m \(twoDigits(seconds % 60))s"
        case ..<3570: "\((seconds + 30) / 60)m"
        case ..<86_370: hours((seconds + 30) / 60)
        default: days(seconds / 3600 + (seconds % 3600 >= 1800 ? 1 : 0))
        }
    }

    private static func hours(_ minutes: Int) -> String {
        minutes % 60 == 0 ? "\(minutes / 60)h" : "\(minutes / 60)h \(twoDigits(minutes % 60))m"
    }

    private static func days(_ hours: Int) -> String {
        hours % 24 == 0 ? "\(hours / 24)d" : "\(hours / 24)d \(twoDigits(hours % 24))h"
    }

    private static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

/// How old something is.
package enum AgeText {
    /// `12 s ago`; a moment that lies ahead of `now` says so, since a clock is then wrong.
    package static func of(_ at: Timestamp, now: Timestamp) -> String {
        let seconds = now.seconds(since: at)
        // One second of slack for rounding.
        if seconds < -1 { return "dated \(DurationText.of(Int((-seconds).rounded()))) ahead of this clock" }
        return "\(DurationText.of(Int(max(0, seconds).rounded()))) ago"
    }
}

/// Amounts of data as every view writes them.
package enum ByteText {
    /// `512 bytes`, `16 MiB`, `1.5 GiB`.
    package static func of(_ count: Int) -> String {
        guard count.magnitude >= 1024 else { return count == 1 ? "1 byte" : "\(count) bytes" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var value = Double(count) / 1024
        var unit = 0
        // 1023.95 would be printed as 1024.
        while value.magnitude >= 1023.95, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let tenths = Int((value.magnitude * 10).rounded())
        let digits = tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        return "\(count < 0 ? "-" : "")\(digits) \(units[unit])"
    }
}

enum CountText {
    /// `1 node`, `3 nodes`.
    static func of(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }
}
