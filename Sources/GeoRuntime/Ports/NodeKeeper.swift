package import GeoCore

/// Keeps the tool's own files on nodes: the lease and the copies of the journal. Touches nothing of GitLab's.
package struct NodeKeeper: Sendable {
    /// One exchange, once. Never throws: a node that cannot be visited is an answer too.
    package var exchange: @Sendable (_ script: KeeperScript, _ node: Node) async -> NodeVisit

    package init(exchange: @escaping @Sendable (_ script: KeeperScript, _ node: Node) async -> NodeVisit) {
        self.exchange = exchange
    }

    /// Asks all nodes side by side; their answers in the order of the nodes.
    func askAll(
        _ nodes: [Node], _ script: (Node) -> KeeperScript
    ) async -> [(NodeID, Result<KeeperAnswer, NodeFailure>)] {
        await withTaskGroup(of: (NodeID, Result<KeeperAnswer, NodeFailure>).self) { group in
            for node in nodes {
                let script = script(node)
                group.addTask { (node.id, await ask(script, node)) }
            }
            let found = await group.reduce(into: [NodeID: Result<KeeperAnswer, NodeFailure>]()) { $0[$1.0] = $1.1 }
            return nodes.compactMap { node in found[node.id].map { (node.id, $0) } }
        }
    }

    /// A file of a node as a whole, in as many exchanges as it takes; `nil`: there is none. `script` asks for it from an offset
    /// on.
    func content(
        of node: Node, _ name: String, atMost limit: Int, _ script: (_ offset: Int) -> KeeperScript
    ) async -> Result<[UInt8]?, Unreadable> {
        var bytes: [UInt8] = []
        while true {
            switch await ask(script(bytes.count), node) {
            case .success(.absent): return .success(nil)
            case .success(.content(let more, let size)):
                bytes += more
                guard size <= limit else {
                    return .failure(Unreadable("\(name) of \(node.id) has \(size) bytes, more than are read"))
                }
                if bytes.count >= size { return .success(bytes) }
                guard !more.isEmpty else { return .failure(Unreadable("\(name) of \(node.id) was cut off")) }
            case .success(let other): return .failure(Unreadable("\(node.id) answered \(other)"))
            case .failure(let failure): return .failure(Unreadable("\(node.id): \(failure.text)"))
            }
        }
    }

    /// The answer, or in one sentence why there is none.
    func ask(_ script: KeeperScript, _ node: Node) async -> Result<KeeperAnswer, NodeFailure> {
        switch await exchange(script, node) {
        case .failed(let failure): return .failure(failure)
        case .answered(let bytes, _):
            guard let answer = KeeperAnswer(bytes, boundary: script.boundary) else {
                let last = Transcript.lines(bytes.suffix(400), last: 1).last ?? "its answer was cut off"
                return .failure(NodeFailure(kind: .lost, text: last, mayHaveStarted: true))
            }
            if case .refused(let text) = answer { return .failure(NodeFailure(kind: .other, text: text)) }
            return .success(answer)
        }
    }
}
