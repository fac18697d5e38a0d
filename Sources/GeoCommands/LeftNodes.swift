import FoundationEssentials
import GeoCore
import GeoRuntime

/// What the runs of this machine left without a proof of its fence, for every later look at the deployment.
enum LeftNodes {
    /// What all runs of this machine amount to.
    struct Summary {
        var unproven: [UnprovenNode] = []
        /// The newest first.
        var failovers: [FinishedFailover] = []
    }

    /// - Throws: when the folder of the runs cannot be listed. A run that cannot be read is said to be one.
    static func summary(under runs: String) throws -> Summary {
        guard FileManager.default.fileExists(atPath: runs) else { return Summary() }
        let names = try FileManager.default.contentsOfDirectory(atPath: runs).sorted().reversed()
        var found = Summary()
        /// Sites that a later run brought into service or seeded anew.
        var renewed: Set<SiteID> = []
        for name in names {
            let directory = RunDirectory(run: RunID(name), under: runs)
            guard FileManager.default.fileExists(atPath: directory.journalPath) else { continue }
            let plan: Plan
            let state: RunState
            do {
                (plan, state) = try read(directory)
            } catch {
                found.unproven.append(
                    UnprovenNode(
                        deployment: nil, run: directory.run, node: nil, text: "its record cannot be read: \(error)"))
                continue
            }
            guard state.phase == .finished || state.isPastPointOfNoReturn else { continue }
            if state.phase == .finished, plan.scenario != .abort { renewed.insert(plan.to) }
            if state.phase == .finished, [.planned, .unplanned].contains(state.scenario), let at = state.endedAt {
                found.failovers.append(
                    FinishedFailover(
                        deployment: plan.inventory.deployment, run: directory.run, from: plan.from, to: plan.to, at: at)
                )
            }
            guard !renewed.contains(plan.from) else { continue }
            let words = zip(state.unprovenNodes, RunStatus(run: directory.run, state: state).unproven)
            found.unproven += words.map { node, text in
                UnprovenNode(
                    deployment: plan.inventory.deployment, run: directory.run, node: node, text: text)
            }
        }
        return found
    }

    private static func read(_ directory: RunDirectory) throws -> (Plan, RunState) {
        let plan = try directory.readPlan().plan
        var state = RunState(plan: plan)
        for record in try directory.readJournal().records { try state.apply(record.entry, at: record.at) }
        return (plan, state)
    }
}
