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
        var newest: [StepID: (attempt: Int, index: Int, key: String)] = [:]
        for entry in jobs {
            for job in entry.known where job.run == run && !keys.contains(job.key) {
                let parts = job.key.split(separator: "~", omittingEmptySubsequences: false)
                guard parts.count == 3, let attempt = Int(parts[1]), let index = Int(parts[2]),
                    let step = steps["\(parts[0])~0~0"], step.node == entry.node
                else { continue }
                if let known = newest[step.id], (known.attempt, known.index) > (attempt, index) { continue }
                newest[step.id] = (attempt, index, job.key)
            }
        }
        let passed = waits(before: Set(newest.keys), in: state)
        return passed
            + state.plan.steps.flatMap { step in
                newest[step.id].map { adopted(step, $0.attempt, $0.index, $0.key, in: state) } ?? []
            }
    }

    /// Steps that only wait for something to be seen, and that the run had gone past: it starts nothing before all that
    /// comes before it is over. Some of it cannot be seen any more, such as the position of a database that was stopped
    /// since. No finding is made up for them: a proof that was lost is missing in the report.
    private static func waits(before adopted: Set<StepID>, in state: RunState) -> [JournalEntry] {
        var reached = adopted
        var open = Array(adopted)
        while let id = open.popLast() {
            for before in state.plan.step(id)?.after ?? [] where reached.insert(before).inserted { open.append(before) }
        }
        return state.plan.steps.compactMap { step in
            guard reached.contains(step.id), case .wait = step.operation else { return nil }
            let attempt: Int
            switch state.progress(of: step.id) {
            case .succeeded, .skipped: return nil
            case .pending: attempt = 1
            case .running(let running): attempt = running.attempt
            case .failed(let known, _), .inDoubt(let known, _): attempt = known
            }
            return .stepSucceeded(step: step.id, attempt: attempt, how: .recovered, findings: [])
        }
    }

    private static func adopted(_ step: Step, _ attempt: Int, _ index: Int, _ key: String, in state: RunState)
        -> [JournalEntry]
    {
        let isNewAttempt: Bool
        switch state.progress(of: step.id) {
        case .succeeded, .skipped: return []
        case .pending: isNewAttempt = true
        case .running(let running): isNewAttempt = running.attempt < attempt
        case .failed(let known, _), .inDoubt(let known, _):
            guard known < attempt else { return [] }
            isNewAttempt = true
        }
        return (isNewAttempt ? [.stepStarted(step: step.id, attempt: attempt)] : [])
            + [.commandStarted(step: step.id, attempt: attempt, index: index, key: key)]
    }
}

extension [JournalRecord] {
    /// Of every command that was recorded as started.
    package var commandKeys: Set<String> {
        reduce(into: []) { keys, record in
            switch record.entry {
            case .commandStarted(_, _, _, let key): keys.insert(key)
            case .nodeReturned(_, _, _, let more): keys.formUnion(more)
            default: break
            }
        }
    }
}
