internal import CLinux
internal import Glibc

/// Wakes a call when its descriptor is ready.
final class Waker: EventHandler {
    private let call: Call
    init(_ call: Call) { self.call = call }
    func ready(_ events: Readiness) { call.wake() }
}

/// A TCP connection in the making.
enum Dialing {
    /// Connects a non-blocking socket to the destination, trying its addresses in turn within the time there is.
    static func connect(to destination: SSHDestination, for call: Call) async throws(SSHError) -> Int32 {
        call.phase = .resolving
        let addresses = try await resolve(destination, for: call)
        call.phase = .connecting
        var last: Int32 = EHOSTUNREACH
        for (index, address) in addresses.enumerated() {
            // A silent first address leaves time for the others.
            let share = call.remaining / UInt64(addresses.count - index)
            switch try await connect(
                address, share: index == addresses.count - 1 ? nil : min(share, 3_000_000_000), for: call)
            {
            case .success(let descriptor): return descriptor
            case .failure(let failure): last = failure.code
            }
        }
        let code: SSHError.Code = last == ECONNREFUSED ? .refused : .unreachable
        throw SSHError(
            code: code, destination: destination.name,
            detail: "cannot connect to \(destination.host) port \(destination.port): \(Files.describe(last))",
            hint: code == .refused ? "the node is up, but no sshd listens on this port" : "")
    }

    private static func resolve(_ destination: SSHDestination, for call: Call) async throws(SSHError) -> [SocketAddress]
    {
        if let addresses = Resolver.numeric(host: destination.host, port: destination.port) { return addresses }
        let answer = Answer(call)
        Resolver.shared.resolve(host: destination.host, port: destination.port) { answer.take($0) }
        while true {
            switch answer.outcome {
            case .found(let addresses)?: return addresses
            case .notFound(let reason)?:
                throw SSHError(
                    code: .nameNotFound, destination: destination.name,
                    detail: "the name \(destination.host) cannot be resolved: \(reason)",
                    hint: "the inventory's `address` may be numeric, so that a failover does not need DNS")
            case nil: try await call.wait()
            }
        }
    }

    /// Where a lookup's result lands, on the loop.
    private final class Answer: @unchecked Sendable {
        private let call: Call
        private(set) var outcome: Resolver.Outcome?
        init(_ call: Call) { self.call = call }

        func take(_ outcome: Resolver.Outcome) {
            self.outcome = outcome
            call.wake()
        }
    }

    private struct Failure: Error { var code: Int32 }

    private static func connect(
        _ address: SocketAddress, share: UInt64?, for call: Call
    ) async throws(SSHError) -> Result<Int32, Failure> {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { return .failure(Failure(code: errno)) }
        var isTaken = false
        defer { if !isTaken { close(descriptor) } }
        configure(descriptor)

        let code = address.connect(descriptor)
        if code == EINPROGRESS {
            let waker = Waker(call)
            guard let token = EventLoop.shared.watch(descriptor, waker) else { return .failure(Failure(code: errno)) }
            defer { EventLoop.shared.forget(descriptor, token: token) }
            let end = share.map { EventLoop.clock() + $0 }
            let timer = end.map { EventLoop.shared.schedule(at: $0) { call.wake() } }
            defer { call.lift(timer) }
            while !isWritable(descriptor) {
                if let end, EventLoop.clock() >= end { return .failure(Failure(code: ETIMEDOUT)) }
                try await call.wait()
            }
            let problem = pendingError(descriptor)
            if problem != 0 { return .failure(Failure(code: problem)) }
        } else if code != 0 {
            return .failure(Failure(code: code))
        }
        isTaken = true
        return .success(descriptor)
    }

    /// Without TCP_NODELAY a command takes 80 ms longer.
    ///
    /// Data that nobody acknowledges for 30 s ends the connection.
    private static func configure(_ descriptor: Int32) {
        set(descriptor, TCP_NODELAY, 1)
        set(descriptor, TCP_QUICKACK, 1)
        set(descriptor, TCP_USER_TIMEOUT, 30_000)
    }

    /// Acknowledges at once.
    ///
    /// Needed again before the first channel: sshd sends a message after log-in, and holds the channel's confirmation
    /// back until that is acknowledged, 40 ms later.
    static func acknowledgeQuickly(_ descriptor: Int32) { set(descriptor, TCP_QUICKACK, 1) }

    private static func set(_ descriptor: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func isWritable(_ descriptor: Int32) -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe Glibc.poll(&poll, 1, 0) > 0
    }

    private static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 ? code : errno
    }
}
