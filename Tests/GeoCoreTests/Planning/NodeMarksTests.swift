import GeoCore
import GeoTestSupport
import Testing

/// What a plan expects a node to say of itself at the moment of the act.
@Suite struct NodeMarksTests {
    @Test func theyAreWhatWasSeenOfTheNode() {
        let plan = PlanFixture.plan
        #expect(
            plan.marks(of: "tokyo-pg-1")
                == NodeMarks(systemIdentifier: Fixtures.systemIdentifier, siteName: "tokyo"))
        #expect(plan.marks(of: "seoul-rails-1") == NodeMarks(siteName: "seoul"))
    }

    @Test func aStoppedDatabaseIsToldByItsFiles() {
        var plan = PlanFixture.plan
        plan.basis.nodes["tokyo-pg-1"]?.database = .unknown(reason: "connection refused")
        plan.basis.nodes["tokyo-pg-1"]?.controlData = .known(
            value: Fixtures.controlData("shut down", systemIdentifier: "9"), at: plan.createdAt, from: "tokyo-pg-1")
        #expect(plan.marks(of: "tokyo-pg-1").systemIdentifier == "9")
    }

    @Test(arguments: [.absent, .computed, .text(value: "to'kyo")] as [ConfigurationFacts.Setting])
    func aNameThatIsNotPlainIsNoMark(name: ConfigurationFacts.Setting) {
        var plan = PlanFixture.plan
        var facts = Fixtures.configuration(of: "tokyo")
        facts.nodeName = name
        plan.basis.nodes["tokyo-rails-1"]?.configuration = .known(
            value: facts, at: plan.createdAt, from: "tokyo-rails-1")
        #expect(plan.marks(of: "tokyo-rails-1") == NodeMarks())
    }

    /// Plans of earlier versions have no word of newer facts.
    @Test func whatWasNotKnownIsNotCompared() {
        var plan = PlanFixture.plan
        plan.basis.nodes["tokyo-pg-1"] = NodeFacts()
        #expect(plan.marks(of: "tokyo-pg-1") == NodeMarks())
    }

    @Test func aReseedReplacesTheDatabaseThatItWasMadeBeside() {
        var plan = PlanFixture.plan
        plan.scenario = .reseed
        #expect(plan.marks(of: "tokyo-pg-1") == NodeMarks(siteName: "tokyo"))
    }
}
