/// The way back of a run that has not passed the point of no return: puts the site that was to be left into service again.
///
/// Only what the run touched is undone. Starting what runs already changes nothing, so every node of the site is started;
/// Maintenance Mode and cron jobs may be as an administrator wants them, and are left alone when no step acted on them.
package enum AbortPlanner {
    /// Of every way back; no file has it.
    package static let name = "abort"

    /// `nil` when the run changed nothing, so that there is nothing to undo.
    ///
    /// Order: databases and storage, then the application, then background jobs, then writes; users get in last.
    package static func runbook(undoing run: RunID, _ state: RunState, digest: Digest) -> Runbook? {
        let acted = Set(state.plan.steps.filter { state.acted.contains($0.id) }.map(\.action))
        guard !acted.isEmpty else { return nil }
        if state.plan.scenario == .changeURL { return formerURL(run, state, digest: digest) }
        if state.plan.scenario == .reseed { return fencedAgain(run, state, digest: digest) }
        var steps: [RunbookStep] = []
        if !acted.isDisjoint(with: [.stopApplication, .stopDatabase, .stopAndDisable]) {
            let application: Set<Component> = [.rails, .sidekiq, .logcursor, .monitoring]
            let managed = Component.allCases.filter(\.isManagedByOmnibus)
            steps += [
                start(
                    "start-data", "Start databases, storage and queues", managed.filter { !application.contains($0) }),
                start("start-application", "Start the application", managed.filter(application.contains)),
                RunbookStep(
                    id: "see-one-primary", title: "See that the site is primary", action: .wait,
                    until: .init(check: "deployment.one-primary", withinSeconds: 300),
                    why: "Its database has to accept writes, and no other may."),
            ]
        }
        if acted.contains(.stopCronJobs) {
            steps.append(
                RunbookStep(
                    id: "start-cron-jobs", title: "Start cron jobs", action: .startCronJobs, target: oneRailsNode,
                    until: .init(check: "cron.running", withinSeconds: 300), why: "The run had stopped them."))
        }
        if acted.contains(.enableMaintenanceMode) {
            steps.append(
                RunbookStep(
                    id: "open-writes", title: "Turn Maintenance Mode off", action: .disableMaintenanceMode,
                    target: oneRailsNode, until: .init(check: "site.maintenance-off", withinSeconds: 300),
                    why: "The run had turned it on."))
        }
        steps.append(
            RunbookStep(
                id: "url-ready", title: "See that users are served", action: .wait,
                until: .init(check: "site.ready", on: .from, withinSeconds: 600),
                why: "The way back is over when users can work."))
        return Runbook(
            name: name, title: "Put \(state.plan.from) back into service: undo \(run)", scenario: .abort,
            preflight: [PreflightReference(check: "candidate.not-promoted", limits: Limits())], steps: steps,
            source: DocumentReference(path: "abort of \(run)", digest: digest))
    }

    /// What a re-seed did to each node so far, taken back, the newest first; by each step's own word.
    package static func undo(_ state: RunState) -> [NodeID: [RemoteCommand]] {
        guard state.plan.scenario == .reseed else { return [:] }
        var found: [NodeID: [RemoteCommand]] = [:]
        // What was permitted on the primary's node is taken back by a step of its own.
        for step in state.plan.steps.reversed() where state.acted.contains(step.id) && step.action != .permitRewind {
            guard case .reversible(let undo) = step.reversibility, let node = step.node else { continue }
            found[node, default: []] += undo
        }
        return found
    }

    /// A re-seed that has replaced nothing leaves the site as it was: fenced, or a secondary that follows nobody.
    private static func fencedAgain(_ run: RunID, _ state: RunState, digest: Digest) -> Runbook? {
        guard !undo(state).isEmpty else { return nil }
        return Runbook(
            name: name, title: "Leave \(state.plan.to) as it was: undo \(run)", scenario: .reseed, preflight: [],
            steps: [
                RunbookStep(
                    id: "restore-nodes", title: "Take back what the run did to nodes", action: .restoreNode,
                    target: .init(part: .to, atOnce: 4), until: .init(check: "node.fenced", withinSeconds: 120),
                    why: "A former primary that is not re-seeded must neither run nor start at boot; a secondary that"
                        + " the run had stopped serves again.")
            ] + forbiddingRewinds(state), source: DocumentReference(path: "abort of \(run)", digest: digest))
    }

    /// The inventory that the way back is planned with. Whoever goes back needs nobody's approval.
    package static func inventory(_ plan: Plan) -> Inventory {
        var inventory = plan.inventory
        inventory.approvals = nil
        guard plan.scenario == .changeURL, let former = formerURL(plan),
            let index = inventory.sites.firstIndex(where: { $0.id == plan.to })
        else { return inventory }
        inventory.sites[index].url = former
        return inventory
    }

    /// The URL that the nodes had which the plan edits: it plans for nodes that agree.
    private static func formerURL(_ plan: Plan) -> String? {
        let edited = plan.steps.first { $0.action == .setExternalURL }?.node
        guard case .text(let url)? = edited.flatMap({ plan.basis[$0].configuration.value?.externalURL }) else {
            return nil
        }
        return url
    }

    /// A change of the URL is undone by changing it back: the same steps with the former URL. What a hook did to the name is
    /// for the operators to take back.
    private static func formerURL(_ run: RunID, _ state: RunState, digest: Digest) -> Runbook? {
        guard let former = formerURL(state.plan) else { return nil }
        let everyNode = RunbookStep.Target(part: .to, atOnce: 1)
        return Runbook(
            name: name, title: "Give \(state.plan.to) its former URL back, \(former): undo \(run)",
            scenario: .changeURL,
            preflight: [],
            steps: [
                RunbookStep(
                    id: "set-external-url", title: "Write the former URL into gitlab.rb", action: .setExternalURL,
                    target: everyNode, until: .init(check: "node.external-url", withinSeconds: 60),
                    why: "The run had written another."),
                RunbookStep(
                    id: "reconfigure", title: "Reconfigure one node after the other", action: .reconfigure,
                    target: everyNode, until: .init(check: "node.url-applied", withinSeconds: 600),
                    why: "Services have to run with it."),
                RunbookStep(
                    id: "write-tables", title: "Write the former URL into Geo's tables", action: .updatePrimaryURL,
                    target: .init(part: .to, components: [.rails], nodes: .one),
                    until: .init(check: "geo.site-url", on: .to, withinSeconds: 120),
                    why: "Secondaries find the primary by it."),
                RunbookStep(
                    id: "url-ready", title: "See that users are served", action: .wait,
                    until: .init(check: "site.ready", on: .to, withinSeconds: 600),
                    why: "The way back is over when users can work."),
            ], source: DocumentReference(path: "abort of \(run)", digest: digest))
    }

    private static let oneRailsNode = RunbookStep.Target(part: .from, components: [.rails], nodes: .one)

    private static func start(_ id: StepID, _ title: String, _ components: [Component]) -> RunbookStep {
        RunbookStep(
            id: id, title: title, action: .startAndEnable, target: .init(part: .from, components: components),
            until: .init(check: "node.in-service", withinSeconds: 600),
            why: "What the run stopped has to run, and to start at boot.", isOptional: true)
    }
}
