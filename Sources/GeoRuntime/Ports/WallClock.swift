package import GeoCore

/// The only place that time comes in.
package struct WallClock: Sendable {
    /// What is written down: the time of day, which people and programs set back and forth.
    package var now: @Sendable () -> Timestamp
    /// Time that this machine was awake: how long anything is waited for is measured with it. It never goes back, whatever
    /// becomes of the time of day, and an hour with the lid closed is no hour without an answer.
    package var uptime: @Sendable () -> Duration
    /// Returns early when the task is cancelled.
    package var sleep: @Sendable (_ duration: Duration) async -> Void

    package init(
        now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Duration,
        sleep: @escaping @Sendable (_ duration: Duration) async -> Void
    ) {
        self.now = now
        self.uptime = uptime
        self.sleep = sleep
    }

    /// Seconds since a moment that ``uptime`` told.
    package func seconds(since began: Duration) -> Double { (uptime() - began) / .seconds(1) }
}
