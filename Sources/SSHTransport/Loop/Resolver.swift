internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemThreads

/// A socket address, copied out of what the system gave.
struct SocketAddress: Sendable {
    let family: Int32
    fileprivate let bytes: [UInt8]

    /// Begins to connect a non-blocking socket: 0 or an errno.
    func connect(_ descriptor: Int32) -> Int32 {
        unsafe bytes.withUnsafeBytes { buffer in
            guard let address = unsafe buffer.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return EINVAL }
            return unsafe Glibc.connect(descriptor, address, socklen_t(buffer.count)) == 0 ? 0 : errno
        }
    }
}

/// Looks names up on a few threads of its own, because `getaddrinfo` blocks; numeric addresses need none.
final class Resolver: Sendable {
    enum Outcome: Sendable {
        case found([SocketAddress])
        case notFound(String)
    }

    private struct Queue {
        var waiting: [@Sendable () -> Void] = []
        var threads = 0
    }

    static let shared = Resolver()
    private static let threadLimit = 8
    /// More addresses of one name than these are not tried.
    private static let addressLimit = 8
    private let queue = Mutex(Queue())

    /// Calls back on the loop.
    func resolve(host: String, port: UInt16, _ done: @escaping @Sendable (Outcome) -> Void) {
        submit {
            EventLoop.shared.perform { [outcome = Self.look(up: host, port: port, numeric: false)] in done(outcome) }
        }
    }

    /// The address itself when `host` is one.
    static func numeric(host: String, port: UInt16) -> [SocketAddress]? {
        guard case .found(let addresses) = look(up: host, port: port, numeric: true) else { return nil }
        return addresses
    }

    private func submit(_ work: @escaping @Sendable () -> Void) {
        let mustStart = queue.withLock { queue in
            queue.waiting.append(work)
            guard queue.threads < Self.threadLimit else { return false }
            queue.threads += 1
            return true
        }
        guard mustStart else { return }
        precondition(SystemThread.start(named: "geo-ssh-names") { self.drain() }, "the system gives no thread")
    }

    /// A thread ends when nothing waits.
    private func drain() {
        while true {
            let work: (@Sendable () -> Void)? = queue.withLock { queue in
                if queue.waiting.isEmpty {
                    queue.threads -= 1
                    return nil
                }
                return queue.waiting.removeFirst()
            }
            guard let work else { return }
            work()
        }
    }

    private static func look(up host: String, port: UInt16, numeric: Bool) -> Outcome {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .notFound(unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next, addresses.count < addressLimit {
            let info = unsafe entry.pointee
            let bytes = unsafe UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen)).map { $0 }
            addresses.append(SocketAddress(family: unsafe info.ai_family, bytes: bytes))
            unsafe next = info.ai_next
        }
        return .found(addresses)
    }
}
