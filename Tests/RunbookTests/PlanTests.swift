import GeoCore
import GeoTestSupport
import GeoViews
import Testing

@Suite struct PlanTests {
    private func planned() throws -> (runbook: Runbook, inventory: Inventory) {
        (try Shipped.runbook("planned-failover.yaml"), try Shipped.inventory("lab.yaml"))
    }

    @Test func thePlanOfTheLabIsTheOneThatWasReviewed() throws {
        let (runbook, inventory) = try planned()
        let request = Shipped.request(runbook, inventory)
        #expect(request.findings.filter { $0.verdict != .pass } == [])
        let plan = try Shipped.plan(request)
        let digest = try #require(Shipped.digest)
        try Golden.expect(
            PlanView.text(plan, digest: digest, path: "tokyo-to-seoul.geoplan", style: Style()),
            "Tests/RunbookTests/Golden/planned-failover.txt")
        try Golden.expect(
            PlanSheet.markdown(plan, digest: digest), "Tests/RunbookTests/Golden/planned-failover.md")
    }

    @Test func aPlanSurvivesItsFileAndNotAByteOfChange() throws {
        let (runbook, inventory) = try planned()
        let file = try PlanFile(try Shipped.plan(Shipped.request(runbook, inventory)))
        let read = try PlanFile(reading: file.bytes)
        #expect(read.plan == file.plan)
        #expect(read.digest == file.digest)
        #expect(PlanInvariants.violations(of: read.plan) == [])
        for position in stride(from: 0, to: file.bytes.count, by: file.bytes.count / 40) {
            var bytes = file.bytes
            bytes[position] ^= 1
            #expect(throws: PlanFileError.self) { try PlanFile(reading: bytes) }
        }
    }

    @Test func theWayBackIsTheSameRunbook() throws {
        let (runbook, inventory) = try planned()
        var request = Shipped.request(runbook, inventory)
        swap(&request.from, &request.to)
        request.observation = Fixtures.healthy(inventory, primary: Fixtures.seoul)
        let plan = try Shipped.plan(request)
        #expect(plan.steps.first?.node == "seoul-rails-1")
        // Seoul's tracking database stays behind; Tokyo has none to promote.
        #expect(plan.omitted.map(\.id) == ["promote-tracking"])
    }

    /// Each of these steps stands for a promise; without it there is no plan, and the reason names the promise.
    @Test(arguments: [
        ("fence", "fence-before-promote"), ("confirm", "asked-before-promote"),
        ("prove-zero-loss", "zero-loss-before-promote"), ("promote-database", "every-node-promoted"),
        ("promote-storage-and-jobs", "every-node-promoted"), ("promote-first-rails", "every-node-promoted"),
        ("promote-other-rails", "every-node-promoted"), ("promote-tracking", "every-node-promoted"),
    ])
    func withoutThisStepThereIsNoPlan(step: StepID, invariant: String) throws {
        var (runbook, inventory) = try planned()
        #expect(runbook.steps.contains { $0.id == step })
        runbook.steps.removeAll { $0.id == step }
        // Followers wait for what came before it, as if nobody had ever written it.
        for index in runbook.steps.indices { runbook.steps[index].after.removeAll { $0 == step } }
        let reasons = Shipped.reasons(against: Shipped.request(runbook, inventory))
        #expect(reasons.contains { $0.contains("(\(invariant))") }, "\(reasons)")
    }

    /// A step moved to another place gives either a plan that keeps every promise, or none.
    @Test func noOrderOfTheStepsBreaksAPromise() throws {
        let (runbook, inventory) = try planned()
        var request = Shipped.request(runbook, inventory)
        for from in runbook.steps.indices {
            for to in runbook.steps.indices where to != from {
                request.runbook = runbook
                request.runbook.steps.insert(request.runbook.steps.remove(at: from), at: to)
                // One after the other in the order of the file.
                for index in request.runbook.steps.indices { request.runbook.steps[index].after = [] }
                guard Shipped.reasons(against: request).isEmpty else { continue }
                let broken = whatIsBroken(try Shipped.plan(request))
                #expect(broken == [], "\(runbook.steps[from].id) moved from \(from) to \(to)")
            }
        }
    }

    /// The promises again, in other words than those of ``PlanInvariants``: by the order in which steps would run.
    private func whatIsBroken(_ plan: Plan) -> [String] {
        let groups = plan.groups
        func places(_ isMeant: (Step) -> Bool) -> [Int] {
            groups.indices.filter { groups[$0].steps.contains(where: isMeant) }
        }
        func runs(_ component: Component, _ step: Step) -> Bool {
            step.action == .promoteNode && step.node.flatMap(plan.inventory.node)?.runs(component) == true
        }
        let promotions = places { $0.action == .promoteNode }
        let database = places { runs(.postgresql, $0) }
        let rails = places { runs(.rails, $0) }
        guard let first = promotions.first, let firstRails = rails.first else { return ["nothing is promoted"] }
        var broken: [String] = []
        let fenced = Set(groups[..<first].flatMap(\.steps).filter { $0.action == .stopAndDisable }.compactMap(\.node))
        if fenced.count != 6 { broken.append("promoted before the fence") }
        if places({ $0.action == .confirm }).first.map({ $0 < first }) != true { broken.append("nobody was asked") }
        if places({ $0.until?.check.check == "database.zero-loss" }).first.map({ $0 < first }) != true {
            broken.append("zero loss was not proven")
        }
        if database != [first] { broken.append("the database is not first") }
        if places({ runs(.gitaly, $0) || runs(.sidekiq, $0) }).contains(where: { $0 > firstRails }) {
            broken.append("Rails before data nodes")
        }
        if groups[firstRails].steps.count != 1 { broken.append("two Rails nodes at once") }
        if groups[first...].flatMap(\.steps).contains(where: { $0.node?.rawValue.hasPrefix("tokyo") == true }) {
            broken.append("the former primary is touched after a promotion")
        }
        return broken
    }

    @Test func aNodeThatWasNotObservedGetsNoCommand() throws {
        let (runbook, inventory) = try planned()
        var request = Shipped.request(runbook, inventory)
        request.observation = request.observation.losing("tokyo-gitaly-1")
        let reasons = Shipped.reasons(against: request)
        #expect(
            reasons == [
                "step fence: tokyo-gitaly-1 was not observed (connection timed out), so it cannot be told from another machine"
            ])
    }

    @Test func patroniAndPraefectAreRefusedByName() throws {
        let inventory = try Shipped.inventory("example-3k.yaml")
        var runbook = try Shipped.runbook("planned-failover.yaml")
        let asShipped = Shipped.reasons(against: Shipped.request(runbook, inventory))
        #expect(unsupported(inventory).isSubset(of: asShipped))
        // What the refusal suggests leads no further than to the reasons.
        for index in runbook.steps.indices { runbook.steps[index].isOptional = true }
        #expect(unsupported(inventory).isSubset(of: Shipped.reasons(against: Shipped.request(runbook, inventory))))
    }

    private func unsupported(_ inventory: Inventory) -> Set<String> {
        let sentences = inventory.nodes.compactMap { node -> String? in
            guard node.runs(.patroni) || node.runs(.praefect) else { return nil }
            return
                "\(node.id) runs \(node.runs(.patroni) ? "Patroni" : "Praefect"): this release executes failovers of sites"
                + " with a single PostgreSQL node and Gitaly only; `check` works (supported)"
        }
        #expect(sentences.count == 12)
        return Set(sentences)
    }

    /// Promise 9: what a plan may run on nodes, and that none of it deletes.
    @Test func onlyTheseProgramsChangeNodes() throws {
        let (runbook, inventory) = try planned()
        let plan = try Shipped.plan(Shipped.request(runbook, inventory))
        let commands = plan.steps.flatMap { step -> [RemoteCommand] in
            guard case .commands(let commands, _, _) = step.operation else { return [] }
            guard case .reversible(let undo) = step.reversibility else { return commands }
            return commands + undo
        }
        let starts = Set(commands.map { $0.arguments.prefix(2).joined(separator: " ") })
        #expect(
            starts == [
                "gitlab-rails runner", "gitlab-ctl stop", "gitlab-ctl graceful-kill", "gitlab-ctl start",
                "gitlab-ctl geo",
                "gitlab-ctl reconfigure",
                "gitlab-psql -X", "systemctl disable", "systemctl mask", "systemctl unmask", "systemctl enable",
                "mv -n",
            ])
        for command in commands {
            let words = command.arguments.flatMap { $0.split { !$0.isLetter }.map { $0.lowercased() } }
            #expect(Set(words).isDisjoint(with: ["rm", "delete", "drop", "truncate", "destroy", "wipe"]))
        }
    }

    @Test func everyCommandAndEveryWaitHasAnEnd() throws {
        let (runbook, inventory) = try planned()
        for step in try Shipped.plan(Shipped.request(runbook, inventory)).steps {
            if let until = step.until { #expect((1...3600).contains(until.withinSeconds), "\(step.id)") }
            guard case .commands(let commands, _, _) = step.operation else { continue }
            for command in commands {
                #expect((1...1800).contains(command.timeLimitSeconds), "\(step.id)")
                #expect(command.outputLimitBytes > 0, "\(step.id)")
            }
        }
    }
}
