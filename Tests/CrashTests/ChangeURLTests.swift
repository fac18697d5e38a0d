import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `change-url`, after a failover on the simulated deployment.
@Suite struct ChangeURLTests {
    @Test func everyNodeAndTheTablesHaveTheNewUrlAndACopyOfTheOldFileIsKept() async throws {
        let rig = try await Story.changeURL.rig()
        #expect(rig.file.plan.findings.filter { $0.verdict > .warn }.map(\.summary) == [])
        #expect(rig.file.plan.edits.flatMap(\.edit.lines).map(\.new) == ["external_url '\(ChangedURL.wanted)'"])
        #expect(rig.file.plan.pointOfNoReturn == nil)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && rig.gaps == [], "\(rig.faults) \(rig.gaps) \(rig.story)")
        // Once more there is nothing to do, and the plan of before is stale.
        #expect(throws: PlanRefusal.self) { try Planner.plan(ChangedURL.request(rig)) }
        let again = Rig(rig.file, on: rig.deployment, as: "again")
        guard case .ended(.refused(let drift)) = await again.process() else {
            Issue.record("\(again.story)")
            return
        }
        #expect(drift.contains { $0.fact == "external_url" && $0.planned.contains(ChangedURL.former) })
    }

    @Test func aReconfigureThatFailsHaltsWhileTheOtherNodesServeAndAbortGivesTheUrlBack() async throws {
        let rig = try await Story.changeURL.rig()
        rig.deployment.withState { $0["seoul-rails-2"].failingReconfigures = 1 }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("reconfigure@seoul-rails-2 failed"))
        let state = try rig.state()
        #expect(RunStatus(run: "run", state: state).canGoBack)
        let back = try #require(try await WayBack.rig(undoing: rig))
        #expect(back.file.plan.inventory.site("seoul")?.url == ChangedURL.former)
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [] && back.gaps == [], "\(back.faults) \(back.gaps) \(back.story)")
    }

    @Test func noPlanChangesAUrlBesideAnythingElseOrOnTheOtherSite() async throws {
        let plan = try await Story.changeURL.rig().file.plan
        #expect(PlanInvariants.violations(of: plan) == [])
        func broken(_ change: (inout Plan) -> Void) -> Set<String> {
            var changed = plan
            change(&changed)
            return Set(PlanInvariants.violations(of: changed).map(\.invariant))
        }
        #expect(broken { $0.scenario = .planned }.contains("url-alone"))
        #expect(
            broken {
                $0.from = "seoul"; $0.to = "tokyo"
            }.contains("never-the-other-site"))
        #expect(broken { $0.steps[0].action = .stopAndDisable }.contains("url-only"))
        #expect(
            broken { plan in
                for index in plan.steps.indices { plan.steps[index].after = [] }
            }.contains("nodes-before-tables"))
        #expect(
            broken { plan in
                for index in plan.inventory.sites.indices { plan.inventory.sites[index].url = "https://a b" }
            }.contains("url-is-one"))
    }

    @Test func aLineThatIsNotPlainIsRefusedWithASentence() async throws {
        let rig = Rig()
        _ = await rig.process()
        func reasons(_ setting: ConfigurationFacts.Setting, _ lines: [String]) -> [String] {
            var request = ChangedURL.request(rig)
            var facts = Fixtures.configuration(of: "seoul")
            facts.externalURL = setting
            facts.urlLines = lines
            request.observation.change("seoul-rails-1") { $0.configuration = Fixtures.seen(facts) }
            return refusal(of: request)
        }
        #expect(reasons(.computed, ["external_url ENV['URL']"]).contains { $0.contains("is no plain text") })
        #expect(
            reasons(.text(value: "http://a"), ["external_url 'http://a'", "external_url 'http://b'"])
                .contains { $0.contains("sets external_url 2 times") })
        #expect(reasons(.absent, []).contains { $0.contains("sets no external_url") })
        #expect(
            reasons(.text(value: "http://a"), ["external_url 'http://a'"])
                .contains { $0.contains("have different URLs") })
    }
}
