import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// Several faults, deaths, interruptions and takeovers in one run, by seed.
///
/// `GEO_FAILOVER_HISTORIES=50000` tries that many, `GEO_FAILOVER_FROM=2000` begins with that seed, and
/// `GEO_FAILOVER_SEED=7` plays the one of that seed again.
@Suite struct RandomWalkTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let histories =
        environment["GEO_FAILOVER_HISTORIES"].flatMap { UInt64($0) } ?? (Thoroughness.isThorough ? 20_000 : 2_000)
    private static let seeds: Range<UInt64> =
        environment["GEO_FAILOVER_SEED"].flatMap { UInt64($0) }.map { $0..<($0 + 1) } ?? begin..<(begin + histories)
    private static let begin = environment["GEO_FAILOVER_FROM"].flatMap { UInt64($0) } ?? 0

    /// What befell all histories together, for the reader of the output.
    private final class Tally: Sendable, CustomStringConvertible {
        private let counts = Mutex((processes: 0, deaths: 0, takeovers: 0, faults: 0))

        func add(processes: Int, deaths: Int, takeovers: Int, faults: Int) {
            counts.withLock {
                $0.processes += processes
                $0.deaths += deaths
                $0.takeovers += takeovers
                $0.faults += faults
            }
        }

        var description: String {
            let (processes, deaths, takeovers, faults) = counts.withLock { $0 }
            return "\(processes) processes, \(deaths) deaths, \(takeovers) takeovers, \(faults) faults"
        }
    }

    @Test func whateverHappensTheRunEndsAsItShould() async throws {
        let tally = Tally()
        let tried = await Parallel.each(Self.seeds) { await Self.isGood($0, tally) }
        print("random histories: \(tried), \(tally)")
        #expect(tried == Self.seeds.count)
    }

    /// Lives one history; whether every promise held.
    private static func isGood(_ seed: UInt64, _ tally: Tally) async -> Bool {
        var random = SeededGenerator(seed: seed)
        var rig = Rig()
        var former: [Rig] = []
        var faults: [Int: SimulatedDeployment.Fault] = [:]
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            faults[Int.random(in: 0..<260, using: &random)] = SimulatedDeployment.Fault.allCases.randomElement(
                using: &random)
        }
        rig.deployment.inject(faults, seed: seed)
        lie(rig, &random)
        var end = Rig.End.died
        var (processes, deaths) = (0, 0)
        var stuck: String?
        while processes < 40, end != .ended(.finished), stuck == nil {
            if processes > 0, Int.random(in: 0..<6, using: &random) == 0 {
                former.append(rig)
                rig = Rig(takingOver: rig, behindBy: Int.random(in: 0...6, using: &random))
            }
            end = await process(rig, &random)
            processes += 1
            switch end {
            case .died: deaths += 1
            case .ended, .refused: rig.heal()
            case .failed: break
            }
            stuck = withoutNextCommand(rig)
        }
        let all = former + [rig]
        tally.add(
            processes: processes, deaths: deaths, takeovers: former.count,
            faults: rig.deployment.faultsThatStruck.count)
        let wrong = Array(Set(all.flatMap(\.faults))).sorted()
        guard end == .ended(.finished), wrong.isEmpty, rig.gaps.isEmpty, stuck == nil else {
            Issue.record(
                """
                GEO_FAILOVER_SEED=\(seed) swift test --filter RandomWalkTests
                ended: \(end), wrong: \(wrong), missing: \(rig.gaps), \(stuck ?? "")
                injected: \(faults)
                \(rig.story)
                """)
            return false
        }
        return true
    }

    /// Why an operator would not know what to do now; `nil` when a command is named.
    private static func withoutNextCommand(_ rig: Rig) -> String? {
        do {
            let command = RunStatus(run: rig.run, state: try rig.state()).nextCommand
            return command.hasPrefix("geo-failover ") ? nil : "no next command is named"
        } catch {
            return "no status: \(error)"
        }
    }

    private static func lie(_ rig: Rig, _ random: inout SeededGenerator) {
        let nodes = ShippedPlan.inventory.nodes
        guard Bool.random(using: &random), let node = nodes.randomElement(using: &random) else { return }
        let failing = Int.random(in: 0...2, using: &random)
        let stuck = Bool.random(using: &random) ? Set(node.expectedServices.prefix(1)) : []
        rig.deployment.withState {
            $0[node.id].failingReconfigures = failing
            // What serves at the other site has to restart, not to stop.
            if $0[node.id].site == $0.from { $0[node.id].stuckServices = stuck }
        }
    }

    private static func process(_ rig: Rig, _ random: inout SeededGenerator) async -> Rig.End {
        var death: Death?
        if Bool.random(using: &random), let kind = Death.Kind.allCases.randomElement(using: &random) {
            death = Death(kind: kind, record: rig.disk.records + Int.random(in: 0..<90, using: &random))
        }
        let interruption = Interruption()
        let count = Counter()
        let times = Int.random(in: 0...8, using: &random)
        let number = Int.random(in: 0..<60, using: &random)
        return await rig.process(
            dies: death, interruption: interruption,
            beforeExchange: { _ in
                guard count.next() == number, times <= 2 else { return }
                for _ in 0..<times { await interruption.raise() }
            })
    }
}
