/// One call of a caller on the loop: its deadline, its cancellation, and the one place where it may be waiting.
///
/// Confined to the loop's thread, except for `cancel`. A wake-up says only "look again": whoever waits does so in a
/// loop, which the deadline bounds.
@safe
final class Call: @unchecked Sendable {
    enum Interruption: Sendable { case deadline, connectLimit, cancelled, closed }

    let destination: String
    let started: UInt64
    let deadline: UInt64
    var phase: SSHError.Phase = .waitingForTurn
    /// The command has been handed to the connection.
    var mayHaveStarted = false
    private(set) var interruption: Interruption?
    private var waiter: UnsafeContinuation<Void, Never>?
    private var timers: [UInt64] = []
    private let loop = EventLoop.shared

    /// Must be made on the loop.
    init(destination: String, timeLimit: Duration) {
        self.destination = destination
        started = EventLoop.clock()
        deadline = started.advanced(by: timeLimit)
    }

    /// Starts the clock.
    ///
    /// `end` stops it.
    func begin() {
        timers.append(loop.schedule(at: deadline) { [weak self] in self?.interrupt(.deadline) })
    }

    func end() {
        for timer in timers { loop.cancel(timer: timer) }
        timers = []
    }

    /// Sets a nearer limit for connecting, until the returned timer is given to `lift`.
    func limitConnecting(to limit: Duration) -> UInt64? {
        let time = EventLoop.clock().advanced(by: limit)
        guard time < deadline else { return nil }
        return loop.schedule(at: time) { [weak self] in self?.interrupt(.connectLimit) }
    }

    func lift(_ timer: UInt64?) {
        if let timer { loop.cancel(timer: timer) }
    }

    /// Nanoseconds until the deadline; 0 when it has passed.
    var remaining: UInt64 {
        let now = EventLoop.clock()
        return now < deadline ? deadline - now : 0
    }

    var elapsed: Duration { .nanoseconds(Int64(EventLoop.clock() - started)) }

    /// From any thread.
    func cancel() {
        loop.perform { self.interrupt(.cancelled) }
    }

    func interrupt(_ reason: Interruption) {
        if interruption == nil { interruption = reason }
        wake()
    }

    func wake() {
        if let waiter = unsafe waiter {
            unsafe self.waiter = nil
            unsafe waiter.resume()
        }
    }

    /// Suspends until someone wakes the call; throws when its time is up or it was cancelled.
    func wait() async throws(SSHError) {
        try check()
        await unsafe withUnsafeContinuation { continuation in
            unsafe waiter = continuation
        }
        try check()
    }

    /// Lets the other connections have a turn.
    func yield() async throws(SSHError) {
        loop.perform { self.wake() }
        try await wait()
    }

    /// Suspends for a time.
    func pause(nanoseconds: UInt64) async throws(SSHError) {
        let end = EventLoop.clock() &+ nanoseconds
        let timer = loop.schedule(at: end) { [weak self] in self?.wake() }
        defer { loop.cancel(timer: timer) }
        while EventLoop.clock() < end { try await wait() }
    }

    func check() throws(SSHError) {
        if let interruption { throw error(for: interruption) }
    }

    private func error(for interruption: Interruption) -> SSHError {
        var error = SSHError(
            code: .timedOut, destination: destination, detail: "", phase: phase, mayHaveStarted: mayHaveStarted)
        switch interruption {
        case .deadline:
            error.detail = "the time limit of \(deadline.seconds(since: started)) s passed during: \(phase.rawValue)"
        case .connectLimit:
            error.detail = "the time limit for connecting passed during: \(phase.rawValue)"
        case .cancelled:
            error.code = .cancelled
            error.detail = "cancelled during: \(phase.rawValue)"
        case .closed:
            error.code = .clientClosed
            error.detail = "the client was closed"
        }
        if phase == .command && mayHaveStarted {
            error.hint = "nothing stops a command on the node from here; look what it did before repeating it"
        }
        return error
    }
}

extension UInt64 {
    /// A time later by a duration; never wraps.
    func advanced(by duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0 && attoseconds >= 0 else { return self }
        let limited = UInt64(Swift.min(seconds, 10_000_000))
        return self &+ limited * 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
    }

    /// Seconds with one decimal, for sentences.
    fileprivate func seconds(since start: UInt64) -> String {
        let tenths = (self - start + 50_000_000) / 100_000_000
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
