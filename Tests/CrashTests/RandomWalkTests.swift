import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Several faults, deaths and interruptions in one run, by seed.
@Suite struct RandomWalkTests {
    @Test func whateverHappensTheRunEndsAsItShould() async throws {
        for seed in 0..<UInt64(Thoroughness.isThorough ? 3_000 : 120) {
            var random = SeededGenerator(seed: seed)
            let rig = Rig()
            var faults: [Int: SimulatedDeployment.Fault] = [:]
            for _ in 0..<Int.random(in: 0...5, using: &random) {
                faults[Int.random(in: 0..<260, using: &random)] = SimulatedDeployment.Fault.allCases.randomElement(
                    using: &random)
            }
            rig.deployment.inject(faults, seed: seed)
            Self.lie(rig, &random)
            var end = Rig.End.died
            for _ in 0..<40 where end != .ended(.finished) {
                end = await Self.process(rig, &random)
                if case .ended = end { rig.heal() }
            }
            #expect(end == .ended(.finished), "seed \(seed), \(faults)\n\(rig.story)")
            #expect(rig.faults == [], "seed \(seed), \(faults)\n\(rig.story)")
            #expect(rig.gaps == [], "seed \(seed)")
            if end != .ended(.finished) || !rig.faults.isEmpty { return }
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
