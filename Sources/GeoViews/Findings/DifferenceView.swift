package import GeoCore

/// What changed since a saved check. Nothing new is said as well: silence could be taken for it.
package enum DifferenceView {
    package static func text(
        _ differences: [CheckDifference], since: Timestamp, now: Timestamp, style: Style, isVerbose: Bool = false
    ) -> String {
        var page = Page(style)
        for difference in differences {
            page.blank()
            add(difference, since, now, isVerbose, &page)
        }
        if differences.isEmpty { page.say("there is no failover that both checks looked at") }
        return page.text
    }

    private static func add(
        _ difference: CheckDifference, _ since: Timestamp, _ now: Timestamp, _ isVerbose: Bool, _ page: inout Page
    ) {
        let name = "\(difference.from) -> \(difference.to)"
        let (was, becomes) = (readiness(difference.wasReady), readiness(difference.isReady))
        let verdict = was == becomes ? "still \(becomes)" : "was \(was), is \(becomes)"
        page.say(
            "\(name) since \(since.toSeconds) UTC (\(AgeText.of(since, now: now))): \(verdict)",
            tone: difference.isReady ? .good : .bad, hanging: 2)
        let shown = difference.changes.filter { isVerbose || $0.kind != .reworded }
        for change in shown {
            page.blank()
            let lead = Layout.padded(word(change.kind), to: 7)
            page.say(change.check.rawValue, lead: lead, leadTone: tone(change), tone: .strong)
            page.say(
                "\(SubjectText.of(change.subject)): \(verdicts(change))", indent: 2, hanging: 2)
            for sentence in sentences(change) { page.say(sentence, indent: 4, hanging: 2) }
        }
        if !difference.amounts.isEmpty {
            page.blank()
            page.say("What would be lost:", tone: .strong)
            var table = Table()
            for amount in difference.amounts {
                table.add(amount.name, "was \(text(amount.before, amount.unit)), is \(text(amount.after, amount.unit))")
            }
            page.table(table, indent: 2)
        }
        let hidden = difference.changes.count - shown.count
        if difference.isNothing { page.say("No answer and no loss changed.", indent: 2) }
        if hidden > 0 {
            page.say(
                "\(CountText.of(hidden, "finding")) of the same verdict \(hidden == 1 ? "has" : "have") other words"
                    + " (--verbose shows them)", indent: 2)
        }
    }

    private static func readiness(_ isReady: Bool) -> String { isReady ? "READY" : "NOT READY" }

    private static func word(_ kind: CheckDifference.Kind) -> String {
        switch kind {
        case .appeared: "NEW"
        case .worse: "WORSE"
        case .better: "BETTER"
        case .cleared: "GONE"
        case .notAsked: "UNASKED"
        case .reworded: "SAME"
        }
    }

    private static func tone(_ change: CheckDifference.Change) -> Style.Tone {
        change.kind == .notAsked ? .caution : (change.after?.verdict ?? .unknown).tone
    }

    private static func verdicts(_ change: CheckDifference.Change) -> String {
        let was = change.before?.verdict.word ?? "not asked"
        let now = change.after?.verdict.word ?? "not asked"
        return was == now ? now : "was \(was), is \(now)"
    }

    private static func sentences(_ change: CheckDifference.Change) -> [String] {
        let before = change.before.map { "before: \($0.summary)" }
        let after = change.after.map { "now: \($0.summary)" }
        return switch change.kind {
        case .appeared: [after].compactMap(\.self)
        case .worse, .better, .cleared, .notAsked, .reworded: [before, after].compactMap(\.self)
        }
    }

    private static func text(_ value: Observed<Double>, _ unit: CheckDifference.Amount.Unit) -> String {
        guard let number = value.value else { return "NOT KNOWN (\(value.reason ?? "no reason given"))" }
        return switch unit {
        case .bytes: ByteText.of(Int(number))
        case .seconds: DurationText.of(number)
        case .count: "\(Int(number))"
        }
    }

    /// A line per change, for what is not a terminal.
    package static func lines(_ difference: CheckDifference) -> [String] {
        difference.changes.filter { $0.kind != .reworded }.map { change in
            let summary = (change.after ?? change.before)?.summary ?? ""
            return "\(word(change.kind)) \(change.check) \(SubjectText.of(change.subject)): \(verdicts(change)):"
                + " \(Plain.line(summary))"
        }
    }

    /// One `difference` line per failover.
    package static func json(_ differences: [CheckDifference], since: Timestamp) -> [String] {
        differences.map { JSONLine.of(.difference, DifferenceBody($0, since)) }
    }
}

private struct DifferenceBody: Encodable {
    struct Change: Encodable {
        var kind: CheckDifference.Kind
        var check: CheckID
        var subject: String
        var was: Verdict?
        var now: Verdict?
        var before: String?
        var after: String?
    }
    struct Amount: Encodable {
        var name: String
        var unit: CheckDifference.Amount.Unit
        /// `nil`: not known.
        var before: Double?
        var after: Double?
    }
    var about: String
    var since: Timestamp
    var wasReady: Bool
    var isReady: Bool
    var isNothing: Bool
    var changes: [Change]
    var loss: [Amount]

    init(_ difference: CheckDifference, _ since: Timestamp) {
        self.about = Subject.failover(from: difference.from, to: difference.to).description
        self.since = since
        self.wasReady = difference.wasReady
        self.isReady = difference.isReady
        self.isNothing = difference.isNothing
        self.changes = difference.changes.map {
            Change(
                kind: $0.kind, check: $0.check, subject: $0.subject.description, was: $0.before?.verdict,
                now: $0.after?.verdict, before: $0.before?.summary, after: $0.after?.summary)
        }
        self.loss = difference.amounts.map {
            Amount(name: $0.name, unit: $0.unit, before: $0.before.value, after: $0.after.value)
        }
    }
}
