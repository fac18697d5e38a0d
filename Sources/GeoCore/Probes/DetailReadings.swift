/// Facts from the JSON of the queries beside replication and Geo's own tables.
package enum DetailReadings {
    package static func server(_ json: some Collection<UInt8>) throws(Unreadable) -> ServerFacts {
        let object = try JSONMembers(json, of: "PostgreSQL's settings")
        guard let rows = try object.members("settings") else { throw Unreadable("PostgreSQL told no settings") }
        var settings: [String: String] = [:]
        for name in rows.values.keys { settings[name] = try rows.string(name) }
        var transactions: [ServerFacts.OpenTransaction] = []
        for row in try object.items("transactions") {
            // Without pg_monitor the state of other roles' sessions is hidden, and so would be how old they are.
            guard let seconds = try row.optionalNumber("seconds"), let state = try row.optionalString("state") else {
                throw Unreadable("the database account may not read pg_stat_activity: grant it pg_monitor")
            }
            transactions.append(
                .init(
                    seconds: seconds, user: try row.optionalString("user") ?? "",
                    application: try row.optionalString("application") ?? "", state: state))
        }
        let bytes = try object.integer("database_bytes")
        guard bytes > 0 else { throw Unreadable("a database of \(bytes) bytes") }
        return ServerFacts(
            settings: settings, pendingRestart: try object.strings("pending_restart"), databaseBytes: bytes,
            locale: try object.string("locale"), collationVersion: try object.optionalString("collation_version"),
            transactions: transactions, preparedTransactions: try object.integer("prepared"),
            writing: try object.members("writing").map { (row) throws(Unreadable) in
                ServerFacts.WALWriting(
                    bytes: try row.integer("bytes"), seconds: try row.optionalNumber("seconds") ?? 0)
            })
    }

    package static func application(_ json: some Collection<UInt8>) throws(Unreadable) -> ApplicationFacts {
        let object = try JSONMembers(json, of: "GitLab's tables")
        guard let items = try object.members("has_items"), let rows = try object.members("sites") else {
            throw Unreadable("GitLab's tables told nothing")
        }
        var hasItems: [String: Bool] = [:]
        for type in items.values.keys { hasItems[type] = try items.bool(type) }
        var sites: [String: ApplicationFacts.SiteRow] = [:]
        for name in rows.values.keys {
            guard let row = try rows.members(name) else { throw Unreadable("no row for the Geo site \(name)") }
            sites[name] = .init(
                url: try row.string("url"), hasOAuthApplication: try row.bool("has_application"),
                redirect: try row.optionalString("redirect"),
                storageDigest: try row.optionalString("storage_digest"))
        }
        let count = try object.integer("migration_count")
        let names = try object.strings("migrations")
        guard count >= 0, (count == 0) == names.isEmpty else { throw Unreadable("background migrations: miscounted") }
        return ApplicationFacts(
            unfinishedMigrations: names, unfinishedMigrationCount: count,
            schemaVersion: try object.optionalString("schema_version"), hasItems: hasItems, sites: sites)
    }

    package static func projects(_ json: some Collection<UInt8>) throws(Unreadable) -> ProjectFacts {
        let object = try JSONMembers(json, of: "projects")
        var recent: [ProjectFacts.Project] = []
        for row in try object.items("recent") {
            guard let at = try row.moment("pushed_at") else { throw Unreadable("a project without a time") }
            recent.append(.init(id: try row.integer("id"), path: try row.string("path"), pushedAt: at))
        }
        return ProjectFacts(recent: recent)
    }

    package static func registries(_ json: some Collection<UInt8>) throws(Unreadable) -> RegistryDetails {
        let object = try JSONMembers(json, of: "the tracking database")
        guard let tables = try object.members("types"), !tables.values.isEmpty else {
            throw Unreadable("the tracking database has no registry tables: its schema is not installed")
        }
        var types: [String: RegistryDetails.Waiting] = [:]
        for table in tables.values.keys.sorted() {
            guard let row = try tables.members(table) else { throw Unreadable("nothing about \(table)") }
            types[TrackingFacts.dataType(ofTable: table)] = .init(
                neverTried: try row.integer("never_tried"), oldestSeconds: try row.optionalNumber("oldest_seconds"),
                retries: try row.integer("retries"), syncFailures: try reasons(row, "sync_failures"),
                verificationFailures: try reasons(row, "verification_failures"),
                duplicates: try row.optionalInteger("duplicates"))
        }
        return RegistryDetails(types: types, schemaVersion: try object.optionalString("schema_version"))
    }

    private static func reasons(_ row: JSONMembers, _ key: String) throws(Unreadable) -> [RegistryDetails.Reason] {
        var found: [RegistryDetails.Reason] = []
        for item in try row.items(key) {
            found.append(.init(text: Excerpt.of(try item.string("text").utf8), count: try item.integer("count")))
        }
        return found
    }

    package static func projectRegistry(_ json: some Collection<UInt8>) throws(Unreadable) -> ProjectRegistryFacts {
        let object = try JSONMembers(json, of: "the registry of project repositories")
        let latest = try rows(object, "latest")
        let lacking = try rows(object, "lacking")
        guard let lackingCount = try object.optionalInteger("lacking_count") else {
            throw Unreadable("the tracking database has no registry of project repositories")
        }
        guard lackingCount >= lacking.count else {
            throw Unreadable("the registry of project repositories: miscounted")
        }
        return ProjectRegistryFacts(
            lacking: lacking.sorted(by: isLater), lackingCount: lackingCount, latest: latest.sorted(by: isLater),
            isWhole: try object.integer("synced_count") <= latest.count)
    }

    /// The answer brings the rows in no order.
    private static func isLater(_ one: ProjectRegistryFacts.Row, _ other: ProjectRegistryFacts.Row) -> Bool {
        switch (one.syncedAt, other.syncedAt) {
        case (let one?, let other?) where one != other: one > other
        case (_?, nil): true
        case (nil, _?): false
        default: one.project < other.project
        }
    }

    private static func rows(_ object: JSONMembers, _ key: String) throws(Unreadable) -> [ProjectRegistryFacts.Row] {
        var found: [ProjectRegistryFacts.Row] = []
        for row in try object.items(key) {
            found.append(
                .init(
                    project: try row.integer("project"), isSynced: try row.bool("synced"),
                    isVerified: try row.bool("verified"), syncedAt: try row.moment("synced_at")))
        }
        return found
    }
}

extension JSONMembers {
    func strings(_ key: String) throws(Unreadable) -> [String] {
        guard case .array(let items)? = values[key] else { throw Unreadable("\"\(key)\" is missing or no list") }
        var found: [String] = []
        for item in items {
            guard case .string(let text) = item else { throw Unreadable("\"\(key)\" holds something other than text") }
            found.append(text)
        }
        return found
    }

    /// Seconds since 1970; only times that a clock of this century could show.
    func moment(_ key: String) throws(Unreadable) -> Timestamp? {
        guard let seconds = try optionalNumber(key) else { return nil }
        guard seconds >= 0, seconds < 4_102_444_800 else { throw Unreadable("\"\(key)\" is no time: \(seconds)") }
        return Timestamp(milliseconds: Int64(seconds * 1000))
    }
}

extension ProbeReader {
    func readDetails(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .server:
            facts.server = fact { () throws(Unreadable) in try DetailReadings.server(json(of: .server, in: "sql-main"))
            }
        case .application:
            facts.application = fact { () throws(Unreadable) in
                try DetailReadings.application(json(of: .application, in: "sql-main"))
            }
        case .projects:
            facts.projects = fact { () throws(Unreadable) in
                try DetailReadings.projects(json(of: .projects, in: "sql-main"))
            }
        case .registryDetails:
            facts.registryDetails = fact { () throws(Unreadable) in
                try DetailReadings.registries(json(of: .registryDetails, in: "sql-tracking"))
            }
        case .projectRegistry:
            facts.projectRegistry = fact { () throws(Unreadable) in
                try DetailReadings.projectRegistry(json(of: .projectRegistry, in: "sql-tracking"))
            }
        default: break
        }
    }
}
