import GeoCore
import GeoTestSupport
import Testing

/// A drill is the failover itself, promoted in Silent Mode; nobody may take the one for the other.
@Suite struct DrillPlanTests {
    private static func request(_ change: (inout PlanRequest) -> Void = { _ in }) -> PlanRequest {
        var request = PlanFixture.request()
        request.isDrill = true
        change(&request)
        return request
    }

    private static func refusal(_ request: PlanRequest) -> [String] {
        do throws(PlanRefusal) {
            _ = try Planner.plan(request)
            return []
        } catch {
            return error.reasons
        }
    }

    private static func promotions(_ plan: Plan) -> [RemoteCommand] {
        plan.steps.flatMap { step -> [RemoteCommand] in
            guard case .commands(let commands, _, _) = step.operation else { return [] }
            return commands.filter { $0.arguments.contains("promote") }
        }
    }

    @Test func everyPromotionOfADrillIsSilentAndNoneInEarnest() throws {
        let drill = try Planner.plan(Self.request())
        #expect(drill.isDrill && drill.title.hasPrefix("DRILL: "))
        let found = Self.promotions(drill)
        #expect(found.count == 6)
        #expect(
            found.allSatisfy {
                $0.arguments == ["gitlab-ctl", "geo", "promote", "--force", "--enable-silent-mode"]
            })
        #expect(!PlanFixture.plan.isDrill)
        #expect(
            Self.promotions(PlanFixture.plan).allSatisfy {
                !$0.arguments.contains("--enable-silent-mode")
            })
    }

    @Test func usersWriteOnlyAfterSilentModeWasSeen() throws {
        let drill = try Planner.plan(Self.request())
        let silent = Requirement(
            check: CheckReference(check: "site.silent", subject: .site(id: "seoul")), when: .always)
        #expect(drill.step("open")?.requires == [silent])
        #expect(PlanFixture.plan.step("open")?.requires == [])
    }

    @Test func theQuestionOfADrillSaysSo() throws {
        guard
            case .confirmation(let question, _)? = try Planner.plan(Self.request()).step("confirm")?
                .operation
        else {
            Issue.record("nobody is asked")
            return
        }
        #expect(question.contains("DRILL"))
    }

    @Test(arguments: ["16.4.9-ee.0", "15.11.13-ee.0", "9.5.0-ee.0", "x", ""])
    func anOlderGitLabKnowsNoSilentMode(version: String) {
        let reasons = Self.refusal(
            Self.request { request in
                let at = request.observation.endedAt
                request.observation.nodes["seoul-rails-2"]?.gitlabVersion = .known(
                    value: version, at: at, from: "seoul-rails-2")
            })
        #expect(
            reasons.count == 1 && reasons[0].contains("seoul-rails-2") && reasons[0].contains("16.5"),
            "\(reasons)")
    }

    @Test(arguments: ["16.5.0-ee.0", "16.10.1-ee.0", "17.0.0-ee.0", "100.1.0-ee.0"])
    func aNewerOneDoes(version: String) {
        let reasons = Self.refusal(
            Self.request { request in
                let at = request.observation.endedAt
                request.observation.nodes["seoul-rails-2"]?.gitlabVersion = .known(
                    value: version, at: at, from: "seoul-rails-2")
            })
        #expect(reasons == [])
    }

    @Test func aVersionThatIsNotKnownIsNoneThatKnowsIt() {
        let reasons = Self.refusal(
            Self.request {
                $0.observation.nodes["seoul-pg-1"]?.gitlabVersion = .unknown(reason: "cut off")
            })
        #expect(reasons.contains { $0.contains("seoul-pg-1") && $0.contains("cut off") }, "\(reasons)")
    }

    @Test func aLostSiteIsNotPractised() {
        let reasons = Self.refusal(Self.request { $0.runbook.scenario = .unplanned })
        #expect(reasons.count == 1 && reasons[0].contains("planned-failover"), "\(reasons)")
    }

    @Test func aDrillIsOneAfterItsFileWasRead() throws {
        let file = try PlanFile(try Planner.plan(Self.request()))
        #expect(try PlanFile(reading: file.bytes).plan.isDrill)
        // In earnest a plan is, byte by byte, what it was before there were drills.
        let earnest = try PlanFile(PlanFixture.plan)
        #expect(!String(decoding: earnest.bytes, as: UTF8.self).contains("\"drill\""))
        #expect(try !PlanFile(reading: earnest.bytes).plan.isDrill)
    }

    @Test func aDrillThatIsHeardAndASilentFailoverInEarnestAreRefused() throws {
        let drill = try Planner.plan(Self.request())
        let loud = drill.changing("promote-rails") {
            $0.setCommands { commands in
                for index in commands.indices {
                    commands[index].arguments.removeAll { $0 == "--enable-silent-mode" }
                }
            }
        }
        let quiet = PlanFixture.plan.changing("promote-rails") {
            $0.setCommands { commands in
                for index in commands.indices where commands[index].arguments.contains("promote") {
                    commands[index].arguments.append("--enable-silent-mode")
                }
            }
        }
        let unseen = drill.changing("open") { $0.requires = [] }
        for plan in [loud, quiet, unseen] {
            #expect(PlanInvariants.violations(of: plan).map(\.invariant) == ["drill-is-silent"])
        }
    }
}
