/// A part of every day, in UTC, in which a database may begin to be copied; it may go over midnight.
package struct CopyWindow: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Minutes since midnight.
    package let start: Int
    package let end: Int

    /// `22:00-05:00`; `nil` for anything else, and for a window of no length.
    package init?(_ text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map(Self.minute)
        guard ends.count == 2, let start = ends[0], let end = ends[1], start != end else { return nil }
        self.start = start
        self.end = end
    }

    package func contains(_ moment: Timestamp) -> Bool {
        let minute = Self.second(moment) / 60
        return start < end ? (start..<end).contains(minute) : minute >= start || minute < end
    }

    /// 0 for a moment within it.
    package func secondsUntilOpen(_ moment: Timestamp) -> Double {
        contains(moment) ? 0 : Double((start * 60 - Self.second(moment) + 86_400) % 86_400)
    }

    package var description: String { "from \(Self.text(start)) to \(Self.text(end)) UTC" }

    private static func second(_ moment: Timestamp) -> Int {
        let day = 86_400
        return ((Int(moment.milliseconds) / 1000) % day + day) % day
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
            let minute = Int(parts[1]), (0..<24).contains(hour), (0..<60).contains(minute)
        else { return nil }
        return hour * 60 + minute
    }

    private static func text(_ minute: Int) -> String {
        let two = { (number: Int) in (number < 10 ? "0" : "") + "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }
}

/// How much a secondary may fetch and verify at once while it fills up; `nil`: as GitLab has it (REST API, Geo sites).
package struct BackfillCapacity: Hashable, Sendable, Codable {
    package var repositories: Int?
    package var files: Int?
    package var containerRepositories: Int?
    package var verification: Int?
    package init(
        repositories: Int? = nil, files: Int? = nil, containerRepositories: Int? = nil, verification: Int? = nil
    ) {
        self.repositories = repositories
        self.files = files
        self.containerRepositories = containerRepositories
        self.verification = verification
    }

    /// By the names of GitLab's columns, in their order.
    package var settings: [(name: String, value: Int)] {
        let all = [
            ("files_max_capacity", files), ("repos_max_capacity", repositories),
            ("container_repositories_max_capacity", containerRepositories),
            ("verification_max_capacity", verification),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
