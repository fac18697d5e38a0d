import GeoCore
import GeoTestSupport
import Testing

/// When a watch says what: quickly for what is certain, and never a disaster on one look or one place's word.
@Suite struct WatchStateTests {
    private func look(
        _ kind: Diagnosis.Kind, at seconds: Double, quorum: Bool = true, peers: [NodeID: Bool] = [:]
    ) -> Diagnosis {
        let votes: [Diagnosis.Vote] = [
            .init(.operatorMachine, agrees: true, "silent"), .init(.peer(id: "seoul-pg-1"), agrees: quorum, "silent"),
        ]
        return Diagnosis(
            kind, primary: "tokyo", reasons: ["because"], votes: kind.isDisaster ? votes : [], peers: peers,
            at: Fixtures.moment(seconds))
    }

    /// `h` healthy, `d` degraded, `f` from here only, `E` from everywhere, `B` database down, `W` two writable,
    /// `e` everywhere without a quorum.
    private func events(_ looks: String, needed: Int = 3) -> [String] {
        var state = WatchState(disasterLooks: needed)
        return looks.enumerated().map { index, letter in
            let at = Double(index * 30)
            let look =
                switch letter {
                case "h": look(.healthy, at: at)
                case "d": look(.degraded, at: at)
                case "f": look(.unreachableFromHere, at: at)
                case "E": look(.unreachableFromEverywhere, at: at)
                case "B": look(.databaseDown, at: at)
                case "W": look(.twoWritableSites, at: at)
                default: look(.unreachableFromEverywhere, at: at, quorum: false)
                }
            return state.take(look).map(Self.letter).joined()
        }
    }

    private static func letter(_ event: WatchState.Event) -> String {
        switch event {
        case .changed: "c"
        case .suspected(_, let looks, _): "\(looks)"
        case .dismissed: "x"
        case .called: "!"
        }
    }

    @Test(arguments: [
        ("hhhh", ["c", "", "", ""]),
        // One lost packet is no change, two looks are one.
        ("hdhh", ["c", "", "", ""]), ("hddh", ["c", "", "c", ""]), ("hdfdf", ["c", "", "", "", ""]),
        ("hddhh", ["c", "", "c", "", "c"]),
        // Three looks, and what ends before them.
        ("hEEEh", ["c", "1", "2", "!", ""]), ("hEEhE", ["c", "1", "2", "x", "1"]),
        ("hEhEhE", ["c", "1", "x", "1", "x", "1"]),
        // From the first look on.
        ("EEEE", ["1", "2", "!", ""]), ("Ehhh", ["1", "xc", "", ""]),
        // A site that dies node by node.
        ("hBEE", ["c", "1", "2", "!"]), ("hEEEBB", ["c", "1", "2", "!", "!", ""]),
        // Two writable sites need no second look.
        ("hWW", ["c", "!", ""]),
        // No quorum, no disaster, however long; and it is said once.
        ("heeee", ["c", "0", "", "", ""]), ("hEEeE", ["c", "1", "2", "0", "1"]), ("heh", ["c", "0", "x"]),
        // It ends as it began: not by one look.
        ("hEEEhEhh", ["c", "1", "2", "!", "", "", "", "c"]), ("hEEEeE", ["c", "1", "2", "!", "", ""]),
    ])
    func aDisasterIsCalledAfterThreeLooksOfAQuorum(looks: String, expected: [String]) {
        #expect(events(looks) == expected, "\(looks)")
    }

    @Test func theNumberOfLooksIsTheOperators() {
        #expect(events("hE", needed: 1) == ["c", "!"])
        #expect(events("hEEEEE", needed: 5) == ["c", "1", "2", "3", "4", "!"])
    }

    @Test func aDisasterBeganWithItsFirstLook() {
        var state = WatchState()
        for index in 0..<4 { _ = state.take(look(index == 0 ? .healthy : .databaseDown, at: Double(index * 30))) }
        #expect(state.isDisaster)
        #expect(state.since == Fixtures.moment(30))
        #expect(state.lastHealthy == Fixtures.moment())
    }

    /// A peer behind a firewall sees nothing ever: its silence must not be the vote that calls a disaster.
    @Test func aPeerThatNeverSawThePrimaryHasNoVote() {
        for (sees, isCalled) in [(true, true), (false, false)] {
            var state = WatchState()
            _ = state.take(look(.healthy, at: 0, peers: ["seoul-pg-1": sees]))
            for index in 1...5 { _ = state.take(look(.unreachableFromEverywhere, at: Double(index * 30))) }
            #expect(state.isDisaster == isCalled)
        }
    }

    @Test(
        arguments: [
            ([VantagePoint.operatorMachine], 1, false), ([.peer(id: "a"), .peer(id: "b")], 2, false),
            ([.operatorMachine, .peer(id: "a")], 2, true), ([.operatorMachine, .peer(id: "a")], 3, true),
            ([.operatorMachine, .peer(id: "a")], 4, false),
            ([.replica(id: "a"), .peer(id: "a"), .peer(id: "b")], 5, true),
        ] as [([VantagePoint], Int, Bool)])
    func aQuorumIsMostOfAllPlacesAndOfTwoKinds(agreeing: [VantagePoint], asked: Int, expected: Bool) {
        let others = (0..<(asked - agreeing.count)).map { VantagePoint.peer(id: NodeID("other-\($0)")) }
        let votes =
            agreeing.map { Diagnosis.Vote($0, agrees: true, "silent") }
            + others.map { Diagnosis.Vote($0, agrees: nil, "did not look") }
        let diagnosis = Diagnosis(.databaseDown, primary: "tokyo", votes: votes, at: Fixtures.moment())
        #expect(diagnosis.hasQuorum == expected)
    }
}
