import GeoCore
import GeoRuntime
import GeoViews

/// One `watch`: says what each look led to, runs the program for changes, and knows when to end.
actor WatchSession {
    /// Longest silence in text.
    private static let heartbeatSeconds = 300.0

    private let live: Live
    private let preflight: Preflight
    private let program: ChangeProgram?
    private let isOnce: Bool
    private let endsWithDisaster: Bool
    private let drafting: PlanDraft
    private let stateDirectory: String
    private let output: OutputFormat
    private let isVerbose: Bool
    private let style = Console.style(forResult: true)
    private var lastSaidAt = LiveClock.uptime()
    private(set) var status = ExitStatus.done

    init(
        live: Live, preflight: Preflight, drafting: PlanDraft, stateDirectory: String, program: ChangeProgram?,
        isOnce: Bool, endsWithDisaster: Bool, output: OutputFormat, isVerbose: Bool
    ) {
        self.live = live
        self.preflight = preflight
        self.drafting = drafting
        self.stateDirectory = stateDirectory
        self.program = program
        self.isOnce = isOnce
        self.endsWithDisaster = endsWithDisaster
        self.output = output
        self.isVerbose = isVerbose
    }

    /// What runs of this machine left without a proof of its fence.
    func sayWhatIsUnproven() {
        do {
            let left = try RecordedHistory.read(under: stateDirectory + "/runs").unproven
                .filter { $0.isOf(preflight.inventory.deployment) }
            guard !left.isEmpty else { return }
            if output == .json {
                for line in WatchView.json(unproven: left) { Console.result(line) }
            } else {
                Console.result(WatchView.unproven(left, style: style))
            }
        } catch {
            Console.say("note: what earlier runs left without a proof cannot be read: \(error)")
        }
    }

    /// Whether to look again.
    func take(_ look: Watcher.Look) async -> Bool {
        // The loss of a disaster is measured against what the primary said last.
        CheckMemory(stateDirectory: stateDirectory, deployment: preflight.inventory.deployment)
            .learn(from: look.observation, of: preflight.inventory)
        if output == .json { Console.result(WatchView.json(look.diagnosis, state: look.state)) }
        if isOnce {
            if output != .json { Console.result(WatchView.text(look.diagnosis, style: style)) }
            sayReach(look)
            status = look.diagnosis.kind == .healthy ? .done : .notReady
            return false
        }
        for event in look.events {
            say(WatchView.json(event, state: look.state)) { WatchView.text(event, state: look.state, style: style) }
        }
        var isOver = false
        for event in look.events {
            switch event {
            case .suspected, .dismissed: break
            case .changed(let from, let to):
                if to.kind == .unreachableFromHere { sayReach(look) }
                await run(from, to, look.state, next: [])
            case .called(let from, let diagnosis):
                let commands = await sayChoice(diagnosis)
                guard !Task.isCancelled else { return false }
                await run(from, diagnosis, look.state, next: commands)
                if endsWithDisaster { (status, isOver) = (.notReady, true) }
            }
        }
        sayThatItLooks(look)
        return !isOver
    }

    private func say(_ line: String, _ text: () -> String) {
        Console.result(output == .json ? line : text())
        lastSaidAt = LiveClock.uptime()
    }

    private func sayThatItLooks(_ look: Watcher.Look) {
        guard output != .json else { return }
        guard isVerbose || LiveClock.wall.seconds(since: lastSaidAt) >= Self.heartbeatSeconds else { return }
        lastSaidAt = LiveClock.uptime()
        Console.result(WatchView.heartbeat(look.state, now: LiveClock.now()))
        sayWhatIsUnproven()
    }

    /// Whether what the operator does not reach is alive, as the check before an unplanned failover has it.
    private func sayReach(_ look: Watcher.Look) {
        guard let from = look.diagnosis.primary, let check = CheckCatalog.check("primary.not-out-of-reach"),
            let to = preflight.inventory.sites.first(where: { $0.id != from })
        else { return }
        let subject = Subject.failover(from: from, to: to.id)
        let context = CheckContext(inventory: preflight.inventory, subject: subject, from: from, to: to.id)
        let findings = check.findings(context, look.observation).filter { $0.verdict > .warn }
        guard !findings.isEmpty else { return }
        let assessment = Assessment(subject: subject, findings: findings, profile: .unplanned)
        let now = LiveClock.now()
        if output == .json {
            for line in FindingsView.json([assessment], now: now) { Console.result(line) }
        } else {
            Console.result(FindingsView.text([assessment], now: now, style: style, isVerbose: isVerbose))
        }
    }

    /// Looks once more, at everything, and says who could take over; the commands to run next, the first first.
    private func sayChoice(_ diagnosis: Diagnosis) async -> [String] {
        guard let from = diagnosis.primary else {
            let commands = ["geo-failover check --verbose"]
            say(WatchView.json(next: commands)) { WatchView.next(commands, style: style) }
            return commands
        }
        var scope = preflight.scope(from: from.rawValue, to: nil)
        scope.formUnion(preflight.lossScope(from: from.rawValue, to: nil))
        let observation = await live.observe(scope)
        guard !Task.isCancelled else { return [] }
        let ranking = preflight.ranking(from: from, observation)
        let draft = ranking.places.first.map { drafting.make(from: from, to: $0.site, observation) }
        if output == .json {
            for line in WatchView.json(ranking) { Console.result(line) }
        } else {
            Console.result(WatchView.ranking(ranking, style: style))
        }
        let commands = draft?.commands ?? []
        say(WatchView.json(next: commands, plan: draft?.path, refusal: draft?.refusal)) {
            WatchView.next(commands, plan: draft?.sentence, style: style)
        }
        return commands
    }

    private func run(_ was: Diagnosis.Kind?, _ now: Diagnosis, _ state: WatchState, next: [String]) async {
        await program?.start(
            WatchView.environment(
                was: was, now, state: state, deployment: preflight.inventory.deployment, next: next.last))
    }
}

/// The operators' own program for changes: one at a time, in their order, beside the looks.
actor ChangeProgram {
    private static let timeLimitSeconds = 60
    private let program: String
    private var last: Task<Void, Never>?

    init(_ program: String) { self.program = program }

    func start(_ environment: [String: String]) {
        let (before, program) = (last, program)
        last = Task {
            await before?.value
            await Self.run(program, environment)
        }
    }

    /// Waits for those that were started; each has its limit.
    func finish() async { await last?.value }

    /// A failure is said; the watch goes on.
    private static func run(_ program: String, _ environment: [String: String]) async {
        do {
            let result = try await LocalProcess.programs.run([program], environment, timeLimitSeconds)
            let said = Transcript.lines(result.output.suffix(2000), last: 1).first.map { ": \($0)" } ?? ""
            if result.isTimedOut {
                Console.say("note: \(program) was ended after \(timeLimitSeconds) s; the watch goes on")
            } else if result.status != 0 {
                let how = result.status.map { "exited with \($0)" } ?? "was ended by a signal"
                Console.say("note: \(program) \(how)\(said); the watch goes on")
            }
        } catch {
            Console.say("note: \(program) could not be run: \(error); the watch goes on")
        }
    }
}
