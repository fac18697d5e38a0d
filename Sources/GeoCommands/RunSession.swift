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

    private var actor: Actor { Actor(user: Settings.user, host: Settings.host) }

    init(directory: RunDirectory, file: PlanFile, isApproved: Bool, output: OutputFormat) throws {
        self.directory = directory
        self.file = file
        self.isApproved = isApproved
        self.output = output
    }

    /// `20261121-031245`, UTC: sorts by time.
    static func stamp(_ at: Timestamp) -> String {
        at.toSeconds.split(separator: " ").map { part in part.filter(\.isNumber) }.joined(separator: "-")
    }

    func start() async throws -> ExitStatus {
        try refuseBesideUnfinishedRun()
        if !isApproved {
            let question = OperatorPrompt.Question(
                step: "start",
                text: "This takes \(file.plan.from) out of service. Type the name of the site to leave to begin.",
                expected: file.plan.from.rawValue)
            guard await Prompt.ask(question)?.text == file.plan.from.rawValue else {
                throw CommandFailure("declined; nothing was done", .declined)
            }
        }
        try directory.create(plan: file)
        let opening: [JournalEntry] = [
            .runStarted(plan: file.digest, by: actor, toolVersion: GeoFailover.version, epoch: Self.epoch(after: 0)),
            .approved(plan: file.digest, by: actor, how: isApproved ? "--approve" : "typed the site's name"),
        ]
        return try await run(opening: opening)
    }

    /// Goes on; `skipping` names a step to go on without, and why: it has to have failed or be in doubt.
    func resume(skipping: (step: StepID, reason: String)? = nil) async throws -> ExitStatus {
        try await run(opening: [], skipping: skipping)
    }

    /// Every epoch is later than all before it, also if this machine's clock went back.
    private static func epoch(after known: Int) -> Int {
        max(known + 1, Int(LiveClock.now().milliseconds / 1000))
    }

    private func run(opening: [JournalEntry], skipping: (step: StepID, reason: String)? = nil) async throws
        -> ExitStatus
    {
        guard let lock = try directory.lock() else {
            throw CommandFailure(
                "another process on this machine is executing \(directory.run)\n  look: geo-failover status \(directory.run)",
                .heldByAnother)
        }
        defer { withExtendedLifetime(lock) {} }
        let contents = try directory.readJournal()
        let skip = try skipping.map { try skipEntry($0.step, $0.reason, replay(contents.records).state) }
        if contents.tornBytes > 0 {
            Console.say(
                "note: the last line of the journal was torn by a crash (\(contents.tornBytes) bytes) and is dropped")
        }
        var machine = try replay(contents.records)
        let journal = try Journal(
            run: directory.run, store: try directory.openStore(wholeBytes: contents.wholeBytes), clock: LiveClock.wall,
            after: contents.records)
        let display = Display(plan: file.plan, state: machine.state, output: output)
        for entry in try openingEntries(opening, machine.state) + (skip.map { [$0] } ?? []) {
            let record = try await journal.append(entry)
            try machine.apply(entry, at: record.at)
            await display.show(.recorded(record: record))
        }
        return try await execute(machine, journal, display)
    }

    private func replay(_ records: [JournalRecord]) throws -> ExecutionStateMachine {
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

    private func openingEntries(_ opening: [JournalEntry], _ state: RunState) throws -> [JournalEntry] {
        guard opening.isEmpty else { return opening }
        if state.phase == .finished {
            throw CommandFailure("\(directory.run) is finished\n  geo-failover report \(directory.run)", .done)
        }
        let epoch = Self.epoch(after: state.epoch)
        // Killed before its first record: nothing was done, and the run begins now.
        if state.phase == .ready {
            return [
                .runStarted(plan: file.digest, by: actor, toolVersion: GeoFailover.version, epoch: epoch),
                .approved(plan: file.digest, by: actor, how: "resumed"),
            ]
        }
        return [.runResumed(by: actor, toolVersion: GeoFailover.version, epoch: epoch)]
    }

    private func execute(
        _ machine: ExecutionStateMachine, _ journal: Journal, _ display: Display
    ) async throws -> ExitStatus {
        try await Live.with(file.plan.inventory) { live in
            try await execute(machine, journal, display, live)
        }
    }

    private func execute(
        _ machine: ExecutionStateMachine, _ journal: Journal, _ display: Display, _ live: Live
    ) async throws -> ExitStatus {
        let interruption = Interruption()
        let signals = Signals { await interruption.raise() }
        defer { signals.stop() }
        let (events, feed) = AsyncStream.makeStream(of: RunEvent.self)
        let ports = ports(live, display) { feed.yield($0) }
        async let shown: Void = display.follow(events, interruption)
        let executor = Executor(ports: ports, journal: journal, interruption: interruption)
        let outcome: RunOutcome
        do {
            outcome = try await executor.run(machine)
        } catch {
            feed.finish()
            await shown
            throw error
        }
        feed.finish()
        await shown
        return await conclude(outcome, display)
    }

    private func ports(
        _ live: Live, _ display: Display, _ announce: @escaping @Sendable (RunEvent) -> Void
    ) -> ExecutionPorts {
        let directory = directory
        let approval = isApproved ? "--approve \(file.digest.short)" : nil
        return ExecutionPorts(
            observe: { await live.observe($0) }, shell: live.shell, programs: LocalProcess.programs,
            prompt: OperatorPrompt { question in
                // The digest stands for a person who read the plan; it cannot say that somebody did something.
                if let approval, let expected = question.expected { return .init(expected, how: approval) }
                return await display.asking { await Prompt.ask(question) }
            },
            clock: live.clock, boundary: Live.boundary,
            keepTranscript: { key, bytes in
                let path = directory.transcriptPath(key)
                try directory.writeAtomically(bytes, to: directory.path + "/" + path)
                return path
            },
            announce: announce)
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

    /// Two runs that change the same sites would each undo the other's proofs.
    private func refuseBesideUnfinishedRun() throws {
        let parent = String(directory.path.dropLast(directory.run.rawValue.count + 1))
        guard FileManager.default.fileExists(atPath: parent) else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: parent).sorted() {
            let other = RunDirectory(run: RunID(name), under: parent)
            guard FileManager.default.fileExists(atPath: other.planPath), let lock = try other.lock() else {
                if FileManager.default.fileExists(atPath: other.planPath) {
                    throw CommandFailure(
                        "\(name) is being executed on this machine\n  geo-failover status \(name)", .heldByAnother)
                }
                continue
            }
            defer { withExtendedLifetime(lock) {} }
            let plan = try other.readPlan()
            var state = RunState(plan: plan.plan)
            for record in try other.readJournal().records { try state.apply(record.entry, at: record.at) }
            let sites = Set([plan.plan.from, plan.plan.to])
            let isSame =
                plan.plan.inventory.deployment == file.plan.inventory.deployment
                && !sites.isDisjoint(with: [file.plan.from, file.plan.to])
            guard isSame, state.phase != .finished, !state.acted.isEmpty else { continue }
            throw CommandFailure(
                "\(name) has changed these sites and is not finished\n  go on with it: geo-failover resume \(name)",
                .heldByAnother)
        }
    }
}
