import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `reseed-patroni` on two sites of Patroni's: Seoul is primary, led by its second member, and Tokyo a
/// fenced former primary with writes that nobody else has.
enum PatroniReseed {
    static let runbook = ShippedPlan.load("reseed-patroni")

    /// Each Patroni node is a server of the store too, and a third one stands alone.
    static let inventory: Inventory = {
        var inventory = ReseedTests.inventory
        inventory.replication = nil
        for (site, network) in [(0, 1), (1, 2)] {
            let id = inventory.sites[site].id
            for node in inventory.sites[site].nodes.indices where inventory.sites[site].nodes[node].runs(.postgresql) {
                inventory.sites[site].nodes[node].components = [.patroni, .consul]
            }
            inventory.sites[site].nodes += [
                Fixtures.node("\(id)-pg-2", address: "10.77.\(network).22", [.patroni, .consul]),
                Fixtures.node("\(id)-consul-1", address: "10.77.\(network).61", [.consul]),
            ]
        }
        return inventory
    }()

    static let members: [NodeID] = ["tokyo-pg-1", "tokyo-pg-2"]

    static func failedOver() -> SimulatedDeployment {
        let deployment = SimulatedDeployment(inventory: inventory)
        deployment.withState { state in
            state.switchOver(to: "seoul-pg-2")
            state.failOverByHand()
            state["tokyo-rails-1"].clusterFile = .valid(text: "{}")
        }
        // Whatever was seen before is old.
        deployment.clock.advance(seconds: 600)
        return deployment
    }

    static func request(
        _ deployment: SimulatedDeployment, _ runbook: Runbook = runbook, from: SiteID = Fixtures.seoul,
        to: SiteID = Fixtures.tokyo
    ) -> PlanRequest {
        var scope = SimulatedState.everything(inventory)
        scope.asksOperator = true
        let basis = deployment.observe(scope)
        let findings = CheckProfile.returning.preflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            return CheckCatalog.subjects(of: check, inventory: inventory, from: from, to: to, asked: item.subjects)
                .flatMap {
                    check.findings(CheckContext(inventory: inventory, subject: $0, from: from, to: to), basis)
                }
        }
        return PlanRequest(
            inventory: inventory, runbook: runbook, from: from, to: to, observation: basis, findings: findings,
            waivers: [], createdAt: basis.endedAt, createdBy: "t", toolVersion: "t")
    }

    static func rig() throws -> Rig {
        let deployment = failedOver()
        return Rig(try PlanFile(try Planner.plan(request(deployment))), on: deployment, as: "reseed")
    }

    /// What is not as a finished re-seed leaves it.
    static func wrong(_ rig: Rig) -> [String] {
        rig.deployment.withState { state -> [String] in
            var found: [String] = []
            if !state.isWritable(Fixtures.seoul) { found.append("seoul is not writable") }
            if !state.database(of: Fixtures.seoul).rows.removed.isEmpty { found.append("tokyo has no row") }
            if state.stores[Fixtures.tokyo]?.isStandby != true { found.append("tokyo is no standby cluster") }
            for id in members {
                guard let copy = state[id].database else { continue }
                if copy.isPrimary || !copy.isWhole || !state[id].isDatabaseUp { found.append("\(id) has no copy") }
                if copy.kept < 1 { found.append("the former database of \(id) was not kept") }
                if copy.timeline != 2 { found.append("\(id) is of another history") }
                if copy.position != state.database(of: Fixtures.seoul).position {
                    found.append("\(id) does not follow")
                }
            }
            for node in state.nodes(of: Fixtures.tokyo) where node.node.isManagedByOmnibus {
                let name = node.node.id
                if !node.held.isEmpty { found.append("\(name) has \(node.held.sorted()) held down") }
                if node.clusterFile != .absent { found.append("\(name) has a gitlab-cluster.json") }
                if !node.services.allSatisfy(\.isRunning) || node.isBootMasked {
                    found.append("\(name) does not serve")
                }
                if node.url?.settings.contains(where: { $0.hasSuffix("= false") }) == true {
                    found.append("\(name) is no secondary's")
                }
            }
            for node in state.nodes(of: Fixtures.seoul) {
                if node.url?.backup != nil { found.append("\(node.node.id) was edited") }
                if node.database?.kept ?? 0 > 0 { found.append("\(node.node.id) was moved aside") }
            }
            return found
        }
    }
}
