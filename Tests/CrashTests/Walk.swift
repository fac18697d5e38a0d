import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// One history: a run of one of the shipped runbooks, and what befalls it, all from one seed.
struct Walk {
    /// What happens between two processes, once, as soon as it makes sense.
    enum Turn: String, Sendable, CaseIterable {
        /// Somebody aborts: from then on the way back is walked.
        case abort
        /// The site to leave dies, and somebody gives it up.
        case giveUp
    }

    let story: Story
    private(set) var rig: Rig
    /// Rigs of machines that were taken over from, and of the run that was given up.
    private(set) var former: [Rig] = []
    private(set) var end = Rig.End.died
    private(set) var processes = 0
    private(set) var deaths = 0
    private(set) var takeovers = 0
    private(set) var faults: [Int: SimulatedDeployment.Fault] = [:]
    private(set) var drift: (change: Drifted, record: Int)?
    private(set) var turn: Turn?
    private(set) var turned: Turn?
    /// Why an operator would not know what to do now.
    private(set) var stuck: String?
    private var random: SeededGenerator

    init(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        story = Self.story(&random)
        rig = try await story.rig()
        let reach = story == .changeURL ? 120 : 260
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            faults[Int.random(in: 0..<reach, using: &random)] = SimulatedDeployment.Fault.allCases.randomElement(
                using: &random)
        }
        rig.deployment.inject(faults, seed: seed)
        if Int.random(in: 0..<3, using: &random) == 0, let change = Drifted.changes.randomElement(using: &random) {
            drift = (change, Int.random(in: 2..<(reach / 2), using: &random))
        }
        if Int.random(in: 0..<3, using: &random) == 0 { turn = Turn.allCases.randomElement(using: &random) }
        self.random = random
        lie()
    }

    /// As often as they are used: most histories are of planned failovers.
    private static func story(_ random: inout SeededGenerator) -> Story {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<9: .planned
        case 9..<11: .drill
        case 11..<16: .unplanned
        default: .changeURL
        }
    }

    /// Everything that went against a promise, in the end.
    var wrong: [String] {
        let all = former + [rig]
        return Array(Set(all.flatMap { $0.faults + $0.overdue })).sorted() + rig.gaps
    }

    var isGood: Bool { end == .ended(.finished) && stuck == nil && wrong.isEmpty }

    mutating func live() async throws {
        while processes < 40, end != .ended(.finished), stuck == nil {
            if processes > 0 { try await betweenProcesses() }
            end = await process()
            processes += 1
            switch end {
            case .died: deaths += 1
            case .ended, .refused: heal()
            case .failed: break
            }
            await rig.lookWhoHolds()
            stuck = withoutNextCommand()
        }
    }

    private func heal() {
        if let drift { rig.deployment.withState(drift.change.undo) }
        rig.heal()
    }

    /// Why an operator would not know what to do now; `nil` when a command is named.
    private func withoutNextCommand() -> String? {
        do {
            let command = RunStatus(run: rig.run, state: try rig.state()).nextCommand
            return command.hasPrefix("geo-failover ") ? nil : "no next command is named"
        } catch {
            return "no status: \(error)"
        }
    }

    private mutating func lie() {
        let nodes = rig.file.plan.inventory.nodes
        guard Bool.random(using: &random), let node = nodes.randomElement(using: &random) else { return }
        let failing = Int.random(in: 0...2, using: &random)
        let stuck = Bool.random(using: &random) ? Set(node.expectedServices.prefix(1)) : []
        rig.deployment.withState {
            $0[node.id].failingReconfigures = failing
            // What serves at the other site has to restart, not to stop.
            if $0[node.id].site == $0.from { $0[node.id].stuckServices = stuck }
        }
    }

    // MARK: Between processes

    private mutating func betweenProcesses() async throws {
        if Int.random(in: 0..<6, using: &random) == 0 {
            let behind = Int.random(in: 0...6, using: &random)
            former.append(rig)
            takeovers += 1
            rig = Rig(takingOver: rig, behindBy: behind)
        }
        guard let turn, Bool.random(using: &random) else { return try sayAgain() }
        let state = try rig.state()
        guard !state.acted.isEmpty, RunStatus(run: rig.run, state: state).canGoBack,
            rig.deployment.withState({ $0.promotions.isEmpty || story == .changeURL })
        else { return }
        switch turn {
        case .abort: try await abort()
        case .giveUp: giveUp()
        }
        try sayAgain()
    }

    /// Whoever goes back has seen to it that the site can be put into service: every node has power, and answers.
    private mutating func abort() async throws {
        heal()
        rig.deployment.withState { state in
            for node in state.nodes(of: state.from) where story != .changeURL { state.powerOn(node.node.id) }
        }
        // What was under way on nodes goes on to its end without the tool.
        rig.deployment.clock.advance(seconds: 120)
        let back: Rig
        do {
            guard let planned = try await WayBack.rig(undoing: rig) else { return }
            back = planned
        } catch is PlanRefusal {
            // A look did not come back: nothing was done, and somebody tries again.
            return
        }
        try await rig.abandon(undoneBy: back.run)
        former.append(rig)
        rig = back
        (turned, turn) = (turn, nil)
    }

    private mutating func giveUp() {
        guard story != .changeURL else { return }
        rig.deployment.withState { state in
            for node in state.nodes(of: state.from) { state.powerOff(node.node.id) }
            state.isLossAccepted = true
        }
        (turned, turn) = (turn, nil)
    }

    /// The words for a site that died are given until the journal has them: the process that was to write them may have
    /// died, and a copy may lack them.
    private func sayAgain() throws {
        guard turned == .giveUp, try !rig.state().isPastPointOfNoReturn else { return }
        rig.say(try LostSite.words(givingUp: rig))
    }

    private mutating func process() async -> Rig.End {
        var death: Death?
        if Bool.random(using: &random), let kind = Death.Kind.allCases.randomElement(using: &random) {
            death = Death(kind: kind, record: rig.disk.records + Int.random(in: 0..<90, using: &random))
        }
        let interruption = Interruption()
        let count = Counter()
        let times = Int.random(in: 0...8, using: &random)
        let number = Int.random(in: 0..<60, using: &random)
        let (rig, drift) = (rig, drift)
        return await rig.process(
            dies: death, interruption: interruption,
            watching: { event in
                guard let drift, case .recorded(let record) = event, record.sequence == drift.record else { return }
                rig.deployment.withState { if $0.promotions.isEmpty { drift.change.apply(&$0) } }
            },
            beforeExchange: { _ in
                guard count.next() == number, times <= 2 else { return }
                for _ in 0..<times { await interruption.raise() }
            })
    }
}
