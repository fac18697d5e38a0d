package import GeoCore

/// The same for programs.
extension WatchView {
    /// One `look` line: what this look alone amounts to, and what has settled.
    package static func json(_ diagnosis: Diagnosis, state: WatchState) -> String {
        JSONLine.of(
            .look,
            LookBody(
                diagnosis: DiagnosisBody(diagnosis), settled: state.settled?.kind, since: state.since,
                looks: state.looks, lastHealthyAt: state.lastHealthy))
    }

    /// One `change` line.
    package static func json(_ event: WatchState.Event, state: WatchState) -> String {
        let body =
            switch event {
            case .changed(let from, let to):
                ChangeBody(change: "settled", from: from, diagnosis: DiagnosisBody(to), since: state.since)
            case .suspected(let diagnosis, let looks, let needed):
                ChangeBody(change: "suspected", diagnosis: DiagnosisBody(diagnosis), looks: looks, needed: needed)
            case .dismissed(let suspicion, let now):
                ChangeBody(change: "dismissed", from: suspicion, diagnosis: DiagnosisBody(now))
            case .called(let from, let diagnosis):
                ChangeBody(change: "called", from: from, diagnosis: DiagnosisBody(diagnosis), since: state.since)
            }
        return JSONLine.of(.change, body)
    }

    /// One `candidate` line per site, the first first.
    package static func json(_ ranking: CandidateRanking) -> [String] {
        ranking.places.enumerated().map { index, place in
            JSONLine.of(
                .candidate,
                CandidateBody(
                    from: ranking.from, to: place.site, place: index + 1, isReady: place.isReady,
                    reasons: place.reasons))
        }
    }

    /// One `next` line; `plan` is the path of the plan that the last command executes, `refusal` why there is none.
    package static func json(next commands: [String], plan: String? = nil, refusal: String? = nil) -> String {
        JSONLine.of(.next, NextBody(commands: commands, plan: plan, refusal: refusal))
    }

    /// One `unproven` line per node.
    package static func json(unproven nodes: [UnprovenNode]) -> [String] { nodes.map { JSONLine.of(.unproven, $0) } }
}

private struct NextBody: Encodable {
    var commands: [String]
    var plan: String?
    var refusal: String?
}

private struct CandidateBody: Encodable {
    var from: SiteID
    var to: SiteID
    var place: Int
    var isReady: Bool
    var reasons: [String]
}

private struct ChangeBody: Encodable {
    /// `settled`, `suspected`, `dismissed`, `called`.
    var change: String
    var from: Diagnosis.Kind?
    var diagnosis: DiagnosisBody
    var since: Timestamp?
    var looks: Int?
    var needed: Int?
}

private struct LookBody: Encodable {
    var diagnosis: DiagnosisBody
    var settled: Diagnosis.Kind?
    var since: Timestamp?
    var looks: Int
    var lastHealthyAt: Timestamp?
}

private struct DiagnosisBody: Encodable {
    struct VoteBody: Encodable {
        var vantage: String
        var kind: VantagePoint.Kind
        /// Left out where the place cannot tell.
        var agrees: Bool?
        var text: String
        var at: Timestamp?
    }
    var kind: Diagnosis.Kind
    var isDisaster: Bool
    var hasQuorum: Bool
    var primary: SiteID?
    var reasons: [String]
    var votes: [VoteBody]
    var at: Timestamp

    init(_ diagnosis: Diagnosis) {
        self.kind = diagnosis.kind
        self.isDisaster = diagnosis.kind.isDisaster
        self.hasQuorum = diagnosis.hasQuorum
        self.primary = diagnosis.primary
        self.reasons = diagnosis.reasons
        self.votes = diagnosis.votes.map {
            VoteBody(
                vantage: $0.vantage.description, kind: $0.vantage.kind, agrees: $0.agrees, text: $0.text, at: $0.at)
        }
        self.at = diagnosis.at
    }
}
