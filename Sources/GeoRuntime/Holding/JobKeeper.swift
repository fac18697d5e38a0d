package import GeoCore

/// Lists, removes and ends the jobs that runs have left on nodes.
package struct JobKeeper: Sendable {
    private let keeper: NodeKeeper
    private let boundary: @Sendable () -> String
    private let holder: Actor

    package init(keeper: NodeKeeper, boundary: @escaping @Sendable () -> String, holder: Actor) {
        self.keeper = keeper
        self.boundary = boundary
        self.holder = holder
    }

    /// The jobs of every node that GitLab manages, in the inventory's order, all nodes side by side. Changes nothing.
    package func list(_ nodes: [Node]) async -> [NodeJobs] {
        await each(nodes) { node in
            switch await ask(.listJobs, run: "none", epoch: 0, on: node) {
            case .success(.jobs(let jobs)): .success(jobs)
            case .success(let other): .failure(UnknownJobs("it answered \(other)"))
            case .failure(let failure): .failure(UnknownJobs(failure.text))
            }
        }.map { NodeJobs(node: $0, jobs: $1) }
    }

    /// Removes a run's directories from nodes that agree; a reason for each that did not.
    package func remove(_ run: RunID, from nodes: [Node], olderThanSeconds: Int) async -> [NodeID: String] {
        let answers = await each(nodes) { node in
            switch await ask(.removeRun(olderThanSeconds: olderThanSeconds), run: run, epoch: 0, on: node) {
            case .success(.removed): String?.none
            case .success(let other): "it answered \(other)"
            case .failure(let failure): failure.text
            }
        }
        return answers.reduce(into: [:]) { kept, answer in kept[answer.0] = answer.1 }
    }

    /// Tells a job to end; its runner then writes its exit status, and a run that goes on finds it there.
    ///
    /// - Returns: how the job is now. ``NodeJob/State/running`` when it has not ended within five seconds: it gets a kill
    ///   30 s after it was told, so asking again is enough.
    package func cancel(key: String, run: RunID, epoch: Int, on node: Node) async -> Result<NodeJob.State, UnknownJobs>
    {
        switch await ask(.cancel(key: key), run: run, epoch: epoch, on: node) {
        case .success(.cancelled(let state)): .success(state)
        case .success(.newer(let lease, let epoch)):
            .failure(
                UnknownJobs("another run holds the node under epoch \(epoch)\(lease.map { ": \($0.sentence)" } ?? "")"))
        case .success(let other): .failure(UnknownJobs("it answered \(other)"))
        case .failure(let failure): .failure(UnknownJobs(failure.text))
        }
    }

    private func ask(_ operation: KeeperScript.Operation, run: RunID, epoch: Int, on node: Node) async -> Result<
        KeeperAnswer, NodeFailure
    > {
        await keeper.ask(
            KeeperScript(operation, run: run, holder: holder, epoch: epoch, boundary: boundary()), node)
    }

    private func each<Value: Sendable>(_ nodes: [Node], _ ask: @escaping @Sendable (Node) async -> Value) async -> [(
        NodeID, Value
    )] {
        await withTaskGroup(of: (NodeID, Value).self) { group in
            for node in nodes { group.addTask { (node.id, await ask(node)) } }
            let found = await group.reduce(into: [NodeID: Value]()) { $0[$1.0] = $1.1 }
            return nodes.compactMap { node in found[node.id].map { (node.id, $0) } }
        }
    }
}
