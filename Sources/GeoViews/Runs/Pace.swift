package import GeoCore

/// How fast something goes on and how long it may still take, from what was measured while this process looked. A process
/// that goes on later begins to measure anew: what nobody saw is no rate.
package struct Pace: Sendable, Hashable {
    /// The rate is of this long: long enough to be calm, short enough to notice that it changed.
    package static let windowSeconds = 120.0
    /// Before that a rate says nothing.
    private static let leastSeconds = 5.0

    private struct Sample: Hashable {
        var at: Timestamp
        var done: Int
    }
    private var samples: [Sample] = []
    package private(set) var last: Measure?

    package init() {}

    package mutating func add(_ measure: Measure, at now: Timestamp) {
        // Another thing than before, or the same from its beginning.
        if let last, last.unit != measure.unit || last.done > measure.done { samples = [] }
        last = measure
        guard measure.phase == nil else { return }
        if let newest = samples.last, newest.at > now { samples = [] }
        samples.append(Sample(at: now, done: measure.done))
        // One older than the window stays, so that it is filled.
        while samples.count > 2, now.seconds(since: samples[1].at) >= Self.windowSeconds { samples.removeFirst() }
    }

    /// Of the unit; `nil` while too little was seen.
    package var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, self.last?.phase == nil else { return nil }
        let seconds = last.at.seconds(since: first.at)
        return seconds >= Self.leastSeconds ? Double(last.done - first.done) / seconds : nil
    }

    /// Seconds, at this rate; `nil` where nothing moves or nobody knows how much there is.
    package var remainingSeconds: Int? {
        guard let rate = perSecond, rate > 0, let last, let total = last.total, total >= last.done else { return nil }
        let seconds = Double(total - last.done) / rate
        return seconds < 1e9 ? Int(seconds.rounded(.up)) : nil
    }

    /// `1.2 GiB of 12 GiB (10 %), 85 MiB/s, about 2m 10s more`; `nil` before the first measure.
    package var text: String? {
        guard let last else { return nil }
        var parts = [Self.amount(last)]
        if let phase = last.phase {
            return last.done > 0 ? "\(phase) (\(parts[0]))" : phase
        }
        if let rate = perSecond {
            parts.append(rate > 0 ? Self.speed(rate, last.unit) : "nothing moves")
        }
        if let seconds = remainingSeconds { parts.append("about \(DurationText.of(seconds)) more") }
        return parts.joined(separator: ", ")
    }

    /// The same where a line is short: `10 % of 12 GiB, about 2m 10s more`.
    package var brief: String? {
        guard let last else { return nil }
        if let phase = last.phase { return phase }
        var text = Self.amount(last)
        if last.unit != .log, let total = last.total, total > 0 {
            let all = last.unit == .bytes ? ByteText.of(total) : CountText.of(total, "item")
            text = "\(Self.percent(last.done, of: total)) % of \(all)"
        }
        if let seconds = remainingSeconds { return "\(text), about \(DurationText.of(seconds)) more" }
        return perSecond == 0 ? "\(text), nothing moves" : text
    }

    /// Rounded down: 100 % is all.
    private static func percent(_ done: Int, of total: Int) -> Int { min(100, Int(Double(done) / Double(total) * 100)) }

    private static func amount(_ measure: Measure) -> String {
        func number(_ count: Int) -> String { measure.unit == .items ? "\(count)" : ByteText.of(count) }
        if measure.unit == .log {
            return measure.total.map { "\(number(max(0, $0 - measure.done))) of WAL behind" }
                ?? "not known how far behind"
        }
        guard let total = measure.total else {
            return number(measure.done) + (measure.unit == .items ? " items" : "")
        }
        let percent = total > 0 ? " (\(percent(measure.done, of: total)) %)" : ""
        return "\(number(measure.done)) of \(number(total))\(measure.unit == .items ? " items" : "")\(percent)"
    }

    private static func speed(_ perSecond: Double, _ unit: Measure.Unit) -> String {
        switch unit {
        case .bytes, .log: return "\(ByteText.of(Int(perSecond)))/s"
        case .items:
            if perSecond >= 10 { return "\(Int(perSecond)) a second" }
            let perMinute = perSecond * 60
            return perMinute >= 1 ? "\(Int(perMinute)) a minute" : "\(max(1, Int(perMinute * 60))) an hour"
        }
    }
}
