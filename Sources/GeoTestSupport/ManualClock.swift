package import GeoCore
package import GeoRuntime
import Synchronization

/// Time that passes only when somebody sleeps, and then at once.
package final class ManualClock: Sendable {
    private let time: Mutex<(wall: Timestamp, uptime: Duration)>

    package init(at start: Timestamp = Fixtures.moment()) { self.time = Mutex((start, .zero)) }

    package var now: Timestamp { time.withLock(\.wall) }

    package func advance(seconds: Double) {
        time.withLock {
            $0.wall = $0.wall.adding(seconds: max(0, seconds))
            $0.uptime += .seconds(max(0, seconds))
        }
    }

    package var wall: WallClock {
        WallClock(
            now: { self.now }, uptime: { self.time.withLock(\.uptime) },
            sleep: { duration in
                self.advance(seconds: duration / .seconds(1))
                await Task.yield()
            })
    }
}

/// Random numbers that a seed repeats (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678 }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
