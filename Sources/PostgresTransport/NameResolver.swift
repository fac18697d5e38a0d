import Glibc
import Synchronization
import SystemThreads

/// `getaddrinfo` with a deadline.
///
/// libpq would block in it, and it has no way to be interrupted.
///
/// Each lookup runs on a thread of ours; a caller whose time is over leaves, the lookup ends when the system's resolver
/// gives up. At most `threadLimit` run at once, the others queue inside their own deadlines.
enum NameResolver {
    enum Outcome: Sendable, Equatable {
        case addresses([String])
        /// The resolver's sentence.
        case failed(String)
        case timedOut
        case cancelled
        case noResources
    }

    private final class Lookup: Sendable {
        let host: String
        let done: EventDescriptor
        let outcome = Mutex<Outcome?>(nil)
        let isAbandoned = Atomic<Bool>(false)

        init?(host: String) {
            guard let done = EventDescriptor() else { return nil }
            self.host = host
            self.done = done
        }
    }

    private struct Pool {
        var waiting: [Lookup] = []
        var threads = 0
    }

    private static let threadLimit = 8
    /// More would be tried one after the other inside one deadline.
    private static let addressLimit = 4
    private static let pool = Mutex(Pool())

    /// Numeric addresses in the system's order of preference.
    ///
    /// A numeric `host` is its own answer, without a thread.
    static func addresses(
        of host: String, until deadline: ContinuousClock.Instant, on thread: PollThread
    ) async -> Outcome {
        if case .addresses(let numeric) = lookUp(host, flags: AI_NUMERICHOST) { return .addresses(numeric) }
        guard let lookup = Lookup(host: host), submit(lookup) else { return .noResources }
        let waited = await thread.wait(for: .readable, on: lookup.done.descriptor, until: deadline)
        lookup.isAbandoned.store(true, ordering: .relaxed)
        return switch waited {
        case .ready: lookup.outcome.withLock { $0 } ?? .noResources
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        }
    }

    private static func submit(_ lookup: Lookup) -> Bool {
        let needsThread = pool.withLock { pool in
            pool.waiting.append(lookup)
            guard pool.threads < threadLimit else { return false }
            pool.threads += 1
            return true
        }
        guard needsThread, !SystemThread.start(named: "geo-pg-names", { work() }) else { return true }
        return pool.withLock { pool in
            pool.threads -= 1
            // The threads that do run will come to it; with none it would wait for ever.
            guard pool.threads == 0 else { return true }
            pool.waiting.removeAll { $0 === lookup }
            return false
        }
    }

    /// A thread's life: lookups until none is waiting.
    private static func work() {
        while let lookup = next() {
            if lookup.isAbandoned.load(ordering: .relaxed) { continue }
            let outcome = lookUp(lookup.host, flags: 0)
            lookup.outcome.withLock { $0 = outcome }
            lookup.done.signal()
        }
    }

    private static func next() -> Lookup? {
        pool.withLock { pool in
            guard pool.waiting.isEmpty else { return pool.waiting.removeFirst() }
            pool.threads -= 1
            return nil
        }
    }

    private static func lookUp(_ host: String, flags: Int32) -> Outcome {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = flags
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else { return .failed(unsafe String(cString: gai_strerror(code))) }
        defer { unsafe freeaddrinfo(list) }

        var found: [String] = []
        var next = unsafe list
        while let entry = unsafe next, found.count < addressLimit {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let code = unsafe getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
            let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            if code == 0, !found.contains(address) { found.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return found.isEmpty ? .failed("no address") : .addresses(found)
    }
}
