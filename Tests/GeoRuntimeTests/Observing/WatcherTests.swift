import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// Looking again and again: when, for how long, and what is dropped.
@Suite struct WatcherTests {
    private let clock = ManualClock()

    /// Looks that take so many seconds each, and when each began.
    private func starts(taking seconds: [Double], interval: Duration = .seconds(30)) async -> [Double] {
        let begun = Mutex<[Double]>([])
        let watcher = Watcher(inventory: Fixtures.inventory(), interval: interval, clock: clock.wall) {
            let index = begun.withLock { begun in
                begun.append(self.clock.now.seconds(since: Fixtures.moment()))
                return begun.count - 1
            }
            self.clock.advance(seconds: seconds[min(index, seconds.count - 1)])
            return Fixtures.healthy()
        }
        await watcher.run(WatchState()) { _ in begun.withLock { $0.count } < seconds.count }
        return begun.withLock { $0 }
    }

    @Test func looksBeginAnIntervalApartHoweverLongTheyTake() async {
        #expect(await starts(taking: [1, 20, 0, 5]) == [0, 30, 60, 90])
    }

    @Test func aSlowLookDelaysTheNextOneByItselfAndNoMore() async {
        #expect(await starts(taking: [45, 1, 1]) == [0, 45, 75])
    }

    @Test func aCancelledLookSaysNothing() async {
        let clock = clock
        let looks = Mutex(0)
        let task = Task {
            let watcher = Watcher(inventory: Fixtures.inventory(), interval: .seconds(1), clock: clock.wall) {
                // Cancelled in the middle of the second look: whatever it brings is not to be believed.
                if looks.withLock({ $0 }) == 1 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
                return Fixtures.healthy()
            }
            await watcher.run(WatchState()) { _ in
                looks.withLock { $0 += 1 }
                return true
            }
        }
        await task.value
        #expect(looks.withLock { $0 } == 1)
    }

    @Test func whatALookLedToIsToldWithItsObservation() async throws {
        let told = Mutex<[Watcher.Look]>([])
        let watcher = Watcher(inventory: Fixtures.inventory(), interval: .seconds(1), clock: clock.wall) {
            Fixtures.healthy()
        }
        await watcher.run(WatchState()) { look in
            told.withLock { told in
                told.append(look)
                return told.count < 2
            }
        }
        let looks = told.withLock { $0 }
        #expect(looks.map(\.state.looks) == [1, 2])
        #expect(looks[0].events == [.changed(from: nil, to: looks[0].diagnosis)] && looks[1].events == [])
        #expect(looks[0].diagnosis.kind == .healthy)
        #expect(looks[0].observation == Fixtures.healthy())
    }
}
