import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization

/// One run of a plan on a simulated deployment, by as many processes of the tool as it takes.
final class Rig: Sendable {
    /// How one process ended.
    enum End: Sendable, Hashable {
        case ended(RunOutcome)
        case died
        case failed(String)
        /// The nodes could not be held: nothing was done.
        case refused(String)
    }

    /// What the operator types; `nil`: nobody is there.
    typealias Answers = @Sendable (OperatorPrompt.Question) -> String?

    /// Happens when a script is about to be sent.
    typealias BeforeExchange = @Sendable (_ script: JobScript) async -> Void

    let file: PlanFile
    let run: RunID
    let deployment: SimulatedDeployment
    let disk = Disk()
    /// Who sits at the machine.
    let person: Actor
    let notes = Mutex(Notes())

    struct Notes {
        /// What went against a promise, as this rig saw it.
        var breaches: [String] = []
        var unrecordedStarts: [String] = []
        var recordedKeys: Set<String> = []
        var localRuns: [String: Int] = [:]
        /// Whether the next process takes the nodes from whoever holds them.
        var isTakingOver = false
        var boundaries = 0
        var clockIsAhead = 0.0
        var words: [JournalEntry] = []
        /// The last look of this process that was compared with the plan found nothing that had changed.
        var isCompared = false
        var isPastPointOfNoReturn = false
    }

    /// What the operator gives the next process on its command line.
    func say(_ words: [JournalEntry]) { notes.withLock { $0.words = words } }

    init(_ file: PlanFile = ShippedPlan.file) {
        self.file = file
        self.run = "run"
        self.person = Actor(user: "anna", host: "laptop")
        self.deployment = SimulatedDeployment(inventory: file.plan.inventory)
    }

    /// A run on a deployment to which something has happened before, and which a run that halted may hold.
    init(_ file: PlanFile, on deployment: SimulatedDeployment, as run: RunID) {
        self.file = file
        self.run = run
        self.person = Actor(user: "anna", host: "laptop")
        self.deployment = deployment
        notes.withLock { $0.isTakingOver = true }
    }

    /// Another person on another machine, with a copy of the journal that may lack its last records.
    init(takingOver other: Rig, behindBy records: Int = 0) {
        self.file = other.file
        self.run = other.run
        self.person = Actor(user: "ben", host: other.person.host + "-2")
        self.deployment = other.deployment
        disk.restore(other.disk.bytes, without: records)
        notes.withLock { $0.isTakingOver = true }
    }

    /// The same run, whose process has ended, on a deployment of its own: one past, and a future for each.
    init(branchingFrom other: Rig) {
        self.file = other.file
        self.run = other.run
        self.person = other.person
        self.deployment = SimulatedDeployment(copying: other.deployment.withState { $0 })
        disk.restore(other.disk)
        let past = other.notes.withLock { $0 }
        notes.withLock { $0 = past }
    }

    // MARK: Processes

    /// Opens the run as `execute` and `resume` do, and runs until the process ends or dies.
    func process(
        dies death: Death? = nil, interruption: Interruption = Interruption(),
        answers: @escaping Answers = { $0.expected ?? "" },
        watching watch: @escaping @Sendable (RunEvent) -> Void = { _ in },
        beforeExchange: @escaping BeforeExchange = { _ in }
    ) async -> End {
        await withTaskExecutorPreference(OneThread()) {
            do {
                let contents = try disk.read()
                let store = disk.open(wholeBytes: contents.wholeBytes, records: contents.records.count, death: death)
                let journal = try Journal(
                    run: run, store: store, clock: clock, after: contents.records)
                var machine = ExecutionStateMachine(state: RunState(plan: file.plan))
                notes.withLock { $0.isCompared = false }
                for record in contents.records {
                    try machine.apply(record.entry, at: record.at)
                    remember(record)
                }
                guard let held = await hold(after: machine.state.epoch) else { return .refused("the nodes are held") }
                for entry in opening(machine.state, held)
                    + notes.withLock({ notes in
                        defer { notes.words = [] }
                        return notes.words
                    })
                {
                    let record = try await journal.append(entry)
                    try machine.apply(record.entry, at: record.at)
                }
                try await adopt(&machine, journal, after: contents.records)
                let executor = Executor(
                    ports: ports(answers, watch, beforeExchange), journal: journal, interruption: interruption)
                let outcome = try await executor.run(machine)
                // A run that halts keeps its hold.
                if outcome == .finished { await lease.release(epoch: held) }
                return .ended(outcome)
            } catch {
                return disk.isDead ? .died : .failed(String(describing: error))
            }
        }
    }

    /// As a session that goes on does it.
    private func adopt(
        _ machine: inout ExecutionStateMachine, _ journal: Journal, after records: [JournalRecord]
    ) async throws {
        guard !records.isEmpty else { return }
        let jobs = await jobs()
        for entry in Adoption.entries(
            of: run, in: machine.state, known: Set(records.flatMap(\.entry.startedKeys)), jobs: jobs)
        {
            let record = try await journal.append(entry)
            try machine.apply(record.entry, at: record.at)
            remember(record)
        }
    }

    /// What nodes were told to start and the journal does not know.
    func unknownCommands() async throws -> [JournalEntry] {
        let known = Set(try disk.decoded().flatMap(\.entry.startedKeys))
        return Adoption.entries(of: run, in: try state(), known: known, jobs: await jobs())
    }

    private func jobs() async -> [NodeJobs] {
        let before = deployment.withState { $0.changes }
        let jobs = await JobKeeper(keeper: deployment.keeper, boundary: { "geo-jobs" }, holder: person).list(
            file.plan.inventory.nodes.filter(\.isManagedByOmnibus))
        if deployment.withState({ $0.changes }) != before { breach("the list of jobs changed a node") }
        return jobs
    }

    /// The clock of the operator's machine, which somebody may set; the nodes' clocks go on.
    var clock: WallClock {
        let usual = deployment.clock.wall
        return WallClock(
            now: { usual.now().adding(seconds: self.notes.withLock(\.clockIsAhead)) }, uptime: usual.uptime,
            sleep: usual.sleep)
    }

    func setClock(ahead seconds: Double) { notes.withLock { $0.clockIsAhead = seconds } }

    private var lease: LeaseKeeper {
        LeaseKeeper(
            keeper: deployment.keeper, clock: deployment.clock.wall, boundary: { "geo-lease" }, plan: file.plan,
            run: run, holder: person)
    }

    /// As `RunHolding` takes the nodes; the epoch.
    private func hold(after known: Int) async -> Int? {
        let isTakingOver = notes.withLock { notes in
            defer { notes.isTakingOver = false }
            return notes.isTakingOver
        }
        guard case .taken(let epoch, _) = await lease.take(atLeast: known + 1, takingOver: isTakingOver) else {
            notes.withLock { $0.isTakingOver = isTakingOver }
            return nil
        }
        return epoch
    }

    private func opening(_ state: RunState, _ epoch: Int) -> [JournalEntry] {
        guard state.phase == .ready else { return [.runResumed(by: person, toolVersion: "test", epoch: epoch)] }
        return [
            .runStarted(plan: file.digest, by: person, toolVersion: "test", epoch: epoch),
            .approved(plan: file.digest, by: person, how: "test"),
        ]
    }

    private func ports(
        _ answers: @escaping Answers, _ watch: @escaping @Sendable (RunEvent) -> Void,
        _ beforeExchange: @escaping BeforeExchange
    ) -> ExecutionPorts {
        let (deployment, disk) = (deployment, disk)
        return ExecutionPorts(
            observe: { scope in
                // A dead process sees and does nothing more.
                disk.isDead
                    ? Observation(startedAt: deployment.clock.now, endedAt: deployment.clock.now, nodes: [:])
                    : deployment.observe(scope)
            },
            shell: NodeShell { script, offset, node in
                guard !disk.isDead else { return .failed(NodeFailure(kind: .lost, text: "the tool is dead")) }
                self.notes.withLock {
                    if !$0.recordedKeys.contains(script.key) { $0.unrecordedStarts.append(script.key) }
                }
                await beforeExchange(script)
                let visit = deployment.exchange(script, offset, node)
                await Task.yield()
                return visit
            },
            programs: LocalPrograms { arguments, environment, _ in
                if let node = arguments.last.map({ NodeID($0) }), arguments[0].hasPrefix("fence-") {
                    return deployment.withState { state in
                        if arguments[0] == "fence-off" { state.powerOff(node) }
                        return LocalPrograms.Result(
                            status: state[node].isOff ? 0 : 1, output: Array("ok\n".utf8), isTimedOut: false)
                    }
                }
                self.notes.withLock { $0.localRuns[environment["GEO_FAILOVER_STEP"] ?? arguments[0], default: 0] += 1 }
                return LocalPrograms.Result(status: 0, output: Array("ok\n".utf8), isTimedOut: false)
            },
            prompt: OperatorPrompt { answers($0).map { .init($0) } }, clock: clock,
            boundary: {
                "geo-"
                    + String(
                        self.notes.withLock { notes -> Int in
                            notes.boundaries += 1
                            return notes.boundaries
                        })
            },
            keepTranscript: { key, _ in "transcripts/\(key).txt" },
            announce: { event in
                if case .recorded(let record) = event { self.remember(record, isLive: true) }
                watch(event)
            }, secret: { _ in Array("practice".utf8) },
            nodeFile: { .success(Array("\($0.file.rawValue) of \($0.node)".utf8)) })
    }

    /// Runs process after process until the plan is finished; whatever halted it is healed in between.
    func runToTheEnd(processes limit: Int = 60) async -> End {
        var end = End.died
        for _ in 0..<limit {
            end = await process()
            if end == .ended(.finished) { return end }
            heal()
        }
        return end
    }

    /// The operator sees to whatever halted the run, by the remedy that it named.
    func heal() {
        let state = try? state()
        let isStopped = state?.hasSucceeded("stop-database") ?? false
        var isToBeSilent = false
        if case .halted(let reason) = state?.phase { isToBeSilent = reason.contains("is not in Silent Mode") }
        deployment.withState { deployment in
            deployment.heal(databaseHasToBeDown: isStopped)
            let database = deployment.databaseIndex(of: file.plan.to)
            if isToBeSilent { deployment.nodes[database].database?.rows.isSilent = true }
        }
    }
}
