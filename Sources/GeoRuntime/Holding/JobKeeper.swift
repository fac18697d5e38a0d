package import GeoCore

/// Lists, removes and ends what is left on nodes: the jobs of runs, and what was set aside.
package struct JobKeeper: Sendable {
    let keeper: NodeKeeper
    private let boundary: @Sendable () -> String
    private let holder: Actor

    package init(keeper: NodeKeeper, boundary: @escaping @Sendable () -> String, holder: Actor) {
        self.keeper = keeper
        self.boundary = boundary
        self.holder = holder
    }

    /// The jobs of every node that GitLab manages, in the inventory's order, all nodes side by side. Changes nothing.
    package func list(_ nodes: [Node]) async -> [NodeJobs] {
        await keeper.askAll(nodes) { _ in script(.listJobs, run: "none", epoch: 0) }.map { node, answer in
            switch answer {
            case .success(.jobs(let jobs)): NodeJobs(node: node, jobs: .success(jobs))
            case .success(let other): NodeJobs(node: node, jobs: .failure(Unreadable("it answered \(other)")))
            case .failure(let failure): NodeJobs(node: node, jobs: .failure(Unreadable(failure.text)))
            }
        }
    }

    /// Removes a run's directories from nodes that agree; a reason for each that did not.
    package func remove(_ run: RunID, from nodes: [Node], olderThanSeconds: Int) async -> [NodeID: String] {
        let operation = KeeperScript.Operation.removeRun(olderThanSeconds: olderThanSeconds)
        return await keeper.askAll(nodes) { _ in script(operation, run: run, epoch: 0) }.reduce(into: [:]) {
            kept, answer in
            switch answer.1 {
            case .success(.removed): break
            case .success(let other): kept[answer.0] = "it answered \(other)"
            case .failure(let failure): kept[answer.0] = failure.text
            }
        }
    }

    /// Tells a job to end; its runner then writes its exit status, and a run that goes on finds it there.
    ///
    /// - Returns: how the job is now. ``NodeJob/State/running`` when it has not ended within five seconds: it gets a kill
    ///   30 s after it was told, so asking again is enough.
    package func cancel(key: String, run: RunID, epoch: Int, on node: Node) async -> Result<NodeJob.State, Unreadable> {
        switch await keeper.ask(script(.cancel(key: key), run: run, epoch: epoch), node) {
        case .success(.cancelled(let state)): .success(state)
        case .success(.newer(let lease, let epoch)):
            .failure(
                Unreadable("another run holds the node under epoch \(epoch)\(lease.map { ": \($0.sentence)" } ?? "")"))
        case .success(let other): .failure(Unreadable("it answered \(other)"))
        case .failure(let failure): .failure(Unreadable(failure.text))
        }
    }

    /// What a command on another node reads on its standard input. Kept nowhere; never empty.
    package func content(of file: NodeFile, on node: Node) async -> Result<[UInt8], Unreadable> {
        let name = file.file.rawValue
        return await keeper.content(of: node, name, atMost: Self.sharedBytesAtMost) { offset in
            script(.readShared(file: file.file, offset: offset), run: "none", epoch: 0)
        }.flatMap { bytes in
            guard let bytes, !bytes.isEmpty else {
                return .failure(Unreadable("\(name) of \(node.id) is \(bytes == nil ? "not there" : "empty")"))
            }
            return .success(bytes)
        }
    }

    /// A file of settings as the node has it; `nil`: it has none. It may hold passwords, and is kept nowhere.
    package func configuration(_ path: ConfigurationPath, on node: Node) async -> Result<[UInt8]?, Unreadable> {
        await keeper.content(of: node, path.text, atMost: ConfigurationFile.bytesAtMost) { offset in
            script(.readConfiguration(path: path, offset: offset), run: "none", epoch: 0)
        }
    }

    /// Files of ``SharedFile`` have some kilobytes.
    static let sharedBytesAtMost = 1 << 20

    func script(_ operation: KeeperScript.Operation, run: RunID, epoch: Int) -> KeeperScript {
        KeeperScript(operation, run: run, holder: holder, epoch: epoch, boundary: boundary())
    }
}
