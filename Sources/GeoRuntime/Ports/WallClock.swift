package import GeoCore

/// The only place that time comes in.
package struct WallClock: Sendable {
    package var now: @Sendable () -> Timestamp
    /// Returns early when the task is cancelled.
    package var sleep: @Sendable (_ duration: Duration) async -> Void
    package init(
        now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (_ duration: Duration) async -> Void
    ) {
        self.now = now
        self.sleep = sleep
    }
}
