/// A private key to log in with.
///
/// Keys are read, decrypted and parsed once, when the client is made.
package struct SSHIdentity: Sendable {
    enum Source: Sendable {
        case file(path: String, passphrase: (@Sendable () throws -> [UInt8])?)
        case agent(socketPath: String)
    }

    let source: Source

    /// A private key file: OpenSSH's format or PEM; ed25519, ECDSA (P-256, P-384, P-521) or RSA; encrypted or not.
    ///
    /// `passphrase`: Asked once, and only when the key is encrypted.
    package static func file(_ path: String, passphrase: (@Sendable () throws -> [UInt8])? = nil) -> SSHIdentity {
        SSHIdentity(source: .file(path: path, passphrase: passphrase))
    }

    /// The keys of a running ssh-agent, asked anew for every connection.
    package static func agent(socketPath: String) -> SSHIdentity {
        SSHIdentity(source: .agent(socketPath: socketPath))
    }
}

/// Where to log in, and as whom.
///
/// Two equal destinations share one connection.
package struct SSHDestination: Hashable, Sendable {
    /// What errors call it: the node's id.
    package var name: String
    /// A name or a numeric address.
    ///
    /// It is also what `known_hosts` is searched for.
    package var host: String
    package var port: UInt16
    package var user: String
    /// The hosts to go through, outermost first; each is a destination that shares its own connection.
    package var jump: [SSHDestination]

    package init(name: String, host: String, port: UInt16 = 22, user: String, jump: [SSHDestination] = []) {
        self.name = name
        self.host = host
        self.port = port
        self.user = user
        self.jump = jump
    }
}

/// What is the same for all destinations of a client.
package struct SSHConfiguration: Sendable {
    package var identities: [SSHIdentity]
    /// Read in order, once.
    ///
    /// A missing file counts as empty and leaves a note.
    package var knownHostsFiles: [String]
    /// For one connection: name, TCP, key exchange and log-in together.
    ///
    /// The command's own limit counts as well.
    package var connectTimeLimit: Duration
    /// How often a connection shows that it lives; three times without an answer and it is lost.
    package var keepaliveSeconds: Int
    /// How long a connection without calls is kept.
    package var idleLimitSeconds: Int
    /// Sleeping nodes cost nothing, handshakes cost processor time on both sides.
    package var handshakesAtOnce: Int
    /// How long one node may keep a jump host from opening channels to the others before a spare connection is made.
    package var jumpPatience: Duration

    package init(
        identities: [SSHIdentity], knownHostsFiles: [String], connectTimeLimit: Duration = .seconds(10),
        keepaliveSeconds: Int = 15, idleLimitSeconds: Int = 300, handshakesAtOnce: Int = 64,
        jumpPatience: Duration = .seconds(1)
    ) {
        precondition(handshakesAtOnce > 0 && keepaliveSeconds > 0 && idleLimitSeconds > 0, "limits are positive")
        self.identities = identities
        self.knownHostsFiles = knownHostsFiles
        self.connectTimeLimit = connectTimeLimit
        self.keepaliveSeconds = keepaliveSeconds
        self.idleLimitSeconds = idleLimitSeconds
        self.handshakesAtOnce = handshakesAtOnce
        self.jumpPatience = jumpPatience
    }
}

/// One command.
///
/// The login shell of the node's user reads `line`; quoting is the caller's.
package struct SSHCommand: Sendable {
    package var line: String
    package var standardInput: [UInt8]
    /// From the call to the result, connecting included.
    package var timeLimit: Duration
    /// Bytes kept of each stream.
    ///
    /// What comes beyond is read and dropped.
    package var outputLimit: Int

    package init(line: String, standardInput: [UInt8] = [], timeLimit: Duration, outputLimit: Int = 1 << 20) {
        precondition(outputLimit >= 0, "an output limit is not negative")
        self.line = line
        self.standardInput = standardInput
        self.timeLimit = timeLimit
        self.outputLimit = outputLimit
    }
}

/// What a command gave.
///
/// libssh2 before 1.11 reports status 0 when the node closed the channel in order but sent no status. OpenSSH always
/// sends one for a process that ended; whoever must be sure ends the command with a trailer of its own.
package struct SSHCommandResult: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        case exited(status: Int)
        /// Killed by a signal, named without "SIG".
        case signalled(name: String)
    }

    package var standardOutput: [UInt8]
    package var standardError: [UInt8]
    package var standardOutputTruncated: Bool
    package var standardErrorTruncated: Bool
    package var outcome: Outcome
    package var elapsed: Duration
}

/// What a client did for one destination so far.
package struct SSHStatistics: Sendable, Hashable {
    package var connectionsOpened: Int
    package var commandsStarted: Int

    package init(connectionsOpened: Int = 0, commandsStarted: Int = 0) {
        self.connectionsOpened = connectionsOpened
        self.commandsStarted = commandsStarted
    }
}
