import ArgumentParser

/// What the tool's exit codes mean; README lists them for operators.
enum ExitStatus: Int32, Sendable {
    case done = 0
    case unexpected = 1
    case notReady = 2
    case refused = 3
    case halted = 4
    case declined = 5
    case heldByAnother = 6
    case badDocument = 65

    var code: ExitCode { ExitCode(rawValue) }
}

/// Something that ends a command: what to say, and the exit code.
struct CommandFailure: Error, Sendable {
    var message: String
    var status: ExitStatus
    init(_ message: String, _ status: ExitStatus) {
        self.message = message
        self.status = status
    }

    /// A run that can write down no more of what it does: nothing new is started.
    static func cannotRecord(_ error: some Error) -> CommandFailure {
        CommandFailure(
            """
            \(error)
              Commands that run on nodes go on by themselves; nothing new is started.
              It is safe to look: geo-failover status
            """, .halted)
    }
}
