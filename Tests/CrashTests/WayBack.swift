import GeoCore
import GeoRuntime
import GeoTestSupport

/// The plan of the way back, as the command `abort` makes it: from what is true now.
enum WayBack {
    /// A rig of it on the same deployment; `nil` when the run changed nothing, so that there is nothing to undo, and
    /// when the candidate is promoted or nobody can see that it is not.
    ///
    /// - Throws: `PlanRefusal` where no plan can be made, because of what does not answer.
    static func rig(undoing rig: Rig, as run: RunID = "back") async throws -> Rig? {
        let plan = rig.file.plan
        var state = try rig.state()
        for entry in try await rig.unknownCommands() { try state.apply(entry, at: rig.clock.now()) }
        guard let runbook = AbortPlanner.runbook(undoing: rig.run, state, digest: rig.file.digest) else { return nil }
        let inventory = AbortPlanner.inventory(plan)
        let basis = rig.deployment.observe(SimulatedState.everything(inventory))
        let findings = runbook.preflight.flatMap { item -> [Finding] in
            let context = CheckContext(
                inventory: inventory, subject: .failover(from: plan.from, to: plan.to), from: plan.from, to: plan.to)
            return CheckCatalog.check(item.check)?.findings(context, basis) ?? []
        }
        guard runbook.preflight.isEmpty || findings.worst <= .warn else { return nil }
        let request = PlanRequest(
            inventory: inventory, runbook: runbook, from: plan.from, to: plan.to, observation: basis,
            findings: findings, waivers: [], cronJobsLeftOff: plan.cronJobsLeftOff ?? [], createdAt: basis.endedAt,
            createdBy: "t", toolVersion: "t")
        let file = try PlanFile(try Planner.plan(request))
        if plan.scenario == .changeURL, let former = inventory.site(plan.to)?.url {
            rig.deployment.withState { $0.wantedURL = former }
        }
        return Rig(file, on: rig.deployment, as: run)
    }
}
