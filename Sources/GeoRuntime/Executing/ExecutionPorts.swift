package import GeoCore

/// What the executor touches the world with.
package struct ExecutionPorts: Sendable {
    package var observe: @Sendable (_ scope: ObservationScope) async -> Observation
    package var shell: NodeShell
    package var programs: LocalPrograms
    package var prompt: OperatorPrompt
    package var clock: WallClock
    package var boundary: @Sendable () -> String
    /// Keeps a transcript; returns its path relative to the run directory.
    package var keepTranscript: @Sendable (_ key: String, _ bytes: [UInt8]) throws -> String
    package var announce: @Sendable (_ event: RunEvent) -> Void
    /// Waits, not for ever, until the records so far are on other machines as well.
    package var copyRecords: @Sendable () async -> Void
    /// Follows a reference, when a command that reads the secret is about to start.
    package var secret: @Sendable (_ reference: SecretReference) throws -> [UInt8]
    /// Reads a file of a node, when a command of another one that takes it is about to start.
    package var nodeFile: @Sendable (_ file: NodeFile) async -> Result<[UInt8], Unreadable>
    /// Whether it is looked how far long commands have come. Changes nothing of a run.
    package var looksAtProgress = false

    package init(
        observe: @escaping @Sendable (_ scope: ObservationScope) async -> Observation, shell: NodeShell,
        programs: LocalPrograms, prompt: OperatorPrompt, clock: WallClock,
        boundary: @escaping @Sendable () -> String,
        keepTranscript: @escaping @Sendable (_ key: String, _ bytes: [UInt8]) throws -> String,
        announce: @escaping @Sendable (_ event: RunEvent) -> Void,
        copyRecords: @escaping @Sendable () async -> Void = {},
        secret: @escaping @Sendable (_ reference: SecretReference) throws -> [UInt8] = { _ in throw NoSecrets() },
        nodeFile: @escaping @Sendable (_ file: NodeFile) async -> Result<[UInt8], Unreadable> = { _ in
            .failure(Unreadable(NoSecrets().description))
        }
    ) {
        self.observe = observe
        self.shell = shell
        self.programs = programs
        self.prompt = prompt
        self.clock = clock
        self.boundary = boundary
        self.keepTranscript = keepTranscript
        self.announce = announce
        self.copyRecords = copyRecords
        self.secret = secret
        self.nodeFile = nodeFile
    }
}

/// Nobody here can follow a reference to a secret.
package struct NoSecrets: Error, Sendable, CustomStringConvertible {
    package init() {}
    package var description: String { "nobody here can read it" }
}

/// What is given to a command is one line, and nothing else of a secret can be.
struct NoLine: Error, CustomStringConvertible {
    var description: String { "it is empty, or no single line of text" }
}

/// What happens during a run, for the display. The journal is the truth; this is only quicker.
package enum RunEvent: Sendable {
    case recorded(record: JournalRecord)
    /// New output of a command: its last whole line.
    case output(step: StepID, line: String)
    /// A verification that does not hold yet.
    case waiting(step: StepID, finding: Finding?)
    /// How far a command has come, as others than itself tell.
    case progress(step: StepID, measure: Measure)
    /// A node cannot be reached, and is tried again.
    case unreachable(step: StepID, text: String)
    /// Something about the run itself that the operator has to know.
    case notice(text: String)
}

/// How an execution ended.
package enum RunOutcome: Sendable, Hashable {
    case finished
    case halted(reason: String)
    /// The world is not what the plan was made from; nothing was changed by this execution since.
    case refused(drift: [Drift])
    /// The checks of the plan do not hold any more.
    case notReady(findings: [Finding])
    case declined(step: StepID)
}

/// The operator's Ctrl-C, told to everything that waits. Once: start nothing new. Twice: stop waiting.
package actor Interruption {
    package enum Level: Int, Sendable, Comparable {
        case none, finishWhatIsInFlight, stopWaiting
        package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }
    package private(set) var level: Level = .none
    /// Why; the first word counts.
    package private(set) var reason = "the operator interrupted the run"
    private var waiters: [CheckedContinuation<Level, Never>] = []

    package init() {}

    package func raise(because reason: String? = nil) {
        if level == .none, let reason { self.reason = reason }
        level = level == .none ? .finishWhatIsInFlight : .stopWaiting
        for waiter in waiters { waiter.resume(returning: level) }
        waiters = []
    }

    /// Waits until the level is above `known`, or until ``release()``.
    package func next(above known: Level) async -> Level {
        if level > known || isReleased { return level }
        return await withCheckedContinuation { waiters.append($0) }
    }

    private var isReleased = false

    /// Lets every waiter go: the run is over.
    package func release() {
        isReleased = true
        for waiter in waiters { waiter.resume(returning: level) }
        waiters = []
    }
}
