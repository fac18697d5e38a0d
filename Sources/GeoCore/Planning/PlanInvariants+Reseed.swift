/// A re-seed replaces one database, on one node of the site that comes back, by that of the primary; before it is asked for
/// by the node's name, and nothing of the application starts before what was copied is seen to follow the primary.
extension PlanInvariants {
    private static let ofReseeds: Set<ActionName> = [
        .configureSecondary, .liftBootGuard, .replicateDatabase, .seedStandbyLeader, .seedReplica, .bringNodeBack,
        .registerSite, .resetTracking, .migrateTracking, .restoreNode, .preparePrimary, .copySecrets, .copyHostKeys,
        .trustPrimary, .permitRewind, .forbidRewind,
    ]
    /// What belongs to other runs: it promotes, fences the primary or changes what users see.
    private static let foreign: Set<ActionName> = [
        .enableMaintenanceMode, .disableMaintenanceMode, .stopCronJobs, .stopApplication, .stopDatabase,
        .isolateNode, .resumeReplay, .promoteNode, .setExternalURL, .updatePrimaryURL, .pushCanary,
    ]
    /// The only ones that touch the primary.
    private static let onSource: Set<ActionName> = [
        .registerSite, .writeProbe, .preparePrimary, .permitRewind, .forbidRewind,
    ]

    static func reseedViolations(of plan: Plan, _ graph: StepGraph) -> [InvariantViolation] {
        guard plan.scenario == .reseed else {
            return plan.steps.filter { ofReseeds.contains($0.action) }.map {
                .init(
                    invariant: "reseed-alone", step: $0.id,
                    detail: "\($0.action.rawValue) belongs to a re-seed, which is a run of its own")
            }
        }
        var found = plan.steps.flatMap { misplacedInReseed($0, plan) }
        let wipes = plan.steps.filter { [.replicateDatabase, .seedStandbyLeader].contains($0.action) }
        // A way back replaces nothing.
        if plan.runbookName == AbortPlanner.name {
            return found
                + plan.steps.filter { ![.restoreNode, .forbidRewind, .wait].contains($0.action) }.map {
                    .init(invariant: "abort-restores", step: $0.id, detail: "does not belong on the way back")
                }
        }
        guard wipes.count == 1, let wipe = wipes.first, let node = wipe.node else {
            return found + [
                .init(
                    invariant: "one-database-replaced",
                    detail: "replaces \(wipes.count) databases: a re-seed replaces exactly one")
            ]
        }
        let ancestors = graph.ancestors(ofEach: plan.steps.map(\.id))
        found += wipeViolations(wipe, of: node, plan, ancestors[wipe.id] ?? [])
        found +=
            memberViolations(wipe, plan, ancestors) + rewindViolations(wipe, plan, ancestors)
            + rateViolations(wipe, plan)
        return found + startViolations(wipe, plan, ancestors)
    }

    private static func misplacedInReseed(_ step: Step, _ plan: Plan) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        if foreign.contains(step.action) {
            found.append(
                .init(
                    invariant: "reseed-only", step: step.id,
                    detail: "\(step.action.rawValue) does not belong in a re-seed"))
        }
        if step.action == .restoreNode, plan.runbookName != AbortPlanner.name {
            found.append(
                .init(
                    invariant: "reseed-only", step: step.id, detail: "only a way back takes back what a run did"))
        }
        if case .commands(_, let node, _) = step.operation, plan.inventory.site(of: node)?.id == plan.from,
            !onSource.contains(step.action)
        {
            found.append(
                .init(
                    invariant: "never-the-source", step: step.id,
                    detail: "would act on \(node) of \(plan.from), the primary that everything is copied from"))
        }
        return found
    }

    private static func wipeViolations(
        _ wipe: Step, of node: NodeID, _ plan: Plan, _ before: Set<StepID>
    ) -> [InvariantViolation] {
        var found: [InvariantViolation] = []
        func broken(_ invariant: String, _ detail: String) {
            found.append(.init(invariant: invariant, step: wipe.id, detail: detail))
        }
        if !isOnlyDatabase(node, of: plan.inventory.site(plan.to), wipe.action) {
            broken("one-database-replaced", "\(node) is not the one node with the main database of \(plan.to)")
        }
        if !wipe.isIrreversible { broken("one-database-replaced", "calls reversible what is not") }
        let isAsked = plan.steps.contains { step in
            guard case .confirmation(_, let answer) = step.operation else { return false }
            return before.contains(step.id) && answer == node.rawValue
        }
        if !isAsked { broken("asked-before-wipe", "nobody is asked for the name of \(node) before it") }
        let pair = Subject.failover(from: plan.from, to: plan.to)
        for (check, when) in [
            ("reseed.direction", Requirement.When.always), ("reseed.own-database", .untilStarted),
            ("database.room-for-base-backup", .beforeStart),
        ] as [(CheckID, Requirement.When)]
        where !wipe.requires.contains(where: { $0.check.check == check && $0.check.subject == pair && $0.when == when })
        {
            broken("seen-before-wipe", "does not look at \(check) just before it acts")
        }
        for check in plan.repairs.sorted() where !wipe.requires.contains(where: { $0.check.check == check }) {
            broken("mended-before-wipe", "does not look whether \(check), which the plan is to mend, holds by then")
        }
        for (node, reason) in unsavedDivergence(plan, before) {
            broken("divergence-saved-first", "\(node): \(reason)")
        }
        if case .commands(let commands, _, _) = wipe.operation,
            let copy = commands.firstIndex(where: \.isUnlimitedCopy),
            commands[copy].exitStatus != .mustBeZero,
            commands.dropFirst(copy + 1).first != ActionCommands.wholeCopy
        {
            broken("streams-or-failed", "goes on after a copy that failed, without a look whether it was whole")
        }
        if wipe.until?.check.check != "database.reseeded" {
            broken(
                "streams-or-failed", "is not proved by a standby that streams: its exit status is 0 without one, too")
        }
        return found
    }

    /// Nodes whose divergence nothing saves before their database or disks are given up, and why.
    private static func unsavedDivergence(_ plan: Plan, _ before: Set<StepID>) -> [(node: String, reason: String)] {
        guard let from = plan.inventory.site(plan.from), let to = plan.inventory.site(plan.to) else { return [] }
        switch Divergence.between(from, to, in: plan.basis) {
        case .together: return []
        case .unknown(let reason): return [(to.id.rawValue, "where the histories part is not known: \(reason)")]
        case .parted:
            let saved = Set(
                plan.steps.filter { $0.action == .saveDivergence && before.contains($0.id) }.compactMap(\.node))
            let followers = to.followers(in: plan.basis)
            let holding = to.nodes.filter { node in
                let parts = DivergenceProgram.Part.of(node)
                return !parts.isEmpty && !(followers.contains(node) && parts == [.database])
            }
            return holding.filter { !saved.contains($0.id) }
                .map { ($0.id.rawValue, "what only it has is not saved before the database is replaced") }
        }
    }

    /// Nothing of the application before a write of after the copy was seen on the standby: two looks with WAL in between.
    private static func startViolations(
        _ wipe: Step, _ plan: Plan, _ ancestors: [StepID: Set<StepID>]
    ) -> [InvariantViolation] {
        func comes(_ step: StepID, after other: StepID) -> Bool { ancestors[step]?.contains(other) == true }
        let proofs = proofs(of: wipe, plan, ancestors)
        let seeds = Dictionary(
            plan.steps.filter { $0.id == wipe.id || $0.action == .seedReplica }.compactMap { step in
                step.node.map { ($0, step.id) }
            }, uniquingKeysWith: { first, _ in first })
        let site = plan.inventory.site(plan.to)
        return plan.steps.compactMap { step in
            let node = step.node.flatMap(plan.inventory.node)
            let isOfDatabase = node.map { $0.id == wipe.node || $0.runs(.patroni) } ?? false
            switch step.action {
            case .bringNodeBack where isOfDatabase:
                if let seed = step.node.flatMap({ seeds[$0] }), comes(step.id, after: seed) { return nil }
                return .init(
                    invariant: "standby-before-services", step: step.id,
                    detail: "would start the former database of \(step.subject) beside the primary's")
            case .bringNodeBack, .startAndEnable, .resetTracking, .migrateTracking, .registerSite, .startCronJobs:
                guard !proofs.contains(where: { comes(step.id, after: $0.id) }) else { return nil }
                return .init(
                    invariant: "standby-before-services", step: step.id,
                    detail: "does not wait until a write after the copy was seen on the standby")
            case .reconfigure where !isOfDatabase:
                guard !proofs.contains(where: { comes(step.id, after: $0.id) }) else { return nil }
                return .init(
                    invariant: "standby-before-services", step: step.id,
                    detail: "could start services before a write after the copy was seen on the standby")
            case .liftBootGuard where !isOfDatabase && node.map { site?.storeServices(on: $0).isEmpty ?? true } ?? true:
                return .init(
                    invariant: "standby-before-services", step: step.id,
                    detail: "lifts the boot guard of another node than the database's")
            case .stopAndDisable, .liftBootGuard, .configureSecondary, .preparePrimary, .copySecrets, .copyHostKeys,
                .trustPrimary, .permitRewind:
                guard comes(step.id, after: wipe.id) else { return nil }
                return .init(
                    invariant: "standby-before-services", step: step.id, detail: "comes after the database was replaced"
                )
            default: return nil
            }
        }
    }
}
