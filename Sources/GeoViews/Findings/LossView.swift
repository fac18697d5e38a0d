package import GeoCore

/// What a failover now would lose. A number that is not known is said to be unknown, and is never 0.
package enum LossView {
    private static let projectsShown = 10

    package static func text(_ loss: LossStatement, now: Timestamp, style: Style, isDetailed: Bool = false) -> String {
        var page = Page(style)
        page.blank()
        guard !loss.isNothing else {
            page.say(
                "A failover \(loss.from) -> \(loss.to) at this moment would lose nothing that GitLab replicates.",
                tone: .good)
            return page.text
        }
        page.say("A failover \(loss.from) -> \(loss.to) at this moment would lose:", tone: .strong)
        var table = Table()
        table.add("WAL", amount(loss.bytesNotReplayed) { $0 == 0 ? "nothing" : "\(ByteText.of($0)) not replayed" })
        table.add(
            "time",
            amount(loss.secondsNotReplayed) { $0 == 0 ? "nothing" : "the last \(DurationText.of($0)) of the database" })
        if let last = loss.lastReplayedAt.value, loss.bytesNotReplayed.value != 0 {
            table.add(
                "", "the last transaction that arrived is of \(last.toSeconds) UTC, \(AgeText.of(last, now: now))")
        }
        table.add("events", amount(loss.eventsBehind) { $0 == 0 ? "none" : "\($0) not processed by the log cursor" })
        for line in items(loss) { table.add(line.name, line.text) }
        table.add("projects", projects(loss.projects, isDetailed))
        for sentence in loss.leftOut ?? [] { table.add("left out", sentence) }
        page.table(table, indent: 2)
        addProjects(loss.projects, &page, now, isDetailed)
        addLastSeen(loss, &page, now, isDetailed)
        return page.text
    }

    /// Under a heading of its own: no number of an earlier look stands beside one of now.
    private static func addLastSeen(_ loss: LossStatement, _ page: inout Page, _ now: Timestamp, _ isDetailed: Bool) {
        guard let seen = loss.lastSeen else { return }
        page.blank()
        page.say(
            "At least, by what \(loss.from) said when it was seen last (what it did since is NOT KNOWN):",
            tone: .strong, hanging: 2)
        func text<Value>(_ amount: LossStatement.Seen<Value>, _ words: String) -> String {
            "\(words), as last seen \(AgeText.of(amount.at, now: now)) from \(amount.from)"
        }
        var table = Table()
        if let bytes = seen.bytes {
            table.add("WAL", text(bytes, bytes.value == 0 ? "nothing" : "\(ByteText.of(bytes.value)) not replayed"))
        }
        if let events = seen.events {
            table.add("events", text(events, events.value == 0 ? "none" : "\(events.value) not processed"))
        }
        let missing = seen.missing.sorted { $0.key < $1.key }
        for (type, count) in missing where count.value > 0 {
            table.add(type, text(count, "\(count.value) not registered"))
        }
        if !missing.isEmpty, missing.allSatisfy({ $0.value.value == 0 }), let any = missing.first?.value {
            table.add("items", text(any, "none of \(CountText.of(missing.count, "data type")) without a registry row"))
        }
        if let projects = seen.projects {
            let count = projects.value.projects.count + projects.value.unlisted
            table.add(
                "projects",
                text(projects, count == 0 ? "no repository" : CountText.of(count, "repository", "repositories")))
        }
        if let refusal = seen.refusal { table.add("database", "not used: \(refusal)") }
        page.table(table, indent: 2)
        guard let projects = seen.projects else { return }
        addProjects(.known(value: projects.value, at: projects.at, from: projects.from), &page, now, isDetailed)
    }

    private static func amount<Value>(_ fact: Observed<Value>, _ text: (Value) -> String) -> String {
        switch fact {
        case .unknown(let reason): "NOT KNOWN: \(reason)"
        case .known(let value, _, let from): "\(text(value)) (seen from \(from))"
        }
    }

    private static func items(_ loss: LossStatement) -> [(name: String, text: String)] {
        switch loss.items {
        case .unknown(let reason): return [("items", "NOT KNOWN: \(reason)")]
        case .known(let items, _, _):
            if items.isEmpty { return [("items", "NOT KNOWN: no data type was counted")] }
            var lines = items.compactMap { item -> (name: String, text: String)? in
                var parts: [String] = []
                if item.notSynced > 0 { parts.append("\(item.notSynced) not synchronised") }
                if let count = item.missing.value, count > 0 { parts.append("\(count) not registered") }
                if item.notVerified > 0 { parts.append("\(item.notVerified) not verified") }
                return parts.isEmpty ? nil : (item.dataType, parts.joined(separator: ", "))
            }
            // It is the primary that does not tell, of one type as of all: said once.
            let reasons = Dictionary(grouping: items.compactMap(\.missing.reason), by: { $0 })
            for (reason, types) in reasons.sorted(by: { $0.key < $1.key }) {
                let whose = CountText.of(types.count, "data type")
                lines.append(("items", "how many items of \(whose) are not registered is NOT KNOWN: \(reason)"))
            }
            return lines.isEmpty ? [("items", "none of \(CountText.of(items.count, "data type"))")] : lines
        }
    }

    private static func projects(_ fact: Observed<ProjectLosses>, _ isDetailed: Bool) -> String {
        amount(fact) { losses in
            let count = losses.projects.count + losses.unlisted
            guard count > 0 else { return "no repository, by what \(losses.namedBy) knows" }
            let all = isDetailed || losses.projects.count <= projectsShown
            return "\(CountText.of(count, "repository", "repositories")), named by \(losses.namedBy)"
                + (all ? "" : "; the \(projectsShown) pushed last are (--loss-detail lists all)")
        }
    }

    private static func addProjects(
        _ fact: Observed<ProjectLosses>, _ page: inout Page, _ now: Timestamp, _ isDetailed: Bool
    ) {
        guard let losses = fact.value, !losses.projects.isEmpty else { return }
        var table = Table()
        for project in isDetailed ? losses.projects[...] : losses.projects.prefix(projectsShown) {
            let pushed = project.pushedAt.map { "pushed \(AgeText.of($0, now: now))" } ?? "not pushed lately"
            let copy = project.syncedAt.map { "copy of \(AgeText.of($0, now: now))" } ?? "no copy"
            table.add(project.path ?? "project \(project.id)", "\(pushed), \(words(project.reason)), \(copy)")
        }
        page.table(table, indent: 4)
        if losses.unlisted > 0 { page.say("and \(losses.unlisted) more that were not listed", indent: 4) }
    }

    private static func words(_ reason: ProjectLosses.Reason) -> String {
        switch reason {
        case .notSynced: "not synchronised"
        case .notVerified: "not verified"
        case .pushedSince: "pushed after it was copied"
        case .notRegistered: "not registered"
        }
    }

    /// One `loss` line.
    package static func json(_ loss: LossStatement, profile: CheckProfile) -> String {
        JSONLine.of(.loss, LossBody(loss, profile))
    }
}

private struct LossBody: Encodable {
    struct Amount<Value: Encodable>: Encodable {
        var value: Value?
        var unknown: String?
        var from: String?
        var at: Timestamp?
    }
    struct Items: Encodable {
        var dataType: String
        var notSynced: Int
        var notRegistered: Int?
        var notVerified: Int
    }
    var about: String
    var profile: CheckProfile
    var isNothing: Bool
    var bytes: Amount<Int>
    var seconds: Amount<Double>
    var lastReplayedAt: Amount<Timestamp>
    var events: Amount<Int>
    var items: Amount<[Items]>
    var projects: Amount<ProjectLosses>
    var gaps: [String]
    /// What Geo was set not to copy.
    var leftOut: [String]?
    /// By an earlier look at the primary: each a least, with the time of that look.
    var lastSeen: LossStatement.LastSeen?

    init(_ loss: LossStatement, _ profile: CheckProfile) {
        self.lastSeen = loss.lastSeen
        self.about = Subject.failover(from: loss.from, to: loss.to).description
        self.profile = profile
        self.isNothing = loss.isNothing
        self.bytes = Self.amount(loss.bytesNotReplayed)
        self.seconds = Self.amount(loss.secondsNotReplayed)
        self.lastReplayedAt = Self.amount(loss.lastReplayedAt)
        self.events = Self.amount(loss.eventsBehind)
        self.projects = Self.amount(loss.projects)
        self.gaps = loss.gaps
        self.leftOut = loss.leftOut
        let items = Self.amount(loss.items)
        self.items = Amount(
            value: items.value.map { items in
                items.map {
                    Items(
                        dataType: $0.dataType, notSynced: $0.notSynced, notRegistered: $0.missing.value,
                        notVerified: $0.notVerified)
                }
            }, unknown: items.unknown, from: items.from, at: items.at)
    }

    private static func amount<Value>(_ fact: Observed<Value>) -> Amount<Value> {
        Amount(value: fact.value, unknown: fact.reason, from: fact.from, at: fact.at)
    }
}
