import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `reseed-secondary` for a secondary that was never primary: it runs, and follows nobody.
@Suite struct RemainingSecondaryTests {
    /// After a re-seed, when its slot is gone: a secondary that runs and follows nobody.
    private static func behind() async throws -> (basis: Rig, again: Rig) {
        let back = try await ReseedTests.rig()
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        back.deployment.withState { $0["tokyo-pg-1"].hasLostSlot = true }
        return (back, Rig(try PlanFile(try Planner.plan(ReseedTests.request(back))), on: back.deployment, as: "again"))
    }

    /// A standby that streams is no candidate for a copy, unless it is this very step's own.
    @Test func aRunThatDiesBetweenTheCopyAndWhatFollowsItGoesOn() async throws {
        let whole = try await ReseedTests.rig()
        _ = await whole.process()
        let lines = String(decoding: whole.disk.bytes, as: UTF8.self).split(separator: "\n")
        let copied = try #require(
            lines.firstIndex {
                $0.contains("commandFinished") && $0.contains("replicate") && $0.contains("\"index\":3")
            })
        let rig = try await ReseedTests.rig()
        #expect(await rig.process(dies: Death(kind: .afterWriting, record: copied)) == .died)
        guard case .running(let running) = try rig.state().progress(of: "replicate") else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(running.command == 4 && !running.isCommandStarted)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
    }

    @Test func aSecondaryThatFollowsNobodyIsStoppedAndSeededAnew() async throws {
        let rig = try await Self.behind().again
        let plan = rig.file.plan
        #expect(plan.findings.first { $0.check == "reseed.stands-still" }?.verdict == .pass)
        let managed = ReseedTests.inventory.site(Fixtures.tokyo)?.nodes.filter(\.isManagedByOmnibus) ?? []
        #expect(plan.steps.filter { $0.group == "stop-site" }.count == managed.count)
        #expect(plan.omitted.map(\.id).contains("save-divergence"))
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(
            rig.faults == [] && ReseedTests.wrong(rig) == [], "\(rig.faults) \(ReseedTests.wrong(rig)) \(rig.story)")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 2)
        // Once it streams, nobody stops it again.
        let blocking = ReseedTests.request(rig).findings.filter { $0.verdict >= .fail }.map(\.check)
        #expect(blocking.contains("reseed.direction") && blocking.contains("reseed.stands-still"), "\(blocking)")
    }

    @Test func whateverBefallsItBeforeTheCopyASecondaryComesBackOrServesAsBefore() async throws {
        let (basis, whole) = try await Self.behind()
        let before = basis.deployment.withState { $0 }
        let began = whole.deployment.operations
        guard case .ended(.declined) = await whole.process(answers: { _ in "tokyo" }) else {
            Issue.record("\(whole.story)")
            return
        }
        let exchanges = whole.deployment.exchanges.filter { $0 >= began }.map { $0 - began }.sorted()
        for (kind, fault) in SimulatedDeployment.Fault.allCases.enumerated() {
            for exchange in exchanges where Thoroughness.isThorough || exchange % 17 == kind {
                let rig = try await Self.behind().again
                rig.deployment.inject([rig.deployment.operations + exchange: fault])
                #expect(
                    await rig.runToTheEnd(processes: 12) == .ended(.finished), "\(fault) at \(exchange): \(rig.story)")
                #expect(
                    rig.faults == [] && ReseedTests.wrong(rig) == [],
                    "\(rig.faults) \(ReseedTests.wrong(rig)) \(rig.story)")
            }
        }
        let back = try ReseedTests.wayBack(of: whole)
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [], "\(back.story)")
        let after = back.deployment.withState { $0 }
        for (old, new) in zip(before.nodes, after.nodes) where old.site == Fixtures.tokyo {
            #expect(new.startsAtBoot && !new.isBootMasked && new.held.isEmpty, "\(new.node.id)")
            #expect(new.services.map(\.isRunning) == old.services.map(\.isRunning), "\(new.node.id)")
            #expect(new.database?.kept == old.database?.kept)
        }
    }
}
