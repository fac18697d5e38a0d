/// What the main database (`gitlabhq_production`) of one site says about Geo; on a secondary as of its replay position.
package struct GeoFacts: Sendable, Hashable, Codable {
    package var nodes: [GeoNodeRow]
    package var isInMaintenanceMode: Bool
    /// `silent_mode_enabled`; `nil` where the release has no such column, and in what an earlier version saved.
    package var isSilent: Bool?
    /// `max(id)` of `geo_event_log`; `nil` when the table is empty.
    package var lastEventID: Int?
    /// Items by data type of which the primary's status has no number, counted in this database: `designs` and
    /// `container_repositories` of older releases. `nil`: none.
    package var uncounted: [String: Int]?

    package init(
        nodes: [GeoNodeRow], isInMaintenanceMode: Bool, isSilent: Bool? = nil, lastEventID: Int?,
        uncounted: [String: Int]? = nil
    ) {
        self.nodes = nodes
        self.isInMaintenanceMode = isInMaintenanceMode
        self.isSilent = isSilent
        self.lastEventID = lastEventID
        self.uncounted = uncounted
    }

    package func node(named name: String) -> GeoNodeRow? { nodes.first { $0.name == name } }
    package var primaries: [GeoNodeRow] { nodes.filter(\.isPrimary) }
}

/// A row of `geo_nodes` with its row of `geo_node_statuses`.
package struct GeoNodeRow: Sendable, Hashable, Codable {
    package var name: String
    package var url: String
    package var isPrimary: Bool
    /// False while replication is paused.
    package var isEnabled: Bool
    /// `namespaces` or `shards`; `nil`: everything is synchronised.
    package var selectiveSync: String?
    package var syncsObjectStorage: Bool
    package var status: GeoStatus?
    package init(
        name: String, url: String, isPrimary: Bool, isEnabled: Bool = true, selectiveSync: String? = nil,
        syncsObjectStorage: Bool = false, status: GeoStatus? = nil
    ) {
        self.name = name
        self.url = url
        self.isPrimary = isPrimary
        self.isEnabled = isEnabled
        self.selectiveSync = selectiveSync
        self.syncsObjectStorage = syncsObjectStorage
        self.status = status
    }
}

/// A cached status row: true as of ``ageSeconds`` ago, written by a cron job every minute.
package struct GeoStatus: Sendable, Hashable, Codable {
    /// Seconds since `updated_at`, by the database's own clock.
    package var ageSeconds: Double
    package var message: String?
    package var version: String?
    /// The integers of the JSON column `status`, such as `project_repositories_count`.
    package var counts: [String: Int]
    package init(ageSeconds: Double, message: String? = nil, version: String? = nil, counts: [String: Int] = [:]) {
        self.ageSeconds = ageSeconds
        self.message = message
        self.version = version
        self.counts = counts
    }
}

/// What the tracking database of a secondary says.
package struct TrackingFacts: Sendable, Hashable, Codable {
    /// By GitLab's plural name of the data type, such as `project_repositories`; `repositories` and `wikis` are the two
    /// halves of `project_registry`, in which GitLab before 16.3 kept them.
    package var registries: [String: RegistryCounts]
    /// `max(event_id)` of `event_log_states`; `nil` when the table is empty.
    package var cursorEventID: Int?
    /// Registry tables of a form that nobody here can count, since they have no `state`. `nil`: none.
    package var unread: [String]?
    package init(registries: [String: RegistryCounts], cursorEventID: Int?, unread: [String]? = nil) {
        self.registries = registries
        self.cursorEventID = cursorEventID
        self.unread = unread
    }

    /// GitLab's plural name for a registry table: `file_registry` holds uploads, the others follow their names.
    package static func dataType(ofTable table: String) -> String {
        let singular = table.hasSuffix("_registry") ? String(table.dropLast("_registry".count)) : table
        if singular == "file" { return "uploads" }
        if singular.hasSuffix("y") { return String(singular.dropLast()) + "ies" }
        return singular.hasSuffix("s") ? singular : singular + "s"
    }
}

/// Rows of one registry table by state.
package struct RegistryCounts: Sendable, Hashable, Codable {
    package var total: Int
    package var synced: Int
    package var failed: Int
    /// Rows with `state` synced whose checksum was compared and is equal.
    package var verified: Int
    package var verificationFailed: Int
    /// Rows with verification switched off (`verification_state` 4).
    package var verificationDisabled: Int
    package init(
        total: Int, synced: Int, failed: Int, verified: Int, verificationFailed: Int, verificationDisabled: Int = 0
    ) {
        self.total = total
        self.synced = synced
        self.failed = failed
        self.verified = verified
        self.verificationFailed = verificationFailed
        self.verificationDisabled = verificationDisabled
    }
}
