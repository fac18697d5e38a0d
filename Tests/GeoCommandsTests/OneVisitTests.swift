import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

@testable import GeoCommands

/// What a check costs: counted by a transport that answers nobody before everybody was asked.
@Suite struct OneVisitTests {
    /// Lets everybody go when the last of so many has come; whoever waits for one before asking the next waits for ever.
    private final class Gate: Sendable {
        private struct State {
            var missing: Int
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state: Mutex<State>

        init(_ count: Int) { state = Mutex(State(missing: count)) }

        func pass() async {
            await withCheckedContinuation { continuation in
                let free = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    state.missing -= 1
                    state.waiting.append(continuation)
                    guard state.missing <= 0 else { return [] }
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for waiter in free { waiter.resume() }
            }
        }
    }

    private static func preflight(_ profile: CheckProfile) -> Preflight {
        Preflight(
            inventory: Fixtures.inventory(),
            runbook: Runbook(
                name: "r", title: "r", scenario: .planned, preflight: [], steps: [],
                source: DocumentReference(path: "r", digest: Digest(of: []))), profile: profile)
    }

    /// One visit per node with all questions in it, all nodes and both URLs at the same time: as slow as the slowest, and
    /// never the sum.
    @Test(.timeLimit(.minutes(5)), arguments: CheckProfile.allCases)
    func aCheckVisitsEveryNodeOnceAndWaitsForNoneBeforeAskingTheNext(_ profile: CheckProfile) async {
        let inventory = Fixtures.inventory()
        let preflight = Self.preflight(profile)
        var scope = preflight.scope(from: "tokyo", to: "seoul")
        scope.formUnion(preflight.lossScope(from: "tokyo", to: "seoul"))
        let gate = Gate(inventory.nodes.count + scope.siteURLs.count)
        let visits = Mutex<[NodeID: Int]>([:])
        let pages = Mutex(0)
        let observer = Observer(
            inspector: NodeInspector { _, node in
                visits.withLock { $0[node.id, default: 0] += 1 }
                await gate.pass()
                return .failed(NodeFailure(kind: .unreachable, text: "counted"))
            },
            web: WebProbe { _ in
                pages.withLock { $0 += 1 }
                await gate.pass()
                return .unknown(reason: "counted")
            },
            clock: ManualClock().wall, boundary: { "0123456789abcdef" })
        _ = await observer.observe(scope, inventory: inventory)
        #expect(visits.withLock { $0 } == Dictionary(uniqueKeysWithValues: inventory.nodes.map { ($0.id, 1) }))
        #expect(pages.withLock { $0 } == scope.siteURLs.count)
    }

    /// What boots Rails takes the better part of a minute: no check needs it, since tables, files and Redis answer faster.
    @Test(arguments: CheckProfile.allCases)
    func aCheckBootsRailsNowhere(_ profile: CheckProfile) {
        let preflight = Self.preflight(profile)
        var scope = preflight.scope(from: nil, to: nil)
        scope.formUnion(preflight.lossScope(from: nil, to: nil))
        #expect(scope.probes.count == Fixtures.inventory().nodes.count)
        #expect(scope.probes.values.allSatisfy { $0.allSatisfy { !$0.isSlow } })
    }

    /// A visit ends within its own limit whatever hangs, and no question may take longer than the whole.
    @Test func everyQuestionHasALimitWithinThatOfItsVisit() {
        for node in Fixtures.inventory().nodes + Fixtures.patroniInventory().nodes {
            let probes = Probe.routine.filter { $0.applies(to: node) }
            let script = ProbeScript(probes: probes, node: node, boundary: "0123456789abcdef")
            #expect(script.commands.allSatisfy { $0.timeLimitSeconds <= 45 }, "\(node.id)")
            #expect(script.timeLimitSeconds >= script.commands.map(\.timeLimitSeconds).max() ?? 0, "\(node.id)")
        }
    }
}
