import GeoCore

/// A node that is given other host keys has to be known by them beforehand, or nobody gets onto it any more.
extension PlanCommand {
    func refuseUnknownHostKeys(_ plan: Plan) async throws {
        for step in plan.steps where step.action == .copyHostKeys {
            guard case .commands(let commands, let id, _) = step.operation, let node = plan.inventory.node(id),
                let source = commands.compactMap(\.inputFile).first?.node, let keys = plan.basis[source].hostKeys.value
            else { continue }
            let known = try await HostKeyTrust(node: node).fingerprints()
            let kind = { (key: String) in key.split(separator: " ").last.map(String.init) ?? "" }
            // Of every kind that the connection may choose.
            guard Set(known.map(kind)).subtracting(known.intersection(keys).map(kind)).isEmpty, !known.isEmpty else {
                throw CommandFailure(
                    """
                    \(id) is to get the SSH host keys of \(source), and would not be known by them: this tool, and everybody's
                    ssh with \(node.access.knownHosts), would refuse it. Add them first, then plan again:
                      geo-failover inventory trust \(id) --same-as \(source)
                    """, .notReady)
            }
        }
    }
}
