/// Commands that a run started and that its journal does not know of.
///
/// A record is on the disk of its machine before its command is sent. When that machine is lost and a copy of the
/// journal lacks its last records, the nodes know more than the copy: each keeps the key of what it was told to start.
/// Without them the effects of the run itself would look like a change by somebody else, and it could never go on.
package enum Adoption {
    /// The records that put those commands into the journal, so that they are followed under their keys.
    ///
    /// - Parameters:
    ///   - run: whose jobs count.
    ///   - state: after the record that says that the run goes on.
    ///   - keys: of all commands in the journal.
    ///   - jobs: what the nodes have; nodes that did not answer are left for the next time.
    /// - Returns: in the order in which they have to be written; none when the journal knows all.
    package static func entries(
        of run: RunID, in state: RunState, known keys: Set<String>, jobs: [NodeJobs]
    ) -> [JournalEntry] {
        var steps: [String: Step] = [:]
        for step in state.plan.steps { steps[ExecutionStateMachine.key(step: step.id, attempt: 0, index: 0)] = step }
        var unknown: [StepID: [Job]] = [:]
        for entry in jobs {
            for job in entry.known where job.run == run && !keys.contains(job.key) {
                let parts = job.key.split(separator: "~", omittingEmptySubsequences: false)
                guard parts.count == 3, let attempt = Int(parts[1]), let index = Int(parts[2]),
                    let step = steps["\(parts[0])~0~0"], step.node == entry.node
                else { continue }
                unknown[step.id, default: []].append(Job(attempt: attempt, index: index, key: job.key))
            }
        }
        let passed = waits(before: Set(unknown.keys), in: state)
        return passed + state.plan.steps.flatMap { adopted($0, unknown[$0.id] ?? [], in: state) }
    }

    private struct Job {
        var attempt: Int
        var index: Int
        var key: String
    }

    /// Steps that only wait for something to be seen, and that the run had gone past: it starts nothing before all that
    /// comes before it is over. Some of it cannot be seen any more, such as the position of a database that was stopped
    /// since. They are not taken for proven. A proof that a promise stands on is looked at again, as long as the point of
    /// no return was not passed.
    private static func waits(before adopted: Set<StepID>, in state: RunState) -> [JournalEntry] {
        let graph = StepGraph(state.plan.steps)
        let reached = adopted.reduce(into: Set<StepID>()) { $0.formUnion(graph.ancestors(of: $1)) }
        let isPast =
            state.isPastPointOfNoReturn || adopted.contains { state.plan.step($0)?.isIrreversible == true }
        return state.plan.steps.compactMap { step in
            guard reached.contains(step.id), case .wait = step.operation, !state.isOver(step.id) else { return nil }
            let check = step.until.flatMap { CheckCatalog.check($0.check.check) }
            guard isPast || check?.isInvariant != true else { return nil }
            let attempt =
                switch state.progress(of: step.id) {
                case .running(let running): running.attempt
                case .failed(let known, _), .inDoubt(let known, _): known
                case .pending, .succeeded, .skipped: 1
                }
            return .stepPassed(
                step: step.id, attempt: attempt,
                reason: "a node was told to start what comes after it, and the record of it was lost with its machine")
        }
    }

    /// Those of the newest attempt, in their order. Only the last one is followed: it was sent after the others had ended.
    private static func adopted(_ step: Step, _ unknown: [Job], in state: RunState) -> [JournalEntry] {
        guard let attempt = unknown.map(\.attempt).max() else { return [] }
        let isNewAttempt: Bool
        var first = 0
        switch state.progress(of: step.id) {
        case .succeeded, .skipped: return []
        case .pending: isNewAttempt = true
        case .running(let running):
            guard running.attempt <= attempt else { return [] }
            isNewAttempt = running.attempt < attempt
            // What comes before it is over.
            if !isNewAttempt { first = running.command }
        case .failed(let known, _), .inDoubt(let known, _):
            guard known < attempt else { return [] }
            isNewAttempt = true
        }
        let jobs = unknown.filter { $0.attempt == attempt && $0.index >= first }.sorted { $0.index < $1.index }
        return (isNewAttempt ? [.stepStarted(step: step.id, attempt: attempt)] : [])
            + jobs.map { .commandStarted(step: step.id, attempt: attempt, index: $0.index, key: $0.key) }
    }
}
