import GeoCore
import GeoViews

/// A watch over a primary that loses its power, and one over an operator who is cut off.
enum Watches {
    static func look(
        _ kind: Diagnosis.Kind, _ minute: Int, reasons: [String] = [], votes: [Diagnosis.Vote] = []
    ) -> Diagnosis {
        Diagnosis(kind, primary: "tokyo", reasons: reasons, votes: votes, at: Deployment.at(3, minute))
    }

    static let votes: [Diagnosis.Vote] = [
        .init(
            .operatorMachine, agrees: true, "not visited, ssh is silent: no answer within 5 s",
            at: Deployment.at(3, 11, 55)),
        .init(.peer(id: "seoul-pg-1"), agrees: true, "it sees nothing of tokyo", at: Deployment.at(3, 11, 56)),
        .init(.peer(id: "seoul-rails-1"), agrees: nil, "did not look: seoul-rails-1 was not reached: no connection"),
        .init(.replica(id: "seoul-pg-1"), agrees: true, "no WAL receiver runs", at: Deployment.at(3, 11, 56)),
    ]
    static let gone = ["nothing of tokyo is seen from any place that could look: operator, seoul-pg-1"]

    /// Every event in its turn, with the state after it.
    static let events: [(event: WatchState.Event, state: WatchState)] = {
        let here = look(
            .unreachableFromHere, 5,
            reasons: [
                "the operator reaches no node of tokyo, and it is seen by seoul-pg-1: it may be serving its users",
                "seoul-pg-1: it sees tokyo-pg-1, tokyo-rails-1",
            ])
        let weak = look(
            .databaseDown, 9, reasons: ["no writable database of tokyo answers"],
            votes: [votes[0], .init(.peer(id: "seoul-pg-1"), agrees: nil, "did not look")])
        var state = WatchState()
        var all: [(WatchState.Event, WatchState)] = []
        let looks =
            [look(.healthy, 1), look(.healthy, 2)]
            + (3...6).map { minute in
                var copy = here
                copy.at = Deployment.at(3, minute)
                return copy
            }
            + [look(.healthy, 7), look(.healthy, 8), weak]
            + (10...12).map { look(.unreachableFromEverywhere, $0, reasons: gone, votes: votes) }
            + [
                look(.unreachableFromEverywhere, 13, reasons: gone, votes: votes), look(.healthy, 14),
                look(.healthy, 15),
            ]
            + [
                look(.unreachableFromEverywhere, 16, reasons: gone, votes: votes),
                look(.degraded, 17, reasons: (1...6).map { "tokyo-\($0) is not reached: no connection" }),
            ]
        for look in looks { all += state.take(look).map { ($0, state) } }
        return all
    }()

    static let ranking: CandidateRanking = {
        var inventory = Deployment.inventory
        inventory.sites.append(Deployment.site("busan", 3))
        func standby(_ position: UInt64, _ node: String) -> NodeFacts {
            var facts = NodeFacts()
            facts.database = .known(
                value: DatabaseFacts(
                    systemIdentifier: "7301", timeline: 1, serverVersion: 160_003,
                    role: .standby(
                        state: .init(
                            received: LogPosition(bytes: position), replayed: LogPosition(bytes: position),
                            isReplayPaused: false, receiver: nil, secondsSinceLastReplay: 40))),
                at: Deployment.at(3, 12), from: node)
            return facts
        }
        let observation = Observation(
            startedAt: Deployment.at(3, 11), endedAt: Deployment.at(3, 12),
            nodes: ["seoul-pg-1": standby(90 << 20, "seoul-pg-1"), "busan-pg-1": standby(96 << 20, "busan-pg-1")])
        let candidates = ["seoul", "busan"].map { (site: SiteID) in
            CandidateRanking.Candidate(
                loss: LossStatement(inventory: inventory, from: "tokyo", to: site, observation: observation),
                isReady: site == "seoul", blockers: site == "seoul" ? [] : ["node.disk", "secrets.equal"])
        }
        return CandidateRanking(from: "tokyo", candidates, in: inventory, observation)
    }()

    static let commands = [
        NextCommand.checkUnplanned(from: "tokyo", to: "seoul"),
        NextCommand.plan(runbook: "unplanned-failover", from: "tokyo", to: "seoul"),
    ]

    static let plan = (path: "plans/tokyo-to-seoul.geoplan", text: "a plan is made: plans/tokyo-to-seoul.geoplan")

    static let unproven = [
        UnprovenNode(
            deployment: "acme", run: "20261121-094352-tokyo-to-seoul", node: "tokyo-pg-1",
            text: "tokyo-pg-1: anna@laptop says \"pulled the plug\"")
    ]

    static func text(_ style: Style) -> String {
        events.map { WatchView.text($0.event, state: $0.state, style: style) }.joined()
            + (events.last.map { WatchView.heartbeat($0.state, now: Deployment.at(3, 30)) + "\n" } ?? "")
            + WatchView.ranking(ranking, style: style) + WatchView.next(commands, plan: plan.text, style: style)
            + WatchView.unproven(unproven, style: style)
            + WatchView.text(look(.unreachableFromEverywhere, 12, reasons: gone, votes: votes), style: style)
    }

    static var json: [String] {
        events.map { WatchView.json($0.event, state: $0.state) }
            + (events.last.flatMap { last in last.state.latest.map { [WatchView.json($0, state: last.state)] } } ?? [])
            + WatchView.json(ranking) + [
                WatchView.json(next: commands, plan: plan.path),
                WatchView.json(next: commands, refusal: "seoul is not ready: node.disk"),
            ]
            + WatchView.json(unproven: unproven)
    }
}
