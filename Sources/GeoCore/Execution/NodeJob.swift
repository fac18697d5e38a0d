/// A command that the tool once started on a node, as its directory `/var/lib/geo-failover/jobs/RUN/KEY` there tells it.
///
/// The directory is what makes "at most once", and the evidence of what was run. Nothing removes it by itself.
package struct NodeJob: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Its directory is there, and its runner has not begun yet.
        case starting
        case running
        case exited(status: Int)
        /// The node was started again while it ran.
        case rebooted
        /// Its runner is gone and left no exit status.
        case vanished
        /// Whoever looked gave it up before its runner began.
        case neverStarted
    }

    package var run: RunID
    package var key: String
    package var state: State
    /// Since anything in its directory was last made or renamed, by the node's clock; negative when that went back.
    package var ageSeconds: Int
    package var kibibytes: Int
    /// As it would be typed; the first 2,000 bytes, in one line.
    package var command: String

    package init(run: RunID, key: String, state: State, ageSeconds: Int, kibibytes: Int, command: String) {
        self.run = run
        self.key = key
        self.state = state
        self.ageSeconds = ageSeconds
        self.kibibytes = kibibytes
        self.command = command
    }

    /// Whether it may still change its node.
    package var isAlive: Bool { state == .running || state == .starting }
}

/// The jobs that a node has kept.
package struct NodeJobs: Sendable, Hashable {
    package var node: NodeID
    /// A reason where they are not known.
    package var jobs: Result<[NodeJob], Unreadable>
    package init(node: NodeID, jobs: Result<[NodeJob], Unreadable>) {
        self.node = node
        self.jobs = jobs
    }

    /// None where they are not known: ask ``jobs`` for the reason.
    package var known: [NodeJob] { if case .success(let jobs) = jobs { jobs } else { [] } }
}
