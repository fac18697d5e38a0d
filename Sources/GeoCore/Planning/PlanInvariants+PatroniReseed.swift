/// Of a site of Patroni's exactly one data directory is the standby leader's, and every other member is seeded from it, after
/// a write of after the copy was seen there. Before the first is moved aside, every member was stopped.
extension PlanInvariants {
    static func isOnlyDatabase(_ node: NodeID, of site: Site?, _ wipe: ActionName) -> Bool {
        guard let site else { return false }
        guard wipe == .seedStandbyLeader else { return site.databaseNodes.map(\.id) == [node] && !site.runsPatroni }
        return site.databaseNodes.allSatisfy { $0.runs(.patroni) } && site.databaseNodes.contains { $0.id == node }
    }

    /// Steps that saw a write of after the copy on the standby, or on the standby leader.
    static func proofs(of wipe: Step, _ plan: Plan, _ ancestors: [StepID: Set<StepID>]) -> [Step] {
        func comes(_ step: StepID, after other: StepID) -> Bool { ancestors[step]?.contains(other) == true }
        let writes = plan.steps.filter { $0.action == .writeProbe && comes($0.id, after: wipe.id) }
        let checks: Set<CheckID> = ["replication.caught-up", "patroni.leader-caught-up"]
        return plan.steps.filter { step in
            step.until.map { checks.contains($0.check.check) } == true
                && writes.contains { comes(step.id, after: $0.id) }
        }
    }

    static func memberViolations(
        _ wipe: Step, _ plan: Plan, _ ancestors: [StepID: Set<StepID>]
    ) -> [InvariantViolation] {
        let replicas = plan.steps.filter { $0.action == .seedReplica }
        guard wipe.action == .seedStandbyLeader, let site = plan.inventory.site(plan.to) else {
            return replicas.map {
                .init(invariant: "replicas-after-leader", step: $0.id, detail: "seeds a member of no cluster")
            }
        }
        let members = site.nodes(running: .patroni)
        var found = members.flatMap { stopViolations($0, wipe, plan, ancestors[wipe.id] ?? []) }
        for member in members where member.id != wipe.node && replicas.filter({ $0.node == member.id }).count != 1 {
            found.append(
                .init(
                    invariant: "every-member-seeded", step: wipe.id,
                    detail: "\(member.id) is not seeded once from the standby leader: its data is of another history"))
        }
        let proofs = proofs(of: wipe, plan, ancestors)
        return found + replicas.flatMap { replicaViolations($0, wipe, proofs, plan, ancestors[$0.id] ?? []) }
    }

    /// Stopped before the first data directory is moved aside, and held down where runit runs again.
    private static func stopViolations(
        _ member: Node, _ wipe: Step, _ plan: Plan, _ before: Set<StepID>
    ) -> [InvariantViolation] {
        let steps = plan.steps.filter { $0.node == member.id && before.contains($0.id) }
        let context = CheckContext(
            inventory: plan.inventory, subject: .node(id: member.id), from: plan.from, to: plan.to)
        let isFenced = FenceChecks.nodeFenced.findings(context, plan.basis).worst <= .warn
        var found: [InvariantViolation] = []
        if !isFenced, !steps.contains(where: { $0.action == .stopAndDisable }) {
            found.append(
                .init(
                    invariant: "members-stopped-first", step: wipe.id,
                    detail: "\(member.id) runs, and nothing stops it before the data of \(wipe.subject) is moved aside")
            )
        }
        found += steps.filter { $0.action == .liftBootGuard && $0.until?.check.check != "node.held-down" }.map {
            .init(
                invariant: "members-stopped-first", step: $0.id, detail: "is not proved by Patroni that stays down")
        }
        return found
    }

    private static func replicaViolations(
        _ replica: Step, _ wipe: Step, _ proofs: [Step], _ plan: Plan, _ before: Set<StepID>
    ) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        func broken(_ invariant: String, _ detail: String) {
            found.append(.init(invariant: invariant, step: replica.id, detail: detail))
        }
        if replica.node == wipe.node { broken("replicas-after-leader", "would move the standby leader's data aside") }
        if !proofs.contains(where: { before.contains($0.id) }) {
            broken("replicas-after-leader", "does not wait until a write after the copy was seen on the standby leader")
        }
        if !replica.isIrreversible { broken("one-database-replaced", "calls reversible what is not") }
        let wanted: [(CheckID, Subject, Requirement.When)] = [
            ("database.reseeded", .failover(from: plan.from, to: plan.to), .always),
            ("patroni.replica-replaceable", replica.subject, .untilStarted),
        ]
        for (check, subject, when) in wanted
        where !replica.requires.contains(where: {
            $0.check.check == check && $0.check.subject == subject && $0.when == when
        }) {
            broken("seen-before-wipe", "does not look at \(check) just before it acts")
        }
        if replica.until?.check.check != "patroni.replica-follows" {
            broken("streams-or-failed", "is not proved by a member that streams: its state and its lag say nothing")
        }
        return found
    }
}
