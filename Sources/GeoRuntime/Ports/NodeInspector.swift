package import GeoCore

/// Looks at a node; cannot change it: it takes nothing but a ``ProbeScript``, which only holds read-only probes.
///
/// What changes a node is ``NodeShell``, whose calls consume a journal receipt.
package struct NodeInspector: Sendable {
    /// One visit: the connection is opened or re-used, the script runs in one exec. Never throws: a node that cannot
    /// be visited is an answer too.
    package var visit: @Sendable (_ script: ProbeScript, _ node: Node) async -> NodeVisit

    package init(visit: @escaping @Sendable (_ script: ProbeScript, _ node: Node) async -> NodeVisit) {
        self.visit = visit
    }
}

package enum NodeVisit: Sendable, Hashable {
    /// What the script printed, possibly cut off (its trailer tells).
    case answered(output: [UInt8], elapsedMilliseconds: Int)
    case failed(NodeFailure)
}

/// Why a node could not be asked, or why an answer was lost.
package struct NodeFailure: Error, Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case unreachable, timedOut, hostKey, authentication, lost, other
    }
    package var kind: Kind
    /// One sentence, for the operator.
    package var text: String
    /// What to do about it.
    package var hint: String?
    /// Whether the command could have begun on the node.
    package var mayHaveStarted: Bool
    /// How far the connection to the node's own SSH port came; `nil` when that cannot be told, as behind a jump host.
    package var contact: Sight?
    package init(
        kind: Kind, text: String, hint: String? = nil, mayHaveStarted: Bool = false, contact: Sight? = nil
    ) {
        self.kind = kind
        self.text = text
        self.hint = hint
        self.mayHaveStarted = mayHaveStarted
        self.contact = contact
    }

    /// A few words, for where the sentence stands already.
    package var brief: String {
        switch kind {
        case .unreachable: "no connection"
        case .timedOut: "no answer in time"
        case .hostKey: "its host key is not the known one"
        case .authentication: "login refused"
        case .lost: "the connection was lost"
        case .other: text
        }
    }
}
