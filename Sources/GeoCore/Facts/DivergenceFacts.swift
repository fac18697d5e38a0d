/// What lies in `pg_wal` of the main database beside the log itself: where the database's timelines begin, and how old its
/// segments are. Also of a stopped server.
package struct TimelineFacts: Sendable, Hashable, Codable {
    /// A line of a `.history` file: a timeline's ancestor, and where it was left.
    package struct Branch: Sendable, Hashable, Codable {
        package var timeline: Int
        package var parent: Int
        package var leftAt: LogPosition
        package init(timeline: Int, parent: Int, leftAt: LogPosition) {
            self.timeline = timeline
            self.parent = parent
            self.leftAt = leftAt
        }
    }

    /// A segment file, by the three numbers of its name (PostgreSQL documentation, WAL internals).
    package struct Segment: Sendable, Hashable, Codable {
        package var timeline: Int
        /// Log and place in it; how many bytes a segment has does not matter for their order.
        package var log: Int
        package var number: Int
        /// When it was last written.
        package var changedAt: Timestamp
        package init(timeline: Int, log: Int, number: Int, changedAt: Timestamp) {
            self.timeline = timeline
            self.log = log
            self.number = number
            self.changedAt = changedAt
        }
    }

    package var branches: [Branch]
    /// In the log's order; of many, the oldest and others evenly spread.
    package var segments: [Segment]
    package init(branches: [Branch], segments: [Segment]) {
        self.branches = branches
        self.segments = segments
    }

    /// How many segments are kept of a long list.
    package static let segmentsAtMost = 64
}

/// What a node has saved of a divergence, as its `STATE` file says.
package struct DivergenceArchive: Sendable, Hashable, Codable {
    package struct Part: Sendable, Hashable, Codable {
        package var name: String
        /// What is in it, in the program's words: `commits=20 rows=40 segments=2`.
        package var content: String
        package init(name: String, content: String) {
            self.name = name
            self.content = content
        }
    }

    /// Its folder's name in ``base``, which is the divergence's own: ``Divergence/archiveName``.
    package var name: String
    package var fork: LogPosition
    package var parts: [Part]
    /// What is not in it, and why.
    package var leftOut: [String]
    package var bytes: Int?
    /// When its last line was written; `nil`: it is not complete.
    package var completedAt: Timestamp?

    package init(
        name: String, fork: LogPosition, parts: [Part] = [], leftOut: [String] = [], bytes: Int? = nil,
        completedAt: Timestamp? = nil
    ) {
        self.name = name
        self.fork = fork
        self.parts = parts
        self.leftOut = leftOut
        self.bytes = bytes
        self.completedAt = completedAt
    }

    package var folder: String { Self.base + "/" + name }

    /// Beside GitLab's data, whose disk has room for more of it; reconfigure leaves folders alone that it does not know.
    package static let base = "/var/opt/gitlab/geo-failover-divergence"
}
