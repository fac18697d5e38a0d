import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoViews

/// Decides which runs are over, asks, and removes what they left on the nodes.
struct JobsCleaning {
    let live: Live
    let state: StateOptions
    let wanted: RunID?
    let olderThanSeconds: Int
    let yes: Bool

    private typealias Jobs = [(node: NodeID, job: NodeJob)]

    private var nodes: [Node] { live.inventory.nodes.filter(\.isManagedByOmnibus) }
    private var keeper: JobKeeper { live.jobs }

    func run() async throws -> ExitStatus {
        let found = await keeper.list(nodes)
        for entry in found {
            if case .failure(let unknown) = entry.jobs { Console.say("note: \(entry.node): \(unknown.reason)") }
        }
        let all = found.flatMap { entry in entry.known.map { (node: entry.node, job: $0) } }
        let runs = Dictionary(grouping: all, by: \.job.run).filter { wanted == nil || $0.key == wanted }
        if let wanted, runs.isEmpty { throw CommandFailure("no node that answered has a job of \(wanted)", .refused) }
        var over: [(run: RunID, jobs: Jobs)] = []
        for (run, jobs) in runs.sorted(by: { $0.key < $1.key }) {
            if let reason = await reasonToKeep(run, jobs) {
                Console.say("kept: \(run), \(reason)")
            } else {
                over.append((run, jobs))
                Console.result("to remove: \(JobsView.summary(run, jobs))")
            }
        }
        guard !over.isEmpty else {
            Console.result("nothing to remove")
            return .done
        }
        if !yes {
            let question = OperatorPrompt.Question(
                step: "clean", text: "Their output and the copies of their journals go with them. Type remove.",
                expected: "remove")
            guard await Prompt.ask(question)?.text == "remove" else {
                throw CommandFailure("declined; nothing was removed (without a terminal: --yes)", .declined)
            }
        }
        return await remove(over)
    }

    private func remove(_ over: [(run: RunID, jobs: Jobs)]) async -> ExitStatus {
        var status = ExitStatus.done
        for (run, _) in over {
            // Copies of the journal may be on nodes without jobs.
            let kept = await keeper.remove(run, from: nodes, olderThanSeconds: olderThanSeconds)
            for (node, reason) in kept.sorted(by: { $0.key < $1.key }) {
                Console.say("kept: \(run) on \(node), \(reason)")
                status = .halted
            }
            Console.result("removed: \(run) from \(nodes.count - kept.count) nodes")
        }
        return status
    }

    private func reasonToKeep(_ run: RunID, _ jobs: Jobs) async -> String? {
        if let job = jobs.first(where: \.job.isAlive) { return "\(job.job.key) still runs on \(job.node)" }
        let age = jobs.map(\.job.ageSeconds).min() ?? 0
        if age < olderThanSeconds { return "last changed \(DurationText.of(age)) ago" }
        let state: RunState?
        do {
            state = try await lastState(run)
        } catch {
            return "its journal cannot be read: \(error)"
        }
        guard let state else {
            return wanted == run
                ? nil
                : "its journal is neither here nor on a node, so nobody knows whether it is over; name it with --run"
        }
        return state.isOver ? nil : "it is not over\n  geo-failover status \(run)"
    }

    /// As the journal here tells it, or else a copy on a node.
    private func lastState(_ run: RunID) async throws -> RunState? {
        let directory = RunDirectory(run: run, under: state.runsDirectory)
        if FileManager.default.fileExists(atPath: directory.planPath) { return try RecordedRun(directory).state }
        for node in nodes {
            let copy: (plan: [UInt8], journal: [UInt8])
            do throws(NodeFailure) {
                copy = try await CopiedRun.fetch(
                    run, from: node, keeper: live.keeper, holder: Settings.actor, boundary: Live.boundary)
            } catch {
                // No copy there, or the node does not answer: the next one may have it.
                continue
            }
            var last = RunState(plan: try PlanFile(reading: copy.plan).plan)
            for record in try JournalLine.decode(copy.journal).records { try last.apply(record.entry, at: record.at) }
            return last
        }
        return nil
    }
}
