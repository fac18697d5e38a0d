/// What PostgreSQL on one node says of itself beyond its role: what a promotion, or a site that grows behind it, needs.
package struct ServerFacts: Sendable, Hashable, Codable {
    /// `pg_settings` by name, in the units of that view; only those that ``DatabaseQuery/server`` asks for.
    package var settings: [String: String]
    /// Settings that were changed and count only after a restart.
    package var pendingRestart: [String]
    /// Size of `gitlabhq_production`.
    package var databaseBytes: Int
    /// `datcollate` and `datctype`.
    package var locale: String
    /// The version of the C library's collations when the database was made; `nil` before PostgreSQL 15 and for the C locale.
    package var collationVersion: String?
    /// The oldest first, at most three; sessions of programs, not PostgreSQL's own.
    package var transactions: [OpenTransaction]
    /// Transactions prepared for two-phase commit: they outlive every session, and a restart.
    package var preparedTransactions: Int
    /// WAL written lately; `nil` on a standby.
    package var writing: WALWriting?

    package init(
        settings: [String: String], pendingRestart: [String] = [], databaseBytes: Int, locale: String,
        collationVersion: String? = nil, transactions: [OpenTransaction] = [], preparedTransactions: Int = 0,
        writing: WALWriting? = nil
    ) {
        self.settings = settings
        self.pendingRestart = pendingRestart
        self.databaseBytes = databaseBytes
        self.locale = locale
        self.collationVersion = collationVersion
        self.transactions = transactions
        self.preparedTransactions = preparedTransactions
        self.writing = writing
    }

    /// A setting as a number; `nil` when it was not told or is none.
    package func number(_ setting: String) -> Int? { settings[setting].flatMap { Int($0) } }

    package struct OpenTransaction: Sendable, Hashable, Codable {
        package var seconds: Double
        package var user: String
        package var application: String
        package var state: String
        package init(seconds: Double, user: String, application: String, state: String) {
            self.seconds = seconds
            self.user = user
            self.application = application
            self.state = state
        }
    }

    /// How fast WAL is made: bytes of the segments that are kept, and the time in which they were written.
    package struct WALWriting: Sendable, Hashable, Codable {
        package var bytes: Int
        package var seconds: Double
        package init(bytes: Int, seconds: Double) {
            self.bytes = bytes
            self.seconds = seconds
        }

        /// `nil` when too little was written, or in too short a time, to tell.
        package var bytesPerSecond: Double? { bytes > 0 && seconds >= 60 ? Double(bytes) / seconds : nil }
    }
}

/// What GitLab's own tables in the main database say of things that Geo does not count.
package struct ApplicationFacts: Sendable, Hashable, Codable {
    /// Batched background migrations that are neither finished nor finalized, as `Job on table`; at most ten.
    package var unfinishedMigrations: [String]
    package var unfinishedMigrationCount: Int
    /// Newest migration of the main database.
    package var schemaVersion: String?
    /// By data type, whether the site has any item of it, whoever counts them; only types whose table exists.
    package var hasItems: [String: Bool]
    /// Of each Geo site by name.
    package var sites: [String: SiteRow]

    package init(
        unfinishedMigrations: [String] = [], unfinishedMigrationCount: Int = 0, schemaVersion: String? = nil,
        hasItems: [String: Bool] = [:], sites: [String: SiteRow] = [:]
    ) {
        self.unfinishedMigrations = unfinishedMigrations
        self.unfinishedMigrationCount = unfinishedMigrationCount
        self.schemaVersion = schemaVersion
        self.hasItems = hasItems
        self.sites = sites
    }

    package struct SiteRow: Sendable, Hashable, Codable {
        /// `nil` in what an earlier version saved.
        package var url: String?
        /// Whether the OAuth application is there that `geo_nodes` names, with which users of a secondary sign in.
        package var hasOAuthApplication: Bool
        /// Where that application sends users back to, one URL a line.
        package var redirect: String?
        /// Digest of the site's Gitaly storages, as the site reported it; `nil` when it never did.
        package var storageDigest: String?
        package init(url: String, hasOAuthApplication: Bool, redirect: String? = nil, storageDigest: String? = nil) {
            self.url = url
            self.hasOAuthApplication = hasOAuthApplication
            self.redirect = redirect
            self.storageDigest = storageDigest
        }
    }
}

/// What the registries say of items that are not where they should be.
package struct RegistryDetails: Sendable, Hashable, Codable {
    /// By GitLab's plural name of the data type.
    package var types: [String: Waiting]
    /// Newest migration of the tracking database.
    package var schemaVersion: String?
    package init(types: [String: Waiting], schemaVersion: String? = nil) {
        self.types = types
        self.schemaVersion = schemaVersion
    }

    package struct Waiting: Sendable, Hashable, Codable {
        /// Rows that nobody has tried to synchronise yet.
        package var neverTried: Int
        /// Of the oldest row that is not synchronised; `nil` when all are, or the table has no time.
        package var oldestSeconds: Double?
        /// Most attempts that one failed row took.
        package var retries: Int
        package var syncFailures: [Reason]
        package var verificationFailures: [Reason]
        /// Rows beyond the first of an item; `nil` where the table is too large to compare, or names no item.
        package var duplicates: Int?
        package init(
            neverTried: Int = 0, oldestSeconds: Double? = nil, retries: Int = 0, syncFailures: [Reason] = [],
            verificationFailures: [Reason] = [], duplicates: Int? = 0
        ) {
            self.duplicates = duplicates
            self.neverTried = neverTried
            self.oldestSeconds = oldestSeconds
            self.retries = retries
            self.syncFailures = syncFailures
            self.verificationFailures = verificationFailures
        }
    }

    /// The most frequent texts of failures.
    package struct Reason: Sendable, Hashable, Codable {
        package var text: String
        package var count: Int
        package init(text: String, count: Int) {
            self.text = text
            self.count = count
        }
    }
}
