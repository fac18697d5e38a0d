import GeoCore
import GeoRuntime
import GeoViews

/// Ending a command that nobody waits for any more.
extension RunSession {
    /// How long the node is asked again: the command has 30 s to end before it is killed.
    private static let patienceSeconds = 45.0

    /// Ends the command of a step that is in doubt, with all its processes. The step stays in doubt until the run goes
    /// on and finds how it ended.
    func cancel(_ step: StepID, because reason: String) async throws -> ExitStatus {
        try await locked { contents in
            let state = try replay(contents.records).state
            let (node, attempt, index) = try cancellable(step, state)
            return try await Live.with(file.plan.inventory, stateDirectory: stateDirectory) { live in
                let journal = try Journal(
                    run: directory.run, store: try directory.openStore(wholeBytes: contents.wholeBytes),
                    clock: LiveClock.wall, after: contents.records)
                let key = ExecutionStateMachine.key(step: step, attempt: attempt, index: index)
                _ = try await journal.append(
                    .commandCancelled(
                        step: step, attempt: attempt, index: index, key: key, by: Settings.actor, reason: reason))
                let keeper = live.jobs
                let began = LiveClock.uptime()
                while true {
                    let answer = await keeper.cancel(key: key, run: directory.run, epoch: state.epoch, on: node)
                    switch answer {
                    case .failure(let unknown):
                        throw CommandFailure(
                            "whether \(step) ended on \(node.id) is not known: \(unknown.reason)"
                                + "\n  again: geo-failover jobs cancel \(step) --reason '...' --run \(directory.run)",
                            .halted)
                    case .success(let state) where state == .running || state == .starting:
                        if LiveClock.wall.seconds(since: began) > Self.patienceSeconds {
                            throw CommandFailure(
                                "\(step) was told to end and still runs on \(node.id)"
                                    + "\n  look: geo-failover jobs list --run \(directory.run)", .halted)
                        }
                    case .success(let state):
                        Console.result(
                            "\(step) on \(node.id): \(JobsView.word(state)).\n"
                                + "  go on: geo-failover resume \(directory.run)")
                        return .done
                    }
                }
            }
        }
    }

    private func cancellable(_ id: StepID, _ state: RunState) throws -> (node: Node, attempt: Int, index: Int) {
        guard !state.isOver else {
            throw CommandFailure("\(directory.run) is over, and nothing is added to its journal", .refused)
        }
        guard let step = file.plan.step(id) else {
            throw CommandFailure("\(directory.run) has no step \(id)\n  geo-failover status \(directory.run)", .refused)
        }
        guard let command = state.commandInDoubt(of: id), let node = step.node.flatMap(file.plan.inventory.node) else {
            throw CommandFailure(
                "no command of \(id) is on its way to a node, so there is nothing to end", .refused)
        }
        guard case .idempotent = step.repeatability else {
            throw CommandFailure(
                """
                \(id) is not ended: it cannot be repeated, and \(step.blastRadius.text).
                Ended in the middle it leaves \(node.id) in a state that nobody can tell. Its own limit on the node \
                ends it after \(DurationText.of(step.commands[command.index].timeLimitSeconds)).
                  look: geo-failover jobs list --run \(directory.run)
                """, .refused)
        }
        return (node, command.attempt, command.index)
    }
}
