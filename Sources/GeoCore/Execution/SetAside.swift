/// What a re-seed or a change of configuration has set aside on a node, and nothing removes by itself (promise 9).
package struct SetAside: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// A data directory that `gitlab-ctl replicate-geo-database` moved aside: `data.EPOCH`.
        case database
        /// gitlab.rb or gitlab-cluster.json of before a run.
        case configuration
        /// A tracking database of an earlier time, under another name.
        case tracking
        /// On its way out: `purge remove` has begun, and a big directory takes long.
        case removing
    }

    package var kind: Kind
    /// A path on the node, or the name of a database.
    package var name: String
    /// `nil`: it could not be measured within the seconds that a look may take.
    package var kibibytes: Int?
    /// Since it was set aside, by the node's clock; `nil` where nothing tells.
    package var ageSeconds: Int?

    package init(kind: Kind, name: String, kibibytes: Int?, ageSeconds: Int?) {
        self.kind = kind
        self.name = name
        self.kibibytes = kibibytes
        self.ageSeconds = ageSeconds
    }

    /// `data.` and the second in which it was moved (omnibus-gitlab `geo/replication.rb`): the only thing that is ever removed.
    package static let formerDatabase = ProbeCatalog.dataDirectory + "."

    /// Whether that is the path of a data directory that was moved aside; nothing else may reach a command that removes.
    package static func isFormerDatabase(_ path: String) -> Bool {
        path.hasPrefix(formerDatabase) && (9...11).contains(path.utf8.count - formerDatabase.utf8.count)
            && path.dropFirst(formerDatabase.count).utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}

/// What one node has set aside; why nobody knows.
package struct NodeSetAside: Sendable {
    package var node: NodeID
    package var known: Observed<[SetAside]>
    package init(node: NodeID, known: Observed<[SetAside]>) {
        self.node = node
        self.known = known
    }
}
