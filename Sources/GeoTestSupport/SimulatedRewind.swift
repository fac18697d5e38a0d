import GeoCore

/// How a rewind on a node of a ``SimulatedDeployment`` ends.
package enum SimulatedRewind: Sendable {
    case works
    /// As where the WAL of before the fork is gone: the data directory is as it was.
    case fails
    /// It says that the standby streams, and it does not for long.
    case lies
}

extension SimulatedState {
    /// The exit status of ``RewindProgram``, and what it does to a node.
    mutating func rewind(_ index: Int) -> Int {
        let source = databaseIndex(of: nodes[index].site == from ? to : from)
        if nodes[index].isDatabaseUp { return isLinked(index, to: source) && !isReplicationCut ? 0 : 1 }
        guard let own = nodes[index].database, own.isWhole, own.isCleanlyStopped, !isReplicationCut,
            nodes[source].isWritable, nodes[source].database?.rows.isRewindPermitted == true,
            !nodes[index].streamsNothing, nodes[index].rewind != .fails
        else { return 1 }
        moveDatabaseAside(index)
        copyDatabase(index)
        nodes[index].copy.hasForeignSettings = false
        note("\(nodes[index].node.id) was rewound")
        start("postgresql", index)
        if nodes[index].rewind == .lies { nodes[index].streamsNothing = true }
        return 0
    }

    mutating func permit(_ arguments: [String], _ index: Int) -> Int {
        let isGranted = arguments.last == RewindRights.grant
        guard isGranted || arguments.last == RewindRights.revoke else {
            violations.append("\(nodes[index].node.id): nobody knows the SQL \(arguments.last ?? "")")
            return 1
        }
        guard nodes[index].isWritable else { return 1 }
        nodes[index].database?.rows.isRewindPermitted = isGranted
        replicate()
        return 0
    }

    func rewindRights(_ node: SimulatedNode) -> Observed<RewindRights> {
        guard let own = node.database, node.isDatabaseUp else { return .unknown(reason: "psql: connection refused") }
        let functions = own.rows.isRewindPermitted ? RewindRights.functions : []
        return .known(
            value: RewindRights(permitted: functions, granted: functions), at: now, from: node.node.id.rawValue)
    }
}
