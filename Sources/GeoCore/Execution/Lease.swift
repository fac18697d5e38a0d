/// Who may change the nodes of a deployment: one run, held by one person on one machine, under one epoch.
///
/// Each node keeps it in `/var/lib/geo-failover/lease`. It is never taken for another's silence: a holder that stopped
/// beating may be asleep in the middle of a promotion. Only a person takes it over, with a reason.
package struct Lease: Sendable, Hashable, Codable {
    package var run: RunID
    package var holder: Actor
    package var epoch: Int
    /// Whole seconds since the holder was last heard, by the node's own clock; negative when that clock went back.
    package var ageSeconds: Int

    package init(run: RunID, holder: Actor, epoch: Int, ageSeconds: Int) {
        self.run = run
        self.holder = holder
        self.epoch = epoch
        self.ageSeconds = ageSeconds
    }

    /// A running holder beats three times in this time.
    package static let quietSeconds = 60

    /// `root on ops-1 for run X, last heard 12 s ago`
    package var sentence: String {
        let age =
            ageSeconds < 0
            ? "heard \(-ageSeconds) s in the future of the node's clock, which went back"
            : ageSeconds <= Self.quietSeconds
                ? "last heard \(ageSeconds) s ago: it is alive" : "last heard \(ageSeconds) s ago"
        return "\(holder.user) on \(holder.host) for run \(run), \(age)"
    }

    /// Whether it is another's: of another run, or of another person or machine.
    package func isForeign(to run: RunID, _ actor: Actor) -> Bool {
        self.run != run || holder.token != actor.token
    }
}

extension Actor {
    /// `user@host` with nothing that a line of words could not carry.
    package var token: String { "\(Self.plain(user))@\(Self.plain(host))" }

    private static func plain(_ text: String) -> String {
        let kept = text.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" }
        return kept.isEmpty ? "unknown" : String(kept.prefix(64))
    }
}

/// Who holds a node, as the node says.
package struct NodeHolder: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// `nil`: nobody. The epoch is the newest that the node has seen; `copies` are the runs whose journal it has,
        /// with its length.
        case answered(lease: Lease?, epoch: Int, copies: [RunID: Int])
        case unknown(reason: String)
    }
    package var node: NodeID
    package var state: State
    package init(node: NodeID, state: State) {
        self.node = node
        self.state = state
    }
}
