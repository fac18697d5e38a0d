/// Why a call over SSH gave no result: what kind, at which destination, in one sentence, and what to do about it.
///
/// A command that ran and failed is no error: its exit status is a result. Nothing secret gets in here.
package struct SSHError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// No route, no answer from the network, or a jump host that could not connect further.
        case unreachable
        /// The destination answered: nothing listens on the port.
        case refused
        case nameNotFound
        /// The time limit passed; `Phase` says where.
        case timedOut
        /// No line of `known_hosts` names the destination (with a key type that this library can use).
        case hostKeyUnknown
        /// `known_hosts` names the destination with another key.
        ///
        /// Never continued.
        case hostKeyMismatch
        case hostKeyRevoked
        case noCommonAlgorithm
        case authenticationRefused
        /// A private key or an agent that cannot be used; found before anything is sent.
        case badIdentity
        /// The connection or channel ended in mid-command: the command's outcome is unknown.
        case channelClosed
        /// sshd's `MaxSessions` is reached on this connection.
        case tooManySessions
        /// sshd refused the channel, command or forward for another reason.
        case channelRefused
        /// The caller's task was cancelled.
        case cancelled
        /// The client was closed.
        case clientClosed
        /// The other side does not speak SSH, or speaks it wrongly.
        case protocolFailure
        /// A local resource failed: a socket, a directory, memory.
        case localFailure
    }

    /// Where a call was when its time ran out.
    package enum Phase: String, Sendable, Hashable {
        case waitingForTurn = "waiting for other handshakes"
        case resolving = "resolving the name"
        case connecting = "connecting"
        case jumping = "connecting through the jump host"
        case handshake = "key exchange"
        case authentication
        case openingChannel = "opening a channel"
        case command = "the command"
    }

    package var code: Code
    /// The destination's name, as the caller gave it.
    package var destination: String
    package var detail: String
    /// What an operator can do; empty when nothing better than trying again is known.
    package var hint: String
    /// Set when `code` is `timedOut` or `cancelled`.
    package var phase: Phase?
    /// Whether the command could have begun on the node.
    ///
    /// `false` is a promise, `true` is not.
    package var mayHaveStarted: Bool

    package init(
        code: Code, destination: String, detail: String, hint: String = "", phase: Phase? = nil,
        mayHaveStarted: Bool = false
    ) {
        self.code = code
        self.destination = destination
        self.detail = detail
        self.hint = hint
        self.phase = phase
        self.mayHaveStarted = mayHaveStarted
    }

    package var description: String {
        let started = mayHaveStarted ? " (the command may have started)" : ""
        return "\(destination): \(code.rawValue): \(detail)\(started)\(hint.isEmpty ? "" : "; \(hint)")"
    }
}
