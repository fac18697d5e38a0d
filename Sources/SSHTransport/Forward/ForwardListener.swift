internal import Glibc

/// Accepts on the unix socket of a forward and gives each connection a channel.
///
/// Confined to the loop's thread.
final class ForwardListener: EventHandler, @unchecked Sendable {
    static let socketName = ".s.PGSQL.5432"
    /// More connections at once than this are closed at once.
    private static let relayLimit = 32
    /// PostgreSQL ends a connection that does not log in within a minute, so a channel that was opened ahead is soon
    /// too old.
    private static let freshness: UInt64 = 20_000_000_000

    let directory: String
    private let target: SSHForwardTarget
    private let connection: Connection
    private let descriptor: Int32
    private var token: UInt64?
    private var ready: (channel: Channel, opened: UInt64)?
    private var relays: [ObjectIdentifier: Relay] = [:]
    private var isEnded = false

    init(_ target: SSHForwardTarget, on connection: Connection, first: Channel, named name: String) throws(SSHError) {
        func failure(_ what: String) -> SSHError {
            let reason = Files.describe(errno)
            connection.release(first)
            return SSHError(code: .localFailure, destination: connection.destination.name, detail: "\(what): \(reason)")
        }
        guard let directory = Self.makeDirectory(name) else { throw failure("cannot make a directory for the forward") }
        self.directory = directory
        self.target = target
        self.connection = connection
        let socket = UnixSocket.make()
        descriptor = socket ?? -1
        let problem = UnixSocket.listen(descriptor, directory + "/" + Self.socketName)
        if problem == 0 { token = EventLoop.shared.watch(descriptor, self) }
        guard token != nil else {
            errno = problem
            Self.remove(directory)
            if let socket { close(socket) }
            throw failure("cannot listen in \(directory)")
        }
        ready = (first, EventLoop.clock())
        connection.add(self)
    }

    /// A new directory that only this user can enter.
    private static func makeDirectory(_ name: String) -> String? {
        let safe = name.utf8.prefix(24).map { byte -> UInt8 in
            let isPlain =
                byte < 128 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber)
            return isPlain ? byte : UInt8(ascii: "-")
        }
        var template = Array("/tmp/geo-\(String(decoding: safe, as: UTF8.self))-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { return nil }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func remove(_ directory: String) {
        unsafe unlink(directory + "/" + socketName)
        unsafe rmdir(directory)
    }

    func ready(_ events: Readiness) {
        // At most as many as the backlog can hold; level after that many is kept by the next edge.
        for _ in 0..<1024 {
            let accepted = accept(descriptor, nil, nil)
            if accepted < 0 && (errno == EINTR || errno == ECONNABORTED) { continue }
            guard accepted >= 0 else { return }
            _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
            _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            guard relays.count < Self.relayLimit, connection.wire.isAlive else {
                close(accepted)
                continue
            }
            let relay = Relay(
                accepted, opening: Opening(target.kind, on: connection), channel: takeReady(), on: connection)
            relays[ObjectIdentifier(relay)] = relay
            relay.onEnd = { [weak self] relay in self?.relays[ObjectIdentifier(relay)] = nil }
            relay.begin()
        }
    }

    private func takeReady() -> Channel? {
        guard let (channel, opened) = ready else { return nil }
        ready = nil
        if !channel.isAtEnd && EventLoop.clock() - opened < Self.freshness { return channel }
        connection.release(channel)
        return nil
    }

    /// Once is enough, more does no harm.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        if let token { EventLoop.shared.forget(descriptor, token: token) }
        close(descriptor)
        Self.remove(directory)
        if let (channel, _) = ready { connection.release(channel) }
        ready = nil
        for relay in relays.values { relay.end() }
        connection.remove(self)
    }
}
