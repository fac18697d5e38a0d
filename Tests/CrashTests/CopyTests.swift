import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// What the exit status of `gitlab-ctl replicate-geo-database` leaves open.
@Suite struct CopyTests {
    private static func copies(_ rig: Rig) -> [SimulatedJob] {
        rig.deployment.withState { $0["tokyo-pg-1"].jobs.filter { $0.arguments.contains("replicate-geo-database") } }
    }

    /// `gitlab-ctl replicate-geo-database` exits with 1 for a service that does not start, too, after hours of copying.
    @Test func aWholeCopyIsNotMadeAgainBecauseSomethingDidNotStart() async throws {
        let rig = try await ReseedTests.rig()
        let end = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted("replicate", _) = record.entry {
                // What a copy that was cut before has left.
                rig.deployment.withState { $0["tokyo-pg-1"].copy.hasForeignSettings = true }
            }
        })
        #expect(end == .ended(.finished), "\(end) \(rig.story)")
        #expect(
            rig.faults == [] && ReseedTests.wrong(rig) == [], "\(rig.faults) \(ReseedTests.wrong(rig)) \(rig.story)")
        #expect(Self.copies(rig).map(\.status) == [1])
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
        let unseen = rig.file.plan.broken(at: "replicate") { step in
            guard case .commands(var commands, let node, let expected) = step.operation else { return }
            commands.removeAll { $0 == ActionCommands.wholeCopy }
            step.operation = .commands(commands: commands, node: node, expected: expected)
        }
        #expect(unseen == ["streams-or-failed"])
    }

    /// And a database that is not whole is neither started nor reconfigured: on an empty directory that makes a new one.
    @Test func aCopyThatFailedSaysWhyAndNothingFollowsIt() async throws {
        let rig = try await ReseedTests.rig()
        let end = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .commandStarted(let step, _, _, _) = record.entry,
                step == "replicate"
            {
                // Before its password is written.
                rig.deployment.withState { $0["tokyo-pg-1"].attributes = .stub }
            }
        })
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end) \(rig.story)")
            return
        }
        #expect(reason.contains("replicate-geo-database") && reason.contains("exited with 1"), "\(reason)")
        #expect(reason.contains("Attributes not found"), "\(reason)")
        #expect(!reason.contains("test -e"), "\(reason)")
        #expect(rig.deployment.withState { $0["tokyo-pg-1"].jobs.last?.arguments.first } == "test")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 0)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(
            rig.faults == [] && ReseedTests.wrong(rig) == [], "\(rig.faults) \(ReseedTests.wrong(rig)) \(rig.story)")
    }
}
