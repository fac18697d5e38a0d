/// What GitLab's own rows say of things that Geo takes for granted; on a secondary as of its replay position.
package struct SettingFacts: Sendable, Hashable, Codable {
    /// Whether `licenses` has a row. What it allows, and until when, is encrypted.
    package var hasLicense: Bool
    /// `hashed_storage_enabled`; `nil` where the release has no such column, and no other storage for new projects.
    package var hashesNewProjects: Bool?
    /// Projects whose `storage_version` is below 2, at most ``countedAtMost``; 0 where the release has no such column.
    /// `nil`: the table is larger than is read through for this.
    package var legacyProjects: Int?
    /// `authorized_keys_enabled`: users' keys are written to a file, which nothing copies to another site.
    package var writesAuthorizedKeys: Bool
    /// `enabled_git_access_protocol`: `ssh` or `http`; `nil` or empty for both.
    package var gitAccess: String?
    /// The newest versions in `schema_migrations`, at most ``countedAtMost``, ascending.
    package var migrations: [String]

    package init(
        hasLicense: Bool, hashesNewProjects: Bool?, legacyProjects: Int?, writesAuthorizedKeys: Bool,
        gitAccess: String?, migrations: [String]
    ) {
        self.hasLicense = hasLicense
        self.hashesNewProjects = hashesNewProjects
        self.legacyProjects = legacyProjects
        self.writesAuthorizedKeys = writesAuthorizedKeys
        self.gitAccess = gitAccess
        self.migrations = migrations
    }

    package static let countedAtMost = 500
}

/// One line of `pg_hba.conf` that is about replication over the network, in the file's order.
package struct AccessRule: Sendable, Hashable, Codable {
    /// An address, a name, `.suffix`, `all`, `samehost` or `samenet`.
    package var address: String?
    /// `nil` where ``address`` is no number.
    package var mask: String?
    package var users: [String]
    package var method: String
    /// Why PostgreSQL cannot use the line, in its own words; the rest of it is not known then.
    package var error: String?

    package init(address: String?, mask: String?, users: [String], method: String, error: String? = nil) {
        self.address = address
        self.mask = mask
        self.users = users
        self.method = method
        self.error = error
    }
}
