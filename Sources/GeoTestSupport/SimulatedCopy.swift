import GeoCore

/// How long a copy of a database takes in a ``SimulatedDeployment``.
package enum SimulatedCopy {
    package static let seconds = 40.0
}

extension SimulatedState {
    /// The exit status of ``LimitedCopyProgram``, and what it does to a node.
    mutating func copyWithRate(_ arguments: [String], _ index: Int) -> Int {
        let source = databaseIndex(of: nodes[index].site == from ? to : from)
        if arguments.last != inventory.replication?.copyRate?.argument {
            violations.append("\(nodes[index].node.id): copied at another rate than the inventory's")
        }
        if nodes[index].isDatabaseUp {
            if isLinked(index, to: source), !isReplicationCut { return 0 }
            // One that could be written to is not touched; a standby that does not stream goes as it came.
            if nodes[index].isWritable { return 1 }
            stop("postgresql", index)
        }
        guard !isReplicationCut, nodes[source].isWritable, !nodes[index].streamsNothing else { return 1 }
        // Between the two renames of an attempt that was killed there is nothing to keep.
        if nodes[index].database?.isWhole == true { moveDatabaseAside(index) }
        copyDatabase(index)
        start("postgresql", index)
        return 0
    }

    /// What the source of copies tells of them.
    func copies(from source: SimulatedNode) -> [BaseBackup] {
        guard source.isWritable else { return [] }
        return nodes.compactMap { node in
            guard node.site != source.site, let job = node.runningJob,
                job.arguments.contains(LimitedCopyProgram.text) || job.arguments.contains("replicate-geo-database")
            else { return nil }
            let total = 80 << 20
            let share = min(1, max(0, now.seconds(since: job.startedAt) / SimulatedCopy.seconds))
            return BaseBackup(
                phase: "streaming database files", totalBytes: total, streamedBytes: Int(Double(total) * share),
                client: node.node.access.address)
        }
    }
}
