internal import CLibSSH2

/// What a channel is for.
enum ChannelKind {
    case session
    /// A TCP connection from the node.
    case tcp(host: String, port: UInt16)
    /// A unix socket on the node (OpenSSH's PROTOCOL, 2.4).
    case unixSocket(path: String)

    var type: String {
        switch self {
        case .session: "session"
        case .tcp: "direct-tcpip"
        case .unixSocket: "direct-streamlocal@openssh.com"
        }
    }

    var payload: [UInt8]? {
        var writer = WireWriter()
        switch self {
        case .session: return nil
        case .tcp(let host, let port):
            writer.string(host)
            writer.uint32(UInt32(port))
            writer.string("127.0.0.1")
            writer.uint32(0)
        case .unixSocket(let path):
            writer.string(path)
            writer.string("")
            writer.uint32(0)
        }
        return writer.bytes
    }
}

/// One opening of a channel.
///
/// libssh2 keeps its state in the session, so an opening that was begun must be brought to its end, even when nobody
/// wants the channel any more; until then no other can begin.
final class Opening: Stepper {
    enum State {
        case waiting
        case open(Channel)
        case refused(code: Int32, reason: String)
        case taken
    }

    private let connection: Connection
    private let kind: ChannelKind
    private let payload: [UInt8]?
    private(set) var state = State.waiting
    private var isAbandoned = false
    /// When libssh2 was first asked; `nil` while another one is at it.
    private(set) var begun: UInt64?

    init(_ kind: ChannelKind, on connection: Connection) {
        self.kind = kind
        payload = kind.payload
        self.connection = connection
    }

    /// Begins or goes on, when it is this one's turn.
    func step() -> Bool {
        guard case .waiting = state else { return true }
        guard connection.opener == nil || connection.opener === self else { return false }
        // A waiting one that nobody wants has not begun.
        if isAbandoned && connection.opener == nil { return true }
        connection.opener = self
        if begun == nil { begun = EventLoop.clock() }
        if let pointer = unsafe connection.session.open(type: kind.type, payload: payload) {
            state = .open(unsafe Channel(adopting: pointer, of: connection))
        } else {
            let code = connection.session.lastCode
            if code == LIBSSH2_ERROR_EAGAIN && connection.wire.isAlive { return false }
            state = .refused(code: code, reason: connection.session.lastError)
        }
        connection.opener = nil
        if isAbandoned, case .open(let channel) = state { connection.release(channel) }
        return true
    }

    /// Hands the channel over, once.
    func take() -> Channel? {
        guard case .open(let channel) = state else { return nil }
        state = .taken
        return channel
    }

    /// Nobody waits for it any more.
    func abandon() {
        isAbandoned = true
        if let channel = take() { return connection.release(channel) }
        if connection.opener === self { connection.add(self) }
    }
}

extension Connection {
    /// Opens a channel for a call; the call is attached.
    ///
    /// Leaves nothing behind when it throws.
    func open(_ kind: ChannelKind, for call: Call) async throws(SSHError) -> Channel {
        guard let channel = try await open(kind, patience: nil, for: call) else { throw lostError(call) }
        return channel
    }

    /// The same, but gives `nil` when another opening has kept libssh2 busy for longer than `patience` nanoseconds.
    ///
    /// A jump host may take two minutes to find out that a node is dead, and opens no other channel in that time.
    func open(_ kind: ChannelKind, patience: UInt64?, for call: Call) async throws(SSHError) -> Channel? {
        call.phase = if case .session = kind { .openingChannel } else { .jumping }
        let opening = Opening(kind, on: self)
        while !opening.step() {
            let end = opening.begun == nil ? opener?.begun.flatMap { begun in patience.map { begun + $0 } } : nil
            if let end, EventLoop.clock() >= end { return nil }
            let timer = end.map { EventLoop.shared.schedule(at: $0) { call.wake() } }
            defer { call.lift(timer) }
            do throws(SSHError) {
                try await call.wait()
            } catch {
                opening.abandon()
                throw error
            }
        }
        // The next in line can begin.
        wakeAll()
        if let channel = opening.take() { return channel }
        guard case .refused(let code, let reason) = opening.state, wire.isAlive else { throw lostError(call) }
        throw refusal(of: kind, code: code, reason: reason, call: call)
    }

    /// The connection ended under a call.
    func lostError(_ call: Call) -> SSHError {
        SSHError(
            code: .channelClosed, destination: call.destination,
            detail: wire.failure ?? "the connection ended",
            hint: call.mayHaveStarted ? "what the command did is unknown" : "",
            phase: call.phase, mayHaveStarted: call.mayHaveStarted)
    }

    private func refusal(of kind: ChannelKind, code: Int32, reason: String, call: Call) -> SSHError {
        var error = SSHError(code: .channelRefused, destination: call.destination, detail: reason)
        guard code == LIBSSH2_ERROR_CHANNEL_FAILURE else { return error }
        switch kind {
        case .session:
            error.code = .tooManySessions
            error.detail = "\(destination.name) opens no further session on this connection (\(reason))"
            error.hint = "run fewer commands at once on one node, or raise MaxSessions in its sshd_config"
        case .tcp(let host, let port):
            error.code = reason.contains("prohibited") ? .channelRefused : .unreachable
            error.detail = "\(destination.name) could not connect to \(host):\(port) (\(reason))"
            error.hint =
                reason.contains("prohibited")
                ? "AllowTcpForwarding and PermitOpen of \(destination.name) forbid it" : ""
        case .unixSocket(let path):
            error.detail = "\(destination.name) could not connect to \(path) (\(reason))"
            error.hint = "nothing listens there, the user may not open it, or AllowStreamLocalForwarding forbids it"
        }
        return error
    }
}
