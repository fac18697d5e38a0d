/// One command of a visit: an exact argument vector, its bounds, and when it runs.
///
/// Exact, so that a sudoers allow-list can name it (``SudoersDocument``); bounded on the node, by a `timeout` that runs
/// with the same privileges, because an unprivileged one cannot end a root process.
package struct ProbeCommand: Sendable, Hashable {
    package enum Privilege: Sendable, Hashable { case operatorAccount, root }

    package enum Condition: Sendable, Hashable {
        case always
        /// Only where this path exists on the node.
        case exists(path: String)
        /// Only when the command before it ended with another status than 0.
        case previousFailed
    }

    /// Names the frame of the answer; unique within a script.
    package var name: String
    package var arguments: [String]
    package var privilege: Privilege
    package var condition: Condition
    package var timeLimitSeconds: Int
    package var outputLimitBytes: Int
    /// What it usually takes, for the time limit of a whole visit.
    package var usualSeconds: Int
    /// Fed to standard input; every other command reads `/dev/null`.
    package var queries: [DatabaseQuery]

    package init(
        _ name: String, _ arguments: [String], as privilege: Privilege, when condition: Condition = .always,
        timeLimitSeconds: Int = 10, outputLimitBytes: Int = 16 << 10, usualSeconds: Int = 0,
        queries: [DatabaseQuery] = []
    ) {
        self.name = name
        self.arguments = arguments
        self.privilege = privilege
        self.condition = condition
        self.timeLimitSeconds = timeLimitSeconds
        self.outputLimitBytes = outputLimitBytes
        self.usualSeconds = usualSeconds
        self.queries = queries
    }

    /// The command under its time limit: TERM after ``timeLimitSeconds``, KILL two seconds later.
    package var bounded: [String] {
        let timeout = privilege == .root ? "/usr/bin/timeout" : "timeout"
        return [timeout, "-k", "2", String(timeLimitSeconds)] + arguments
    }

    /// What the node's shell is given.
    package func commandLine(become: NodeAccess.Become) -> [String] {
        privilege == .root && become == .sudo ? ["sudo", "-n"] + bounded : bounded
    }
}
