import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// A run that has yet to begin, of each shipped runbook and of each way back.
enum Story: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case planned, drill
    /// Two nodes of the primary's site are off: one is vouched for, the other isolated by a program.
    case unplanned
    /// After a planned failover.
    case changeURL
    /// From a planned failover that stopped with its site fenced, because nobody was there to confirm.
    case wayBack
    /// From a change of the URL that stopped at a node whose reconfigure failed.
    case formerURL

    var testDescription: String { rawValue }

    private struct Start: Sendable {
        var file: PlanFile
        var state: SimulatedState
        var run: RunID = "run"
    }
    private static let starts = MadeOnce<Start>()

    /// On a deployment of its own.
    func rig() async throws -> Rig {
        let start = try await Self.starts.value(of: self) { try await prepare() }
        return Rig(start.file, on: SimulatedDeployment(copying: start.state), as: start.run)
    }

    private func prepare() async throws -> Start {
        switch self {
        case .planned: return Self.start(Rig())
        case .drill:
            var request = ShippedPlan.request()
            request.isDrill = true
            return Self.start(Rig(try PlanFile(try Planner.plan(request))))
        case .unplanned:
            let off: [NodeID] = ["tokyo-rails-1", "tokyo-gitaly-1"]
            return Self.start(try LostSite.rig(off: off, attested: ["tokyo-rails-1"], inventory: LostSite.fenced()))
        case .changeURL:
            let before = try await Story.planned.rig()
            #expect(await before.process() == .ended(.finished), "\(before.story)")
            return Self.start(try ChangedURL.rig(after: before))
        case .wayBack:
            let stopped = try await Story.planned.rig()
            _ = await stopped.process(answers: { _ in nil })
            #expect(try stopped.state().hasSucceeded("fence@tokyo-pg-1"), "\(stopped.story)")
            return Self.start(try #require(try await WayBack.rig(undoing: stopped)))
        case .formerURL:
            let stopped = try await Story.changeURL.rig()
            stopped.deployment.withState { $0["seoul-rails-2"].failingReconfigures = 1 }
            #expect(await stopped.process() != .ended(.finished))
            return Self.start(try #require(try await WayBack.rig(undoing: stopped)))
        }
    }

    private static func start(_ rig: Rig) -> Start {
        Start(file: rig.file, state: rig.deployment.withState { $0 }, run: rig.run)
    }

    // MARK: Undisturbed

    /// How much of each there is to disturb, when nothing does.
    struct Measure: Sendable {
        var records: Int
        var operations: Int
        var exchanges: Set<Int>
    }

    private static let measures = MadeOnce<Measure>()

    func measure() async throws -> Measure {
        try await Self.measures.value(of: self) {
            let whole = try await rig()
            #expect(await whole.process() == .ended(.finished), "\(whole.story)")
            #expect(whole.faults == [] && whole.gaps == [], "\(whole.faults) \(whole.gaps)")
            let measure = Measure(
                records: whole.disk.records, operations: whole.deployment.operations,
                exchanges: whole.deployment.exchanges)
            print(
                "\(rawValue): \(measure.records) records; \(measure.operations) operations,"
                    + " \(measure.exchanges.count) of them exchanges")
            return measure
        }
    }
}

/// What is made of a story when it is first asked for, whoever asks.
private final class MadeOnce<Value: Sendable>: Sendable {
    private let made = Mutex<[Story: Task<Value, any Error>]>([:])

    func value(of story: Story, _ make: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await made.withLock { made in
            let task = made[story] ?? Task { try await make() }
            made[story] = task
            return task
        }.value
    }
}
