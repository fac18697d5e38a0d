import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Plans that somebody changed: refused, or harmless.
@Suite struct MutatedPlanTests {
    /// Why a plan is dangerous, found without a graph search of the code under test; `nil` when it is not.
    private static func danger(_ plan: Plan) -> String? {
        let count = plan.steps.count
        guard Set(plan.steps.map(\.id)).count == count else { return "a name twice" }
        let position = Dictionary(uniqueKeysWithValues: plan.steps.enumerated().map { ($1.id, $0) })
        // Warshall's closure: before[a][b] when a is over before b starts.
        var before = [[Bool]](repeating: [Bool](repeating: false, count: count), count: count)
        for (index, step) in plan.steps.enumerated() {
            for dependency in step.after {
                guard let other = position[dependency] else { return "waits for nobody" }
                before[other][index] = true
            }
        }
        for middle in 0..<count {
            for first in 0..<count where before[first][middle] {
                for last in 0..<count where before[middle][last] { before[first][last] = true }
            }
        }
        if (0..<count).contains(where: { before[$0][$0] }) { return "a circle" }
        for (index, step) in plan.steps.enumerated() {
            guard case .commands(_, let node, _) = step.operation else { continue }
            for (other, beside) in plan.steps.enumerated().dropFirst(index + 1) {
                guard case .commands(_, node, _) = beside.operation else { continue }
                if !before[index][other], !before[other][index] { return "\(step.id) beside \(beside.id)" }
            }
        }
        let promotions = plan.steps.indices.filter { plan.steps[$0].action == .promoteNode }
        func all(_ component: Component) -> [Int] {
            promotions.filter { plan.steps[$0].node.flatMap(plan.inventory.node)?.runs(component) == true }
        }
        for promotion in promotions {
            for node in plan.inventory.site(plan.from)?.nodes ?? [] where node.isManagedByOmnibus {
                let isFenced = plan.steps.indices.contains {
                    plan.steps[$0].action == .stopAndDisable && plan.steps[$0].node == node.id && before[$0][promotion]
                }
                if !isFenced { return "\(node.id) is not fenced before \(plan.steps[promotion].id)" }
            }
            for (index, step) in plan.steps.enumerated()
            where step.node.flatMap(plan.inventory.site(of:))?.id == plan.from {
                if !before[index][promotion] { return "\(step.id) may act after \(plan.steps[promotion].id)" }
            }
            for proof in ["confirm", "prove-zero-loss"] as [StepID] {
                guard let index = position[proof], before[index][promotion] else { return "no \(proof)" }
            }
            for database in all(.postgresql) where database != promotion && !before[database][promotion] {
                return "database late"
            }
        }
        for rails in all(.rails) {
            for data in all(.gitaly) + all(.sidekiq) where !before[data][rails] { return "data late" }
        }
        let rails = all(.rails)
        if !rails.contains(where: { first in rails.allSatisfy { $0 == first || before[first][$0] } }) {
            return "no first Rails node"
        }
        let promoted = Set(promotions.compactMap { plan.steps[$0].node })
        for node in plan.inventory.site(plan.to)?.nodes ?? [] where node.components.contains(where: \.isPromoted) {
            if !promoted.contains(node.id) { return "\(node.id) is not promoted" }
        }
        return nil
    }

    private static func mutate(_ plan: Plan, _ random: inout SeededGenerator) -> (plan: Plan, how: String) {
        var copy = plan
        let index = Int.random(in: 0..<copy.steps.count, using: &random)
        let other = Int.random(in: 0..<copy.steps.count, using: &random)
        let (id, otherID) = (copy.steps[index].id, copy.steps[other].id)
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            let after = copy.steps[index].after
            copy.steps.remove(at: index)
            for step in copy.steps.indices where copy.steps[step].after.contains(id) {
                copy.steps[step].after = copy.steps[step].after.filter { $0 != id } + after
            }
            return (copy, "\(id) removed")
        case 1:
            guard let edge = copy.steps[index].after.randomElement(using: &random) else { return (copy, "nothing") }
            copy.steps[index].after.removeAll { $0 == edge }
            return (copy, "\(id) does not wait for \(edge)")
        case 2:
            let after = copy.steps[index].after
            copy.steps[index].after = copy.steps[other].after
            copy.steps[other].after = after
            return (copy, "\(id) and \(otherID) in each other's place")
        case 3:
            copy.steps[index].after = [otherID]
            return (copy, "\(id) waits for \(otherID) alone")
        default:
            copy.steps.swapAt(index, other)
            return (copy, "\(id) and \(otherID) printed in each other's place")
        }
    }

    @Test func aPlanThatWasChangedAtRandomIsRefusedExactlyWhenItIsDangerous() {
        #expect(Self.danger(ShippedPlan.plan) == nil)
        var random = SeededGenerator(seed: 21)
        for round in 0..<(Thoroughness.isThorough ? 20_000 : 600) {
            var (plan, how) = Self.mutate(ShippedPlan.plan, &random)
            if round.isMultiple(of: 3) {
                let second = Self.mutate(plan, &random)
                (plan, how) = (second.plan, how + ", " + second.how)
            }
            let violations = PlanInvariants.violations(of: plan)
            let danger = Self.danger(plan)
            #expect(violations.isEmpty == (danger == nil), "\(how): \(danger ?? "harmless"), \(violations)")
        }
    }

    @Test func aChangedPlanThatIsAcceptedNeverBreaksAPromiseWhenItRuns() async throws {
        var random = SeededGenerator(seed: 33)
        var accepted = 0
        while accepted < (Thoroughness.isThorough ? 400 : 25) {
            let (plan, how) = Self.mutate(ShippedPlan.plan, &random)
            guard PlanInvariants.violations(of: plan).isEmpty else { continue }
            accepted += 1
            let rig = Rig(try PlanFile(plan))
            let end = await rig.process()
            // It may be unable to finish: a wait for what no step brings about. It may not do harm.
            if end == .ended(.finished) {
                let left = rig.deployment.withState { state in
                    state.nodes(of: state.from).filter { !$0.isFenced }.map(\.node.id)
                }
                #expect(left == [], "\(how)")
            }
            #expect(rig.faults == [], "\(how)\n\(rig.story)")
        }
    }
}
