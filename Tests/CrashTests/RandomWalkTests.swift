import FoundationEssentials
import GeoTestSupport
import Synchronization
import Testing

/// Several faults, deaths, interruptions, takeovers and changes behind the plan's back in one run, which somebody may
/// abort, and whose site may die; by seed.
///
/// `GEO_FAILOVER_HISTORIES=50000` tries that many, `GEO_FAILOVER_FROM=2000` begins with that seed, and
/// `GEO_FAILOVER_SEED=7` plays the one of that seed again.
@Suite struct RandomWalkTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let histories = Thoroughness.histories ?? (Thoroughness.isThorough ? 20_000 : 2_000)
    private static let seeds: Range<UInt64> =
        environment["GEO_FAILOVER_SEED"].flatMap { UInt64($0) }.map { $0..<($0 + 1) }
        ?? Thoroughness.begin..<(Thoroughness.begin + histories)

    /// What befell all histories together, for the reader of the output.
    private final class Tally: Sendable, CustomStringConvertible {
        private let counts = Mutex<[String: Int]>([:])

        func add(_ walk: Walk) {
            counts.withLock { counts in
                func count(_ what: String, _ number: Int) { counts[what, default: 0] += number }
                count("of \(walk.story.rawValue)", 1)
                count("processes", walk.processes)
                count("deaths", walk.deaths)
                count("takeovers", walk.takeovers)
                count("faults", walk.rig.deployment.faultsThatStruck.count)
                count("drifts", walk.drift == nil ? 0 : 1)
                if let turned = walk.turned { count(turned == .abort ? "aborts" : "sites given up", 1) }
            }
        }

        var description: String {
            counts.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ") }
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
        let replay = "GEO_FAILOVER_SEED=\(seed) swift test --filter RandomWalkTests"
        do {
            var walk = try await Walk(seed: seed)
            try await walk.live()
            tally.add(walk)
            if walk.isGood { return true }
            Issue.record(
                """
                \(replay)
                \(walk.story.rawValue) ended: \(walk.end), wrong: \(walk.wrong), \(walk.stuck ?? "")
                injected: \(walk.faults), \(walk.drift.map { "\($0.change.testDescription) after record \($0.record)" } ?? "no drift"), \(walk.turned?.rawValue ?? "no turn")
                \(walk.rig.story)
                """)
        } catch {
            Issue.record("\(replay)\n\(error)")
        }
        return false
    }
}
