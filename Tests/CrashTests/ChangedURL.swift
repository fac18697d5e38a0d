import GeoCore
import GeoRuntime
import GeoTestSupport

/// The plan that the shipped runbook `change-url` gives after a failover on the fixture deployment.
enum ChangedURL {
    static let former = "http://10.77.2.10"
    static let wanted = "http://10.77.1.10"

    private static let runbook = ShippedPlan.load("change-url")

    private static func renamed(_ url: String) -> Inventory {
        var inventory = ShippedPlan.inventory
        for index in inventory.sites.indices where inventory.sites[index].id == Fixtures.seoul {
            inventory.sites[index].url = url
        }
        return inventory
    }

    static func request(_ rig: Rig) -> PlanRequest {
        let inventory = renamed(wanted)
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
    static func rig(after before: Rig) throws -> Rig {
        Rig(try PlanFile(try Planner.plan(request(before))), on: before.deployment, as: "url")
    }
}
