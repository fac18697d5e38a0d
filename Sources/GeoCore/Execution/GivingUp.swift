/// The primary died in the middle of a planned failover: what its run drops, and what still has to hold.
///
/// The plan stays what it was approved as. What only the dead site could do or prove is left out, by name; the fence, the
/// question and the order of promotions stay, and the gates of an unplanned failover come before the first promotion.
package struct GivingUp: Sendable, Hashable, Codable {
    package var by: Actor
    package var reason: String
    /// What the operator was told that it costs, and accepted.
    package var loss: String
    package var at: Timestamp

    /// Steps before the point of no return that nobody can do or prove any more.
    ///
    /// Waits and proofs that need a node which does not answer, and changes of the application's settings, which need the
    /// database. What runs on a node that answers stays: it is stopped all the same.
    package static func dropped(of state: RunState, silent: Set<NodeID>) -> [StepID] {
        let plan = state.plan
        let graph = StepGraph(plan.steps)
        let before = plan.steps.filter(\.isIrreversible).reduce(into: Set<StepID>()) {
            $0.formUnion(graph.ancestors(of: $1.id))
        }
        return plan.steps.filter { step in
            guard before.contains(step.id), !state.isOver(step.id), !step.isIrreversible else { return false }
            switch step.action {
            case .wait: return !silent.isDisjoint(with: needs(step, plan))
            case .enableMaintenanceMode, .stopCronJobs: return true
            default: return false
            }
        }.map(\.id)
    }

    /// What must hold, by a fresh look, in the seconds before the first promotion of a site whose primary was given up.
    package static func gates(of plan: Plan) -> [Requirement] {
        let pair = Subject.failover(from: plan.from, to: plan.to)
        return [
            Requirement(check: CheckReference(check: "primary.not-out-of-reach", subject: pair), when: .untilStarted),
            Requirement(check: CheckReference(check: "replication.not-paused", subject: pair), when: .untilStarted),
            Requirement(
                check: CheckReference(check: "replication.all-replayed", subject: .site(id: plan.to)),
                when: .untilStarted),
        ]
    }

    /// What stands in for a person's word where a node that does not answer is isolated by a fence of the inventory, as the
    /// fence's own proof says now.
    package static func proof(of node: Node, _ now: Observation) -> Attestation? {
        guard now[node.id].identity.value == nil, case .known(.proven(let fence), let at, _) = now.isolation[node.id]
        else { return nil }
        return Attestation(node: node.id, words: "isolated, by its own proof", by: "the fence \(fence)", at: at)
    }

    private static func needs(_ step: Step, _ plan: Plan) -> Set<NodeID> {
        guard let until = step.until, let check = CheckCatalog.check(until.check.check) else { return [] }
        let context = CheckContext(
            inventory: plan.inventory, subject: until.check.subject, from: plan.from, to: plan.to)
        return Set(check.needs(context).probes.keys.filter { plan.inventory.site(of: $0)?.id == plan.from })
    }
}

extension RunState {
    /// What the run is now: a planned failover whose primary was given up goes on as an unplanned one.
    package var scenario: Scenario { givenUp == nil ? plan.scenario : .unplanned }

    /// What the operator was told last that it costs; `nil` where nothing is given up.
    package var toldLoss: LossStatement? { lossSeen ?? (plan.scenario == .unplanned ? plan.loss : nil) }

    /// Whether the zero-loss proof can still be asked for just before the promotion: not when the database that it needs
    /// is gone, or when it was dropped.
    var needsZeroLoss: Bool {
        guard givenUp != nil else { return true }
        let gone = Set(attestations.map(\.node))
        let isSilent = plan.inventory.site(plan.from)?.databaseNodes.contains { gone.contains($0.id) } ?? true
        let isDropped = plan.steps.contains { step in
            guard step.until?.check.check == "database.zero-loss", case .skipped = progress(of: step.id) else {
                return false
            }
            return true
        }
        return !isSilent && !isDropped
    }
}
