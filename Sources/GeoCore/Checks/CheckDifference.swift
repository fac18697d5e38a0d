/// What changed between two checks of one failover: answers, and what would be lost.
package struct CheckDifference: Sendable, Hashable {
    /// How the answer to one question about one subject changed.
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// It passed, or was not asked, and does not pass now.
        case appeared
        /// It did not pass before, and the verdict is worse.
        case worse
        /// Still no pass, and the verdict is less bad.
        case better
        /// It passes now.
        case cleared
        /// It did not pass before, and is not asked any more: no reason to believe that it is well.
        case notAsked = "not-asked"
        /// The same verdict in other words: mostly another number.
        case reworded
    }

    package struct Change: Sendable, Hashable {
        package var kind: Kind
        package var check: CheckID
        package var subject: Subject
        package var before: Finding?
        package var after: Finding?
    }

    /// A number of the loss statement that is not what it was; unknown on either side counts as another value.
    package struct Amount: Sendable, Hashable {
        package enum Unit: String, Sendable, Hashable, Codable { case bytes, seconds, count }
        package var name: String
        package var unit: Unit
        package var before: Observed<Double>
        package var after: Observed<Double>
    }

    package var from: SiteID
    package var to: SiteID
    package var wasReady: Bool
    package var isReady: Bool
    /// Worst first; ``Kind/reworded`` last.
    package var changes: [Change]
    package var amounts: [Amount]

    /// Whether anything but a number inside a sentence changed.
    package var isNothing: Bool {
        wasReady == isReady && changes.allSatisfy { $0.kind == .reworded } && amounts.isEmpty
    }

    package init(from before: SavedCheck.Pair, to after: SavedCheck.Pair) {
        self.from = after.from
        self.to = after.to
        self.wasReady = before.isReady
        self.isReady = after.isReady
        self.changes = Self.changes(before.findings, after.findings)
        self.amounts = Self.amounts(before.loss, after.loss)
    }

    private struct Key: Hashable {
        var check: CheckID
        var subject: Subject
    }

    /// One check may answer for one subject more than once; then the worst counts.
    private static func worst(_ findings: [Finding]) -> [Key: Finding] {
        Dictionary(findings.map { (Key(check: $0.check, subject: $0.subject), $0) }) {
            $0.verdict >= $1.verdict ? $0 : $1
        }
    }

    private static func changes(_ before: [Finding], _ after: [Finding]) -> [Change] {
        let (old, new) = (worst(before), worst(after))
        var order: [Key] = []
        var seen: Set<Key> = []
        for finding in after + before {
            let key = Key(check: finding.check, subject: finding.subject)
            if seen.insert(key).inserted { order.append(key) }
        }
        let changes = order.compactMap { key -> Change? in
            kind(old[key], new[key]).map {
                Change(kind: $0, check: key.check, subject: key.subject, before: old[key], after: new[key])
            }
        }
        return Kind.allCases.flatMap { kind in
            changes.filter { $0.kind == kind }.sorted { left, right in
                (left.after?.verdict ?? .pass) > (right.after?.verdict ?? .pass)
            }
        }
    }

    private static func kind(_ before: Finding?, _ after: Finding?) -> Kind? {
        let (was, now) = (before?.verdict ?? .pass, after?.verdict ?? .pass)
        if after == nil { return was == .pass ? nil : .notAsked }
        switch (was, now) {
        case (.pass, .pass): return nil
        case (.pass, _): return .appeared
        case (_, .pass): return .cleared
        case _ where now > was: return .worse
        case _ where now < was: return .better
        default: return before?.summary == after?.summary ? nil : .reworded
        }
    }

    private static func amounts(_ before: LossStatement?, _ after: LossStatement?) -> [Amount] {
        let (old, new) = (numbers(before), numbers(after))
        let names = (new + old).map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.compactMap { name in
            guard let unit = (new + old).first(where: { $0.name == name })?.unit else { return nil }
            let was = old.first { $0.name == name }?.value ?? .unknown(reason: "not counted then")
            let now = new.first { $0.name == name }?.value ?? .unknown(reason: "not counted now")
            return was.value == now.value ? nil : Amount(name: name, unit: unit, before: was, after: now)
        }
    }

    private typealias Number = (name: String, unit: Amount.Unit, value: Observed<Double>)

    private static func numbers(_ loss: LossStatement?) -> [Number] {
        guard let loss else { return [] }
        var found: [Number] = [
            ("WAL", .bytes, loss.bytesNotReplayed.map(Double.init)), ("time", .seconds, loss.secondsNotReplayed),
            ("events", .count, loss.eventsBehind.map(Double.init)),
        ]
        guard let items = loss.items.value else {
            found.append(("items", .count, .unknown(reason: loss.items.reason ?? "was not told")))
            found.append(("projects", .count, count(loss.projects)))
            return found
        }
        for item in items {
            func known(_ number: Int) -> Observed<Double> { loss.items.map { _ in Double(number) } }
            found.append(("\(item.dataType) not synchronised", .count, known(item.notSynced)))
            found.append(("\(item.dataType) not registered", .count, item.missing.map(Double.init)))
            found.append(("\(item.dataType) not verified", .count, known(item.notVerified)))
        }
        found.append(("projects", .count, count(loss.projects)))
        return found
    }

    private static func count(_ projects: Observed<ProjectLosses>) -> Observed<Double> {
        projects.map { Double($0.projects.count + $0.unlisted) }
    }
}
