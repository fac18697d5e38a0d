/// The projects whose repositories the candidate lacks in part or whole, by path, the most recently pushed first.
package struct ProjectLosses: Sendable, Hashable, Codable {
    package enum Reason: String, Sendable, Hashable, Codable {
        /// The registry says that it is not synchronised.
        case notSynced = "not-synced"
        /// Synchronised, and not found equal by checksum.
        case notVerified = "not-verified"
        /// Pushed after it was synchronised last, which the registry does not know yet.
        case pushedSince = "pushed-since"
        /// There is no registry row for it.
        case notRegistered = "not-registered"
    }

    package struct Project: Sendable, Hashable, Codable {
        package var id: Int
        /// `nil`: not among the recently pushed, so that its path is not known.
        package var path: String?
        package var pushedAt: Timestamp?
        package var syncedAt: Timestamp?
        package var reason: Reason
        package init(id: Int, path: String?, pushedAt: Timestamp?, syncedAt: Timestamp?, reason: Reason) {
            self.id = id
            self.path = path
            self.pushedAt = pushedAt
            self.syncedAt = syncedAt
            self.reason = reason
        }
    }

    package var projects: [Project]
    /// How many there are at least beyond those that are listed: a look brings home a bounded number of rows.
    package var unlisted: Int
    /// The node whose database named the projects: the primary's, or the replica where that was not to be had.
    package var namedBy: String

    package init(projects: [Project], unlisted: Int, namedBy: String) {
        self.projects = projects
        self.unlisted = unlisted
        self.namedBy = namedBy
    }

    /// Joins what the main database says of pushes with what the registry says of copies. They are two databases and two
    /// moments, so a push right between them counts as missing: the safe side.
    package init(of facts: ProjectFacts, _ registry: ProjectRegistryFacts, namedBy: String) {
        let recent = Dictionary(facts.recent.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var found = registry.lacking.map { row in
            Project(
                id: row.project, path: recent[row.project]?.path, pushedAt: recent[row.project]?.pushedAt,
                syncedAt: row.syncedAt, reason: row.isSynced ? .notVerified : .notSynced)
        }
        let lacking = Set(registry.lacking.map(\.project))
        let synced = Dictionary(
            registry.latest.map { ($0.project, $0.syncedAt) }, uniquingKeysWith: { first, _ in first })
        // Whoever is not listed was synchronised before the last that is.
        let horizon = registry.latest.compactMap(\.syncedAt).min()
        for project in facts.recent where !lacking.contains(project.id) {
            func add(_ reason: Reason, _ syncedAt: Timestamp?) {
                found.append(
                    Project(
                        id: project.id, path: project.path, pushedAt: project.pushedAt, syncedAt: syncedAt,
                        reason: reason))
            }
            switch synced[project.id] {
            case .some(let syncedAt):
                if syncedAt.map({ project.pushedAt > $0 }) ?? true { add(.pushedSince, syncedAt) }
            case nil where registry.isWhole && registry.lackingCount == registry.lacking.count:
                add(.notRegistered, nil)
            case nil:
                if let horizon, project.pushedAt > horizon { add(.pushedSince, nil) }
            }
        }
        self.projects = found.sorted { left, right in
            switch (left.pushedAt, right.pushedAt) {
            case (let one?, let other?) where one != other: one > other
            case (_?, nil): true
            case (nil, _?): false
            default: left.id < right.id
            }
        }
        self.unlisted = registry.lackingCount - registry.lacking.count
        self.namedBy = namedBy
    }
}
