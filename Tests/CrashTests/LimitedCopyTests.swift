import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// The shipped runbook `reseed-secondary` where the inventory limits the rate of the copy.
@Suite struct LimitedCopyTests {
    private static let rate = 50 << 10

    private static func request(
        _ before: Rig, rate: Int = rate, rewinds: Bool = false, _ change: (inout PlanRequest) -> Void = { _ in }
    ) -> PlanRequest {
        var request = ReseedTests.request(before)
        request.inventory.replication?.copyRate = CopyRate(kilobytesPerSecond: rate)
        request.rewinds = rewinds
        change(&request)
        return request
    }

    private static func rig(
        rewinds: Bool = false, _ change: (inout SimulatedNode) -> Void = { _ in }
    ) async throws -> Rig {
        let before = await ReseedTests.failedOver()
        let file = try PlanFile(try Planner.plan(request(before, rewinds: rewinds)))
        before.deployment.withState { state in
            state.inventory = file.plan.inventory
            change(&state["tokyo-pg-1"])
        }
        return Rig(file, on: before.deployment, as: "limited")
    }

    private static func ran(_ rig: Rig, _ text: String) -> Int {
        rig.deployment.withState { $0.history }.count { $0.contains("replicate~") && $0.contains(text) }
    }

    private static func expectEnd(_ rig: Rig, _ what: String = "", _ location: SourceLocation = #_sourceLocation) {
        let wrong = ReseedTests.wrong(rig)
        #expect(
            rig.faults == [] && wrong == [], "\(what) \(rig.faults) \(wrong) \(rig.story)", sourceLocation: location)
        #expect(ran(rig, "replicate-geo-database") == 0, "\(what)", sourceLocation: location)
    }

    @Test func theDatabaseIsCopiedAtTheRateAndNeverWithoutIt() async throws {
        let rig = try await Self.rig()
        let told = Mutex<[BaseBackup]>([])
        let end = await rig.process(beforeExchange: { _ in
            var scope = ObservationScope()
            scope.ask([.baseBackups], of: rig.file.plan.inventory.site(Fixtures.seoul)?.databaseNodes ?? [])
            let copies = rig.deployment.observe(scope)["seoul-pg-1"].baseBackups.value ?? []
            told.withLock { $0 += copies }
        })
        #expect(end == .ended(.finished), "\(rig.story)")
        Self.expectEnd(rig)
        #expect(Self.ran(rig, LimitedCopyProgram.name) == 1, "\(rig.story)")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
        // Its progress is seen where that of any copy is.
        let own = told.withLock { $0 }
        #expect(
            own.count > 1 && own.allSatisfy { $0.client == rig.file.plan.inventory.node("tokyo-pg-1")?.access.address })
        for bytes in [rig.file.bytes, rig.disk.bytes] {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("practice"))
        }
    }

    @Test func whereARewindFailsTheLimitedCopyFollowsInTheSameAttempt() async throws {
        let rewound = try await Self.rig(rewinds: true)
        #expect(await rewound.process() == .ended(.finished), "\(rewound.story)")
        Self.expectEnd(rewound)
        #expect(Self.ran(rewound, LimitedCopyProgram.name) == 0)
        let rig = try await Self.rig(rewinds: true) { $0.rewind = .fails }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        Self.expectEnd(rig)
        #expect(Self.ran(rig, RewindProgram.name) == 1 && Self.ran(rig, LimitedCopyProgram.name) == 1)
    }

    @Test func aLimitedCopyThatFailsFailsTheStepAndIsTriedAgain() async throws {
        for rewinds in [false, true] {
            let rig = try await Self.rig(rewinds: rewinds) { node in
                node.streamsNothing = true
                node.rewind = .fails
            }
            guard case .ended(.halted(let reason)) = await rig.process() else {
                Issue.record("\(rig.story)")
                return
            }
            #expect(reason.contains("replicate failed") && reason.contains("exited with 1"), "\(reason)")
            #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 0)
            rig.heal()
            #expect(await rig.runToTheEnd(processes: 4) == .ended(.finished), "\(rig.story)")
            Self.expectEnd(rig)
            #expect(Self.ran(rig, LimitedCopyProgram.name) == 2, "\(rig.story)")
        }
    }

    @Test func killedAtAnyRecordItComesBackAsIfNothingHadHappened() async throws {
        let whole = try await Self.rig()
        _ = await whole.process()
        let lines = String(decoding: whole.disk.bytes, as: UTF8.self).split(separator: "\n")
        let around = lines.indices.filter { lines[$0].contains("\"replicate\"") && !lines[$0].contains("runStarted") }
        try #require(around.count > 4)
        try await Search.deaths(of: { try await Self.rig() }, one: 41, apart: 13, and: around) { rig, death in
            Self.expectEnd(rig, death)
            #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1, "\(death)")
        }
    }

    @Test func afterAnySingleFaultItComesBackOrTheRunSaysWhatIsMissing() async throws {
        try await Search.faults(of: { try await Self.rig() }, one: 31) { rig, fault in Self.expectEnd(rig, fault) }
    }

    // MARK: Plans

    @Test func thePlanSaysTheRateAndHowLongTheCopyTakesAtIt() async throws {
        let before = await ReseedTests.failedOver()
        func size(_ bytes: Int) -> (inout PlanRequest) -> Void {
            { request in request.observation.change("seoul-pg-1") { $0.dataDirectoryBytes = Fixtures.seen(bytes) } }
        }
        // 90 GiB at 50 MB a second: longer than a copy is usually expected to take.
        let plan = try Planner.plan(Self.request(before, size(90 << 30)))
        let step = try #require(plan.step("replicate"))
        #expect(step.expectedSeconds == 1844)
        #expect(step.why.contains("at most 50 MB a second: 90 GiB") && step.why.contains("about 31 min"), "\(step.why)")
        guard case .confirmation(let question, _)? = plan.step("confirm")?.operation else {
            Issue.record("nobody is asked")
            return
        }
        #expect(question.contains("at most 50 MB a second"), "\(question)")
        let usual = try Planner.plan(ReseedTests.request(before)).step("replicate")?.expectedSeconds
        let small = try Planner.plan(Self.request(before, size(1 << 30))).step("replicate")?.expectedSeconds
        #expect(usual != nil && small == usual)
        let unknown = try #require(
            try Planner.plan(
                Self.request(before) {
                    $0.observation.change("seoul-pg-1") { $0.dataDirectoryBytes = .unknown(reason: "garbled") }
                }
            )
            .step("replicate"))
        #expect(unknown.expectedSeconds == usual)
        #expect(
            unknown.why.contains("how long that takes is unknown: the size of seoul-pg-1: garbled"), "\(unknown.why)")
    }

    @Test func aCopyThatWouldTakeLongerThanItsStepIsRefusedWithWhatToWrite() async throws {
        let before = await ReseedTests.failedOver()
        let slow = refusal(
            of: Self.request(before, rate: 1 << 10) {
                $0.observation.change("seoul-pg-1") { $0.dataDirectoryBytes = Fixtures.seen(90 << 30) }
            }
        )
        #expect(
            slow.contains {
                $0.contains("step replicate: at 1 MB a second, 90 GiB") && $0.contains("take about 25.6 h")
                    && $0.contains("the step has 12 h: write copy_rate: 3MB or more, or a longer time_limit")
            }, "\(slow)")
        // Which database the source has is what the program compares.
        let blind = refusal(
            of: Self.request(before) { request in
                request.observation.change("seoul-pg-1") { $0.database = .unknown(reason: "garbled") }
                request.observation.change("seoul-pg-1") { $0.controlData = .unknown(reason: "garbled") }
            })
        #expect(
            blind.contains { $0.contains("which database seoul-pg-1 has is not known") }, "\(blind)")
    }

    @Test func noPlanCopiesAtAnotherRateThanTheInventorysOrWithoutOneAfterIt() async throws {
        let before = await ReseedTests.failedOver()
        for rewinds in [false, true] {
            let plan = try Planner.plan(Self.request(before, rewinds: rewinds))
            #expect(PlanInvariants.violations(of: plan) == [])
            func commands(_ change: (inout [RemoteCommand]) -> Void) -> Set<String> {
                plan.broken(at: "replicate") { step in
                    guard case .commands(var commands, let node, let expected) = step.operation else { return }
                    change(&commands)
                    step.operation = .commands(commands: commands, node: node, expected: expected)
                }
            }
            func isCopy(_ command: RemoteCommand) -> Bool { command.arguments.contains(LimitedCopyProgram.text) }
            let unlimited = RemoteCommand(
                arguments: ["gitlab-ctl", "replicate-geo-database"], timeLimitSeconds: 60, condition: .previousFailed)
            #expect(commands { $0.append(unlimited) }.contains("rate-kept"))
            #expect(commands { $0.removeAll(where: isCopy) }.contains("rate-kept"))
            #expect(commands { $0.removeAll(where: isCopy) }.contains("rewind-falls-back"))
            func each(_ change: (inout RemoteCommand) -> Void) -> Set<String> {
                commands { all in for index in all.indices where isCopy(all[index]) { change(&all[index]) } }
            }
            #expect(each { $0.arguments[$0.arguments.count - 1] = "900M" }.contains("rate-kept"))
            #expect(each { $0.exitStatus = .isOnlyAClaim }.contains("rate-kept"))
            #expect(each { $0.condition = rewinds ? .always : .previousFailed }.contains("rewind-falls-back"))
            let unasked = plan.broken { $0.inventory.replication?.copyRate = nil }
            #expect(unasked.contains("rate-kept"))
            #expect(plan.broken(without: "confirm").contains("asked-before-wipe"))
        }
        // A plan without a rate has no such copy.
        let usual = try Planner.plan(ReseedTests.request(before))
        let unlimited = usual.broken { $0.inventory.replication?.copyRate = CopyRate(kilobytesPerSecond: 32) }
        #expect(unlimited == ["rate-kept"])
    }
}
