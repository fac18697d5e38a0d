import GeoCore
import GeoTestSupport

/// The shipped procedure in Swift, one step per promise, on the fixture inventory.
enum PlanFixture {
    static let inventory: Inventory = {
        var inventory = Fixtures.inventory()
        inventory.hooks = ["dns": Hook(name: "dns", run: ["./dns", "{site}"], timeLimitSeconds: 60)]
        inventory.canary = Canary(repository: "{url}/canary.git")
        return inventory
    }()

    private static func step(
        _ id: StepID, _ action: ActionName, _ target: RunbookStep.Target? = nil, until: CheckID? = nil, on: Part? = nil
    ) -> RunbookStep {
        RunbookStep(
            id: id, action: action, target: target,
            until: until.map { .init(check: $0, on: on, withinSeconds: 60) }, why: "because",
            hook: action == .hook ? "dns" : nil, text: "text")
    }

    static let runbook = Runbook(
        name: "planned", title: "Planned", scenario: .planned, preflight: [],
        steps: [
            step("tell", .manual, until: "site.ready", on: .from),
            step("block", .enableMaintenanceMode, .init(part: .from, nodes: .one), until: "site.read-only"),
            step("drain", .wait, until: "sidekiq.drained", on: .from),
            step("stop-app", .stopApplication, .init(part: .from), until: "node.application-stopped"),
            step("stop-db", .stopDatabase, .init(part: .from), until: "database.stopped-cleanly"),
            step("prove", .wait, until: "database.zero-loss"),
            step("fence", .stopAndDisable, .init(part: .from, atOnce: 2), until: "node.fenced"),
            step("confirm", .confirm),
            step("promote-db", .promoteNode, .init(part: .to, components: [.postgresql]), until: "node.promoted"),
            step(
                "promote-data", .promoteNode, .init(part: .to, components: [.gitaly, .sidekiq]), until: "node.promoted"),
            step(
                "promote-rails", .promoteNode, .init(part: .to, components: [.rails], nodes: .one),
                until: "node.promoted"),
            step(
                "promote-rest", .promoteNode, .init(part: .to, components: [.rails], nodes: .rest),
                until: "node.promoted"),
            step("promote-geo", .promoteNode, .init(part: .to, components: [.trackingDB]), until: "node.promoted"),
            step("open", .disableMaintenanceMode, .init(part: .to, nodes: .one), until: "site.maintenance-off"),
            step("write", .writeProbe, .init(part: .to), until: "database.accepts-writes"),
            step("push", .pushCanary), step("move", .hook, until: "site.ready", on: .to),
        ],
        source: DocumentReference(path: "planned.yaml", digest: Digest(of: [1])))

    static func request(_ runbook: Runbook = runbook, _ inventory: Inventory = inventory) -> PlanRequest {
        PlanRequest(
            inventory: inventory, runbook: runbook, from: Fixtures.tokyo, to: Fixtures.seoul,
            observation: Fixtures.healthy(inventory), findings: [], waivers: [], createdAt: Fixtures.moment(),
            createdBy: "anna@laptop", toolVersion: "1")
    }

    static let plan: Plan = {
        do {
            return try Planner.plan(request())
        } catch {
            fatalError("\(error)")
        }
    }()
}

extension Plan {
    func changing(_ id: StepID, _ change: (inout Step) -> Void) -> Plan {
        var copy = self
        guard let index = copy.steps.firstIndex(where: { $0.id == id }) else { fatalError("no step \(id)") }
        change(&copy.steps[index])
        return copy
    }

    /// Without a step; those who waited for it wait for what it waited for.
    func removing(_ id: StepID) -> Plan {
        var copy = self
        let after = step(id)?.after ?? []
        copy.steps.removeAll { $0.id == id }
        for index in copy.steps.indices where copy.steps[index].after.contains(id) {
            copy.steps[index].after = copy.steps[index].after.filter { $0 != id } + after
        }
        return copy
    }
}

extension Step {
    mutating func setCommands(_ change: (inout [RemoteCommand]) -> Void) {
        guard case .commands(var commands, let node, let expected) = operation else { return }
        change(&commands)
        operation = .commands(commands: commands, node: node, expected: expected)
    }
}
