import GeoCore
import GeoTestSupport
import Testing

/// Slots are dropped that nobody of the inventory can want, by a run that does nothing else.
@Suite struct SlotPlanTests {
    private static let runbook = Runbook(
        name: "drop-slots", title: "Slots", scenario: .dropSlots, preflight: [],
        steps: [
            RunbookStep(id: "confirm", action: .confirm, text: "Type their names."),
            RunbookStep(
                id: "drop", action: .dropSlots, target: .init(part: .from, components: [.postgresql], nodes: .one),
                until: .init(check: "replication.slots-dropped", withinSeconds: 60), why: "because"),
        ], source: DocumentReference(path: "s.yaml", digest: Digest(of: [1])))

    private static func slot(_ name: String, isActive: Bool = false) -> DatabaseFacts.Slot {
        .init(name: name, isActive: isActive, retainedBytes: 3 << 30, walStatus: "extended")
    }

    private static func request(_ slots: [String], _ change: (inout Observation) -> Void = { _ in }) -> PlanRequest {
        var request = PlanFixture.request(runbook)
        request.slots = slots
        request.observation.put(
            \.database, Fixtures.primary(slots: [slot("seoul", isActive: true), slot("osaka"), slot("kobe")]),
            on: "tokyo-pg-1")
        change(&request.observation)
        return request
    }

    private static func refusal(_ request: PlanRequest) -> String {
        do throws(PlanRefusal) {
            _ = try Planner.plan(request)
            return "planned"
        } catch {
            return error.reasons.joined(separator: "\n")
        }
    }

    @Test func theQuestionNamesEachSlotAndWhatItHolds() throws {
        let plan = try Planner.plan(Self.request(["osaka", "kobe"]))
        guard case .confirmation(let question, let answer)? = plan.step("confirm")?.operation else {
            Issue.record("nobody is asked")
            return
        }
        #expect(answer == "osaka,kobe")
        #expect(question.contains("osaka holds back 3 GiB (3221225472 bytes) of WAL for nobody."))
        let drop = try #require(plan.step("drop"))
        guard case .commands(let commands, _, _) = drop.operation else {
            Issue.record("nothing is run")
            return
        }
        #expect(drop.isIrreversible && commands.count == 2)
        #expect(commands.allSatisfy { $0.arguments.last?.contains("AND NOT active") == true })
        #expect(plan.planCommand.hasSuffix("--slot osaka --slot kobe"))
    }

    @Test func aSlotThatMayBeWantedIsNotDropped() {
        #expect(Self.refusal(Self.request([])).contains("--slot osaka --slot kobe"))
        #expect(Self.refusal(Self.request(["seoul"])).contains("seoul cannot be dropped"))
        #expect(Self.refusal(Self.request(["nara"])).contains("nara cannot be dropped"))
        // Its standby is away for a while, and may stream through any slot.
        let away = Self.request(["osaka"]) { $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1") }
        #expect(Self.refusal(away).contains("a standby that streams from nobody now"))
        let dark = Self.request(["osaka"]) { $0 = $0.losing("seoul-pg-1") }
        #expect(Self.refusal(dark).contains("does not answer"))
        // A former primary that is stopped has none.
        let fenced = Self.request(["osaka"]) { observation in
            observation = observation.losing("seoul-pg-1")
            observation.put(\.controlData, Fixtures.controlData("shut down"), on: "seoul-pg-1")
        }
        #expect(Self.refusal(fenced) == "planned")
    }

    /// Beside a fenced former primary, too, whose remedies are otherwise to leave it off.
    @Test func theCheckNamesTheCommandThatDropsIt() {
        var observation = Fixtures.promoted()
        observation.put(\.database, Fixtures.primary(slots: [Self.slot("osaka")], timeline: 2), on: "seoul-pg-1")
        var tables = Fixtures.geo(primary: "seoul")
        tables.nodes.removeAll { $0.name == "tokyo" }
        observation.put(\.geo, tables, on: "seoul-pg-1")
        let findings = FormerPrimary.guarded(
            askCheck("replication.orphaned-slots", observation, about: .failover(from: "seoul", to: "tokyo")),
            in: Fixtures.inventory(), observation)
        let remedy = findings.compactMap(\.remedy).joined()
        #expect(remedy.contains("geo-failover plan drop-slots --from seoul --to tokyo --slot osaka"), "\(findings)")
    }

    @Test func justBeforeItActsAndAfterwardsItLooks() throws {
        let plan = try Planner.plan(Self.request(["osaka"]))
        let drop = try #require(plan.step("drop"))
        let before = try #require(drop.requires.first?.check)
        let after = try #require(drop.until?.check)
        func worst(_ reference: CheckReference, _ slots: [DatabaseFacts.Slot]) -> Verdict {
            var context = CheckContext(
                inventory: plan.inventory, subject: reference.subject, from: plan.from, to: plan.to)
            context.names = reference.names
            var observation = plan.basis
            observation.put(\.database, Fixtures.primary(slots: slots), on: "tokyo-pg-1")
            return CheckCatalog.check(reference.check)?.findings(context, observation).worst ?? .unknown
        }
        let seoul = Self.slot("seoul", isActive: true)
        #expect(worst(before, [seoul, Self.slot("osaka")]) == .pass)
        #expect(worst(before, [seoul, Self.slot("osaka", isActive: true)]) == .fail)
        // The one that is not to be dropped is no matter.
        #expect(worst(before, [Self.slot("seoul"), Self.slot("osaka")]) == .pass)
        #expect(worst(after, [seoul, Self.slot("osaka")]) == .fail)
        #expect(worst(after, [seoul, Self.slot("kobe")]) == .pass)
    }

    @Test func aPlanWithoutItsQuestionOrItsLookIsRefused() throws {
        let good = try Planner.plan(Self.request(["osaka"]))
        func violations(_ change: (inout Plan) -> Void) -> Set<String> {
            var plan = good
            change(&plan)
            return Set(PlanInvariants.violations(of: plan).map(\.invariant))
        }
        #expect(violations { _ in } == [])
        #expect(violations { $0.steps[1].requires = [] }.contains("seen-abandoned"))
        for (name, invariant) in [("kobe", "asked-before-drop"), ("o'saka", "seen-abandoned")] {
            let found = violations { plan in plan.steps[1].until?.check.names = [name] }
            #expect(found.contains(invariant))
        }
        #expect(
            violations {
                $0.steps.removeFirst()
                $0.steps[0].after = []
            }.contains("asked-before-drop"))
        #expect(violations { $0.scenario = .planned }.contains("slots-alone"))
        #expect(violations { $0.steps[1].action = .reconfigure }.contains("slots-only"))
    }
}
