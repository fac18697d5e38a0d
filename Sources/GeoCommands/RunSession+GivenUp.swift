import GeoCore
import GeoRuntime
import GeoViews

/// Nodes of a lost site that nobody saw fenced.
extension RunSession {
    /// Words given when a run is resumed, and proofs of fences for nodes that fell silent in the middle; each node is looked
    /// at first.
    func attestations(_ arguments: [String], _ state: RunState, _ live: Live) async throws -> [JournalEntry] {
        guard state.scenario == .unplanned else {
            guard !arguments.isEmpty else { return [] }
            throw CommandFailure(
                "--attest is for a site that is lost. In a planned failover nothing is given up and nothing may be lost;"
                    + " if the primary died:\n  \(command) --unplanned --reason 'what happened' --attest ...", .refused)
        }
        let silenced = RunStatus(run: directory.run, state: state).nodesToIsolate
        guard !arguments.isEmpty || !silenced.isEmpty else { return [] }
        var scope = ObservationScope()
        scope.ask([.identity], of: file.plan.inventory.site(file.plan.from)?.nodes ?? [])
        scope.isolation = Set(silenced.map(\.id))
        let now = await live.observe(scope)
        let words = try Attestations.of(arguments, site: file.plan.from, in: file.plan.inventory, now)
        let proofs = silenced.filter { node in !words.contains { $0.node == node.id } }
            .compactMap { GivingUp.proof(of: $0, now) }
        return (words + proofs).map { .nodeAttested(attestation: $0) }
    }

    /// Watches nodes that were given up, and fences whichever answers, until all are seen to be fenced, or the operator
    /// or the limit stops it.
    func guardReturns(
        _ ports: ExecutionPorts, _ journal: Journal, _ interruption: Interruption, _ display: Display,
        forSeconds limit: Int?
    ) async throws {
        var state = await display.state
        let unproven = RunStatus(run: directory.run, state: state).unproven
        guard !unproven.isEmpty else { return }
        Console.say(
            "\(unproven.count == 1 ? "One node is" : "\(unproven.count) nodes are") not seen to be fenced:"
                + unproven.map { "\n  \($0)" }.joined()
                + "\nWhichever answers from here on is fenced at once. Ctrl-C ends the watch.")
        let watch = ReturnWatch(ports: ports, journal: journal)
        let timer = Task {
            guard let limit else { return }
            await LiveClock.wall.sleep(.seconds(limit))
            if !Task.isCancelled { await interruption.raise() }
        }
        defer { timer.cancel() }
        try await withThrowingTaskGroup(of: Watched.self) { group in
            group.addTask { .stopped(await interruption.next(above: .none)) }
            for node in state.unprovenNodes { group.addTask { [state] in .contact(await watch.next(node, state)) } }
            do {
                while !state.unprovenNodes.isEmpty, let watched = try await group.next() {
                    switch watched {
                    case .stopped: break
                    case .contact(nil): continue
                    case .contact(let contact?):
                        // Written before the commands that it stands for.
                        try await write(contact.record, journal, display, &state)
                        group.addTask { [state] in .fenced(contact.id, try await watch.fence(contact, state)) }
                    case .fenced(let node, let entry):
                        try await write(entry, journal, display, &state)
                        // Not seen to be fenced: once more.
                        if state.unprovenNodes.contains(node) {
                            group.addTask { [state] in .contact(await watch.next(node, state)) }
                        }
                    }
                    if case .stopped = watched { break }
                }
            } catch {
                group.cancelAll()
                await interruption.release()
                throw error
            }
            group.cancelAll()
            // Whoever still waits for a Ctrl-C would keep the group from ending.
            await interruption.release()
        }
    }

    private enum Watched: Sendable {
        case contact(ReturnWatch.Contact?)
        case fenced(NodeID, JournalEntry)
        case stopped(Interruption.Level)
    }

    /// The same of a run that is finished, in a process of its own. It holds no lease: a node that another run took
    /// since refuses what this one sends.
    func guardFinished(forSeconds limit: Int?) async throws -> ExitStatus {
        try await locked { contents in
            let machine = try replay(contents.records)
            guard machine.state.phase == .finished else {
                throw CommandFailure(
                    "\(directory.run) is not finished; it watches by itself while it goes on"
                        + "\n  geo-failover resume \(directory.run)", .refused)
            }
            guard !machine.state.unprovenNodes.isEmpty else {
                Console.result("every node of \(file.plan.from) was seen to be fenced; there is nothing to watch")
                return .done
            }
            return try await Live.with(file.plan.inventory, stateDirectory: stateDirectory) { live in
                let journal = try Journal(
                    run: directory.run, store: try directory.openStore(wholeBytes: contents.wholeBytes),
                    clock: LiveClock.wall, after: contents.records)
                let display = Display(plan: file.plan, state: machine.state, output: output)
                let watching = Interruption()
                let signals = Signals { await watching.raise() }
                let (events, feed) = AsyncStream.makeStream(of: RunEvent.self)
                async let shown: Void = display.follow(events, watching)
                defer {
                    signals.stop()
                    feed.finish()
                }
                try await guardReturns(
                    ports(live, display, { feed.yield($0) }, {}), journal, watching, display, forSeconds: limit)
                feed.finish()
                await shown
                return await display.state.unprovenNodes.isEmpty ? .done : .halted
            }
        }
    }

    private func write(
        _ entry: JournalEntry, _ journal: Journal, _ display: Display, _ state: inout RunState
    ) async throws {
        let record = try await journal.append(entry)
        try state.apply(entry, at: record.at)
        await display.show(.recorded(record: record))
    }
}
