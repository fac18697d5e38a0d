/// One thing to do on one node, or once for the run, with everything that is needed to do it, judge it and undo it.
package struct Step: Sendable, Hashable, Codable {
    /// Unique in the plan: the runbook step's id, and `@node` where it is one of several.
    package var id: StepID
    /// The runbook step that it came from.
    package var group: StepID
    package var title: String
    package var why: String
    package var action: ActionName
    package var subject: Subject
    /// Steps that must have succeeded before.
    package var after: [StepID]
    /// How many steps of the group may run at once; `nil`: all.
    package var atOnce: Int?
    package var operation: Operation
    /// Must hold, by a fresh look, immediately before the step starts.
    package var requires: [Requirement]
    /// Proves that the step did what it is for; only steps that change nothing and wait for nothing have none.
    package var until: Verification?
    package var repeatability: Repeatability
    package var reversibility: Reversibility
    package var blastRadius: BlastRadius
    package var onFailure: FailurePolicy
    /// From start to verified, as the catalogue or earlier runs here expect it.
    package var expectedSeconds: Int

    package init(
        id: StepID, group: StepID, title: String, why: String, action: ActionName, subject: Subject,
        after: [StepID] = [], atOnce: Int? = nil, operation: Operation, requires: [Requirement] = [],
        until: Verification? = nil, repeatability: Repeatability = .idempotent, reversibility: Reversibility,
        blastRadius: BlastRadius, onFailure: FailurePolicy = .halt, expectedSeconds: Int
    ) {
        self.id = id
        self.group = group
        self.title = title
        self.why = why
        self.action = action
        self.subject = subject
        self.after = after
        self.atOnce = atOnce
        self.operation = operation
        self.requires = requires
        self.until = until
        self.repeatability = repeatability
        self.reversibility = reversibility
        self.blastRadius = blastRadius
        self.onFailure = onFailure
        self.expectedSeconds = expectedSeconds
    }

    package var node: NodeID? {
        if case .node(let id) = subject { id } else { nil }
    }

    package var isIrreversible: Bool {
        if case .irreversible = reversibility { true } else { false }
    }

    /// Whether it runs anything that can change a node or the world.
    package var changesSomething: Bool {
        switch operation {
        case .commands, .isolation, .hook, .pushCanary, .manual: true
        case .confirmation, .wait: false
        }
    }
}

/// What a step does. The meaning ("promote a node") is spent at planning time; the executor needs no other cases.
package enum Operation: Sendable, Hashable, Codable {
    /// Commands on one node, one after the other.
    case commands(commands: [RemoteCommand], node: NodeID, expected: NodeIdentity)
    /// Programs of the operators', on the operator's machine, one after the other until one of them proves that the
    /// node is isolated.
    case isolation(node: NodeID, programs: [FenceProgram])
    /// A program of the operators', on the operator's machine; an argument vector with nothing left to fill in.
    case hook(name: String, arguments: [String], timeLimitSeconds: Int)
    /// A commit pushed to the canary repository from the operator's machine.
    case pushCanary(repository: String, timeLimitSeconds: Int)
    /// A question that the operator answers by typing `answer`.
    case confirmation(question: String, answer: String)
    /// Something a person does; the verification tells whether it was done.
    case manual(instructions: String)
    /// Nothing to do but to wait for the verification.
    case wait
}

/// A command on a node as an argument vector, never a shell string. Runs detached from the SSH session.
package struct RemoteCommand: Sendable, Hashable, Codable {
    package enum Condition: String, Sendable, Hashable, Codable {
        case always
        /// The attribute file is a stub: `geo promote` would exit 3 until a reconfigure succeeds.
        case attributeFileIsStub = "attribute-file-is-stub"
        /// The command before it printed `NOT OK`: only a reconfigure of its own gives an honest exit status.
        case previousSaysNotOK = "previous-says-not-ok"
        /// The command before it ended with another exit status than 0: `gitlab-ctl stop` of a service that ignores TERM.
        /// A `test` looks whether that one had done nevertheless what counts, and fails for it where it had not.
        case previousFailed = "previous-failed"
        /// `gitlab-cluster.json` has zero bytes: promote and reconfigure fail until it is set aside.
        case clusterFileIsEmpty = "cluster-file-is-empty"
    }

    package enum ExitStatus: String, Sendable, Hashable, Codable {
        /// Says nothing reliable; only the verification counts (`gitlab-ctl stop`).
        case isOnlyAClaim = "is-only-a-claim"
        /// Anything but 0 is a failure of the step; 0 is no proof.
        case mustBeZero = "must-be-zero"
    }

    package var arguments: [String]
    package var asRoot: Bool
    package var timeLimitSeconds: Int
    package var outputLimitBytes: Int
    package var condition: Condition
    package var exitStatus: ExitStatus
    /// Longest silence that is no reason to worry.
    package var quietSeconds: Int
    /// Where the one line is found that the command reads on its standard input; `nil`: it gets none. Read when the command
    /// starts, and kept nowhere.
    package var input: SecretReference?
    /// A file of another node that the command reads on its standard input, byte for byte; `nil`: none. As ``input``, read
    /// when the command starts, and kept nowhere.
    package var inputFile: NodeFile?
    /// A file that an operator keeps ready, which the command reads on its standard input. As ``input``, read when the command
    /// starts, and kept nowhere; it has to be the one of the plan.
    package var inputConfiguration: ConfigurationFile?
    /// Lines that the command reads on its standard input and everybody may read; beside ``input`` never.
    package var answers: [String]?

    package init(
        arguments: [String], asRoot: Bool = true, timeLimitSeconds: Int, outputLimitBytes: Int = 4 << 20,
        condition: Condition = .always, exitStatus: ExitStatus = .isOnlyAClaim, quietSeconds: Int = 30,
        input: SecretReference? = nil, inputFile: NodeFile? = nil, answers: [String]? = nil
    ) {
        self.arguments = arguments
        self.asRoot = asRoot
        self.timeLimitSeconds = timeLimitSeconds
        self.outputLimitBytes = outputLimitBytes
        self.condition = condition
        self.exitStatus = exitStatus
        self.quietSeconds = quietSeconds
        self.input = input
        self.inputFile = inputFile
        self.answers = answers
    }

    /// Quoted for a POSIX shell, to read and to copy; `sudo -n` in front where it runs as root.
    package var shellText: String {
        inputText + ((asRoot ? ["sudo", "-n"] : []) + arguments).map(Self.quoted).joined(separator: " ")
    }

    package var takesInput: Bool {
        input != nil || inputFile != nil || inputConfiguration != nil || answers != nil
    }

    /// What stands in front of a command that reads something: of a secret where it comes from, never the secret.
    package var inputText: String {
        if let inputFile { return inputFile.shellText + " | " }
        if let inputConfiguration { return inputConfiguration.shellText + " | " }
        if let answers { return "printf '%s\\n' " + answers.map(Self.quoted).joined(separator: " ") + " | " }
        return input == nil ? "" : "printf '%s\\n' \"$PASSWORD\" | "
    }

    /// One argument as a POSIX shell reads it back unchanged.
    package static func quoted(_ argument: String) -> String {
        let plain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "@"),
                UInt8(ascii: "+"), UInt8(ascii: "%"):
                true
            default: false
            }
        }
        if plain && !argument.isEmpty { return argument }
        return "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension RemoteCommand {
    /// Looks, makes room, or ends what an earlier command left undone, and changes nothing that a requirement of its step is
    /// about: that comes after it.
    var isPreliminary: Bool {
        // Patroni was stopped with its site. In a further attempt it is the copy of the one before that ends here.
        let stopsPatroni = ["stop", "graceful-kill"].contains { arguments == ["gitlab-ctl", $0, "patroni"] }
        return ["test", "mkdir"].contains(arguments.first) || condition == .attributeFileIsStub || stopsPatroni
            || arguments == ActionCommands.forgetPassword
    }

    /// Looks at what the command before it has left, where that one did not end with 0.
    package var judgesTheOneBefore: Bool { condition == .previousFailed && arguments.first == "test" }
}

extension Step {
    /// Whether the step has begun, in this attempt, what its requirements guard: such a command may be running, or is over.
    package func hasBegun(_ running: RunState.Running) -> Bool {
        guard case .commands(let commands, _, _) = operation else { return running.isCommandStarted }
        return commands.prefix(running.command + (running.isCommandStarted ? 1 : 0)).contains { !$0.isPreliminary }
    }
}

/// A check that must hold before a step begins.
package struct Requirement: Sendable, Hashable, Codable {
    package enum When: String, Sendable, Hashable, Codable {
        case always
        /// Until the step has begun (``Step/hasBegun(_:)``) or is tried again: what it proves cannot be seen any more once
        /// the step has acted.
        case untilStarted = "until-started"
        /// Until the step has begun, in each attempt (``Step/hasBegun(_:)``): what it does uses up what this proves.
        case beforeStart = "before-start"
    }
    package var check: CheckReference
    package var when: When
    package init(check: CheckReference, when: When) {
        self.check = check
        self.when = when
    }
}

package struct Verification: Sendable, Hashable, Codable {
    package var check: CheckReference
    /// From the end of the step's operation; after it the answer is what was seen last, and the step has failed.
    package var withinSeconds: Int
    package init(check: CheckReference, withinSeconds: Int) {
        self.check = check
        self.withinSeconds = withinSeconds
    }
}

/// Whether a step whose outcome is not known may simply be run again.
package enum Repeatability: Sendable, Hashable, Codable {
    case idempotent
    case once(because: String)
}

package enum Reversibility: Sendable, Hashable, Codable {
    /// Nothing to undo.
    case changesNothing
    /// By these commands, on the step's node.
    case reversible(undo: [RemoteCommand])
    case irreversible(because: String)
}

/// What a step can do to users and data, if it works and if it does not.
package struct BlastRadius: Sendable, Hashable, Codable {
    package enum Effect: String, Sendable, Hashable, Codable, Comparable {
        case none, degraded, readOnly = "read-only", outage
        private var rank: Int {
            switch self {
            case .none: 0
            case .degraded: 1
            case .readOnly: 2
            case .outage: 3
            }
        }
        package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
    }
    package var effect: Effect
    package var site: SiteID?
    package var text: String
    package init(effect: Effect, site: SiteID?, text: String) {
        self.effect = effect
        self.site = site
        self.text = text
    }
}
