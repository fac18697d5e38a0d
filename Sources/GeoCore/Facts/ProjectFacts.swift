/// The projects that were pushed to last, as one main database has them; on a replica as of its replay position.
package struct ProjectFacts: Sendable, Hashable, Codable {
    package struct Project: Sendable, Hashable, Codable {
        package var id: Int
        /// `group/project`.
        package var path: String
        /// When its repository changed last, by GitLab, which writes it down every few minutes at most.
        package var pushedAt: Timestamp
        package init(id: Int, path: String, pushedAt: Timestamp) {
            self.id = id
            self.path = path
            self.pushedAt = pushedAt
        }
    }

    /// Most recent first, at most ``DatabaseQuery/projectsAtMost``.
    package var recent: [Project]
    package init(recent: [Project]) { self.recent = recent }
}

/// Rows of the project repositories' registry: those that lack something, and those synchronised last.
package struct ProjectRegistryFacts: Sendable, Hashable, Codable {
    package struct Row: Sendable, Hashable, Codable {
        package var project: Int
        package var isSynced: Bool
        package var isVerified: Bool
        /// `nil`: never.
        package var syncedAt: Timestamp?
        package init(project: Int, isSynced: Bool, isVerified: Bool, syncedAt: Timestamp?) {
            self.project = project
            self.isSynced = isSynced
            self.isVerified = isVerified
            self.syncedAt = syncedAt
        }
    }

    /// Not synchronised or not verified; at most ``DatabaseQuery/projectsAtMost``.
    package var lacking: [Row]
    /// How many lack something in all.
    package var lackingCount: Int
    /// Synchronised and verified, those synchronised last first; at most ``DatabaseQuery/projectsAtMost``.
    package var latest: [Row]
    /// Whether ``latest`` holds every row that lacks nothing.
    package var isWhole: Bool
    package init(lacking: [Row], lackingCount: Int, latest: [Row], isWhole: Bool) {
        self.lacking = lacking
        self.lackingCount = lackingCount
        self.latest = latest
        self.isWhole = isWhole
    }
}
