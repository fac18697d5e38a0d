/// What a node has to say of itself before a command starts on it, beside its names as a machine: which database it
/// holds, and which site its GitLab takes itself for.
///
/// `initdb` makes the system identifier, and every standby has its primary's (PostgreSQL documentation, `pg_controldata`):
/// another one is the database of another deployment, or one that was made anew. The site's name tells the sites of one
/// deployment apart, as Rails does (`gitlab_rails['geo_node_name']`).
package struct NodeMarks: Sendable, Hashable {
    /// `nil`: not compared.
    package var systemIdentifier: String?
    /// `nil`: not compared.
    package var siteName: String?

    package init(systemIdentifier: String? = nil, siteName: String? = nil) {
        self.systemIdentifier = systemIdentifier
        self.siteName = siteName
    }
}

extension Plan {
    /// What was seen of the node when the plan was made. What was not known then cannot be compared; what is known must be
    /// readable at the moment of the act, and equal.
    ///
    /// A node without a name of its own takes its URL for one, and a URL is changed on purpose when users move: it is no
    /// mark. A re-seed replaces the database, so its identifier is none either.
    package func marks(of node: NodeID) -> NodeMarks {
        let facts = basis[node]
        var marks = NodeMarks()
        if scenario != .reseed {
            marks.systemIdentifier = facts.database.value?.systemIdentifier ?? facts.controlData.value?.systemIdentifier
        }
        if case .text(let name)? = facts.configuration.value?.nodeName, !name.contains(where: Self.quotes.contains) {
            marks.siteName = name
        }
        return marks
    }

    /// A name with one of these is not read on the node.
    private static let quotes: Set<Character> = ["'", "\"", "\\", "\n"]
}
