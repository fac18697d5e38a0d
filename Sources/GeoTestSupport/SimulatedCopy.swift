import GeoCore

/// What a copy of a database leaves on a node of a ``SimulatedDeployment``, and how long one takes.
package struct SimulatedCopy: Sendable {
    package static let seconds = 40.0

    /// `standby.signal` is younger than the password: `replicate-geo-database` has copied everything.
    var isWhole = false
    /// postgresql.conf of `data` is the primary's: PostgreSQL would listen at an address that is not there, and ends at once.
    /// A copy that is cut leaves it, in the worst order in which files may come.
    package var hasForeignSettings = false
    /// It was started with them: runit does so again and again, a file `down` or not.
    var startsAgain = false
    /// What `replicate-geo-database` has moved out of `data`, and will put into the next one.
    private var isForeignAside = false

    mutating func moveSettingsAside() {
        (isForeignAside, hasForeignSettings) = (hasForeignSettings, true)
    }

    mutating func restoreSettings() {
        (hasForeignSettings, isWhole) = (isForeignAside, true)
    }
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
        nodes[index].copy.hasForeignSettings = false
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
