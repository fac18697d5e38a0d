import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization

/// The promises (docs/INVARIANTS.md), held against what a run wrote down and what is true.
extension Rig {
    /// Takes notice of a record; a live one is judged by what is true at this moment.
    func remember(_ record: JournalRecord, isLive: Bool = false) {
        switch record.entry {
        case .commandStarted(let step, _, _, let key):
            notes.withLock { _ = $0.recordedKeys.insert(key) }
            judgeStart(of: step, isLive: isLive)
        case .nodeReturned(_, _, _, let keys): notes.withLock { $0.recordedKeys.formUnion(keys) }
        case .driftChecked(_, let drift): if isLive { notes.withLock { $0.isCompared = drift.isEmpty } }
        case .stepSucceeded(let step, _, _, _):
            guard isLive, let until = file.plan.step(step)?.until else { return }
            if let lie = deployment.withState({ $0.whyNotTrue(until.check) }) {
                breach("\(step) was recorded as done: \(lie)")
            }
        case .runFinished where isLive:
            // Also where it went on from a copy that lacked them.
            let recorded = notes.withLock { $0.recordedKeys }
            let sent = deployment.withState { $0.nodes.flatMap(\.jobs).filter { $0.run == run }.map(\.key) }
            for key in sent where !recorded.contains(key) {
                breach("\(key) was sent, and the journal has no word of it")
            }
            // A way back that says so has put the site back.
            if file.plan.scenario == .abort {
                for gap in gaps { breach("the way back was recorded as finished: \(gap)") }
            }
        default: break
        }
    }

    /// Before the point of no return nothing starts but after a look, in this process, that agreed with the plan.
    private func judgeStart(of id: StepID, isLive: Bool) {
        guard let step = file.plan.step(id), step.changesSomething else { return }
        notes.withLock { notes in
            if isLive, !notes.isCompared, !notes.isPastPointOfNoReturn {
                notes.breaches.append("\(id) was started before the plan was compared with what is")
            }
            if step.isIrreversible { notes.isPastPointOfNoReturn = true }
        }
    }

    func breach(_ text: String) { notes.withLock { $0.breaches.append(text) } }

    /// What `status --on-nodes` sends.
    func lookWhoHolds() async {
        let before = deployment.withState { $0.changes }
        _ = await LeaseKeeper.holders(
            of: file.plan.inventory, keeper: deployment.keeper, boundary: { "geo-look" }, asking: person)
        if deployment.withState({ $0.changes }) != before { breach("the look at who holds the nodes changed one") }
    }

    /// The last word of a run that another one undoes, as `abort` writes it.
    func abandon(undoneBy other: RunID) async throws {
        let contents = try disk.read()
        let store = disk.open(wholeBytes: contents.wholeBytes, records: contents.records.count, death: nil)
        let journal = try Journal(run: run, store: store, clock: clock, after: contents.records)
        _ = try await journal.append(.runAbandoned(by: person, reason: "it takes too long", undoneBy: other))
    }

    // MARK: What came of it

    /// Everything that went against a promise.
    var faults: [String] {
        let state = deployment.withState { $0 }
        let twice = state.starts.filter { $0.value > 1 }.keys.sorted().map { "\($0) was started twice" }
        return state.violations + twice
            + notes.withLock { $0.breaches + $0.unrecordedStarts.map { "\($0) was started without a record" } }
    }

    /// What a finished run lacks.
    var gaps: [String] { deployment.withState { $0.gaps(after: file.plan) } }

    /// Commands and waits that went on beyond their limit.
    var overdue: [String] {
        do { return Overdue.found(in: try disk.decoded(), of: file.plan) } catch { return ["no journal: \(error)"] }
    }

    var promotions: [NodeID: Int] { deployment.withState { $0.promotions } }
    var localRuns: [String: Int] { notes.withLock { $0.localRuns } }

    func state() throws -> RunState {
        var state = RunState(plan: file.plan)
        for record in try disk.decoded() { try state.apply(record.entry, at: record.at) }
        return state
    }

    /// The end of the story, for a test that failed.
    var story: String {
        let lines = (try? disk.decoded().suffix(14).map { Timeline.text($0.entry) ?? "\($0.entry)" }) ?? ["unreadable"]
        let history = deployment.withState { $0.history.suffix(14) }
        return (["struck: \(deployment.faultsThatStruck)", "journal:"] + lines + ["history:"] + history)
            .joined(separator: "\n  ")
    }
}
