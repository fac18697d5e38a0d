import GeoCore
import GeoRuntime
import GeoTestSupport

/// An unplanned failover on the fixture deployment: what is off, who vouches for it, and the plan that comes of it.
enum LostSite {
    static let runbook = ShippedPlan.load("unplanned-failover")

    static let tokyo = ShippedPlan.inventory.site(Fixtures.tokyo)?.nodes.filter(\.isManagedByOmnibus).map(\.id) ?? []

    static func attestations(_ nodes: [NodeID]) -> [Attestation] {
        nodes.map {
            Attestation(node: $0, words: "pulled the plug, ticket 123", by: "anna@laptop", at: ManualClock().now)
        }
    }

    /// What somebody says who gives the site of a run up, as far as its journal lacks it.
    static func words(givingUp rig: Rig) throws -> [JournalEntry] {
        let state = try rig.state()
        let known = Set(state.attestations.map(\.node))
        let given: [JournalEntry] =
            state.givenUp == nil
            ? [
                .siteGivenUp(
                    by: rig.person, reason: "the hall burned", loss: "Something is lost.",
                    dropped: GivingUp.dropped(of: state, silent: Set(tokyo)))
            ] : []
        return given + attestations(tokyo.filter { !known.contains($0) }).map { .nodeAttested(attestation: $0) }
    }

    /// The inventory with a fence that switches nodes off.
    static func fenced(_ inventory: Inventory = ShippedPlan.inventory) -> Inventory {
        var inventory = inventory
        inventory.fences = [
            FenceProgram(
                name: "power", run: ["fence-off", "{node}"], prove: ["fence-is-off", "{node}"], timeLimitSeconds: 60)
        ]
        return inventory
    }

    static func basis(_ inventory: Inventory, off: [NodeID]) -> Observation {
        let deployment = SimulatedDeployment(inventory: inventory)
        deployment.withState { state in off.forEach { state.powerOff($0) } }
        return deployment.observe(SimulatedState.everything(inventory))
    }

    static func plan(
        off: [NodeID] = tokyo, attested: [NodeID]? = nil, inventory: Inventory = ShippedPlan.inventory
    ) throws -> Plan {
        let basis = basis(inventory, off: off)
        return try Planner.plan(
            PlanRequest(
                inventory: inventory, runbook: runbook, from: Fixtures.tokyo, to: Fixtures.seoul, observation: basis,
                findings: findings(inventory, basis), waivers: [], attestations: attestations(attested ?? off),
                createdAt: basis.endedAt, createdBy: "test@test", toolVersion: "test"))
    }

    /// A rig whose deployment is what the plan was made from.
    static func rig(
        off: [NodeID] = tokyo, attested: [NodeID]? = nil, inventory: Inventory = ShippedPlan.inventory
    ) throws -> Rig {
        Self.rig(try PlanFile(try plan(off: off, attested: attested, inventory: inventory)), off: off)
    }

    /// The same with a plan that was made before.
    static func rig(_ file: PlanFile, off: [NodeID]) -> Rig {
        let rig = Rig(file)
        rig.deployment.withState { state in off.forEach { state.powerOff($0) } }
        return rig
    }

    private static func findings(_ inventory: Inventory, _ basis: Observation) -> [Finding] {
        CheckProfile.unplanned.preflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            let limits = runbook.preflight.first { $0.check == item.check }?.limits ?? Limits()
            return CheckCatalog.subjects(
                of: check, inventory: inventory, from: Fixtures.tokyo, to: Fixtures.seoul, asked: item.subjects
            ).flatMap { subject in
                check.findings(
                    CheckContext(
                        inventory: inventory, subject: subject, limits: limits, from: Fixtures.tokyo, to: Fixtures.seoul
                    ),
                    basis)
            }
        }
    }
}
