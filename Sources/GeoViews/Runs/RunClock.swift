import GeoCore

/// The times that count while a run goes on, against the objective that they are measured by.
struct RunClock {
    let outage: RunReport.Outage?
    let readOnly: RunReport.Outage?
    let objectives: Objectives

    init(_ state: RunState) {
        // Without records: only the measured times are wanted here.
        let report = RunReport(run: "", digest: Digest(of: []), state: state, records: [])
        self.init(report)
    }

    init(_ report: RunReport) {
        self.outage = report.outage
        self.readOnly = report.readOnly
        self.objectives = report.objectives
    }

    /// What users are without, and for how long; `nil` while they notice nothing.
    private func lack(_ now: Timestamp) -> (word: String, seconds: Int)? {
        func elapsed(_ since: Timestamp) -> Int { max(0, Int(now.seconds(since: since).rounded())) }
        if let outage, outage.until == nil { return ("no service", elapsed(outage.from)) }
        if let readOnly, readOnly.until == nil { return ("no writes", elapsed(readOnly.from)) }
        return nil
    }

    /// `no service 12m`, `no service 1h 12m, RTO EXCEEDED`.
    func brief(now: Timestamp) -> String? {
        lack(now).map { word, seconds in
            let isExceeded = objectives.rtoSeconds.map { seconds > $0 } ?? false
            return "\(word) \(DurationText.of(seconds))\(isExceeded ? ", RTO EXCEEDED" : "")"
        }
    }

    /// `no service for 12m, RTO 60m`; `nil` while users notice nothing.
    func text(now: Timestamp) -> String? {
        guard let (word, seconds) = lack(now) else { return nil }
        let elapsed = "\(word) for \(DurationText.of(seconds))"
        guard let rto = objectives.rtoSeconds else { return elapsed }
        return "\(elapsed), RTO \(DurationText.of(rto))\(seconds > rto ? " EXCEEDED" : "")"
    }
}

extension RunState {
    /// The first group with something under way or in trouble, else the first with something to do; 1-based.
    var place: GroupText? {
        let groups = GroupText.all(plan)
        func first(_ matches: (Progress) -> Bool) -> GroupText? {
            groups.first { group in group.steps.contains { matches(progress(of: $0.id)) } }
        }
        return first { if case .running = $0 { true } else { false } }
            ?? first {
                switch $0 {
                case .failed, .inDoubt: true
                case .pending, .running, .succeeded, .skipped: false
                }
            }
            ?? first { $0 == .pending } ?? groups.last
    }
}
