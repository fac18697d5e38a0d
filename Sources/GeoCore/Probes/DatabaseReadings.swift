/// Facts from the JSON that ``DatabaseQueries`` ask for, whether psql or libpq brought it.
package enum DatabaseReadings {
    package static func replication(_ json: some Collection<UInt8>) throws(Unreadable) -> DatabaseFacts {
        let object = try JSONMembers(json, of: "PostgreSQL's role")
        let primary = try object.members("primary")
        let standby = try object.members("standby")
        let role: DatabaseFacts.Role
        let timeline: Int
        switch (primary, standby) {
        case (let primary?, nil):
            role = .primary(state: try primaryState(primary))
            timeline = try primary.timelineOfFile("wal_file")
        case (nil, let standby?):
            role = .standby(state: try standbyState(standby))
            // Being streamed from another timeline shows here before the next restartpoint records it.
            let received = try standby.members("receiver").map { (receiver) throws(Unreadable) in
                try receiver.optionalInteger("timeline")
            }
            timeline = max(
                try object.integer("control_timeline"), try object.integer("recovery_timeline"), (received ?? nil) ?? 0)
        case (nil, nil), (_?, _?):
            throw Unreadable("PostgreSQL changed its role while it was asked")
        }
        let identifier = try object.string("system_identifier")
        guard !identifier.isEmpty, identifier.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw .unexpected("not a system identifier", identifier.utf8)
        }
        return DatabaseFacts(
            systemIdentifier: identifier, timeline: timeline, serverVersion: try object.integer("server_version"),
            role: role)
    }

    private static func primaryState(_ primary: JSONMembers) throws(Unreadable) -> DatabaseFacts.Primary {
        var senders: [DatabaseFacts.Sender] = []
        for sender in try primary.items("senders") {
            guard let state = try sender.optionalString("state") else { throw mayNotSee("pg_stat_replication") }
            senders.append(
                .init(
                    applicationName: try sender.string("application_name"),
                    clientAddress: try sender.optionalString("client_address"), state: state,
                    replayed: try sender.optionalPosition("replayed")))
        }
        var slots: [DatabaseFacts.Slot] = []
        for slot in try primary.items("slots") {
            slots.append(
                .init(
                    name: try slot.string("name"), isActive: try slot.bool("active"),
                    retainedBytes: try slot.optionalInteger("retained_bytes"),
                    walStatus: try slot.optionalString("wal_status")))
        }
        guard let current = try primary.optionalPosition("current") else { throw Unreadable("no current WAL position") }
        return .init(current: current, senders: senders, slots: slots)
    }

    private static func standbyState(_ standby: JSONMembers) throws(Unreadable) -> DatabaseFacts.Standby {
        guard let replayed = try standby.optionalPosition("replayed") else {
            throw Unreadable("the standby has not replayed anything yet")
        }
        var receiver: DatabaseFacts.Receiver?
        if let row = try standby.members("receiver") {
            guard let status = try row.optionalString("status") else { throw mayNotSee("pg_stat_wal_receiver") }
            receiver = .init(
                status: status, slotName: try row.optionalString("slot_name"),
                senderHost: try row.optionalString("sender_host"), latestEnd: try row.optionalPosition("latest_end"),
                secondsSinceMessage: try row.optionalNumber("seconds_since_message"))
        }
        return .init(
            received: try standby.optionalPosition("received"), replayed: replayed,
            isReplayPaused: try standby.bool("paused"), receiver: receiver,
            secondsSinceLastReplay: try standby.optionalNumber("seconds_since_replay"))
    }

    private static func mayNotSee(_ view: String) -> Unreadable {
        Unreadable("the database account may not read \(view): grant it pg_monitor")
    }

    package static func geo(_ json: some Collection<UInt8>) throws(Unreadable) -> GeoFacts {
        let object = try JSONMembers(json, of: "Geo's tables")
        var nodes: [GeoNodeRow] = []
        for row in try object.items("nodes") {
            nodes.append(
                GeoNodeRow(
                    name: try row.string("name"), url: try row.string("url"), isPrimary: try row.bool("primary"),
                    isEnabled: try row.bool("enabled"), selectiveSync: try selectiveSync(row),
                    syncsObjectStorage: try row.bool("syncs_object_storage"),
                    status: try row.members("status").map { (status) throws(Unreadable) in try geoStatus(status) }))
        }
        guard let uncounted = try object.members("uncounted") else { throw Unreadable("Geo's tables were not counted") }
        var counts: [String: Int] = [:]
        for type in uncounted.values.keys { counts[type] = try uncounted.integer(type) }
        return GeoFacts(
            nodes: nodes, isInMaintenanceMode: try object.bool("maintenance_mode"),
            isSilent: try isSilent(object), lastEventID: try object.optionalInteger("last_event_id"),
            uncounted: counts.isEmpty ? nil : counts)
    }

    private static func isSilent(_ object: JSONMembers) throws(Unreadable) -> Bool? {
        switch object.values["silent_mode"] {
        case nil, .null?: nil
        case .some: try object.bool("silent_mode")
        }
    }

    /// Older rows hold an empty string for "everything".
    private static func selectiveSync(_ row: JSONMembers) throws(Unreadable) -> String? {
        let kind = try row.optionalString("selective_sync")
        return kind == "" ? nil : kind
    }

    private static func geoStatus(_ status: JSONMembers) throws(Unreadable) -> GeoStatus {
        guard let age = try status.optionalNumber("age_seconds") else {
            throw Unreadable("a Geo status without a time")
        }
        var counts: [String: Int] = [:]
        for (key, value) in try status.members("counts")?.values ?? [:] {
            if case .integer(let count) = value { counts[key] = count }
        }
        let message = try status.optionalString("message")
        return GeoStatus(
            ageSeconds: age, message: message == "" ? nil : message, version: try status.optionalString("version"),
            counts: counts)
    }

    package static func tracking(_ json: some Collection<UInt8>) throws(Unreadable) -> TrackingFacts {
        let object = try JSONMembers(json, of: "the tracking database")
        guard let tables = try object.members("registries"), !tables.values.isEmpty else {
            throw Unreadable("the tracking database has no registry tables: its schema is not installed")
        }
        var registries: [String: RegistryCounts] = [:]
        for table in tables.values.keys.sorted() {
            guard let row = try tables.members(table) else { throw Unreadable("no counts for \(table)") }
            let dataType = TrackingFacts.dataType(ofTable: table)
            let counts = RegistryCounts(
                total: try row.integer("total"), synced: try row.integer("synced"), failed: try row.integer("failed"),
                verified: try row.integer("verified"),
                verificationFailed: try row.integer("verification_failed"),
                verificationDisabled: try row.integer("verification_disabled"))
            guard registries.updateValue(counts, forKey: dataType) == nil else {
                throw Unreadable("two registry tables hold \(dataType)")
            }
        }
        let unread = try object.strings("unread")
        return TrackingFacts(
            registries: registries, cursorEventID: try object.optionalInteger("cursor_event_id"),
            unread: unread.isEmpty ? nil : unread)
    }
}

/// The members of a JSON object, each read as exactly one type: null only where `optional` says so, a missing key never.
package struct JSONMembers: Sendable {
    package let values: [String: JSONValue]
    private let subject: String

    package init(_ json: some Collection<UInt8>, of subject: String) throws(Unreadable) {
        guard case .object(let values)? = JSONValue(json) else {
            throw .unexpected("\(subject) did not answer with a JSON object", json)
        }
        self.init(values, of: subject)
    }

    private init(_ values: [String: JSONValue], of subject: String) {
        self.values = values
        self.subject = subject
    }

    private func wrong(_ key: String) -> Unreadable {
        Unreadable("\(subject): \"\(key)\" is missing or of another type")
    }

    private func value(_ key: String) throws(Unreadable) -> JSONValue {
        guard let value = values[key] else { throw wrong(key) }
        return value
    }

    package func optionalString(_ key: String) throws(Unreadable) -> String? {
        switch try value(key) {
        case .null: nil
        case .string(let text): text
        default: throw wrong(key)
        }
    }

    package func string(_ key: String) throws(Unreadable) -> String {
        guard let text = try optionalString(key) else { throw wrong(key) }
        return text
    }

    package func optionalInteger(_ key: String) throws(Unreadable) -> Int? {
        switch try value(key) {
        case .null: nil
        case .integer(let number): number
        default: throw wrong(key)
        }
    }

    package func integer(_ key: String) throws(Unreadable) -> Int {
        guard let number = try optionalInteger(key) else { throw wrong(key) }
        return number
    }

    package func optionalNumber(_ key: String) throws(Unreadable) -> Double? {
        switch try value(key) {
        case .null: nil
        case .integer(let number): Double(number)
        case .number(let number): number
        default: throw wrong(key)
        }
    }

    package func bool(_ key: String) throws(Unreadable) -> Bool {
        guard case .bool(let answer) = try value(key) else { throw wrong(key) }
        return answer
    }

    package func optionalPosition(_ key: String) throws(Unreadable) -> LogPosition? {
        guard let text = try optionalString(key) else { return nil }
        guard let position = LogPosition(text) else { throw .unexpected("not a WAL position", text.utf8) }
        return position
    }

    package func members(_ key: String) throws(Unreadable) -> JSONMembers? {
        switch try value(key) {
        case .null: nil
        case .object(let values): JSONMembers(values, of: subject)
        default: throw wrong(key)
        }
    }

    package func items(_ key: String) throws(Unreadable) -> [JSONMembers] {
        guard case .array(let items) = try value(key) else { throw wrong(key) }
        var found: [JSONMembers] = []
        for item in items {
            guard case .object(let values) = item else { throw wrong(key) }
            found.append(JSONMembers(values, of: subject))
        }
        return found
    }

    /// The timeline in the name of a WAL file: its first eight hexadecimal digits of twenty-four.
    fileprivate func timelineOfFile(_ key: String) throws(Unreadable) -> Int {
        let name = try string(key)
        guard name.utf8.count == 24, let timeline = Int(name.prefix(8), radix: 16), timeline > 0 else {
            throw .unexpected("not the name of a WAL file", name.utf8)
        }
        return timeline
    }
}
