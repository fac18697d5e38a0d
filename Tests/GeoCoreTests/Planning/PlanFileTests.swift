import GeoCore
import GeoTestSupport
import Testing

/// Plans as files, graphs, and the facts that they stand on.
@Suite struct PlanFileTests {
    @Test func aPlanReadsBackAsItWasWrittenByteForByte() throws {
        let file = try PlanFile(PlanFixture.plan)
        let read = try PlanFile(reading: file.bytes)
        #expect(read.plan == file.plan && read.digest == file.digest)
        #expect(try PlanFile(read.plan).bytes == file.bytes)
    }

    @Test func anotherFormatIsNamedAndNotGuessedAt() throws {
        var plan = PlanFixture.plan
        plan.schema = 2
        let bytes = try PlanFile(plan).bytes
        #expect(throws: PlanFileError.otherSchema(found: 2)) { try PlanFile(reading: bytes) }
        #expect(throws: PlanFileError.notAPlan) { try PlanFile(reading: Array("{}\n{}\n".utf8)) }
        #expect(throws: PlanFileError.notAPlan) { try PlanFile(reading: []) }
    }

    // MARK: Drift

    @Test func nothingHasDriftedWhereEverythingIsAsItWas() {
        for moment in [LoadBearing.Moment.firstChange, .pointOfNoReturn] {
            #expect(LoadBearing.drift(PlanFixture.plan, now: Fixtures.healthy(PlanFixture.inventory), at: moment) == [])
        }
    }

    @Test func aFactThatIsUnknownNowIsDriftAndOneThatNeverWasKnownIsNot() {
        let gone = Fixtures.healthy(PlanFixture.inventory).losing("seoul-redis-1", reason: "no route")
        let drift = LoadBearing.drift(PlanFixture.plan, now: gone, at: .pointOfNoReturn)
        #expect(Set(drift.map(\.fact)) == ["host name", "machine id", "GitLab version"])
        #expect(drift.allSatisfy { $0.now == "unknown: no route" })
        var blind = PlanFixture.plan
        blind.basis = gone
        #expect(LoadBearing.drift(blind, now: Fixtures.healthy(PlanFixture.inventory), at: .pointOfNoReturn) == [])
    }

    @Test func theFormerPrimarysDatabaseMayStopBeforeThePointOfNoReturnAndNotBeforeTheFirstChange() {
        let plan = PlanFixture.plan
        #expect(LoadBearing.drift(plan, now: Fixtures.fenced(), at: .pointOfNoReturn) == [])
        let early = LoadBearing.drift(plan, now: Fixtures.fenced(), at: .firstChange)
        #expect(
            early.contains {
                $0.subject == .node(id: "tokyo-pg-1") && $0.fact == "database role" && $0.planned == "primary"
            })
        let promoted = LoadBearing.drift(plan, now: Fixtures.promoted(), at: .pointOfNoReturn)
        #expect(promoted.contains { $0.fact == "database role" && $0.planned == "standby" && $0.now == "primary" })
        #expect(promoted.contains { $0.fact == "Geo's primary" && $0.planned == "tokyo" && $0.now == "seoul" })
    }

    @Test func whatIsComparedIsAlsoAsked() {
        let scope = LoadBearing.scope(PlanFixture.plan)
        let seen = Fixtures.healthy(PlanFixture.inventory).restricted(to: scope)
        #expect(LoadBearing.drift(PlanFixture.plan, now: seen, at: .firstChange) == [])
    }

    // MARK: Graphs

    private static func graph(_ edges: [(String, [String])]) -> [Step] {
        edges.map { id, after in
            Step(
                id: StepID(id), group: StepID(id), title: id, why: id, action: .wait, subject: .deployment,
                after: after.map { StepID($0) }, operation: .wait, reversibility: .changesNothing,
                blastRadius: BlastRadius(effect: .none, site: nil, text: ""), expectedSeconds: 10)
        }
    }

    @Test func ancestorsAreEverybodyWhoIsWaitedForDirectlyOrNot() {
        let graph = StepGraph(Self.graph([("a", []), ("b", ["a"]), ("c", ["a"]), ("d", ["b", "c"]), ("e", [])]))
        #expect(graph.ancestors(of: "d") == ["a", "b", "c"])
        #expect(graph.ancestors(of: "e") == [])
        #expect(graph.ancestors(of: "nobody") == [])
        #expect(graph.stepInCycle == nil)
    }

    @Test func aCircleIsFoundWhereverItIs() {
        #expect(StepGraph(Self.graph([("a", ["a"])])).stepInCycle == "a")
        let later = Self.graph([("a", []), ("b", ["a", "d"]), ("c", ["b"]), ("d", ["c"]), ("e", ["a"])])
        #expect(StepGraph(later).stepInCycle == "b")
        // It ends also where the graph is no graph.
        #expect(StepGraph(later).ancestors(of: "b") == ["a", "b", "c", "d"])
    }

    @Test func theCriticalPathIsTheLongestChainAndCountsRounds() {
        var plan = PlanFixture.plan
        plan.steps = Self.graph([("a", []), ("b", ["a"]), ("c", ["a"]), ("d", ["b", "c"])])
        plan.steps[2].expectedSeconds = 50
        let path = StepGraph.criticalPath(of: plan)
        #expect(path.seconds == 70)
        #expect(path.steps == ["a", "c", "d"])
        plan.steps = []
        #expect(StepGraph.criticalPath(of: plan).seconds == 0)
        plan.steps = Self.graph([("a", []), ("b", []), ("c", [])])
        for index in plan.steps.indices {
            plan.steps[index].group = "g"
            plan.steps[index].atOnce = 1
        }
        #expect(StepGraph.criticalPath(of: plan).seconds == 30)
    }
}
