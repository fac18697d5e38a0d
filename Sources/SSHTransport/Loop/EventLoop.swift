internal import CLinux
internal import Glibc
internal import Synchronization
internal import SystemThreads

/// Told about a file descriptor by the loop, on the loop's thread.
protocol EventHandler: AnyObject {
    func ready(_ events: Readiness)
}

/// Wants to be called once when the work of this turn is done: to send what has gathered, to wake who has to look
/// again.
protocol TurnEnding: AnyObject {
    func endOfTurn()
}

/// What epoll says of a descriptor.
struct Readiness: OptionSet, Sendable {
    let rawValue: UInt32
    static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer will send no more, or the connection is broken.
    static let ending = Readiness(rawValue: EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue)
}

/// One thread with epoll on which every connection of the process lives, as a task executor.
///
/// Tasks that prefer it run straight-line `async` code on its thread, so all that belongs to connections is confined to
/// that thread and needs no lock (decision 0002). The thread lives as long as the process:
/// there is no moment at which a job could be lost.
final class EventLoop: TaskExecutor, @unchecked Sendable {
    static let shared = EventLoop()

    private struct Inbox {
        var jobs: [UnownedJob] = []
        var actions: [@Sendable () -> Void] = []
        /// The thread will look into the inbox again before it sleeps.
        var isAwake = true
    }

    private let inbox = Mutex(Inbox())
    private let poll: Int32
    private let alarm: Int32

    // Confined to the thread.
    private var handlers: [UInt64: any EventHandler] = [:]
    private var lastToken: UInt64 = 0
    private var ending: [any TurnEnding] = []
    private var timers = TimerQueue()
    /// Monotonic time in nanoseconds, read once a turn.
    private(set) var now: UInt64 = EventLoop.clock()

    private init() {
        poll = epoll_create1(Int32(EPOLL_CLOEXEC))
        alarm = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        precondition(poll >= 0 && alarm >= 0, "the system gives no epoll or eventfd")
        precondition(geo_epoll_add(poll, alarm, EPOLLIN.rawValue, 0) == 0, "epoll takes no eventfd")
        precondition(SystemThread.start(named: "geo-ssh-loop") { self.run() }, "the system gives no thread")
    }

    static func clock() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: From any thread

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        post { $0.jobs.append(job) }
    }

    /// Runs an action on the loop's thread, soon.
    func perform(_ action: @escaping @Sendable () -> Void) {
        post { $0.actions.append(action) }
    }

    private func post(_ change: (inout Inbox) -> Void) {
        let mustWake = inbox.withLock { inbox in
            change(&inbox)
            defer { inbox.isAwake = true }
            return !inbox.isAwake
        }
        if mustWake { eventfd_write(alarm, 1) }
    }

    // MARK: On the loop's thread

    /// Watches a descriptor, edge triggered: a handler must read and write until the call would block.
    func watch(_ descriptor: Int32, _ handler: any EventHandler) -> UInt64? {
        lastToken += 1
        let interest = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        guard geo_epoll_add(poll, descriptor, interest, lastToken) == 0 else { return nil }
        handlers[lastToken] = handler
        return lastToken
    }

    /// Forgets a descriptor; to be called before it is closed.
    func forget(_ descriptor: Int32, token: UInt64) {
        handlers[token] = nil
        _ = geo_epoll_remove(poll, descriptor)
    }

    func atEndOfTurn(_ object: any TurnEnding) { ending.append(object) }

    func schedule(at time: UInt64, _ action: @escaping () -> Void) -> UInt64 { timers.add(at: time, action) }

    func cancel(timer: UInt64) { timers.remove(timer) }

    private func run() {
        var events = [geo_epoll_ready](repeating: geo_epoll_ready(), count: Int(GEO_EPOLL_AT_ONCE))
        // The process's own loop: it ends with the process.
        while true {
            now = Self.clock()
            runInbox()
            finishTurn()
            let count = unsafe geo_epoll_wait(poll, &events, sleepMilliseconds())
            now = Self.clock()
            // From here on the thread looks into the inbox by itself; nobody needs to wake it.
            inbox.withLock { $0.isAwake = true }
            for event in events.prefix(Int(count)) { dispatch(event) }
            for action in timers.due(at: now) { action() }
        }
    }

    private func dispatch(_ event: geo_epoll_ready) {
        if event.token == 0 {
            var count: eventfd_t = 0
            _ = unsafe eventfd_read(alarm, &count)
        } else {
            handlers[event.token]?.ready(Readiness(rawValue: event.events))
        }
    }

    private func runInbox() {
        let (jobs, actions) = inbox.withLock { inbox in
            defer {
                inbox.jobs = []
                inbox.actions = []
                inbox.isAwake = true
            }
            return (inbox.jobs, inbox.actions)
        }
        for action in actions { action() }
        for job in jobs { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    /// An inner session's bytes end in its jump host's buffer, which then has its own turn to end: hence the growing
    /// list.
    private func finishTurn() {
        var index = 0
        while index < ending.count {
            ending[index].endOfTurn()
            index += 1
        }
        ending.removeAll(keepingCapacity: true)
    }

    private func sleepMilliseconds() -> Int32 {
        let isIdle = inbox.withLock { inbox in
            inbox.isAwake = !(inbox.jobs.isEmpty && inbox.actions.isEmpty)
            return !inbox.isAwake
        }
        guard isIdle else { return 0 }
        guard let next = timers.next else { return 60_000 }
        return next <= now ? 0 : Int32(min((next - now) / 1_000_000 + 1, 60_000))
    }
}
