import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The plan of the shipped runbook, with nothing in its way.
@Suite struct UndisturbedTests {
    @Test func everyStepSucceedsAndTheSitesHaveChangedPlaces() async throws {
        let rig = Rig()
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [])
        #expect(rig.gaps == [])
        let state = try rig.state()
        for step in rig.file.plan.steps {
            #expect(state.progress(of: step.id) == .succeeded(attempt: 1, how: .performed), "\(step.id)")
        }
        #expect(rig.promotions.values.allSatisfy { $0 == 1 })
        #expect(rig.promotions.count == 6)
        #expect(rig.localRuns == ["push-canary": 1, "move-traffic": 1])
    }

    @Test func theReportOfAFinishedRunNamesItsProofAndItsOutage() async throws {
        let rig = Rig()
        _ = await rig.process()
        let report = RunReport(
            run: "run", digest: rig.file.digest, state: try rig.state(), records: try rig.disk.decoded())
        #expect(report.isFinished)
        #expect(report.zeroLossProof?.verdict == .pass)
        #expect((report.outage?.seconds ?? 0) > 0)
        #expect((report.readOnly?.seconds ?? 0) > (report.outage?.seconds ?? 0))
    }

    /// Nodes may be promoted, and writes open, while the load balancer still sends nobody to them.
    @Test func anOutageIsOverWhenTheUrlAnswersAndNotBefore() async throws {
        let rig = Rig()
        _ = await rig.process()
        let report = RunReport(
            run: "run", digest: rig.file.digest, state: try rig.state(), records: try rig.disk.decoded())
        let served = try #require(report.steps.first { $0.step == "url-ready" }?.endedAt)
        #expect(report.readOnly?.until == served)
        #expect(report.outage?.until == served)
    }
}
