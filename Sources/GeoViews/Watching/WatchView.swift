package import GeoCore

/// What a watch says: a line per change, a block for a disaster, and from time to time that it still looks.
package enum WatchView {
    /// Evidence shown per change.
    private static let reasonsShown = 4

    package static func text(
        _ event: WatchState.Event, state: WatchState, style: Style
    ) -> String {
        var page = Page(style)
        switch event {
        case .changed(let from, let to):
            let was = from.map { " (was \(words($0)))" } ?? ""
            say(words(to.kind) + primary(to) + was, of: to, tone(to.kind), &page)
        case .suspected(let diagnosis, let looks, let needed):
            let count =
                looks == 0
                ? "too few places say so to call it" : "look \(looks) of \(needed) before it is called"
            say("suspected: \(words(diagnosis.kind))\(primary(diagnosis)), \(count)", of: diagnosis, .caution, &page)
        case .dismissed(let suspicion, let now):
            page.say(
                "\(now.at.clockTime) not borne out: \(words(suspicion)); now \(words(now.kind))", hanging: 9)
        case .called(_, let diagnosis):
            let since = state.since.map { " since \($0.clockTime) UTC" } ?? ""
            say("DISASTER: \(words(diagnosis.kind))\(primary(diagnosis))\(since)", of: diagnosis, .bad, &page)
            votes(diagnosis, &page)
            if let healthy = state.lastHealthy {
                page.say("all was last seen to be well at \(healthy.toSeconds) UTC", indent: 2)
            }
        }
        return page.text
    }

    /// The state of one look, for `--once`.
    package static func text(_ diagnosis: Diagnosis, style: Style) -> String {
        var page = Page(style)
        say(words(diagnosis.kind) + primary(diagnosis), of: diagnosis, tone(diagnosis.kind), &page)
        votes(diagnosis, &page)
        return page.text
    }

    package static func heartbeat(_ state: WatchState, now: Timestamp) -> String {
        guard let settled = state.settled, let since = state.since else {
            return "\(now.clockTime) still looking: nothing is settled after \(CountText.of(state.looks, "look"))"
        }
        return "\(now.clockTime) still \(words(settled.kind))\(primary(settled)) for"
            + " \(DurationText.of(Int(now.seconds(since: since)))), \(CountText.of(state.looks, "look"))"
    }

    /// Nodes of a site that was left, and that nobody saw fenced: at the start of a watch, and as often as it says that it looks.
    package static func unproven(_ nodes: [UnprovenNode], style: Style) -> String {
        var page = Page(style)
        for node in nodes { page.say(node.sentence, tone: .bad, hanging: 2) }
        for run in Set(nodes.map(\.run)).sorted(by: { $0.rawValue < $1.rawValue }) {
            page.literal("geo-failover guard \(run)", indent: 4)
        }
        return page.text
    }

    /// What to do next after a disaster was called; the candidates first. `plan` says where a plan lies already, or why
    /// none could be made.
    package static func next(_ commands: [String], plan: String? = nil, style: Style) -> String {
        var page = Page(style)
        if let plan { page.say(plan, indent: 2, hanging: 2) }
        if !commands.isEmpty { page.say("next:", indent: 2, tone: .strong) }
        for command in commands { page.literal(command, indent: 4) }
        return page.text
    }

    package static func ranking(_ ranking: CandidateRanking, style: Style) -> String {
        var page = Page(style)
        page.say("Candidates to take over from \(ranking.from), the one to look at first on top:", tone: .strong)
        for (index, place) in ranking.places.enumerated() {
            page.say(
                place.reasons.joined(separator: "; "), indent: 2,
                lead: "\(index + 1). \(Plain.line(place.site.rawValue))",
                leadTone: place.isReady ? .good : .bad)
        }
        page.say("The choice is yours: nothing is promoted by itself.", indent: 2)
        return page.text
    }

    private static func say(_ headline: String, of diagnosis: Diagnosis, _ tone: Style.Tone, _ page: inout Page) {
        page.say("\(diagnosis.at.clockTime) \(headline)", tone: tone, hanging: 9)
        for reason in diagnosis.reasons.prefix(reasonsShown) { page.say(reason, indent: 9, hanging: 2) }
        let more = diagnosis.reasons.count - reasonsShown
        if more > 0 { page.say("and \(more) more", indent: 9, tone: .faint) }
    }

    private static func votes(_ diagnosis: Diagnosis, _ page: inout Page) {
        for vote in diagnosis.votes {
            let word = vote.agrees.map { $0 ? "agrees" : "disagrees" } ?? "cannot tell"
            let age = vote.at.map { ", \(AgeText.of($0, now: diagnosis.at))" } ?? ""
            page.say("\(vote.vantage) \(word): \(vote.text)\(age)", indent: 4, hanging: 2)
        }
    }

    /// What a program that is run for a change finds in its environment; names never change.
    package static func environment(
        was: Diagnosis.Kind?, _ now: Diagnosis, state: WatchState, deployment: String, next: String?
    ) -> [String: String] {
        [
            "GEO_FAILOVER_DEPLOYMENT": deployment, "GEO_FAILOVER_IS": now.kind.rawValue,
            "GEO_FAILOVER_WAS": was?.rawValue ?? "", "GEO_FAILOVER_DISASTER": now.kind.isDisaster ? "yes" : "no",
            "GEO_FAILOVER_PRIMARY": now.primary?.rawValue ?? "",
            "GEO_FAILOVER_SINCE": state.since?.description ?? now.at.description,
            "GEO_FAILOVER_REASON": Plain.line(now.reasons.joined(separator: "; ")), "GEO_FAILOVER_NEXT": next ?? "",
        ]
    }

    package static func words(_ kind: Diagnosis.Kind) -> String {
        switch kind {
        case .healthy: "healthy"
        case .degraded: "degraded"
        case .unreachableFromHere: "primary unreachable from here"
        case .unreachableFromEverywhere: "primary unreachable from everywhere"
        case .databaseDown: "primary's database down"
        case .replicationStalled: "replication stalled"
        case .twoWritableSites: "two writable sites"
        case .noWritableSite: "no writable site"
        case .unknown: "not known"
        }
    }

    private static func primary(_ diagnosis: Diagnosis) -> String { diagnosis.primary.map { ", primary \($0)" } ?? "" }

    private static func tone(_ kind: Diagnosis.Kind) -> Style.Tone {
        switch kind {
        case .healthy: .good
        case .degraded, .replicationStalled: .caution
        case .unreachableFromHere, .unreachableFromEverywhere, .databaseDown, .twoWritableSites, .noWritableSite,
            .unknown:
            .bad
        }
    }
}
