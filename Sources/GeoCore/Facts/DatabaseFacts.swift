/// What PostgreSQL on one node said of itself: role and positions together, since each alone can mislead.
///
/// The lag that GitLab shows reads 0 while no WAL receiver runs (`geo_node_status.rb`), so ``Standby`` keeps
/// positions, receiver and pause side by side.
package struct DatabaseFacts: Sendable, Hashable, Codable {
    /// The cluster's lineage: equal on a primary and its standbys.
    package var systemIdentifier: String
    package var timeline: Int
    /// `server_version_num`, such as 150018.
    package var serverVersion: Int
    package var role: Role

    package init(systemIdentifier: String, timeline: Int, serverVersion: Int, role: Role) {
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.serverVersion = serverVersion
        self.role = role
    }

    package enum Role: Sendable, Hashable, Codable {
        /// `pg_is_in_recovery()` = f.
        case primary(state: Primary)
        case standby(state: Standby)
    }

    package var isInRecovery: Bool {
        if case .standby = role { true } else { false }
    }
    package var primary: Primary? {
        if case .primary(let state) = role { state } else { nil }
    }
    package var standby: Standby? {
        if case .standby(let state) = role { state } else { nil }
    }

    package struct Primary: Sendable, Hashable, Codable {
        package var current: LogPosition
        package var senders: [Sender]
        package var slots: [Slot]
        package init(current: LogPosition, senders: [Sender] = [], slots: [Slot] = []) {
            self.current = current
            self.senders = senders
            self.slots = slots
        }
    }

    package struct Sender: Sendable, Hashable, Codable {
        package var applicationName: String
        package var clientAddress: String?
        package var state: String
        package var replayed: LogPosition?
        package init(applicationName: String, clientAddress: String?, state: String, replayed: LogPosition?) {
            self.applicationName = applicationName
            self.clientAddress = clientAddress
            self.state = state
            self.replayed = replayed
        }
    }

    package struct Slot: Sendable, Hashable, Codable {
        package var name: String
        package var isActive: Bool
        package var retainedBytes: Int?
        /// `reserved`, `extended`, `unreserved`, `lost`; `nil` before PostgreSQL 13.
        package var walStatus: String?
        package init(name: String, isActive: Bool, retainedBytes: Int?, walStatus: String?) {
            self.name = name
            self.isActive = isActive
            self.retainedBytes = retainedBytes
            self.walStatus = walStatus
        }
    }

    package struct Standby: Sendable, Hashable, Codable {
        /// `nil` when nothing was streamed since the server started.
        package var received: LogPosition?
        package var replayed: LogPosition
        package var isReplayPaused: Bool
        /// `nil`: no WAL receiver runs, so "received = replayed" says nothing about the primary.
        package var receiver: Receiver?
        /// Age of the last replayed transaction in seconds; grows while the primary is idle, so it is not lag by itself.
        package var secondsSinceLastReplay: Double?

        package init(
            received: LogPosition?, replayed: LogPosition, isReplayPaused: Bool, receiver: Receiver?,
            secondsSinceLastReplay: Double?
        ) {
            self.received = received
            self.replayed = replayed
            self.isReplayPaused = isReplayPaused
            self.receiver = receiver
            self.secondsSinceLastReplay = secondsSinceLastReplay
        }
    }

    package struct Receiver: Sendable, Hashable, Codable {
        package var status: String
        package var slotName: String?
        package var senderHost: String?
        package var latestEnd: LogPosition?
        /// Seconds since the last message from the sender; both sides claim `streaming` for up to 60 s after a cut.
        package var secondsSinceMessage: Double?
        package init(
            status: String, slotName: String?, senderHost: String?, latestEnd: LogPosition?,
            secondsSinceMessage: Double?
        ) {
            self.status = status
            self.slotName = slotName
            self.senderHost = senderHost
            self.latestEnd = latestEnd
            self.secondsSinceMessage = secondsSinceMessage
        }
    }
}

/// What `pg_controldata` printed of a data directory.
package struct ControlData: Sendable, Hashable, Codable {
    /// `Database cluster state`: `in production`, `shut down`, `in archive recovery`, `shut down in recovery` ...
    package var clusterState: String
    package var systemIdentifier: String
    package var latestCheckpoint: LogPosition
    package var timeline: Int
    /// `Bytes per WAL segment`; plans of earlier versions do not have it.
    package var segmentBytes: Int?
    /// What `pg_rewind` looks at; `nil` where it was not told, as in plans of earlier versions.
    package var rewinding: Rewinding?
    package init(
        clusterState: String, systemIdentifier: String, latestCheckpoint: LogPosition, timeline: Int,
        segmentBytes: Int? = nil, rewinding: Rewinding? = nil
    ) {
        self.clusterState = clusterState
        self.segmentBytes = segmentBytes
        self.rewinding = rewinding
        self.systemIdentifier = systemIdentifier
        self.latestCheckpoint = latestCheckpoint
        self.timeline = timeline
    }

    /// A clean shutdown as a primary: everything committed is in the log up to ``latestCheckpoint``.
    package var isCleanShutdown: Bool { clusterState == "shut down" }

    /// The lines of the control file by which `pg_rewind` goes (PostgreSQL `pg_rewind.c`, `sanityChecks`).
    package struct Rewinding: Sendable, Hashable, Codable {
        /// `Data page checksum version` is not 0.
        package var hasChecksums: Bool
        /// `wal_log_hints setting` is on.
        package var logsHints: Bool
        /// `Latest checkpoint's full_page_writes` is on.
        package var writesFullPages: Bool
        /// `Catalog version number`: one per major version.
        package var catalogVersion: String
        package init(hasChecksums: Bool, logsHints: Bool, writesFullPages: Bool, catalogVersion: String) {
            self.hasChecksums = hasChecksums
            self.logsHints = logsHints
            self.writesFullPages = writesFullPages
            self.catalogVersion = catalogVersion
        }
    }
}
