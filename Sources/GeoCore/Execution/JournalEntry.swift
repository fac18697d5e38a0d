/// A line of the journal: an entry with its place in the chain.
package struct JournalRecord: Sendable, Hashable, Codable {
    /// From 0, without gaps.
    package var sequence: Int
    package var at: Timestamp
    package var run: RunID
    /// Digest of the line before it, without its line feed; `nil` in the first.
    package var previous: Digest?
    package var entry: JournalEntry

    package init(sequence: Int, at: Timestamp, run: RunID, previous: Digest?, entry: JournalEntry) {
        self.sequence = sequence
        self.at = at
        self.run = run
        self.previous = previous
        self.entry = entry
    }
}

/// What happened, in the only words that state is rebuilt from. Every associated value is labelled: it reaches a file.
package enum JournalEntry: Sendable, Hashable, Codable {
    case runStarted(plan: Digest, by: Actor, toolVersion: String, epoch: Int)
    /// `reason` says what was mended where a step had failed, or why the nodes were taken from another run.
    case runResumed(by: Actor, toolVersion: String, epoch: Int, reason: String? = nil)
    case approved(plan: Digest, by: Actor, how: String)
    /// A person's signature under the plan, verified before the run began.
    case signed(approval: VerifiedApproval)
    /// The run holds the nodes under this epoch. `missing` did not answer then; `from` says whom it was taken from.
    case leaseTaken(epoch: Int, missing: [NodeID], from: String?, reason: String?)
    /// A fresh look was compared with the plan's basis before the first change, or before the point of no return.
    case driftChecked(before: StepID, drift: [Drift])
    case stepStarted(step: StepID, attempt: Int)
    case commandSkipped(step: StepID, attempt: Int, index: Int, because: String)
    /// Written before the command is sent; without a `commandFinished` the command is in doubt.
    case commandStarted(step: StepID, attempt: Int, index: Int, key: String)
    case commandFinished(
        step: StepID, attempt: Int, index: Int, outcome: CommandOutcome, transcript: TranscriptReference?)
    /// A person ends a command that nobody waits for any more. Written before the node is told; its end is found under
    /// the same key when the run goes on.
    case commandCancelled(step: StepID, attempt: Int, index: Int, key: String, by: Actor, reason: String)
    /// What is lost, by a look in front of the question that accepts it; only where it is not what was told before.
    case lossSeen(loss: LossStatement)
    /// `how` is "typed", or the approval that stood for it.
    case answered(step: StepID, attempt: Int, answer: String, by: Actor, how: String)
    /// A person goes on without a step that failed or is in doubt; only one that ``StepGraph/isSkippable(_:in:)`` allows.
    case stepSkipped(step: StepID, attempt: Int, reason: String, by: Actor)
    /// A step that only waits, and that the run had gone past before the record of it was lost with its machine. Not a
    /// success: what was seen then is not known any more.
    case stepPassed(step: StepID, attempt: Int, reason: String)
    /// The primary died in the middle of a planned failover, and a person gives it up: the run goes on under the gates
    /// of an unplanned one, without the steps that became impossible. `loss` is what that person was told it costs.
    case siteGivenUp(by: Actor, reason: String, loss: String, dropped: [StepID])
    /// A person vouches that a node of the site to leave, which does not answer, can write nothing any more. What the
    /// plan would have done there is left out.
    case nodeAttested(attestation: Attestation)
    /// A node that was not proven to be fenced answers again. Written before it is fenced under these keys.
    case nodeReturned(node: NodeID, attempt: Int, seen: String, keys: [String])
    /// What was seen of its fence afterwards.
    case nodeFencedAgain(node: NodeID, attempt: Int, findings: [Finding])
    case stepSucceeded(step: StepID, attempt: Int, how: Success, findings: [Finding])
    case stepFailed(step: StepID, attempt: Int, reason: String, findings: [Finding])
    /// Nobody waits any longer; the outcome will be looked up on resume.
    case stepLeftInDoubt(step: StepID, attempt: Int, reason: String)
    case runHalted(reason: String)
    /// A person gave the run up; what it changed is undone by another run. Nothing follows this.
    case runAbandoned(by: Actor, reason: String, undoneBy: RunID)
    case runFinished

    package enum Success: String, Sendable, Hashable, Codable {
        case performed
        /// Its end was not recorded, and its verification passed when the run was resumed.
        case recovered
    }
}

extension JournalEntry {
    /// Keys of commands that may be sent once this is written.
    package var startedKeys: [String] {
        switch self {
        case .commandStarted(_, _, _, let key): [key]
        case .nodeReturned(_, _, _, let keys): keys
        default: []
        }
    }
}

/// A person at a machine.
package struct Actor: Sendable, Hashable, Codable {
    package var user: String
    package var host: String
    package init(user: String, host: String) {
        self.user = user
        self.host = host
    }
}

/// How a command ended, as far as can be told.
package enum CommandOutcome: Sendable, Hashable, Codable {
    case exited(status: Int, seconds: Double)
    /// The job's own time limit on the node ended it.
    case timedOut(afterSeconds: Int)
    /// The node refused to start it: another machine, an older epoch, not enough rights. Nothing was changed.
    case refused(text: String)
    /// It started, and its end was lost (the node rebooted, the job directory vanished).
    case lost(text: String)
    /// The node could not be reached within the limit; whether it runs or ended is not known.
    case unreachable(text: String)
}

package struct TranscriptReference: Sendable, Hashable, Codable {
    /// Relative to the run directory.
    package var path: String
    package var digest: Digest
    package var bytes: Int
    package var summary: TranscriptSummary
    package init(path: String, digest: Digest, bytes: Int, summary: TranscriptSummary) {
        self.path = path
        self.digest = digest
        self.bytes = bytes
        self.summary = summary
    }
}

/// A load-bearing fact that is not what the plan was made from.
package struct Drift: Sendable, Hashable, Codable {
    package var subject: Subject
    package var fact: String
    package var planned: String
    package var now: String
    package init(subject: Subject, fact: String, planned: String, now: String) {
        self.subject = subject
        self.fact = fact
        self.planned = planned
        self.now = now
    }
}
