/// A place from which a site is looked at. No place alone tells "it is down" from "I cannot reach it".
package enum VantagePoint: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The machine that the tool runs on, over SSH and HTTP.
    case operatorMachine
    /// A node of another site, over TCP and HTTP.
    case peer(id: NodeID)
    /// A standby of another site, which hears from the primary's database or does not.
    case replica(id: NodeID)
    /// A database that says of itself what it is.
    case database(id: NodeID)

    /// Places of one kind fail together: a quorum needs two kinds.
    package enum Kind: String, Sendable, Hashable, Codable {
        case operatorMachine = "operator", peer, replica, database
    }

    package var kind: Kind {
        switch self {
        case .operatorMachine: .operatorMachine
        case .peer: .peer
        case .replica: .replica
        case .database: .database
        }
    }

    package var description: String {
        switch self {
        case .operatorMachine: "operator"
        case .peer(let id): id.rawValue
        case .replica(let id): "replica \(id)"
        case .database(let id): "database \(id)"
        }
    }
}
