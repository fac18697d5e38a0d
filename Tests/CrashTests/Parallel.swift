import FoundationEssentials
import Synchronization

/// Tries many cases on as many cores as there are, in order, and stops at the first that is not good: one story is
/// enough to read.
enum Parallel {
    private final class Progress: Sendable {
        private let state: Mutex<(next: UInt64, end: UInt64, done: Int)>
        init(_ cases: Range<UInt64>) { state = Mutex((cases.lowerBound, cases.upperBound, 0)) }

        func next() -> UInt64? {
            state.withLock { state in
                guard state.next < state.end else { return nil }
                defer { state.next += 1 }
                return state.next
            }
        }

        func finish(isGood: Bool) {
            state.withLock { state in
                state.done += 1
                if !isGood { state.end = state.next }
            }
        }

        var done: Int { state.withLock { $0.done } }
    }

    /// How many were tried.
    static func each(_ cases: Range<UInt64>, _ isGood: @escaping @Sendable (UInt64) async -> Bool) async -> Int {
        let progress = Progress(cases)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
                group.addTask {
                    while let number = progress.next() { progress.finish(isGood: await isGood(number)) }
                }
            }
        }
        return progress.done
    }
}
