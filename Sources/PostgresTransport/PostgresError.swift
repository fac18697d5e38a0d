/// Why a query as a whole has no answer.
///
/// What a single statement failed with is `PostgresResult.failed`.
package struct PostgresError: Error, Sendable, Equatable {
    /// How far a call had come when its time was over.
    package enum Phase: String, Sendable {
        case lookingUpName = "looking up the name"
        case connecting = "connecting"
        case startingSession = "starting the session"
        case querying = "waiting for results"
    }

    package enum Code: Sendable, Equatable {
        /// The endpoint or its password cannot be used as given; nothing was sent.
        case badEndpoint
        case nameNotFound
        /// No route, network down: says nothing about the server.
        case unreachable
        /// The machine answered, nothing listens there (or the socket file is missing).
        case refused
        case timedOut(Phase)
        /// Wrong or missing password, no `pg_hba.conf` line, no such role.
        case authenticationRefused
        /// The two sides agree on no encryption, or a certificate does not hold.
        case tlsRefused
        /// Starting, stopping, or recovering and not yet consistent (`57P03`).
        case serverStarting
        /// All connections are taken (`53300`).
        case serverFull
        /// A standby ended the session because replay had to go on.
        case inRecoveryConflict
        /// The server refused the session for another reason; `sqlState` says which.
        case rejected
        /// The connection ended before all results were there.
        case connectionLost
        case protocolViolation
        /// More rows or bytes than the call allowed.
        case tooLarge
        /// The calling task was cancelled.
        case cancelled
        /// This process has no memory, thread or descriptor left.
        case noResources
    }

    package var code: Code
    /// `PostgresEndpoint.name`.
    package var endpoint: String
    package var detail: String
    package var hint: String?
    /// The server's own code, when the server gave one.
    package var sqlState: String?

    package init(code: Code, endpoint: String, detail: String, hint: String? = nil, sqlState: String? = nil) {
        self.code = code
        self.endpoint = endpoint
        self.detail = detail
        self.hint = hint
        self.sqlState = sqlState
    }
}

extension PostgresError: CustomStringConvertible {
    package var description: String {
        "\(endpoint): \(code.sentence): \(detail)" + (hint.map { " (\($0))" } ?? "")
    }
}

extension PostgresError.Code {
    fileprivate var sentence: String {
        switch self {
        case .badEndpoint: "cannot be asked as configured"
        case .nameNotFound: "name not found"
        case .unreachable: "unreachable"
        case .refused: "connection refused"
        case .timedOut(let phase): "timed out while \(phase.rawValue)"
        case .authenticationRefused: "authentication refused"
        case .tlsRefused: "TLS refused"
        case .serverStarting: "not accepting connections"
        case .serverFull: "no connection free"
        case .inRecoveryConflict: "ended by a conflict with recovery"
        case .rejected: "session rejected"
        case .connectionLost: "connection lost"
        case .protocolViolation: "unexpected answer"
        case .tooLarge: "answer too large"
        case .cancelled: "cancelled"
        case .noResources: "no resources left here"
        }
    }
}
