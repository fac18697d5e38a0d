package import GeoCore

/// Takes the lease on the nodes of both sites, says every few seconds that its holder lives, and gives it back.
package struct LeaseKeeper: Sendable {
    private let keeper: NodeKeeper
    private let clock: WallClock
    private let boundary: @Sendable () -> String
    private let nodes: [Node]
    private let candidates: Set<NodeID>
    package let run: RunID
    package let holder: Actor

    /// Every node of both sites that GitLab manages; a load balancer is not ours to hold.
    package init(
        keeper: NodeKeeper, clock: WallClock, boundary: @escaping @Sendable () -> String, plan: Plan, run: RunID,
        holder: Actor
    ) {
        self.keeper = keeper
        self.clock = clock
        self.boundary = boundary
        let sites = [plan.from, plan.to].compactMap(plan.inventory.site)
        self.nodes = sites.flatMap(\.nodes).filter(\.isManagedByOmnibus)
        self.candidates = Set((plan.inventory.site(plan.to)?.nodes ?? []).filter(\.isManagedByOmnibus).map(\.id))
        self.run = run
        self.holder = holder
    }

    /// What became of taking it.
    package enum Taking: Sendable, Hashable {
        /// `missing` did not answer: they get the epoch with the first beat or command that reaches them.
        case taken(epoch: Int, missing: [NodeID: String])
        /// Another holds it, on these nodes.
        case held(by: Lease, on: [NodeID])
        /// Too few nodes of the candidate answered for anybody to be sure that nobody else holds it.
        case notEnough(taken: Int, of: Int, missing: [NodeID: String])
    }

    /// Takes the lease under an epoch that is later than all that any node has seen.
    ///
    /// More than half of the candidate's nodes have to take it. With an even split two runs could otherwise each hold
    /// their half. What was taken is given back when the answer is not ``Taking/taken(epoch:missing:)``.
    package func take(atLeast epoch: Int, takingOver: Bool) async -> Taking {
        var epoch = epoch
        // A clock that is behind another operator's: the nodes say what they have seen. Twice can only be a race.
        for _ in 0..<3 {
            let answers = await askAll(.take(takingOver: takingOver), epoch: epoch)
            var (taken, missing): ([NodeID], [NodeID: String]) = ([], [:])
            var foreign: [(node: NodeID, lease: Lease)] = []
            var newest = epoch
            for (node, answer) in answers {
                switch answer {
                case .success(.taken): taken.append(node)
                case .success(.held(let lease?, _)): foreign.append((node, lease))
                case .success(.newer(let lease, let seen)):
                    newest = max(newest, seen)
                    if let lease, lease.isForeign(to: run, holder), !takingOver { foreign.append((node, lease)) }
                case .success(let other): missing[node] = "it answered \(other)"
                case .failure(let failure): missing[node] = failure.text
                }
            }
            if let first = foreign.max(by: { $0.lease.epoch < $1.lease.epoch }) {
                await release(epoch: epoch, on: taken)
                return .held(by: first.lease, on: foreign.map(\.node).sorted())
            }
            if newest == epoch {
                let held = taken.count(where: candidates.contains)
                guard held * 2 > candidates.count else {
                    await release(epoch: epoch, on: taken)
                    return .notEnough(taken: held, of: candidates.count, missing: missing)
                }
                return .taken(epoch: epoch, missing: missing)
            }
            epoch = newest + 1
        }
        await release(epoch: epoch, on: nodes.map(\.id))
        return .notEnough(taken: 0, of: candidates.count, missing: [:])
    }

    /// Beats until the task is cancelled, or until a node answers that another took the lease: then returns who.
    ///
    /// A node that does not answer is tried with the next beat; its silence means nothing.
    package func beat(epoch: Int, every seconds: Int = 20) async -> Lease? {
        while !Task.isCancelled {
            await clock.sleep(.seconds(seconds))
            if Task.isCancelled { return nil }
            for (node, answer) in await askAll(.beat, epoch: epoch) {
                switch answer {
                case .success(.newer(let lease, let seen)):
                    return lease ?? Lease(run: "?", holder: Actor(user: "?", host: "?"), epoch: seen, ageSeconds: 0)
                case .success(.lost(nil, _)):
                    // It did not answer when the lease was taken, or somebody removed the file.
                    _ = await ask(.take(takingOver: false), epoch: epoch, on: node)
                case .success(.lost(let lease?, let seen)) where lease.epoch < epoch && seen <= epoch:
                    _ = await ask(.take(takingOver: true), epoch: epoch, on: node)
                case .success(.lost(let lease?, _)): return lease
                case .success, .failure: break
                }
            }
        }
        return nil
    }

    /// Gives it back where it is ours. What does not answer keeps it, and the answer names those nodes.
    @discardableResult
    package func release(epoch: Int) async -> [NodeID] {
        await release(epoch: epoch, on: nodes.map(\.id))
    }

    @discardableResult
    private func release(epoch: Int, on ids: [NodeID]) async -> [NodeID] {
        let wanted = Set(ids)
        return await askAll(.release, epoch: epoch, among: nodes.filter { wanted.contains($0.id) }).compactMap {
            if case .failure = $1 { $0 } else { nil }
        }
    }

    private func ask(_ operation: KeeperScript.Operation, epoch: Int, on id: NodeID) async -> Result<
        KeeperAnswer, NodeFailure
    > {
        guard let node = nodes.first(where: { $0.id == id }) else {
            return .failure(NodeFailure(kind: .other, text: "\(id) is not held by this run"))
        }
        return await keeper.ask(script(operation, epoch), node)
    }

    private func script(_ operation: KeeperScript.Operation, _ epoch: Int) -> KeeperScript {
        KeeperScript(operation, run: run, holder: holder, epoch: epoch, boundary: boundary())
    }

    /// Who holds each node that GitLab manages, in the inventory's order. Changes nothing.
    package static func holders(
        of inventory: Inventory, keeper: NodeKeeper, boundary: @escaping @Sendable () -> String, asking: Actor
    ) async -> [NodeHolder] {
        let nodes = inventory.nodes.filter(\.isManagedByOmnibus)
        return await withTaskGroup(of: (NodeID, NodeHolder.State).self) { group in
            for node in nodes {
                let looking = [KeeperScript.Operation.look, .listRuns].map {
                    KeeperScript($0, run: "none", holder: asking, epoch: 0, boundary: boundary())
                }
                group.addTask {
                    let copies: [RunID: Int] =
                        if case .success(.runs(let runs)) = await keeper.ask(looking[1], node) { runs } else { [:] }
                    return switch await keeper.ask(looking[0], node) {
                    case .success(.shown(let lease, let epoch)):
                        (node.id, .answered(lease: lease, epoch: epoch, copies: copies))
                    case .success(let other): (node.id, .unknown(reason: "it answered \(other)"))
                    case .failure(let failure): (node.id, .unknown(reason: failure.text))
                    }
                }
            }
            var found: [NodeID: NodeHolder.State] = [:]
            for await (node, state) in group { found[node] = state }
            return nodes.compactMap { node in found[node.id].map { NodeHolder(node: node.id, state: $0) } }
        }
    }

    private func askAll(_ operation: KeeperScript.Operation, epoch: Int, among asked: [Node]? = nil) async -> [(
        NodeID, Result<KeeperAnswer, NodeFailure>
    )] {
        await keeper.askAll(asked ?? nodes) { _ in script(operation, epoch) }
    }
}
