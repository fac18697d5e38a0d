import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// One run holds the nodes, and its journal is where another can find it.
@Suite struct HoldingTests {
    private static let plan = ShippedPlan.plan
    private static let anna = Actor(user: "anna", host: "laptop")
    private static let ben = Actor(user: "ben", host: "desk")

    private static func lease(_ deployment: SimulatedDeployment, run: RunID = "run-a", by holder: Actor = anna)
        -> LeaseKeeper
    {
        LeaseKeeper(
            keeper: deployment.keeper, clock: deployment.clock.wall, boundary: { "geo-b" }, plan: plan, run: run,
            holder: holder)
    }

    private static func cut(_ deployment: SimulatedDeployment, _ nodes: [NodeID], reachable: Bool = false) {
        deployment.withState { state in for node in nodes { state[node].isReachable = reachable } }
    }

    private static let seoul = plan.inventory.site("seoul")?.nodes.filter(\.isManagedByOmnibus).map(\.id) ?? []
    private static let tokyo = plan.inventory.site("tokyo")?.nodes.filter(\.isManagedByOmnibus).map(\.id) ?? []

    @Test func whoHoldsItIsSaidAndNothingIsLeftOfAnAttempt() async {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        #expect(await Self.lease(deployment).take(atLeast: 5, takingOver: false) == .taken(epoch: 5, missing: [:]))
        let other = Self.lease(deployment, run: "run-b", by: Self.ben)
        guard case .held(let lease, let nodes) = await other.take(atLeast: 9, takingOver: false) else {
            Issue.record("not held")
            return
        }
        #expect(lease.run == "run-a" && lease.holder == Self.anna && nodes.count == Self.seoul.count + Self.tokyo.count)
        // A node that had not been reached by the first does not stay with the second.
        Self.cut(deployment, [Self.seoul[0]])
        let third = SimulatedDeployment(inventory: Self.plan.inventory)
        Self.cut(third, [Self.seoul[0]])
        _ = await Self.lease(third).take(atLeast: 5, takingOver: false)
        Self.cut(third, [Self.seoul[0]], reachable: true)
        _ = await Self.lease(third, run: "run-b", by: Self.ben).take(atLeast: 9, takingOver: false)
        #expect(third.withState { $0[Self.seoul[0]].keeping.lease == nil })
    }

    @Test func moreThanHalfOfTheCandidateHasToBeHeld() async {
        for unreachable in 0...Self.seoul.count {
            let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
            let away = Array(Self.seoul.prefix(unreachable))
            Self.cut(deployment, away)
            let taking = await Self.lease(deployment).take(atLeast: 5, takingOver: false)
            if (Self.seoul.count - unreachable) * 2 > Self.seoul.count {
                #expect(
                    taking
                        == .taken(epoch: 5, missing: .init(uniqueKeysWithValues: away.map { ($0, "no route to host") }))
                )
            } else {
                guard case .notEnough = taking else {
                    Issue.record("\(unreachable) unreachable: \(taking)")
                    continue
                }
                let left = deployment.withState { state in state.nodes.filter { $0.keeping.lease != nil }.count }
                #expect(left == 0)
            }
        }
        // The former primary may be gone altogether.
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        Self.cut(deployment, Self.tokyo)
        guard case .taken(5, let missing) = await Self.lease(deployment).take(atLeast: 5, takingOver: false) else {
            Issue.record("not taken")
            return
        }
        #expect(missing.keys.sorted() == Self.tokyo.sorted())
    }

    @Test func anOperatorWhoseClockIsBehindStillGetsTheLatestEpoch() async {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        _ = await Self.lease(deployment).take(atLeast: 900, takingOver: false)
        await Self.lease(deployment).release(epoch: 900)
        let next = await Self.lease(deployment, run: "run-b", by: Self.ben).take(atLeast: 3, takingOver: false)
        #expect(next == .taken(epoch: 901, missing: [:]))
    }

    @Test func theOneThatWasTakenOverHearsItWithTheNextBeat() async {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        let old = Self.lease(deployment)
        _ = await old.take(atLeast: 5, takingOver: false)
        let taking = await Self.lease(deployment, run: "run-b", by: Self.ben).take(atLeast: 6, takingOver: true)
        #expect(taking == .taken(epoch: 6, missing: [:]))
        #expect(await old.beat(epoch: 5)?.run == "run-b")
    }

    @Test func aNodeThatComesBackIsHeldWithTheNextBeat() async {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        Self.cut(deployment, [Self.tokyo[1]])
        let lease = Self.lease(deployment)
        _ = await lease.take(atLeast: 5, takingOver: false)
        let beating = Task { await lease.beat(epoch: 5) }
        Self.cut(deployment, [Self.tokyo[1]], reachable: true)
        while deployment.withState({ $0[Self.tokyo[1]].keeping.lease == nil }) { await Task.yield() }
        beating.cancel()
        #expect(deployment.withState { $0[Self.tokyo[1]].epoch } == 5)
    }

    // MARK: Copies

    private static func copies(_ deployment: SimulatedDeployment, _ tail: JournalTail, epoch: Int = 5) -> JournalCopies
    {
        JournalCopies(
            keeper: deployment.keeper, boundary: { "geo-b" }, run: "run-a", holder: anna, epoch: epoch,
            plan: Array("the plan\n".utf8), tail: tail,
            nodes: plan.inventory.site("seoul")?.nodes.filter(\.isManagedByOmnibus) ?? [])
    }

    @Test func twoNodesHaveTheJournalAndAThirdTakesAFailedOnesPlace() async throws {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        let tail = JournalTail(Array("one\n".utf8))
        let copies = Self.copies(deployment, tail)
        #expect(await copies.flush(within: 5, clock: deployment.clock.wall) == 2)
        let first = await copies.places
        #expect(first.count == 2)
        tail.append(Array("two\n".utf8))
        Self.cut(deployment, [first[0]])
        #expect(await copies.flush(within: 60, clock: deployment.clock.wall) >= 1)
        for _ in 0..<4 { await copies.catchUp() }
        let places = await copies.places
        #expect(places.count == 2 && !places.contains(first[0]))
        for node in places {
            #expect(deployment.withState { $0[node].keeping.files["run-a/journal.jsonl"] } == Array("one\ntwo\n".utf8))
            let inventoryNode = try #require(Self.plan.inventory.node(node))
            let copy = try await CopiedRun.fetch(
                "run-a", from: inventoryNode, keeper: deployment.keeper, holder: Self.ben, boundary: { "geo-b" })
            #expect(copy.journal == Array("one\ntwo\n".utf8) && copy.plan == Array("the plan\n".utf8))
        }
    }

    @Test func whoWasTakenOverWritesNoMoreCopies() async {
        let deployment = SimulatedDeployment(inventory: Self.plan.inventory)
        let tail = JournalTail(Array("one\n".utf8))
        let old = Self.copies(deployment, tail)
        _ = await old.flush(within: 5, clock: deployment.clock.wall)
        _ = await Self.lease(deployment, run: "run-a", by: Self.ben).take(atLeast: 6, takingOver: true)
        tail.append(Array("written after the takeover\n".utf8))
        #expect(await old.flush(within: 2, clock: deployment.clock.wall) == 0)
        let texts = deployment.withState { state in
            state.nodes.compactMap { $0.keeping.files["run-a/journal.jsonl"] }.map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        #expect(texts == ["one\n", "one\n"])
    }
}
