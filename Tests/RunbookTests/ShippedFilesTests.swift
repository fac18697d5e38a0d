import GeoCore
import Testing

@Suite struct ShippedFilesTests {
    @Test func everyInventoryLoadsWithNothingToSay() throws {
        let names = try Shipped.names(in: "inventory")
        #expect(names.contains("lab.yaml"))
        let readme = try Shipped.text("inventory/README.md")
        for name in names {
            _ = try Shipped.inventory(name)
            #expect(readme.contains("`\(name)`"), "\(name)")
        }
    }

    @Test func everyRunbookLoadsAndLintsWithNothingToSay() throws {
        let readme = try Shipped.text("runbooks/README.md")
        for name in try Shipped.names(in: "runbooks") {
            let runbook = try Shipped.runbook(name)
            #expect(runbook.name + ".yaml" == name)
            #expect(readme.contains("`\(name)`"), "\(name)")
        }
    }

    @Test func everyStageRunsAShippedRunbookThatPromotesOrSeeds() throws {
        let stages = try Shipped.names(in: "runbooks").flatMap { try Shipped.runbook($0).stages }
        #expect(stages.contains { $0.patroniRunbook != nil })
        for stage in stages {
            let scenario = try Shipped.runbook(stage.runbook + ".yaml").scenario
            #expect([.planned, .reseed].contains(scenario), "\(stage.id)")
            let ofPatroni = try stage.patroniRunbook.map { try Shipped.runbook($0 + ".yaml").scenario }
            #expect(ofPatroni == (scenario == .reseed ? .reseed : nil), "\(stage.id)")
        }
    }

    @Test func everyStepThatChangesSomethingSaysWhyAndHowItIsSeen() throws {
        for name in try Shipped.names(in: "runbooks") {
            for step in try Shipped.runbook(name).steps where step.action != .wait && step.action != .confirm {
                #expect((step.why ?? "").count > 20, "\(name): \(step.id)")
                #expect(step.until != nil || step.action == .pushCanary, "\(name): \(step.id)")
            }
        }
    }

    @Test func everyActionButTheEscapesIsUsedSomewhere() throws {
        let used = try Shipped.names(in: "runbooks").flatMap { try Shipped.runbook($0).steps.map(\.action) }
        // The way back is made from a run, not written.
        #expect(Set(ActionName.allCases).subtracting(used) == [.manual, .restoreNode])
    }

    @Test func theExampleOfTheFormatIsOne() throws {
        let document = try Shipped.text("docs/RUNBOOK-FORMAT.md")
        let planned = try Shipped.runbook("planned-failover.yaml")
        // The example shows one step; it must be the shipped one.
        let step = try #require(planned.steps.first { $0.id == "promote-database" })
        #expect(document.contains("- id: \(step.id)\n"))
        #expect(document.contains("why: \(step.why ?? "?")\n"))
    }
}
