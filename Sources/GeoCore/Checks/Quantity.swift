/// Numbers with their units, as findings write them.
enum Quantity {
    /// `512 bytes`, `1.5 GiB (1610612736 bytes)`.
    static func bytes(_ count: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard count >= 1024 else { return count == 1 ? "1 byte" : "\(count) bytes" }
        var value = Double(count) / 1024
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(oneDecimal(value)) \(units[unit]) (\(count) bytes)"
    }

    /// `12.3 s`.
    static func seconds(_ value: Double) -> String { "\(oneDecimal(value)) s" }

    /// `3 days`, `5.5 h`, `12.3 s`.
    static func days(_ seconds: Double) -> String {
        if seconds >= 172_800 { return "\(Int(min(seconds, 1e12) / 86_400)) days" }
        return seconds >= 7200 ? "\(oneDecimal(seconds / 3600)) h" : self.seconds(seconds)
    }

    /// `40 s`, `90 min`, `12.5 h`, `3.5 days`: for what is no better known than that.
    static func about(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\((seconds + 30) / 60) min"
        case ..<172_800: "\(oneDecimal(Double(seconds) / 3600)) h"
        default: "\(oneDecimal(Double(seconds) / 86_400)) days"
        }
    }

    /// `1 node`, `3 nodes`.
    static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    /// Names up to a readable number, and how many more there are.
    static func list(_ names: some Collection<String>, atMost limit: Int = 5) -> String {
        let shown = names.prefix(limit).joined(separator: ", ")
        return names.count > limit ? "\(shown) and \(names.count - limit) more" : shown
    }

    private static func oneDecimal(_ value: Double) -> String {
        // A value that no Int holds is printed as it is.
        guard value.magnitude < 1e15 else { return "\(value)" }
        let tenths = Int((value * 10).rounded())
        let text = "\(tenths.magnitude / 10)" + (tenths % 10 == 0 ? "" : ".\(tenths.magnitude % 10)")
        return tenths < 0 ? "-" + text : text
    }
}
