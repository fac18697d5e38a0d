import FoundationEssentials
import GeoCore
import GeoDocuments
import GeoTestSupport

/// The plan that the shipped runbook gives on the fixture deployment, hook and canary included.
enum ShippedPlan {
    static let runbook = load("planned-failover")

    /// A shipped runbook by its name.
    static func load(_ name: String) -> Runbook {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "runbooks/\(name).yaml").path
        guard let data = FileManager.default.contents(atPath: path) else { fatalError("\(path) cannot be read") }
        let loaded = RunbookDocument.load(
            text: String(decoding: data, as: UTF8.self), path: "runbooks/\(name).yaml")
        guard let runbook = loaded.runbook else { fatalError("\(loaded.diagnostics)") }
        return runbook
    }

    static let inventory: Inventory = {
        var inventory = Fixtures.inventory()
        inventory.hooks = [
            "point-dns-at": Hook(name: "point-dns-at", run: ["./hooks/dns", "{site}"], timeLimitSeconds: 60)
        ]
        inventory.canary = Canary(repository: "{url}/ops/canary.git")
        return inventory
    }()

    static let file: PlanFile = {
        do {
            return try PlanFile(try Planner.plan(request()))
        } catch {
            fatalError("\(error)")
        }
    }()

    static var plan: Plan { file.plan }

    static func request(_ runbook: Runbook = runbook, _ inventory: Inventory = inventory) -> PlanRequest {
        let deployment = SimulatedDeployment(inventory: inventory)
        let basis = deployment.observe(SimulatedState.everything(inventory))
        return PlanRequest(
            inventory: inventory, runbook: runbook, from: Fixtures.tokyo, to: Fixtures.seoul, observation: basis,
            findings: findings(basis, inventory), waivers: [], createdAt: basis.endedAt, createdBy: "test@test",
            toolVersion: "test")
    }

    /// The preflight, as the command `plan` asks it.
    private static func findings(_ basis: Observation, _ inventory: Inventory) -> [Finding] {
        CheckCatalog.plannedPreflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            let limits = runbook.preflight.first { $0.check == item.check }?.limits ?? Limits()
            return CheckCatalog.subjects(of: check, inventory: inventory, from: Fixtures.tokyo, to: Fixtures.seoul)
                .flatMap { subject in
                    check.findings(
                        CheckContext(
                            inventory: inventory, subject: subject, limits: limits, from: Fixtures.tokyo,
                            to: Fixtures.seoul), basis)
                }
        }
    }
}

extension Plan {
    /// The invariants that it breaks once it is changed like this.
    func broken(_ change: (inout Plan) -> Void) -> Set<String> {
        var changed = self
        change(&changed)
        return Set(PlanInvariants.violations(of: changed).map(\.invariant))
    }

    /// Those that it breaks without the steps of a group; who waited for them waits for those before.
    func broken(without group: StepID) -> Set<String> {
        broken { plan in
            let gone = plan.steps.filter { $0.group == group }
            plan.steps.removeAll { $0.group == group }
            for index in plan.steps.indices {
                plan.steps[index].after = plan.steps[index].after.flatMap { id in
                    gone.first { $0.id == id }?.after ?? [id]
                }
            }
        }
    }

    /// Those that it breaks when each step of a group is changed.
    func broken(at group: StepID, _ change: (inout Step) -> Void) -> Set<String> {
        broken { plan in
            for index in plan.steps.indices where plan.steps[index].group == group { change(&plan.steps[index]) }
        }
    }
}
