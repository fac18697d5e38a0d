/// What a forward leads to, as seen from the node.
package enum SSHForwardTarget: Sendable, Hashable {
    /// sshd connects as the user who logged in, so PostgreSQL's peer authentication sees that user.
    case unixSocket(path: String)
    case tcp(host: String, port: UInt16)

    var kind: ChannelKind {
        switch self {
        case .unixSocket(let path): .unixSocket(path: path)
        case .tcp(let host, let port): .tcp(host: host, port: port)
        }
    }
}

/// A unix socket on this machine that leads to a node, named as libpq wants it: `host=DIRECTORY port=5432`.
///
/// Only this user can open it. It ends with `close`, with the client, or with its connection; a connection that was
/// lost is not made again, because a database session does not survive that either.
package final class SSHForward: Sendable {
    /// A private directory with the socket `.s.PGSQL.5432` in it.
    package let directory: String
    private let listener: ForwardListener

    init(_ listener: ForwardListener) {
        directory = listener.directory
        self.listener = listener
    }

    deinit {
        EventLoop.shared.perform { [listener] in listener.end() }
    }

    package var socketPath: String { directory + "/" + ForwardListener.socketName }

    /// Ends the forward, whoever uses it, and removes the directory.
    package func close() async {
        await withTaskExecutorPreference(EventLoop.shared) { await Self.end(listener) }
    }

    @concurrent private static func end(_ listener: ForwardListener) async { listener.end() }
}

extension SSHClient {
    /// Leads a unix socket on this machine to a unix socket or TCP address as seen from the destination.
    ///
    /// The first channel is opened before this returns, so a target that cannot be reached is an error here. Encryption
    /// of the target's own (`sslmode`, `gssencmode`) only costs round trips inside.
    ///
    /// `name`: Becomes part of the directory's name.
    package func forward(
        _ target: SSHForwardTarget, from destination: SSHDestination, named name: String,
        timeLimit: Duration = .seconds(30)
    ) async throws(SSHError) -> SSHForward {
        try await onLoop(destination, timeLimit: timeLimit) { pool, call throws(SSHError) in
            while true {
                let (connection, isFresh) = try await pool.connection(to: destination, for: call)
                defer { connection.detach(call) }
                do throws(SSHError) {
                    let channel = try await connection.open(target.kind, for: call)
                    return SSHForward(try ForwardListener(target, on: connection, first: channel, named: name))
                } catch {
                    guard error.code == .channelClosed, !isFresh else { throw error }
                    connection.retire()
                }
            }
        }
    }
}
