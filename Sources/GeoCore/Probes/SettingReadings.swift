/// Readers of what Geo takes for granted: rows of GitLab, lines of PostgreSQL, files of the package, sshd's settings.
package enum SettingReadings {
    package static func settings(_ json: some Collection<UInt8>) throws(Unreadable) -> SettingFacts {
        let object = try JSONMembers(json, of: "GitLab's settings")
        let migrations = try object.strings("migrations")
        guard migrations.allSatisfy(isVersion) else { throw Unreadable("schema_migrations holds what is no version") }
        let legacy = try object.optionalInteger("legacy_projects")
        guard legacy ?? 0 >= 0 else { throw Unreadable("projects: miscounted") }
        return SettingFacts(
            hasLicense: try object.bool("has_license"), hashesNewProjects: try optionalBool(object),
            legacyProjects: try object.bool("has_storage_version") ? legacy : 0,
            writesAuthorizedKeys: try object.bool("writes_authorized_keys"),
            gitAccess: try object.optionalString("git_access"), migrations: migrations)
    }

    private static func optionalBool(_ object: JSONMembers) throws(Unreadable) -> Bool? {
        if case .null? = object.values["hashes_new_projects"] { return nil }
        return try object.bool("hashes_new_projects")
    }

    /// Fourteen digits: the time of a migration.
    private static func isVersion(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 14 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    package static func accessRules(_ json: some Collection<UInt8>) throws(Unreadable) -> [AccessRule] {
        let object = try JSONMembers(json, of: "pg_hba.conf")
        var rules: [AccessRule] = []
        for row in try object.items("rules") {
            rules.append(
                AccessRule(
                    address: try row.optionalString("address"), mask: try row.optionalString("mask"),
                    users: try row.strings("users"), method: try row.string("method"),
                    error: try row.optionalString("error").map { Excerpt.of($0.utf8) }))
        }
        return rules
    }

    /// Names of files in `db/schema_migrations`, one a line, ascending.
    package static func schemaFiles(_ frame: ProbeFrame) throws(Unreadable) -> [String] {
        let names = try frame.text().nonemptyLines.map(\.trimmed)
        guard !names.isEmpty, names.allSatisfy(isVersion) else {
            throw .unexpected("GitLab's package shows no migrations", names.isEmpty ? frame.complaint : frame.output)
        }
        return names
    }

    /// A JSON object of digests by setting.
    package static func passwords(_ frame: ProbeFrame) throws(Unreadable) -> [String: String] {
        // What it printed instead is not repeated: it could be what it should not print.
        guard case .object(let members)? = JSONValue(try frame.text().utf8) else {
            throw Unreadable("the digests of passwords: the answer is no JSON object")
        }
        var digests: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let digest) = value, digest.utf8.count == 32, digest.allSatisfy(\.isHexDigit) else {
                throw Unreadable("the digests of passwords: no digest for \(Excerpt.of(name.utf8))")
            }
            digests[name] = digest
        }
        return digests
    }

    /// The line `authorizedkeyscommand` of `sshd -T`.
    package static func keyLookup(_ frame: ProbeFrame) throws(Unreadable) -> String {
        let start = "authorizedkeyscommand "
        guard let line = try frame.text().nonemptyLines.first(where: { $0.hasPrefix(start) }) else {
            throw .unexpected("sshd -T told no AuthorizedKeysCommand", frame.output)
        }
        return line.dropFirst(start.count).trimmed
    }
}

extension ProbeReader {
    func readSettings(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .settings:
            facts.settings = fact { () throws(Unreadable) in
                try SettingReadings.settings(json(of: .settings, in: "sql-main"))
            }
        case .accessRules:
            facts.accessRules = fact { () throws(Unreadable) in
                try SettingReadings.accessRules(json(of: .accessRules, in: "sql-main"))
            }
        case .baseBackups:
            facts.baseBackups = fact { () throws(Unreadable) in
                try BaseBackupReadings.copies(json(of: .baseBackups, in: "sql-main"))
            }
        case .rewindRights:
            facts.rewindRights = fact { () throws(Unreadable) in
                try RewindReadings.rights(json(of: .rewindRights, in: "sql-main"))
            }
        case .schemaFiles:
            facts.schemaFiles = fact { () throws(Unreadable) in
                try SettingReadings.schemaFiles(frame("schema-files"))
            }
        case .keyLookup:
            facts.keyLookup = fact { () throws(Unreadable) in try SettingReadings.keyLookup(frame("key-lookup")) }
        case .passwords:
            facts.passwords = fact { () throws(Unreadable) in try SettingReadings.passwords(frame("passwords")) }
        default: break
        }
    }
}
