/// The way back of a run that has not passed the point of no return: puts the site that was to be left into service again.
///
/// Only what the run touched is undone. Starting what runs already changes nothing, so every node of the site is started;
/// Maintenance Mode and cron jobs may be as an administrator wants them, and are left alone when no step acted on them.
package enum AbortPlanner {
    /// `nil` when the run changed nothing, so that there is nothing to undo.
    ///
    /// Order: databases and storage, then the application, then background jobs, then writes; users get in last.
    package static func runbook(undoing run: RunID, _ state: RunState, digest: Digest) -> Runbook? {
        let acted = Set(state.plan.steps.filter { state.acted.contains($0.id) }.map(\.action))
        guard !acted.isEmpty else { return nil }
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
            name: "abort", title: "Put \(state.plan.from) back into service: undo \(run)", scenario: .abort,
            preflight: [PreflightReference(check: "candidate.not-promoted", limits: Limits())], steps: steps,
            source: DocumentReference(path: "abort of \(run)", digest: digest))
    }

    private static let oneRailsNode = RunbookStep.Target(part: .from, components: [.rails], nodes: .one)

    private static func start(_ id: StepID, _ title: String, _ components: [Component]) -> RunbookStep {
        RunbookStep(
            id: id, title: title, action: .startAndEnable, target: .init(part: .from, components: components),
            until: .init(check: "node.in-service", withinSeconds: 600),
            why: "What the run stopped has to run, and to start at boot.", isOptional: true)
    }
}
