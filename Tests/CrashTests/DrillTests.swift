import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook as a drill, on the simulated deployment.
@Suite struct DrillTests {
    @Test func aDrillEndsWithASilentSiteAndAReportThatSaysHowToEndIt() async throws {
        let rig = try await Story.drill.rig()
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && rig.gaps == [])
        #expect(rig.deployment.withState { $0.database(of: "seoul").rows.isSilent })
        let state = try rig.state()
        let report = RunReport(
            run: "run", digest: rig.file.digest, state: state, records: try rig.disk.decoded())
        #expect(report.isDrill && report.title.hasPrefix("DRILL"))
        let silence = try #require(report.silence)
        #expect(
            silence.contains("silent_mode_enabled: false") && silence.contains("seoul-rails-1"),
            "\(silence)")
        #expect(RunStatus(run: "run", state: state).sentence.hasPrefix("DRILL"))
    }

    @Test func aDrillThatIsHeardLetsNobodyWrite() async throws {
        let rig = try await Story.drill.rig()
        let end = await rig.process(watching: { event in
            if case .recorded(let record) = event,
                case .stepSucceeded("promote-first-rails", _, _, _) = record.entry
            {
                rig.deployment.withState { state in
                    state.nodes[state.databaseIndex(of: "seoul")].database?.rows.isSilent = false
                }
            }
        })
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(reason.contains("site.silent"), "\(reason)")
        #expect(rig.deployment.withState { $0.database(of: "seoul").rows.isInMaintenanceMode })
        // Somebody turns it on, as the remedy says.
        rig.deployment.withState { state in
            state.nodes[state.databaseIndex(of: "seoul")].database?.rows.isSilent = true
        }
        #expect(await rig.runToTheEnd(processes: 2) == .ended(.finished), "\(rig.story)")
    }

    @Test func inEarnestNobodyIsSilencedAndWhoWasIsTold() async throws {
        let rig = Rig()
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.deployment.withState { !$0.database(of: "seoul").rows.isSilent })
        #expect(try Self.report(rig).silence == nil)

        let silenced = Rig()
        silenced.deployment.withState { state in
            for site in ["tokyo", "seoul"] as [SiteID] {
                state.nodes[state.databaseIndex(of: site)].database?.rows.isSilent = true
            }
        }
        #expect(await silenced.process() == .ended(.finished), "\(silenced.story)")
        #expect(try Self.report(silenced).silence?.contains("seoul is in Silent Mode") == true)
    }

    private static func report(_ rig: Rig) throws -> RunReport {
        RunReport(
            run: "run", digest: rig.file.digest, state: try rig.state(), records: try rig.disk.decoded())
    }
}
