/// How far something has come that takes long: for a person who has to plan by it, not for a verdict.
package struct Measure: Sendable, Hashable, Codable {
    package enum Unit: String, Sendable, Hashable, Codable {
        case bytes, items
        /// Positions in the write-ahead log: what counts is how far one is behind the other.
        case log
    }

    package var unit: Unit
    package var done: Int
    /// `nil`: how much there is, nobody knows yet.
    package var total: Int?
    /// What goes on while no number moves, in words; `nil` while one does.
    package var phase: String?

    package init(_ unit: Unit, done: Int, of total: Int?, phase: String? = nil) {
        self.unit = unit
        self.done = done
        self.total = total
        self.phase = phase
    }
}

/// A copy of a whole database that a server sends: a row of `pg_stat_progress_basebackup` (PostgreSQL 13 and later).
package struct BaseBackup: Sendable, Hashable, Codable {
    /// As the server names it (PostgreSQL documentation, progress reporting, "Base Backup Phases").
    package var phase: String
    /// `nil` before it was estimated. An estimate: the copy may end with more.
    package var totalBytes: Int?
    package var streamedBytes: Int
    /// Address that it is sent to; `nil` where the server does not tell.
    package var client: String?

    package init(phase: String, totalBytes: Int?, streamedBytes: Int, client: String?) {
        self.phase = phase
        self.totalBytes = totalBytes
        self.streamedBytes = streamedBytes
        self.client = client
    }

    package var measure: Measure {
        let words: String? =
            switch phase {
            case "initializing": "the source prepares the copy"
            // Spread over checkpoint_timeout, whose default is 5 minutes (PostgreSQL documentation, WAL configuration).
            case "waiting for checkpoint to finish": "the source waits for its checkpoint, normal for up to 5m"
            case "estimating backup size": "the source measures its database"
            case "streaming database files": nil
            case "waiting for wal archiving to finish": "the source waits until its WAL is archived"
            case "transferring wal files": "the source sends the WAL of meanwhile"
            default: phase
            }
        return Measure(.bytes, done: streamedBytes, of: totalBytes, phase: words)
    }
}

/// The copy that one node gets, among what the servers of a site tell of all their copies.
package struct CopyProgress: Sendable {
    private let client: String?
    private var last: BaseBackup?

    package init(of node: Node) {
        // An address may be a name, which no server tells.
        client = NetworkAddress(node.access.address) == nil ? nil : node.access.address
    }

    /// How far it is by now.
    ///
    /// - Parameter servers: what each one sends; `nil` of one that did not say.
    /// - Returns: `nil` where that cannot be told: beside another copy that may as well be the node's, or before there is any.
    package mutating func measure(_ servers: [[BaseBackup]?]) -> Measure? {
        let own = servers.compactMap(\.self).joined().filter { client == nil || $0.client == client }
        if let copy = own.first {
            guard own.count == 1 else { return nil }
            last = copy
            return copy.measure
        }
        // Minutes may pass until the command ends, such as for services that do not start: no rate is true any more.
        guard let last, !servers.contains(nil) else { return nil }
        return Measure(
            .bytes, done: last.streamedBytes, of: last.totalBytes,
            phase: "the source has ended its copy; the command goes on (writing to disk, starting services)")
    }
}
