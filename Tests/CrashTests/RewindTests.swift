import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `reseed-secondary` with a rewind in front of the copy.
@Suite struct RewindTests {
    private static func rig(_ how: SimulatedRewind = .works) async throws -> Rig {
        let before = await ReseedTests.failedOver()
        before.deployment.withState { $0["tokyo-pg-1"].rewind = how }
        var request = ReseedTests.request(before)
        request.rewinds = true
        return Rig(try PlanFile(try Planner.plan(request)), on: before.deployment, as: "rewind")
    }

    private static func ran(_ rig: Rig, _ text: String) -> Int {
        rig.deployment.withState { $0.history }.count { $0.contains("replicate~") && $0.contains(text) }
    }

    private static func wrong(_ rig: Rig) -> [String] {
        let isPermitted = rig.deployment.withState { $0.database(of: Fixtures.seoul).rows.isRewindPermitted }
        return ReseedTests.wrong(rig) + (isPermitted ? ["the replication user may read files of seoul"] : [])
    }

    @Test func aRewindDoesInsteadOfACopyAndNothingStaysPermitted() async throws {
        let rig = try await Self.rig()
        #expect(rig.file.plan.pointOfNoReturn == "replicate")
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [], "\(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        #expect(Self.ran(rig, RewindProgram.name) == 1, "\(rig.story)")
        #expect(Self.ran(rig, "replicate-geo-database") == 0)
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
        for bytes in [rig.file.bytes, rig.disk.bytes] {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("practice"))
        }
    }

    @Test func whereItFailsTheCopyFollowsInTheSameAttempt() async throws {
        let rig = try await Self.rig(.fails)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [], "\(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        #expect(Self.ran(rig, "replicate-geo-database") == 1)
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
    }

    @Test func aStandbyThatOnlyTheRewindSawStreamIsNoSuccess() async throws {
        let rig = try await Self.rig(.lies)
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("replicate failed") && reason.contains("no WAL receiver"), "\(reason)")
        #expect(Self.ran(rig, "replicate-geo-database") == 0)
        #expect(await rig.process() != .ended(.finished))
        rig.heal()
        #expect(await rig.runToTheEnd(processes: 4) == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [], "\(rig.faults) \(Self.wrong(rig)) \(rig.story)")
    }

    @Test(arguments: [SimulatedRewind.works, .fails])
    func killedAtAnyRecordItComesBackAsIfNothingHadHappened(how: SimulatedRewind) async throws {
        let whole = try await Self.rig(how)
        _ = await whole.process()
        let around = try Self.aroundTheRewind(whole)
        try await Search.deaths(of: { try await Self.rig(how) }, one: 41, apart: 13, and: around) { rig, death in
            #expect(rig.faults == [] && Self.wrong(rig) == [], "\(Self.wrong(rig)) \(death): \(rig.story)")
            #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1, "\(death)")
        }
    }

    /// Records about the steps that a rewind adds, and about the one that it changes.
    private static func aroundTheRewind(_ whole: Rig) throws -> [Int] {
        let lines = String(decoding: whole.disk.bytes, as: UTF8.self).split(separator: "\n")
        let found = lines.indices.filter { index in
            ["permit-rewind", "\"replicate\"", "forbid-rewind"].contains(where: lines[index].contains)
                && !lines[index].contains("runStarted")
        }
        try #require(found.count > 8)
        return found
    }

    @Test func afterAnySingleFaultItComesBackOrTheRunSaysWhatIsMissing() async throws {
        try await Search.faults(of: { try await Self.rig() }, one: 37) { rig, fault in
            #expect(rig.faults == [] && Self.wrong(rig) == [], "\(fault) \(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        }
    }

    @Test func theWayBackTakesBackWhatWasPermitted() async throws {
        let whole = try await Self.rig()
        _ = await whole.process()
        let lines = String(decoding: whole.disk.bytes, as: UTF8.self).split(separator: "\n")
        let permitted = try #require(
            lines.firstIndex { $0.contains("stepSucceeded") && $0.contains("permit-rewind") })
        let rig = try await Self.rig()
        #expect(await rig.process(dies: Death(kind: .afterWriting, record: permitted)) == .died)
        #expect(rig.deployment.withState { $0.database(of: Fixtures.seoul).rows.isRewindPermitted })
        let back = try ReseedTests.wayBack(of: rig)
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [], "\(back.story)")
        #expect(back.deployment.withState { !$0.database(of: Fixtures.seoul).rows.isRewindPermitted })
        #expect(back.deployment.withState { $0.nodes(of: Fixtures.tokyo).allSatisfy(\.isFenced) })
    }

    @Test func noPlanLeavesSomethingPermittedOrRewindsWithoutACopyBehindIt() async throws {
        let plan = try await Self.rig().file.plan
        #expect(PlanInvariants.violations(of: plan) == [])
        func without(_ group: StepID) -> Set<String> {
            var changed = plan
            let gone = plan.steps.filter { $0.group == group }
            changed.steps.removeAll { $0.group == group }
            for index in changed.steps.indices {
                changed.steps[index].after = changed.steps[index].after.flatMap { id in
                    gone.first { $0.id == id }?.after ?? [id]
                }
            }
            return Set(PlanInvariants.violations(of: changed).map(\.invariant))
        }
        func changed(_ change: (inout [RemoteCommand]) -> Void) -> Set<String> {
            var changed = plan
            for index in changed.steps.indices where changed.steps[index].id == "replicate" {
                guard case .commands(var commands, let node, let expected) = changed.steps[index].operation else {
                    continue
                }
                change(&commands)
                changed.steps[index].operation = .commands(commands: commands, node: node, expected: expected)
            }
            return Set(PlanInvariants.violations(of: changed).map(\.invariant))
        }
        #expect(without("forbid-rewind").contains("permission-taken-back"))
        #expect(without("permit-rewind").contains("rewind-falls-back"))
        #expect(changed { $0.removeAll { $0.condition == .previousFailed } }.contains("rewind-falls-back"))
        #expect(changed { $0.removeAll { $0.arguments.contains(RewindProgram.text) } }.contains("rewind-falls-back"))
        #expect(
            changed { commands in
                for index in commands.indices { commands[index].condition = .always }
            }.contains("rewind-falls-back"))
    }

    @Test func withoutTheFlagThePlanSaysThatARewindMayDo() async throws {
        let plan = try await ReseedTests.rig().file.plan
        let omitted = try #require(plan.omitted.first { $0.id == "permit-rewind" })
        #expect(omitted.reason.contains("plan --rewind"), "\(omitted)")
        #expect(!plan.steps.contains { $0.action == .permitRewind || $0.action == .forbidRewind })
        let wipe = try #require(plan.step("replicate"))
        guard case .commands(let commands, _, _) = wipe.operation else {
            Issue.record("replicate runs nothing")
            return
        }
        #expect(commands.allSatisfy { !$0.arguments.contains(RewindProgram.text) })
        #expect(commands.contains { $0.isUnlimitedCopy && $0.condition == .always })
    }
}
