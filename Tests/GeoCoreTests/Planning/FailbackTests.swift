import GeoCore
import GeoTestSupport
import Testing

/// Which stage of a failback comes next is seen, not remembered.
@Suite struct FailbackTests {
    /// Back to Seoul: Tokyo is primary, and Seoul was before it.
    private static let legs: [Failback.Leg] = [
        leg("return", .reseed, "tokyo", "seoul"), leg("go-back", .planned, "tokyo", "seoul"),
        leg("complete", .reseed, "seoul", "tokyo"),
    ]

    private static func leg(_ id: StepID, _ scenario: Scenario, _ from: SiteID, _ to: SiteID) -> Failback.Leg {
        Failback.Leg(
            stage: RunbookStage(
                id: id, title: id.rawValue, runbook: "x", from: from == "tokyo" ? .from : .to, hold: "think"),
            scenario: scenario, from: from, to: to)
    }

    private static func next(_ observation: Observation) -> Failback.Next {
        Failback.next(legs, in: Fixtures.inventory(), observation)
    }

    @Test func theStageIsSeenByWhoIsPrimaryAndWhoFollows() {
        #expect(Self.next(Fixtures.returning()) == .stage(0))
        #expect(Self.next(Fixtures.healthy()) == .stage(1))
        var silent = Fixtures.healthy()
        silent.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        #expect(Self.next(silent) == .stage(0), "a standby that follows nobody has not come back")
        #expect(Self.next(Fixtures.promoted()) == .stage(2))
        var complete = Fixtures.promoted()
        complete.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
        guard case .done(let signs) = Self.next(complete) else {
            Issue.record("\(Self.next(complete))")
            return
        }
        #expect(signs.contains("seoul is the primary") && signs.contains("tokyo streams"))
    }

    @Test func aMemberThatFollowsItsOwnLeaderHasNotBroughtTheSiteBack() {
        func next(_ observation: Observation) -> Failback.Next {
            Failback.next(Self.legs, in: Fixtures.patroniInventory(), observation)
        }
        #expect(next(Fixtures.patroniReturned()) == .stage(1))
        var silent = Fixtures.patroniReturned()
        silent.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        #expect(silent["seoul-pg-2"].database.value?.standby?.receiver?.status == "streaming")
        #expect(next(silent) == .stage(0))
        // Known by another name than its address, or by none, the leader may be the primary as well.
        let nameless = silent.changing("seoul-pg-2") {
            $0.database = Fixtures.seen(
                Fixtures.standby(receiver: Fixtures.receiver(slot: nil, host: nil)), on: "seoul-pg-2")
        }
        let unnamed = silent.changing("seoul-pg-1") { $0.markUnknown(.identity, reason: "cut") }.changing("seoul-pg-2")
        {
            $0.database = Fixtures.seen(
                Fixtures.standby(receiver: Fixtures.receiver(slot: nil, host: "elsewhere")), on: "seoul-pg-2")
        }
        for observation in [nameless, unnamed] {
            guard case .unknown(let reason) = next(observation) else {
                Issue.record("\(next(observation))")
                continue
            }
            #expect(reason.contains("seoul"))
        }
    }

    @Test func theRunbookOfAStageIsTheOneForWhatTheSeededSiteRuns() throws {
        let (plain, patroni) = (Fixtures.inventory(), Fixtures.patroniInventory())
        let (tokyo, seoul) = (try #require(plain.site("tokyo")), try #require(patroni.site("seoul")))
        func runbook(_ from: Part, _ ofPatroni: String? = "other") -> String {
            RunbookStage(id: "s", title: "S", runbook: "usual", patroniRunbook: ofPatroni, from: from)
                .between(tokyo, seoul).runbook
        }
        #expect(runbook(.from) == "other", "Seoul is seeded")
        #expect(runbook(.to) == "usual", "Tokyo is")
        #expect(runbook(.from, nil) == "usual")
    }

    @Test func nothingIsGuessedWhereNobodyOrEverybodyIsPrimary() {
        var both = Fixtures.healthy()
        both.put(\.database, Fixtures.primary(), on: "seoul-pg-1")
        var nobody = Fixtures.healthy()
        nobody.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
        let dark = nobody.losing("seoul-pg-1").losing("tokyo-pg-1")
        for observation in [both, nobody, dark] {
            guard case .unknown(let reason) = Self.next(observation) else {
                Issue.record("\(Self.next(observation))")
                continue
            }
            #expect(!reason.isEmpty)
        }
    }

    @Test func aPlanSaysWhichStageItIsAndHowTheNextIsPlanned() throws {
        let whole = Runbook(
            name: "failback", title: "Back", scenario: .failback, preflight: [], steps: [],
            stages: Self.legs.map(\.stage), source: DocumentReference(path: "f.yaml", digest: Digest(of: [1])))
        var request = PlanFixture.request()
        request.stage = PlanStage(whole, legs: Self.legs, at: 1, from: "tokyo", to: "seoul")
        let plan = try PlanFile(reading: try PlanFile(try Planner.plan(request)).bytes).plan
        #expect(plan.stage?.number == 2 && plan.stage?.next?.from == "seoul")
        #expect(plan.planCommand == "geo-failover plan failback --from tokyo --to seoul")
    }
}
