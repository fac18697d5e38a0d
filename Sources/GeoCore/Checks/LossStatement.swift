/// What a failover at the time of the observation would lose, as far as it can be known. Unknown is never written as 0.
package struct LossStatement: Sendable, Hashable, Codable {
    /// Items of one data type, as the candidate's registry and the primary's count show them.
    package struct Items: Sendable, Hashable, Codable {
        package var dataType: String
        /// With a registry row that is not synchronised.
        package var notSynced: Int
        /// On the primary without a registry row; unknown when the primary's count is missing or stale.
        package var missing: Observed<Int>
        /// Synchronised, and not found equal by checksum.
        package var notVerified: Int
        package init(dataType: String, notSynced: Int, missing: Observed<Int>, notVerified: Int) {
            self.dataType = dataType
            self.notSynced = notSynced
            self.missing = missing
            self.notVerified = notVerified
        }
    }

    package var from: SiteID
    package var to: SiteID
    /// WAL that the primary has written and the candidate has not replayed.
    package var bytesNotReplayed: Observed<Int>
    /// How old the candidate's last replayed transaction is while WAL is missing; 0 only when none is.
    package var secondsNotReplayed: Observed<Double>
    /// When the candidate's last replayed transaction was committed: known also when the primary is gone.
    package var lastReplayedAt: Observed<Timestamp>
    package var items: Observed<[Items]>
    /// Geo events that the log cursor has not processed.
    package var eventsBehind: Observed<Int>
    /// Which repositories the candidate lacks, by path.
    package var projects: Observed<ProjectLosses>
    /// What Geo was set not to copy to the candidate, in sentences; `nil` when nothing is left out, or nobody can tell.
    package var leftOut: [String]?
    /// What an earlier look at the primary adds where it does not answer now; `nil` when nothing is missing or kept.
    package var lastSeen: LastSeen?

    /// Whether every number is known and 0.
    package var isNothing: Bool {
        leftOut == nil && bytesNotReplayed.value == 0 && eventsBehind.value == 0
            && projects.value.map { $0.projects.isEmpty && $0.unlisted == 0 } == true
            && items.value.map { items in
                !items.isEmpty && items.allSatisfy { $0.notSynced == 0 && $0.missing.value == 0 && $0.notVerified == 0 }
            } == true
    }

    /// Whether it is more than was told before: a number that grew, or log that could be counted then and cannot be now.
    ///
    /// Numbers that only the primary gives and that went with it are no growth: the statement says that they are not known.
    /// Nor is what the candidate finds out later of a primary that did not answer when it was told.
    package func exceeds(_ told: LossStatement) -> Bool {
        guard told.bytesNotReplayed.value != nil else { return false }
        func grew(_ now: Int?, _ then: Int?) -> Bool { now.map { now in then.map { now > $0 } ?? false } ?? false }
        if bytesNotReplayed.value == nil { return true }
        return grew(bytesNotReplayed.value, told.bytesNotReplayed.value)
            || grew(eventsBehind.value, told.eventsBehind.value)
            || grew(itemCount, told.itemCount) || grew(projectCount, told.projectCount)
            || leftOut != told.leftOut && leftOut != nil
    }

    /// Of all types, as far as they are counted.
    private var itemCount: Int? {
        items.value.map { $0.reduce(0) { $0 + $1.notSynced + ($1.missing.value ?? 0) } }
    }

    private var projectCount: Int? { projects.value.map { $0.projects.count + $0.unlisted } }

    /// The whole in a few sentences, for the question that acknowledges it.
    package var sentence: String {
        if isNothing { return "Nothing is lost, by every number there is." }
        let parts = self.parts
        let known = parts.isEmpty ? "" : "As far as can be seen this loses \(parts.joined(separator: ", ")). "
        let count = gaps.count
        return known + (count == 0 ? "" : "\(count) of the numbers \(count == 1 ? "is" : "are") not known: \(gaps[0]).")
    }

    /// What is known to be lost, each a noun.
    package var parts: [String] {
        var lost: [String] = []
        if let bytes = bytesNotReplayed.value, bytes > 0 { lost.append("\(Quantity.bytes(bytes)) of WAL") }
        if let moment = lastReplayedAt.value, bytesNotReplayed.value != 0 {
            lost.append("what was committed after \(moment.toSeconds) UTC")
        }
        if let items = itemCount, items > 0 { lost.append(items == 1 ? "1 item" : "\(items) items") }
        if let events = eventsBehind.value, events > 0 { lost.append(events == 1 ? "1 event" : "\(events) events") }
        if let count = projectCount, count > 0 {
            lost.append(count == 1 ? "1 project's pushes" : "pushes to \(count) projects")
        }
        lost += leftOut ?? []
        if let seen = lastSeen?.bytes, bytesNotReplayed.value == nil {
            lost.append(
                "at least \(Quantity.bytes(seen.value)) of WAL that \(seen.from) had at \(seen.at.toSeconds) UTC")
        }
        return lost
    }

    /// What is not known, and why; in the order of the statement.
    package var gaps: [String] {
        var gaps: [String] = []
        if let reason = bytesNotReplayed.reason { gaps.append("WAL not replayed: \(reason)") }
        if let reason = secondsNotReplayed.reason { gaps.append("seconds not replayed: \(reason)") }
        if let reason = items.reason { gaps.append("items not synchronised: \(reason)") }
        for item in items.value ?? [] {
            if let reason = item.missing.reason { gaps.append("\(item.dataType) without a registry row: \(reason)") }
        }
        if let reason = eventsBehind.reason { gaps.append("events not processed: \(reason)") }
        if let reason = projects.reason { gaps.append("projects: \(reason)") }
        return gaps
    }

    /// Judged like a check, with the same ages: a fact or a status row that is too old is not known. What was kept of
    /// the primary never fills such a gap; it stands beside it, in ``lastSeen``.
    package init(
        inventory: Inventory, from: SiteID, to: SiteID, observation: Observation, lastKnown: LastKnown? = nil,
        factAgeSeconds: Int = 300, statusAgeSeconds: Int = 600
    ) {
        let context = CheckContext(
            inventory: inventory, subject: .failover(from: from, to: to),
            limits: Limits(["fact_age": factAgeSeconds, "status_age": statusAgeSeconds]), from: from, to: to)
        self.from = from
        self.to = to
        guard let pair = context.pair else {
            self.bytesNotReplayed = .unknown(reason: "\(from) or \(to) is not in the inventory")
            self.secondsNotReplayed = .unknown(reason: "\(from) or \(to) is not in the inventory")
            self.lastReplayedAt = .unknown(reason: "\(from) or \(to) is not in the inventory")
            self.items = .unknown(reason: "\(from) or \(to) is not in the inventory")
            self.eventsBehind = .unknown(reason: "\(from) or \(to) is not in the inventory")
            self.projects = .unknown(reason: "\(from) or \(to) is not in the inventory")
            return
        }
        let assessment = LossAssessment(pair: pair, context: context, observation: observation)
        self.bytesNotReplayed = assessment.bytes()
        self.lastReplayedAt = assessment.lastReplayed()
        self.secondsNotReplayed = assessment.seconds(bytes: bytesNotReplayed)
        self.items = assessment.items()
        self.eventsBehind = assessment.events()
        self.projects = assessment.projects()
        self.leftOut = assessment.leftOut()
        if let primary = lastKnown?.primaries[from] {
            self.lastSeen = LastSeenAssessment(
                pair: pair, context: context, observation: observation, primary: primary
            ).lastSeen(beside: self)
        }
    }

    /// What has to be asked of whom.
    package static func scope(from: Site, to: Site) -> ObservationScope {
        var scope = ObservationScope()
        scope.ask([.database, .geo, .controlData, .projects], of: from.databaseNodes)
        scope.ask([.database, .geo, .projects], of: to.databaseNodes)
        scope.ask([.tracking, .projectRegistry], of: to.nodes)
        return scope
    }
}

/// The look behind a loss statement. Each answer starts afresh, so that its reasons are its own.
private struct LossAssessment {
    var pair: SitePair
    var context: CheckContext
    var observation: Observation

    private func answer<Value>(_ find: (inout Examination) -> (Value, at: Timestamp, from: Node)?) -> Observed<Value> {
        var examination = Examination("loss-statement", context, observation)
        if let (value, at, node) = find(&examination), examination.remarks.allSatisfy({ $0.verdict == .warn }) {
            return .known(value: value, at: at, from: node.id.rawValue)
        }
        let reasons = examination.remarks.filter { $0.verdict > .warn }.map(\.sentence)
        return .unknown(reason: reasons.isEmpty ? "was not told" : reasons.joined(separator: "; "))
    }

    func bytes() -> Observed<Int> {
        answer { examination in
            let standby = examination.standbyState(of: pair.to)
            // A primary that was shut down cleanly ends at its shutdown checkpoint, which says as much as a live one.
            if let (control, _) = stoppedLeader() {
                guard let standby, control.systemIdentifier == standby.database.facts.systemIdentifier else {
                    return nil
                }
                let missing = standby.state.replayed.distance(to: control.latestCheckpoint)
                return (missing, standby.database.at, standby.database.node)
            }
            let primary = examination.primaryState(of: pair.from)
            guard let primary, let standby, examination.requireOneLineage(standby, primary) else { return nil }
            let missing = standby.state.replayed.distance(to: primary.state.current)
            return (missing, standby.database.at, standby.database.node)
        }
    }

    private func stoppedLeader() -> (ControlData, Node)? {
        guard pair.from.databaseNodes.count == 1, let node = pair.from.databaseNodes.first else { return nil }
        var examination = Examination("loss-statement", context, observation)
        guard let control = examination.read(\.controlData, "control data", of: node, as: \.evidenceText),
            control.isCleanShutdown
        else { return nil }
        return (control, node)
    }

    func lastReplayed() -> Observed<Timestamp> {
        answer { examination in
            guard let standby = examination.standbyState(of: pair.to) else { return nil }
            guard let age = standby.state.secondsSinceLastReplay else {
                examination.unknown("\(pair.to.id) has not replayed a transaction since it started", remedy: "")
                return nil
            }
            return (standby.database.at.adding(seconds: -age), standby.database.at, standby.database.node)
        }
    }

    func seconds(bytes: Observed<Int>) -> Observed<Double> {
        guard case .known(let missing, let at, let from) = bytes else {
            return .unknown(reason: bytes.reason ?? "WAL not replayed is not known")
        }
        if missing == 0 { return .known(value: 0, at: at, from: from) }
        let last = lastReplayed()
        guard case .known(let moment, let at, let from) = last else {
            return .unknown(reason: last.reason ?? "was not told")
        }
        return .known(value: at.seconds(since: moment), at: at, from: from)
    }

    func items() -> Observed<[LossStatement.Items]> {
        var reading = Examination("loss-statement", context, observation)
        let geo = reading.geo(of: pair.from)
        let status = geo.flatMap { reading.freshStatus(of: pair.from, in: $0) }
        let whyNoStatus = reading.remarks.map(\.sentence).joined(separator: "; ")
        return answer { examination in
            guard let tracking = examination.tracking(of: pair.to) else { return nil }
            guard !tracking.facts.registries.isEmpty else {
                examination.unknown("the tracking database of \(pair.to.id) has no registry table", remedy: "")
                return nil
            }
            // Where the candidate's own status does not tell which of two registries counts, both are listed.
            let candidate = geo.flatMap { reading.freshStatus(of: pair.to, in: $0) }
            let types = DataType.all(
                primary: status ?? GeoStatus(ageSeconds: 0),
                registries: RegistriesInForce(tracking.facts, status: candidate), uncounted: geo?.facts.uncounted)
            // With a fresh count an unused type is left out; without one, nobody knows what is unused.
            let items = types.filter { status == nil || !$0.isUnused }.map { type in
                Self.items(type, status == nil ? whyNoStatus : nil, tracking)
            }
            return (items, tracking.at, tracking.node)
        }
    }

    private static func items(_ type: DataType, _ whyNoStatus: String?, _ tracking: SiteTracking) -> LossStatement.Items
    {
        let registry =
            type.registry ?? RegistryCounts(total: 0, synced: 0, failed: 0, verified: 0, verificationFailed: 0)
        let missing: Observed<Int> =
            if let count = type.onPrimary {
                .known(value: max(0, count - registry.total), at: tracking.at, from: tracking.node.id.rawValue)
            } else {
                .unknown(reason: whyNoStatus ?? "the primary does not count them")
            }
        return LossStatement.Items(
            dataType: type.name, notSynced: max(0, registry.total - registry.synced), missing: missing,
            notVerified: max(0, registry.synced - registry.verified - registry.verificationDisabled))
    }

    /// With a number where the primary's last counts, in whichever copy of them is at hand, give one: a least, since a
    /// selection hides everything else from the candidate's own counts.
    func leftOut() -> [String]? {
        var examination = Examination("loss-statement", context, observation)
        guard let row = examination.settingsRow(of: pair) else { return nil }
        var sentences: [String] = []
        if let selection = row.selectiveSync, !selection.isEmpty {
            sentences.append(
                "everything outside the selected \(selection) of \(pair.to.id) (\(unregistered(&examination)))")
        }
        if !row.syncsObjectStorage {
            sentences.append("what is in object storage, unless its provider copies it (how much is not known)")
        }
        return sentences.isEmpty ? nil : sentences
    }

    private func unregistered(_ examination: inout Examination) -> String {
        guard let geo = examination.settingsSource(of: pair),
            let status = geo.facts.node(named: pair.from.geoNodeName)?.status,
            let tracking = examination.tracking(of: pair.to)
        else { return "how many items is not known" }
        let registries = RegistriesInForce(tracking.facts, status: nil)
        // A least: of two registries for one type nobody said which counts.
        let doubtful = Set(registries.undecided.flatMap { [$0, RegistriesInForce.successors[$0] ?? $0] })
        let types = DataType.all(primary: status, registries: registries, uncounted: geo.facts.uncounted)
        let count = types.filter { !doubtful.contains($0.name) }.reduce(0) {
            $0 + max(0, ($1.onPrimary ?? 0) - ($1.registry?.total ?? 0))
        }
        return "at least \(Quantity.count(count, "item")), by counts \(Quantity.seconds(status.ageSeconds)) old"
    }

    func events() -> Observed<Int> {
        answer { examination in
            let geo = examination.geo(of: pair.from)
            let tracking = examination.tracking(of: pair.to)
            guard let geo, let tracking else { return nil }
            guard let last = geo.facts.lastEventID else {
                examination.unknown("the event log of \(pair.from.id) is empty", remedy: "")
                return nil
            }
            return (max(0, last - (tracking.facts.cursorEventID ?? 0)), tracking.at, tracking.node)
        }
    }

    /// Named by the primary where it answers, since the replica knows no push that it has not replayed.
    func projects() -> Observed<ProjectLosses> {
        answer { examination in
            guard let node = pair.to.nodes(running: .trackingDB).first else {
                examination.unknown("\(pair.to.id) has no node with the component tracking-db", remedy: "")
                return nil
            }
            let rows = examination.readRows(\.projectRegistry, "registry of projects", of: node) { registry in
                "\(registry.lackingCount) lack something"
            }
            guard let rows, let (source, facts) = named(&examination) else { return nil }
            let at = observation[node.id].projectRegistry.at ?? observation.endedAt
            return (ProjectLosses(of: facts, rows, namedBy: source.id.rawValue), at, node)
        }
    }

    private func named(_ examination: inout Examination) -> (Node, ProjectFacts)? {
        for node in pair.from.databaseNodes {
            var trial = Examination("loss-statement", context, observation)
            if let facts = trial.readRows(\.projects, "projects", of: node, as: { "\($0.recent.count)" }) {
                return (node, facts)
            }
        }
        guard let node = pair.to.databaseNodes.first else { return nil }
        return examination.readRows(\.projects, "projects", of: node, as: { "\($0.recent.count)" }).map { (node, $0) }
    }
}
