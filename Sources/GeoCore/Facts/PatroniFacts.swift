/// What Patroni of one node says of its cluster. It comes from the distributed configuration store, so that every member
/// says the same while the store answers; a member that says otherwise is cut off from it.
package struct PatroniFacts: Sendable, Hashable, Codable {
    package struct Member: Sendable, Hashable, Codable {
        package var name: String
        package var host: String
        /// As Patroni spells it, lower case: `leader`, `standby leader`, `replica`, `sync standby` ...
        package var role: String
        /// `running`, `streaming`, `in archive recovery`, `stopped`, `start failed` ...
        package var state: String
        /// `nil`: not told, as for a member that does not run.
        package var timeline: Int?
        package var isRestartPending: Bool
        package init(
            name: String, host: String, role: String, state: String, timeline: Int?, isRestartPending: Bool = false
        ) {
            self.name = name
            self.host = host
            self.role = role
            self.state = state
            self.timeline = timeline
            self.isRestartPending = isRestartPending
        }

        /// Patroni before 4.0 also says `master` for it.
        package var leads: Bool { ["leader", "standby leader", "master"].contains(role) }
        /// Patroni from 3.0.4 on says how a standby gets its WAL instead of `running`.
        package var isUp: Bool { ["running", "streaming", "in archive recovery"].contains(state) }
    }

    /// Empty where the store answers and knows no member: none runs, or the cluster was removed.
    package var members: [Member]
    /// Automatic failover is switched off (`pause: true`), as `geo promote` leaves it when it fails.
    package var isPaused: Bool
    /// Whether the cluster follows another one (`standby_cluster` in its configuration).
    package var isStandbyCluster: Bool
    package init(members: [Member], isPaused: Bool, isStandbyCluster: Bool) {
        self.members = members
        self.isPaused = isPaused
        self.isStandbyCluster = isStandbyCluster
    }
}

/// What the Consul agent of one node says of the store that Patroni keeps its leader in.
package struct ConsulFacts: Sendable, Hashable, Codable {
    package struct Member: Sendable, Hashable, Codable {
        package var name: String
        /// `alive`, `failed`, `leaving` or `left`.
        package var status: String
        package var isServer: Bool
        package init(name: String, status: String, isServer: Bool) {
            self.name = name
            self.status = status
            self.isServer = isServer
        }
    }

    package var members: [Member]
    package init(members: [Member]) { self.members = members }

    /// Servers that the store counts; one that left in order is counted no more.
    package var servers: [Member] { members.filter { $0.isServer && $0.status != "left" } }
}
