import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoViews

/// One process's part in a run: opens the journal, joins executor, display and signals, and says how it ended.
struct RunSession {
    let directory: RunDirectory
    let file: PlanFile
    let isApproved: Bool
    let output: OutputFormat
    /// The run of another that this one takes the nodes from, and why.
    var takeover: Takeover?
    /// The run that this one undoes, why it was given up, and what its nodes know of it and its journal does not.
    var undoing: (run: RunDirectory, reason: String, unknown: [JournalEntry])?
    /// How long to watch for nodes that nobody saw fenced, once the run is finished; `nil`: on a terminal until Ctrl-C,
    /// and not at all without one.
    var guardSeconds: Int?
    /// What people signed, not verified yet.
    var approvals: [Approval] = []
    /// What was typed, for those who have to type it again.
    let command: String

    private var actor: Actor { Settings.actor }
    /// With the runs in it, and what this machine remembers.
    var stateDirectory: String { URL(filePath: directory.parent).deletingLastPathComponent().path }

    /// `20261121-031245`, UTC: sorts by time.
    static func stamp(_ at: Timestamp) -> String {
        at.toSeconds.split(separator: " ").map { part in part.filter(\.isNumber) }.joined(separator: "-")
    }

    func start() async throws -> ExitStatus {
        try refuseBesideUnfinishedRun()
        let signed = try await gate.check(approvals, isStart: true)
        if !isApproved {
            let question = self.question
            guard await Prompt.ask(question)?.text == question.expected else {
                throw CommandFailure("declined; nothing was done", .declined)
            }
        }
        // Before the nodes are held: whatever holds them has a directory here that says what it is.
        let own = try ownRuns
        try directory.create(plan: file)
        for approval in signed.map(\.approval) {
            try ApprovalFile.write(approval, to: ApprovalFile.path(of: directory.planPath, by: approval.by))
        }
        return try await Live.with(file.plan.inventory, stateDirectory: stateDirectory) { live in
            let holding: RunHolding
            do {
                holding = try await RunHolding.take(live, self, atLeast: Self.epoch(after: 0), replacing: own)
            } catch {
                try directory.removeUnused()
                throw error
            }
            try await abandonUndoneRun(holding)
            let opening: [JournalEntry] =
                [
                    .runStarted(plan: file.digest, by: actor, toolVersion: GeoFailover.version, epoch: holding.epoch),
                    .approved(plan: file.digest, by: actor, how: isApproved ? "--approve" : "typed the site's name"),
                ] + signed.map { .signed(approval: $0) }
            return try await locked { contents in try await run(contents, opening, holding, live) }
        }
    }

    /// The last word of the run that this one undoes: from now on it cannot be resumed, here or from a copy.
    private func abandonUndoneRun(_ holding: RunHolding) async throws {
        guard let undoing else { return }
        guard let lock = try undoing.run.lock() else {
            throw CommandFailure("\(undoing.run.run) is being executed on this machine", .heldByAnother)
        }
        defer { withExtendedLifetime(lock) {} }
        let contents = try undoing.run.readJournal()
        let tail = JournalTail(try undoing.run.wholeJournal(contents))
        let journal = try Journal(
            run: undoing.run.run,
            store: tail.following(try undoing.run.openStore(wholeBytes: contents.wholeBytes)), clock: LiveClock.wall,
            after: contents.records)
        let last = JournalEntry.runAbandoned(by: actor, reason: undoing.reason, undoneBy: directory.run)
        for entry in undoing.unknown + [last] { _ = try await journal.append(entry) }
        let copies = holding.copies(of: undoing.run.run, try undoing.run.readPlan().bytes, tail)
        if await copies.flush(within: 10, clock: LiveClock.wall) == 0 {
            Console.say(
                "note: no node could be told that \(undoing.run.run) was given up; its copies there still say that it halted"
            )
        }
    }

    /// Goes on; `skipping` names a step to go on without, and why: it has to have failed or be in doubt. `attesting` is
    /// as ``Attestations`` reads it. `because` says what was mended; it is asked for where it is missing and needed.
    func resume(
        skipping: (step: StepID, reason: String)? = nil, attesting: [String] = [], givingUp: String? = nil,
        because given: String? = nil
    ) async throws -> ExitStatus {
        try await locked { contents in
            let state = try replay(contents.records).state
            let skip = try skipping.map { try skipEntry($0.step, $0.reason, state) }
            if state.phase == .finished {
                throw CommandFailure("\(directory.run) is finished\n  geo-failover report \(directory.run)", .done)
            }
            if case .abandoned(let other) = state.phase {
                throw CommandFailure(
                    "\(directory.run) was aborted\n  go on with the way back: geo-failover resume \(other)", .refused)
            }
            let reason = try await whatWasMended(state, given, skipping: skipping?.step)
            let signed = try await signatures(
                of: contents.records, state, words: Approval.words(givingUp: givingUp, attesting: attesting))
            return try await Live.with(file.plan.inventory, stateDirectory: stateDirectory) { live in
                let words =
                    if let givingUp {
                        try await giveUp(state, because: givingUp, attesting, live)
                    } else {
                        try await attestations(attesting, state, live)
                    }
                let holding = try await RunHolding.take(
                    live, self, atLeast: Self.epoch(after: state.epoch), replacing: [])
                let opening = openingEntries(state, holding.epoch, reason) + signed + (skip.map { [$0] } ?? []) + words
                return try await run(contents, opening, holding, live)
            }
        }
    }

    /// Every epoch is later than all before it, also if this machine's clock went back.
    private static func epoch(after known: Int) -> Int {
        max(known + 1, Int(LiveClock.now().milliseconds / 1000))
    }

    /// With the run held against other processes on this machine.
    func locked(_ body: (JournalLine.Contents) async throws -> ExitStatus) async throws -> ExitStatus {
        guard let lock = try directory.lock() else {
            throw CommandFailure(
                "another process on this machine is executing \(directory.run)\n  look: geo-failover status \(directory.run)",
                .heldByAnother)
        }
        defer { withExtendedLifetime(lock) {} }
        let contents = try directory.readJournal()
        if contents.tornBytes > 0 {
            Console.say(
                "note: the last line of the journal was torn by a crash (\(contents.tornBytes) bytes) and is dropped")
        }
        return try await body(contents)
    }

    private func run(
        _ contents: JournalLine.Contents, _ opening: [JournalEntry], _ holding: RunHolding, _ live: Live
    ) async throws -> ExitStatus {
        var machine = try replay(contents.records)
        let tail = JournalTail(try directory.wholeJournal(contents))
        let journal = try Journal(
            run: directory.run,
            store: tail.following(try directory.openStore(wholeBytes: contents.wholeBytes)), clock: LiveClock.wall,
            after: contents.records)
        let display = Display(plan: file.plan, state: machine.state, output: output)
        func write(_ entries: [JournalEntry]) async throws {
            for entry in entries {
                let record = try await journal.append(entry)
                try machine.apply(entry, at: record.at)
                await display.show(.recorded(record: record))
            }
        }
        try await write(opening + [holding.entry])
        if !contents.records.isEmpty {
            // After the nodes are held: whoever wrote the journal before starts nothing more.
            let jobs = await live.jobs.list(
                file.plan.inventory.nodes.filter { $0.isManagedByOmnibus && holding.isTaken($0.id) })
            let missing = Adoption.entries(
                of: directory.run, in: machine.state, known: Set(contents.records.flatMap(\.entry.startedKeys)),
                jobs: jobs)
            if !missing.isEmpty {
                Console.say("note: the nodes know of commands that this journal lacks; they are followed from here on")
            }
            try await write(missing)
        }
        return try await execute(machine, journal, display, live, holding, tail)
    }

    func replay(_ records: [JournalRecord]) throws -> ExecutionStateMachine {
        var machine = ExecutionStateMachine(state: RunState(plan: file.plan))
        for record in records {
            if case .runStarted(let digest, _, _, _) = record.entry, digest != file.digest {
                throw CommandFailure(
                    "the journal of \(directory.run) was written for plan \(digest.short), and the plan beside it is \(file.digest.short)",
                    .refused)
            }
            try machine.apply(record.entry, at: record.at)
        }
        return machine
    }

    /// What the report says about steps that did something, failed, and are to be tried again.
    private func whatWasMended(_ state: RunState, _ given: String?, skipping: StepID?) async throws -> String? {
        let failed = state.failedDeeds.filter { $0 != skipping }
        guard !failed.isEmpty, given == nil else { return given }
        let names = failed.map(\.rawValue).joined(separator: ", ")
        let text = "\(names) failed, and is tried again. What was mended? The report keeps it."
        let question = OperatorPrompt.Question(step: failed[0], text: text, expected: nil)
        guard let words = await Prompt.ask(question)?.text, !words.isEmpty else {
            throw CommandFailure(
                "\(names) failed; say what was mended before it is tried again. Nothing was done"
                    + "\n  geo-failover resume \(directory.run) --reason TEXT", .declined)
        }
        return words
    }

    /// Refused where a promise stands on the step, and where there is nothing to skip.
    private func skipEntry(_ step: StepID, _ reason: String, _ state: RunState) throws -> JournalEntry {
        switch state.progress(of: step) {
        case .failed(let attempt, _), .inDoubt(let attempt, _):
            guard StepGraph.isSkippable(step, in: file.plan) else {
                throw CommandFailure(
                    "\(step) cannot be skipped: the fence, the proofs and the promotion stand on it\n  "
                        + "mend what it says, then: geo-failover resume \(directory.run)", .refused)
            }
            return .stepSkipped(step: step, attempt: attempt, reason: reason, by: actor)
        case .pending, .running, .succeeded, .skipped:
            let troubled = RunStatus(run: directory.run, state: state).troubled.map(\.step.rawValue)
            let known = troubled.isEmpty ? "no step of this run has" : "\(troubled.joined(separator: ", ")) has"
            throw CommandFailure(
                "\(step) neither failed nor is in doubt, so there is nothing to skip; \(known)", .refused)
        }
    }

    private func openingEntries(_ state: RunState, _ epoch: Int, _ reason: String?) -> [JournalEntry] {
        // Killed before its first record: nothing was done, and the run begins now.
        if state.phase == .ready {
            return [
                .runStarted(plan: file.digest, by: actor, toolVersion: GeoFailover.version, epoch: epoch),
                .approved(plan: file.digest, by: actor, how: "resumed"),
            ]
        }
        return [.runResumed(by: actor, toolVersion: GeoFailover.version, epoch: epoch, reason: reason)]
    }

    private func execute(
        _ machine: ExecutionStateMachine, _ journal: Journal, _ display: Display, _ live: Live, _ holding: RunHolding,
        _ tail: JournalTail
    ) async throws -> ExitStatus {
        let interruption = Interruption()
        let watching = Interruption()
        let signals = Signals {
            await interruption.raise()
            await watching.raise()
        }
        defer { signals.stop() }
        let (events, feed) = AsyncStream.makeStream(of: RunEvent.self)
        let announce: @Sendable (RunEvent) -> Void = { feed.yield($0) }
        let copies = holding.copies(of: directory.run, file.bytes, tail)
        let ports = ports(live, display, announce) {
            if await copies.flush(within: 5, clock: LiveClock.wall) == 0 {
                announce(
                    .notice(
                        text: "no node of \(file.plan.to) takes a copy of the journal; this machine has the only one"))
            }
        }
        async let shown: Void = display.follow(events, interruption)
        // What was asked of an earlier process is done.
        try directory.clearPause()
        let upkeep = holding.upkeep(copies, interruption) { try directory.requestedPause() }
        let executor = Executor(ports: ports, journal: journal, interruption: interruption)
        let outcome: RunOutcome
        do {
            outcome = try await executor.run(machine)
        } catch {
            upkeep.cancel()
            feed.finish()
            await shown
            // A transcript is as much a record as a line of the journal.
            throw error is RunDirectoryError ? CommandFailure.cannotRecord(error) : error
        }
        if outcome == .finished, Console.canAsk || guardSeconds != nil {
            try await guardReturns(ports, journal, watching, display, forSeconds: guardSeconds)
        }
        upkeep.cancel()
        _ = await copies.flush(within: 10, clock: LiveClock.wall)
        // A run that changed nothing is in nobody's way.
        let hasActed = await !display.state.acted.isEmpty
        let isOver = outcome == .finished || !hasActed
        let kept = isOver ? await holding.lease.release(epoch: holding.epoch).filter(holding.isTaken) : []
        feed.finish()
        await shown
        if !kept.isEmpty {
            Console.say(
                "note: \(kept.map(\.rawValue).joined(separator: ", ")) did not answer and may keep this run's lease")
        }
        return await conclude(outcome, display)
    }

    func ports(
        _ live: Live, _ display: Display, _ announce: @escaping @Sendable (RunEvent) -> Void,
        _ copyRecords: @escaping @Sendable () async -> Void
    ) -> ExecutionPorts {
        let directory = directory
        let approval = isApproved ? "--approve \(file.digest.short)" : nil
        var ports = ExecutionPorts(
            observe: { await live.observe($0) }, shell: live.shell, programs: LocalProcess.programs,
            prompt: OperatorPrompt { question in
                // The digest stands for a person who read the plan; it cannot say that somebody did something, or saw
                // what the plan does not say.
                if let approval, let expected = question.expected, question.isInThePlan {
                    return .init(expected, how: approval)
                }
                return await display.asking { await Prompt.ask(question) }
            },
            clock: live.clock, boundary: Live.boundary,
            keepTranscript: { key, bytes in
                let path = directory.transcriptPath(key)
                try directory.writeAtomically(bytes, to: directory.path + "/" + path)
                return path
            },
            announce: announce, copyRecords: copyRecords, secret: { try Secrets.read($0) },
            nodeFile: nodeFile(live))
        ports.looksAtProgress = true
        return ports
    }

    private func conclude(_ outcome: RunOutcome, _ display: Display) async -> ExitStatus {
        let state = await display.state
        let run = directory.run
        let style = Console.style(forResult: false)
        switch outcome {
        case .finished:
            Console.say(StatusView.text(run, state, now: LiveClock.now(), style: style))
            return .done
        case .halted:
            Console.say(StatusView.text(run, state, now: LiveClock.now(), style: style))
            return .halted
        case .refused(let drift):
            Console.say(DriftView.text(drift, plan: file.plan, run: directory.run, style: style))
            return .refused
        case .notReady(let findings):
            let assessment = Assessment(
                subject: .failover(from: file.plan.from, to: file.plan.to), findings: findings)
            Console.say(FindingsView.text([assessment], now: LiveClock.now(), style: style))
            Console.say("geo-failover: the plan's checks do not hold any more, and nothing was changed; plan again")
            return .refused
        case .declined:
            Console.say(StatusView.text(run, state, now: LiveClock.now(), style: style))
            return .declined
        }
    }
}
