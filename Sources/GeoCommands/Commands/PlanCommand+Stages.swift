import GeoCore
import GeoViews

/// Of a failback the stage that comes next is planned.
extension PlanCommand {
    /// The runbook to plan, for which sites, and which stage it is; any other runbook than one of stages is itself.
    func staged(
        _ chosen: Runbook, _ inventory: Inventory
    ) async throws -> (runbook: Runbook, from: String?, to: String?, stage: PlanStage?) {
        guard !chosen.stages.isEmpty else { return (chosen, from, to, nil) }
        guard !drill else {
            throw CommandFailure("a failback is no drill: --drill is for planned-failover", .badDocument)
        }
        let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
        guard let from, let to, let left = inventory.site(SiteID(from)), let right = inventory.site(SiteID(to)),
            from != to
        else {
            throw CommandFailure(
                "which way back? --from the site that is primary before it, --to the one that is after it, of \(known);"
                    + " the same for each of its stages", .badDocument)
        }
        let stages = chosen.stages.map { $0.between(left, right) }
        let runbooks = try stages.map { try Documents.runbook($0.runbook) }
        for runbook in runbooks where ![.planned, .reseed].contains(runbook.scenario) {
            throw CommandFailure(
                "\(chosen.source.path) has a stage with \(runbook.name), which is \(runbook.scenario.rawValue); stages are"
                    + " re-seeds and planned failovers", .badDocument)
        }
        let legs = zip(stages, runbooks).map { stage, runbook in
            let isAway = stage.from == .from
            return Failback.Leg(
                stage: stage, scenario: runbook.scenario, from: SiteID(isAway ? from : to),
                to: SiteID(isAway ? to : from))
        }
        let observation = try await Live.with(inventory, stateDirectory: state.path) { live in
            await live.observe(Failback.scope(legs, in: inventory), progress: live.progressLine)
        }
        switch Failback.next(legs, in: inventory, observation) {
        case .done(let signs): throw CommandFailure("nothing is left to be done: \(signs)", .done)
        case .unknown(let reason):
            throw CommandFailure(
                "which stage comes next is not known: \(reason)\n  \(NextCommand.check(from: SiteID(from), to: SiteID(to)))",
                .notReady)
        case .stage(let index):
            let leg = legs[index]
            Console.say(
                "stage \(index + 1) of \(legs.count) of \(chosen.name): \(leg.stage.title)"
                    + " (\(leg.stage.runbook), \(leg.from) -> \(leg.to))")
            let stage = PlanStage(chosen, legs: legs, at: index, from: SiteID(from), to: SiteID(to))
            return (runbooks[index], leg.from.rawValue, leg.to.rawValue, stage)
        }
    }
}
