import FoundationEssentials
import GeoCore
import GeoDocuments
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `change-url`, after a failover on the simulated deployment.
@Suite struct ChangeURLTests {
    private static let former = "http://10.77.2.10"
    private static let wanted = "http://10.77.1.10"

    private static let runbook: Runbook = {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "runbooks/change-url.yaml").path
        guard let data = FileManager.default.contents(atPath: path) else { fatalError("\(path) cannot be read") }
        let loaded = RunbookDocument.load(text: String(decoding: data, as: UTF8.self), path: path)
        guard let runbook = loaded.runbook else { fatalError("\(loaded.diagnostics)") }
        return runbook
    }()

    private static func renamed(_ url: String) -> Inventory {
        var inventory = ShippedPlan.inventory
        for index in inventory.sites.indices where inventory.sites[index].id == Fixtures.seoul {
            inventory.sites[index].url = url
        }
        return inventory
    }

    private static func request(_ rig: Rig, url: String = wanted) -> PlanRequest {
        let inventory = renamed(url)
        let basis = rig.deployment.observe(SimulatedState.everything(inventory))
        let findings = CheckProfile.changeURL.preflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            return CheckCatalog.subjects(
                of: check, inventory: inventory, from: Fixtures.tokyo, to: Fixtures.seoul, asked: item.subjects
            ).flatMap {
                check.findings(
                    CheckContext(inventory: inventory, subject: $0, from: Fixtures.tokyo, to: Fixtures.seoul), basis)
            }
        }
        return PlanRequest(
            inventory: inventory, runbook: runbook, from: Fixtures.tokyo, to: Fixtures.seoul, observation: basis,
            findings: findings, waivers: [], createdAt: basis.endedAt, createdBy: "t", toolVersion: "t")
    }

    /// After a finished failover: a run that has yet to begin.
    private static func rig() async throws -> Rig {
        let before = Rig()
        #expect(await before.process() == .ended(.finished))
        return Rig(undoing: before, with: try PlanFile(try Planner.plan(request(before))))
    }

    /// What is not as a finished change of the URL leaves it.
    private static func wrong(_ rig: Rig, url: String = wanted) -> [String] {
        rig.deployment.withState { state -> [String] in
            var found: [String] = []
            for node in state.nodes(of: state.to) {
                guard let own = node.url else { continue }
                if own.value != url || own.applied != url { found.append("\(node.node.id) has \(own.applied)") }
                if own.backup != "external_url '\(former)'" { found.append("\(node.node.id) kept no copy") }
            }
            for node in state.nodes(of: state.from) {
                guard let own = node.url, own.line != "external_url '\(wanted)'" else { continue }
                found.append("\(node.node.id) was edited")
            }
            if state.database(of: state.to).rows.urls[state.to] != url { found.append("geo_nodes was not written") }
            return found
        }
    }

    @Test func everyNodeAndTheTablesHaveTheNewUrlAndACopyOfTheOldFileIsKept() async throws {
        let rig = try await Self.rig()
        #expect(rig.file.plan.findings.filter { $0.verdict > .warn }.map(\.summary) == [])
        #expect(rig.file.plan.edits.flatMap(\.edit.lines).map(\.new) == ["external_url '\(Self.wanted)'"])
        #expect(rig.file.plan.pointOfNoReturn == nil)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [], "\(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        // Once more there is nothing to do, and the plan of before is stale.
        #expect(throws: PlanRefusal.self) { try Planner.plan(Self.request(rig)) }
        let again = Rig(undoing: rig, with: rig.file, as: "again")
        guard case .ended(.refused(let drift)) = await again.process() else {
            Issue.record("\(again.story)")
            return
        }
        #expect(drift.contains { $0.fact == "external_url" && $0.planned.contains(Self.former) })
    }

    @Test func killedAtAnyRecordTheUrlIsChangedAsIfNothingHadHappened() async throws {
        let whole = try await Self.rig()
        _ = await whole.process()
        for record in stride(from: 1, to: whole.disk.records, by: Thoroughness.isThorough ? 1 : 7) {
            let rig = try await Self.rig()
            #expect(await rig.process(dies: Death(kind: .afterWriting, record: record)) == .died)
            var end = await rig.process()
            if case .ended(.halted(let reason)) = end, reason.hasPrefix("move-name failed") {
                end = await rig.process()
            }
            #expect(end == .ended(.finished), "record \(record): \(rig.story)")
            #expect(rig.faults == [] && Self.wrong(rig) == [], "\(Self.wrong(rig)) record \(record): \(rig.story)")
        }
    }

    @Test func aReconfigureThatFailsHaltsWhileTheOtherNodesServeAndAbortGivesTheUrlBack() async throws {
        let rig = try await Self.rig()
        rig.deployment.withState { $0["seoul-rails-2"].failingReconfigures = 1 }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("reconfigure@seoul-rails-2 failed"))
        let state = try rig.state()
        #expect(RunStatus(run: "run", state: state).canGoBack)
        let runbook = try #require(AbortPlanner.runbook(undoing: "run", state, digest: rig.file.digest))
        var request = Self.request(rig, url: Self.former)
        request.runbook = runbook
        request.inventory = AbortPlanner.inventory(rig.file.plan)
        #expect(request.inventory.site("seoul")?.url == Self.former)
        request.findings = []
        let back = Rig(undoing: rig, with: try PlanFile(try Planner.plan(request)), as: "way-back")
        back.deployment.withState { $0.wantedURL = Self.former }
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [] && Self.wrong(back, url: Self.former) == [], "\(back.faults) \(back.story)")
    }

    @Test func noPlanChangesAUrlBesideAnythingElseOrOnTheOtherSite() async throws {
        let plan = try await Self.rig().file.plan
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
            var request = Self.request(rig)
            var facts = Fixtures.configuration(of: "seoul")
            facts.externalURL = setting
            facts.urlLines = lines
            request.observation.change("seoul-rails-1") { $0.configuration = Fixtures.seen(facts) }
            do throws(PlanRefusal) {
                _ = try Planner.plan(request)
                return []
            } catch {
                return error.reasons
            }
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
