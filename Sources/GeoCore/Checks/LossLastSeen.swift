/// What a statement adds from an earlier look at a primary that does not answer now. Kept apart from what is seen now:
/// each number is a least, since nobody knows what the primary did after that look.
extension LossStatement {
    /// A least, measured against what the primary said at `at`; `from` is the node that said it.
    package struct Seen<Value: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
        package var value: Value
        package var at: Timestamp
        package var from: String
        package init(value: Value, at: Timestamp, from: String) {
            self.value = value
            self.at = at
            self.from = from
        }
    }

    package struct LastSeen: Sendable, Hashable, Codable {
        /// WAL that the primary had written then and the candidate has not replayed now.
        package var bytes: Seen<Int>?
        /// Geo events that were written then and that the log cursor has not processed now.
        package var events: Seen<Int>?
        /// By data type: items that the primary had then and the candidate has no registry row for now.
        package var missing: [String: Seen<Int>]
        /// Repositories that were pushed to then and that the candidate lacks now.
        package var projects: Seen<ProjectLosses>?
        /// Why the earlier look says nothing of the database; `nil` when it does, or when nothing is kept.
        package var refusal: String?

        package init(
            bytes: Seen<Int>? = nil, events: Seen<Int>? = nil, missing: [String: Seen<Int>] = [:],
            projects: Seen<ProjectLosses>? = nil, refusal: String? = nil
        ) {
            self.bytes = bytes
            self.events = events
            self.missing = missing
            self.projects = projects
            self.refusal = refusal
        }

        var isEmpty: Bool {
            bytes == nil && events == nil && missing.isEmpty && projects == nil && refusal == nil
        }
    }
}

/// The look behind ``LossStatement/LastSeen``.
struct LastSeenAssessment {
    var pair: SitePair
    var context: CheckContext
    var observation: Observation
    var primary: LastKnown.Primary

    /// Only what the live statement does not know; `nil` when it knows everything, or nothing was kept of use.
    func lastSeen(beside live: LossStatement) -> LossStatement.LastSeen? {
        var found = LossStatement.LastSeen()
        let isNeeded =
            live.bytesNotReplayed.value == nil || live.eventsBehind.value == nil
            || live.items.value?.contains { $0.missing.value == nil } == true || isProjectsNeeded(live)
        guard isNeeded else { return nil }
        var examination = Examination("loss-statement", context, observation)
        // Without the candidate's own database nobody can tell that the earlier look was of its primary.
        guard let standby = examination.standbyState(of: pair.to) else { return nil }
        guard let seen = primary.database.value, let state = seen.primary else { return nil }
        guard seen.isOfTheSameHistory(as: standby.database.facts) else {
            found.refusal =
                "\(primary.node) was seen with system identifier \(seen.systemIdentifier) on timeline \(seen.timeline),"
                + " the candidate has \(standby.database.facts.systemIdentifier) on"
                + " \(standby.database.facts.timeline): what was seen is not of this database"
            return found
        }
        if live.bytesNotReplayed.value == nil {
            found.bytes = labelled(standby.state.replayed.distance(to: state.current), primary.database)
        }
        let tracking = examination.tracking(of: pair.to)
        if live.eventsBehind.value == nil, let tracking, let last = primary.geo.value?.lastEventID {
            found.events = labelled(max(0, last - (tracking.facts.cursorEventID ?? 0)), primary.geo)
        }
        if let tracking { found.missing = missing(tracking, beside: live) }
        if isProjectsNeeded(live) { found.projects = projects(&examination) }
        return found.isEmpty ? nil : found
    }

    private func labelled<Fact, Value>(_ value: Value, _ fact: Observed<Fact>) -> LossStatement.Seen<Value>? {
        fact.at.map { .init(value: value, at: $0, from: primary.node.rawValue) }
    }

    private func missing(_ tracking: SiteTracking, beside live: LossStatement) -> [String: LossStatement.Seen<Int>] {
        let unknown = (live.items.value ?? []).filter { $0.missing.value == nil }.map(\.dataType)
        guard let status = primary.geo.value?.node(named: pair.from.geoNodeName)?.status,
            (-60...Double(context.limit("status_age"))).contains(status.ageSeconds)
        else { return [:] }
        let types = DataType.all(
            primary: status, registries: RegistriesInForce(tracking.facts, status: nil),
            uncounted: primary.geo.value?.uncounted
        ).filter { unknown.contains($0.name) }
        return types.reduce(into: [:]) { found, type in
            guard let count = type.onPrimary else { return }
            found[type.name] = labelled(max(0, count - (type.registry?.total ?? 0)), primary.geo)
        }
    }

    /// The replica knows no push that it has not replayed, so its own names are not enough.
    private func isProjectsNeeded(_ live: LossStatement) -> Bool {
        guard let losses = live.projects.value else { return true }
        return !pair.from.databaseNodes.contains { $0.id.rawValue == losses.namedBy }
    }

    private func projects(_ examination: inout Examination) -> LossStatement.Seen<ProjectLosses>? {
        guard let facts = primary.projects.value, let node = pair.to.nodes(running: .trackingDB).first else {
            return nil
        }
        let rows = examination.readRows(\.projectRegistry, "registry of projects", of: node) { registry in
            "\(registry.lackingCount) lack something"
        }
        return rows.flatMap { labelled(ProjectLosses(of: facts, $0, namedBy: primary.node.rawValue), primary.projects) }
    }
}
