/// Replication slots of a primary: whose they are, and whether anybody can still want them.
package enum Slots {
    /// As PostgreSQL allows them (PostgreSQL documentation, replication slots).
    package static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            }
    }

    /// The site of the inventory that a slot may belong to: by its name, or because it does not tell through which slot it
    /// streams; `nil`: nobody of the inventory can want it.
    package static func owner(
        of slot: String, primary: SiteID, in inventory: Inventory, _ observation: Observation
    ) -> (site: SiteID, reason: String)? {
        if let site = site(named: slot, besides: primary, in: inventory) { return (site, "it is the slot of \(site)") }
        for site in inventory.sites where site.id != primary {
            for node in site.databaseNodes {
                if let reason = whyMaybe(slot, observation[node.id]) {
                    return (site.id, "\(node.id) may use it: \(reason)")
                }
            }
        }
        return nil
    }

    /// The site that the slot is named after.
    package static func site(named slot: String, besides primary: SiteID, in inventory: Inventory) -> SiteID? {
        inventory.sites.first { site in
            site.id != primary && [site.id.rawValue, site.geoNodeName, Reseeding.slot(of: site)].contains(slot)
        }?.id
    }

    private static func whyMaybe(_ slot: String, _ facts: NodeFacts) -> String? {
        guard let database = facts.database.value else {
            // A former primary, stopped, has no slot of its own: its re-seed makes one.
            if facts.controlData.value?.isCleanShutdown == true { return nil }
            return "its database does not answer (\(facts.database.reason ?? "not asked"))"
        }
        guard database.isInRecovery else { return nil }
        guard let receiver = database.standby?.receiver, receiver.status == "streaming" else {
            return "it is a standby that streams from nobody now"
        }
        guard let own = receiver.slotName else { return nil }
        return own == slot ? "it streams through it" : nil
    }
}

extension Expansion {
    /// The question before slots are dropped, answered with their names; `nil` outside of such a run.
    func slotQuestion(_ step: RunbookStep) -> Operation? {
        guard request.runbook.scenario == .dropSlots else { return nil }
        let lines = request.slots.map { name -> String in
            let held = slot(name)?.retainedBytes.map(Quantity.bytes) ?? "an unknown amount"
            return "\(name) holds back \(held) of WAL for nobody."
        }
        let text = lines.joined(separator: " ") + " What used one of them can come back only by a whole copy."
        return .confirmation(
            question: "\(text) \(step.text ?? "Type the names of the slots.")", answer: Slots.answer(request.slots))
    }

    private func slot(_ name: String) -> DatabaseFacts.Slot? {
        let nodes = request.inventory.site(request.from)?.databaseNodes ?? []
        return nodes.compactMap { request.observation[$0.id].database.value?.primary }.flatMap(\.slots)
            .first { $0.name == name }
    }
}

extension Slots {
    /// What is typed before they are dropped.
    static func answer(_ slots: [String]) -> String { slots.joined(separator: ",") }

    /// Inactive ones of the primary that nobody of the inventory can want; the others with who may.
    package static func abandoned(
        of primary: Site, in inventory: Inventory, _ observation: Observation
    ) -> (free: [String], taken: [String]) {
        let slots = primary.databaseNodes.compactMap { observation[$0.id].database.value?.primary }.flatMap(\.slots)
        var (free, taken): ([String], [String]) = ([], [])
        for slot in slots where !slot.isActive {
            if let owner = owner(of: slot.name, primary: primary.id, in: inventory, observation) {
                taken.append("\(slot.name): \(owner.reason)")
            } else {
                free.append(slot.name)
            }
        }
        return (free, taken)
    }
}

extension Planner {
    /// Why slots of these names cannot be dropped, each with what to do.
    static func slotProblems(_ request: PlanRequest) -> [String] {
        guard request.runbook.scenario == .dropSlots else { return [] }
        guard let primary = request.inventory.site(request.from) else { return [] }
        let found = Slots.abandoned(of: primary, in: request.inventory, request.observation)
        let known =
            (found.free.isEmpty
                ? "no slot of \(primary.id) is free to be dropped"
                : "free to be dropped: " + found.free.map { "--slot \($0)" }.joined(separator: " "))
            + (found.taken.isEmpty ? "" : "; not free: \(found.taken.joined(separator: "; "))")
        guard !request.slots.isEmpty else { return ["which slots? \(known)"] }
        let wrong = request.slots.filter { !found.free.contains($0) }
        return wrong.map { "\($0) cannot be dropped: it is not there, in use, or may be wanted; \(known)" }
    }
}

/// A run that drops slots does nothing else.
extension PlanInvariants {
    static func slotViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        guard plan.scenario == .dropSlots else {
            return plan.steps.filter { $0.action == .dropSlots }.map {
                .init(invariant: "slots-alone", step: $0.id, detail: "drops slots, which is a run of its own")
            }
        }
        let ancestors = graph.ancestors(ofEach: plan.steps.map(\.id))
        return plan.steps.flatMap { step -> [InvariantViolation] in
            guard step.action == .dropSlots else {
                guard ![.confirm, .wait, .manual, .hook].contains(step.action) else { return [] }
                return [
                    .init(
                        invariant: "slots-only", step: step.id,
                        detail: "\(step.action.rawValue) does not belong in a run that drops slots")
                ]
            }
            let names = step.until?.check.names ?? []
            var found: [InvariantViolation] = []
            if names.isEmpty || names.contains(where: { !Slots.isName($0) })
                || !step.requires.contains(where: {
                    $0.check.check == "replication.slots-abandoned" && $0.check.names == names && $0.when == .always
                })
            {
                found.append(
                    .init(
                        invariant: "seen-abandoned", step: step.id,
                        detail: "does not look, just before it acts, whether anybody may want what it drops"))
            }
            let isAsked = plan.steps.contains { other in
                guard case .confirmation(_, let answer) = other.operation else { return false }
                return answer == Slots.answer(names) && ancestors[step.id]?.contains(other.id) == true
            }
            if !isAsked {
                found.append(
                    .init(
                        invariant: "asked-before-drop", step: step.id,
                        detail: "nobody is asked for the names of the slots before it"))
            }
            return found
        }
    }
}
