extension Diagnosis {
    /// Judges one look that asked for ``Inventory/watchScope``. Pure.
    package init(of inventory: Inventory, _ observation: Observation, factAgeSeconds: Int = 300) {
        self = Diagnostician(inventory: inventory, observation: observation, factAgeSeconds: factAgeSeconds).diagnosis()
    }
}

/// The reading behind a diagnosis. From what is certain to what is only likely.
struct Diagnostician {
    let inventory: Inventory
    let observation: Observation
    let factAgeSeconds: Int
    let writable: [Site]
    let primary: Site?

    init(inventory: Inventory, observation: Observation, factAgeSeconds: Int) {
        self.inventory = inventory
        self.observation = observation
        self.factAgeSeconds = factAgeSeconds
        func facts<Value>(_ fact: Observed<Value>) -> Value? {
            guard let at = fact.at, observation.endedAt.seconds(since: at) <= Double(factAgeSeconds) else { return nil }
            return fact.value
        }
        self.writable = inventory.sites.filter { site in
            site.databaseNodes.contains { facts(observation[$0.id].database)?.isInRecovery == false }
        }
        // What the standbys' own tables say, where they agree.
        let named = Set(
            inventory.nodes.flatMap { node in
                facts(observation[node.id].geo)?.primaries.map(\.name) ?? []
            })
        let byTables = inventory.sites.filter { named.contains($0.geoNodeName) }
        self.primary = writable.count == 1 ? writable[0] : byTables.count == 1 ? byTables[0] : nil
    }

    func diagnosis() -> Diagnosis {
        if writable.count > 1 { return twoWritableSites() }
        if let site = writable.first { return serving(site) }
        if let found = noWritableSite() { return found }
        guard let primary else {
            return Diagnosis(
                .unknown, primary: nil,
                reasons: ["no database was seen to be writable, and no standby could be asked which site is primary"]
                    + unreached(inventory.sites), at: observation.endedAt)
        }
        let sighting = sighting(of: primary)
        return sighting.nodes(.withinReach).isEmpty
            ? unreachable(primary, sighting) : withoutDatabase(primary, sighting)
    }

    func database(_ node: Node) -> DatabaseFacts? { fresh(observation[node.id].database).value }

    func fresh<Value>(_ fact: Observed<Value>) -> Observed<Value> {
        guard let at = fact.at else { return fact }
        let age = observation.endedAt.seconds(since: at)
        return age <= Double(factAgeSeconds) ? fact : .unknown(reason: "was seen \(Quantity.seconds(age)) ago")
    }

    func sighting(of site: Site) -> SiteSighting {
        SiteSighting(of: site, in: inventory, observation, factAgeSeconds: factAgeSeconds)
    }

    // MARK: Certain

    private func twoWritableSites() -> Diagnosis {
        let votes = writable.flatMap(\.databaseNodes).compactMap { node -> Diagnosis.Vote? in
            guard database(node)?.isInRecovery == false else { return nil }
            return .init(
                .database(id: node.id), agrees: true, "it is writable", at: observation[node.id].database.at)
        }
        let names = writable.map(\.id.rawValue).joined(separator: " and ")
        return Diagnosis(
            .twoWritableSites, primary: nil,
            reasons: ["the databases of \(names) both accept writes, and diverge with every one"], votes: votes,
            at: observation.endedAt)
    }

    /// Only where every database of every site was asked: one that was not could be the writable one.
    private func noWritableSite() -> Diagnosis? {
        let nodes = inventory.sites.flatMap(\.databaseNodes)
        guard !nodes.isEmpty, nodes.allSatisfy({ database($0)?.isInRecovery == true }) else { return nil }
        let votes = nodes.map { node -> Diagnosis.Vote in
            let isOfPrimary = inventory.site(of: node.id)?.id == primary?.id
            return .init(
                isOfPrimary ? .database(id: node.id) : .replica(id: node.id), agrees: true, "it is in recovery",
                at: observation[node.id].database.at)
        }
        return Diagnosis(
            .noWritableSite, primary: primary?.id,
            reasons: ["every database of every site is in recovery: nobody can write"], votes: votes,
            at: observation.endedAt)
    }

    // MARK: Serving

    private func serving(_ site: Site) -> Diagnosis {
        let sighting = sighting(of: site)
        let stalls = stalls(behind: site)
        let faults = faults(of: site)
        let kind: Diagnosis.Kind =
            !stalls.isEmpty ? .replicationStalled : faults.isEmpty ? .healthy : .degraded
        return Diagnosis(
            kind, primary: site.id, reasons: stalls + faults, peers: peers(sighting), at: observation.endedAt)
    }

    /// By peer that could look, whether it sees any node of the site.
    func peers(_ sighting: SiteSighting) -> [NodeID: Bool] {
        var found: [NodeID: Bool] = [:]
        for report in sighting.nodes.flatMap(\.reports) {
            guard case .peer(let id) = report.vantage, let sees = report.sees else { continue }
            found[id] = found[id] == true || sees
        }
        return found
    }

    /// Standbys of other sites that were asked and do not follow.
    private func stalls(behind site: Site) -> [String] {
        inventory.sites.filter { $0.id != site.id }.flatMap(\.databaseNodes).compactMap { node in
            guard let standby = database(node)?.standby else { return nil }
            if standby.isReplayPaused { return "replay on \(node.id) is paused" }
            guard let receiver = standby.receiver else { return "no WAL receiver runs on \(node.id)" }
            guard receiver.status == "streaming" else {
                return "the WAL receiver on \(node.id) is \"\(receiver.status)\""
            }
            // Longer than an idle primary is quiet; see `replication.streaming`.
            guard let silence = receiver.secondsSinceMessage,
                silence > Double(ReplicationChecks.messageAge.value)
            else { return nil }
            return "\(node.id) has not heard from \(site.id) for \(Quantity.seconds(silence))"
        }
    }

    private func faults(of site: Site) -> [String] {
        var faults = unreached(inventory.sites)
        for node in inventory.sites.flatMap(\.databaseNodes) where observation[node.id].connection.value != nil {
            if let reason = fresh(observation[node.id].database).reason {
                faults.append("the database of \(node.id) did not answer: \(reason)")
            }
        }
        switch fresh(observation.siteReadiness[site.id] ?? .notAsked) {
        case .unknown(let reason): faults.append("\(site.url) does not answer: \(reason)")
        case .known(let status, _, _):
            // An address that is not on GitLab's monitoring allow-list is told 403 or 404.
            if status != 200, status != 403, status != 404 { faults.append("\(site.url) answers \(status)") }
        }
        return faults
    }

    /// Nodes that the operator did not get onto, each with its reason, at most three of a site by name.
    private func unreached(_ sites: [Site]) -> [String] {
        sites.flatMap { site -> [String] in
            let nodes = site.nodes.filter { fresh(observation[$0.id].connection).value == nil }
            let told = nodes.prefix(3).map { node in
                "\(node.id) is not reached: \(fresh(observation[node.id].connection).reason ?? "not asked")"
            }
            return told + (nodes.count > 3 ? ["and \(nodes.count - 3) more nodes of \(site.id) are not reached"] : [])
        }
    }
}
