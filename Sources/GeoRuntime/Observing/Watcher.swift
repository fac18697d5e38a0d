package import GeoCore

/// Looks again and again. One look at a time: a node that is slow delays the next one by at most what its own visit may
/// take. Changes nothing.
package struct Watcher: Sendable {
    /// One look, and what it led to.
    package struct Look: Sendable {
        package var observation: Observation
        package var events: [WatchState.Event]
        /// After this look.
        package var state: WatchState
        package var diagnosis: Diagnosis
        package init(
            observation: Observation, events: [WatchState.Event], state: WatchState, diagnosis: Diagnosis
        ) {
            self.observation = observation
            self.events = events
            self.state = state
            self.diagnosis = diagnosis
        }
    }

    private let inventory: Inventory
    private let interval: Duration
    private let clock: WallClock
    private let observe: @Sendable () async -> Observation

    /// `observe` asks for ``Inventory/watchScope``. `interval` is from the start of one look to the start of the next.
    package init(
        inventory: Inventory, interval: Duration, clock: WallClock,
        observe: @escaping @Sendable () async -> Observation
    ) {
        precondition(interval > .zero, "time between looks")
        self.inventory = inventory
        self.interval = interval
        self.clock = clock
        self.observe = observe
    }

    /// Until `each` answers false or the task is cancelled. A look that was cancelled is dropped: what it lacks says
    /// nothing about the deployment.
    package func run(_ state: WatchState, each: (Look) async -> Bool) async {
        var state = state
        while !Task.isCancelled {
            let began = clock.uptime()
            let observation = await observe()
            guard !Task.isCancelled else { return }
            let events = state.take(Diagnosis(of: inventory, observation))
            guard let diagnosis = state.latest else { return }
            let look = Look(observation: observation, events: events, state: state, diagnosis: diagnosis)
            guard await each(look) else { return }
            // A clock that was set back must not stop the watch.
            let gone = clock.uptime() - began
            if gone < interval { await clock.sleep(interval - gone) }
        }
    }
}
