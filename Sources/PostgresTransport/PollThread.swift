import Glibc
import Synchronization
import SystemThreads

/// One thread that waits on behalf of all connections: a task says which descriptor it wants and until when.
///
/// Connections run straight-line code in their own tasks; only the waiting is here. A `PGconn` is therefore used by one
/// thread at a time without a lock. `poll` instead of `epoll` because libpq may change its socket at any step and a few
/// hundred descriptors cost nothing: there is no registration that could outlive its connection.
final class PollThread: Sendable {
    struct Interest: OptionSet {
        let rawValue: Int16
        static let readable = Interest(rawValue: Int16(POLLIN))
        static let writable = Interest(rawValue: Int16(POLLOUT))
    }

    enum Outcome: Sendable { case ready, timedOut, cancelled }

    private struct Wait {
        let descriptor: Int32
        let interest: Interest
        let deadline: ContinuousClock.Instant
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private struct State {
        var waits: [UInt64: Wait] = [:]
        var lastID: UInt64 = 0
    }

    /// `nil` when the process could not get its thread or descriptor.
    ///
    /// Lives as long as the process, asleep when idle.
    static let shared = PollThread()

    private let state = Mutex(State())
    private let changed: EventDescriptor

    private init?() {
        guard let changed = EventDescriptor() else { return nil }
        self.changed = changed
        guard SystemThread.start(named: "geo-pg-poll", { [self] in run() }) else { return nil }
    }

    /// Suspends until the descriptor is ready (or broken: the next call on it tells), the deadline passes or the task
    /// is cancelled.
    ///
    /// The caller keeps the descriptor open until this returns.
    func wait(
        for interest: Interest, on descriptor: Int32, until deadline: ContinuousClock.Instant
    ) async -> Outcome {
        // A peer that always has one more byte is never waited for, so the deadline is looked at here as well.
        if ContinuousClock.now >= deadline { return .timedOut }
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let wait = Wait(
                    descriptor: descriptor, interest: interest, deadline: deadline, continuation: continuation)
                state.withLock { $0.waits[id] = wait }
                // Asked after the wait is listed: a cancellation that came earlier found nothing to end.
                if Task.isCancelled { finish(id, .cancelled) } else { changed.signal() }
            }
        } onCancel: {
            finish(id, .cancelled)
        }
    }

    private func finish(_ id: UInt64, _ outcome: Outcome) {
        let wait = state.withLock { $0.waits.removeValue(forKey: id) }
        wait?.continuation.resume(returning: outcome)
    }

    private func run() {
        while true {
            // Waits are found again by id, never by descriptor: a number may have been closed and given out anew.
            let waits = state.withLock { $0.waits.map { (id: $0.key, wait: $0.value) } }
            var descriptors = waits.map {
                pollfd(fd: $0.wait.descriptor, events: $0.wait.interest.rawValue, revents: 0)
            }
            descriptors.append(pollfd(fd: changed.descriptor, events: Int16(POLLIN), revents: 0))
            let limit = waits.map(\.wait.deadline).min().map(Self.millisecondsUntil) ?? -1

            let count = unsafe poll(&descriptors, nfds_t(descriptors.count), limit)
            if count > 0, descriptors[waits.count].revents != 0 { changed.clear() }
            let now = ContinuousClock.now
            for (entry, polled) in zip(waits, descriptors) {
                if count > 0, polled.revents != 0 {
                    finish(entry.id, .ready)
                } else if entry.wait.deadline <= now {
                    finish(entry.id, .timedOut)
                }
            }
        }
    }

    /// Rounded up, so that the thread does not spin through the last millisecond.
    private static func millisecondsUntil(_ deadline: ContinuousClock.Instant) -> Int32 {
        let left = max(.zero, deadline - .now)
        return Int32(min(60_000, left / .milliseconds(1) + 1))
    }
}
