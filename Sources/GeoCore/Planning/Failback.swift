/// The way back of a deployment to the site that was primary before: a re-seed, a failover, a re-seed. Each is planned for
/// itself when it comes up, since what a plan stands on is there only after the one before it; the hold points between
/// them are the approvals of those plans (docs/decisions/0021-failback-in-stages.md).
///
/// Which stage comes next is not remembered, but seen: by whose database is the primary and whose follows it.
package enum Failback {
    /// A stage with its runbook, and its two sites.
    package struct Leg: Sendable, Hashable {
        package var stage: RunbookStage
        package var scenario: Scenario
        package var from: SiteID
        package var to: SiteID
        package init(stage: RunbookStage, scenario: Scenario, from: SiteID, to: SiteID) {
            self.stage = stage
            self.scenario = scenario
            self.from = from
            self.to = to
        }
    }

    package enum Next: Sendable, Hashable {
        /// By its place in the list.
        case stage(Int)
        /// All are through, and by which signs.
        case done(String)
        case unknown(String)
    }

    /// What ``next(_:in:_:)`` asks for.
    package static func scope(_ legs: [Leg], in inventory: Inventory) -> ObservationScope {
        var scope = ObservationScope()
        for site in Set(legs.flatMap { [$0.from, $0.to] }) {
            let nodes = inventory.site(site)?.databaseNodes ?? []
            // Patroni's members follow each other by name.
            scope.ask([.database], of: nodes)
            if inventory.site(site)?.runsPatroni == true { scope.ask([.identity], of: nodes) }
        }
        return scope
    }

    /// The first stage after the last one whose outcome is seen; with no such stage the first, if its own site is the primary.
    package static func next(_ legs: [Leg], in inventory: Inventory, _ observation: Observation) -> Next {
        let sites = Set(legs.flatMap { [$0.from, $0.to] })
        let primaries = sites.filter { isPrimary($0, inventory, observation) }.sorted { $0.rawValue < $1.rawValue }
        guard primaries.count < 2 else {
            return .unknown("\(primaries.map(\.rawValue).joined(separator: " and ")) can both be written to")
        }
        guard let primary = primaries.first else {
            return .unknown(
                "no database of \(sites.map(\.rawValue).sorted().joined(separator: " or ")) is seen to accept writes")
        }
        let followers = sites.subtracting([primary]).sorted { $0.rawValue < $1.rawValue }
        if let site = followers.first(where: { follows($0, inventory, observation) == nil }) {
            return .unknown("a database of \(site) streams, and from where is not known")
        }
        let last = legs.lastIndex { leg in
            switch leg.scenario {
            case .planned, .unplanned: leg.to == primary
            default: leg.from == primary && follows(leg.to, inventory, observation) == true
            }
        }
        guard let last else {
            guard let first = legs.first, first.from == primary else {
                return .unknown(
                    "\(primary) is the primary, and the way begins with \(legs.first?.from.rawValue ?? "nobody")")
            }
            return .stage(0)
        }
        guard last + 1 < legs.count else {
            return .done("\(primary) is the primary, and \(legs[last].to) streams from it")
        }
        return .stage(last + 1)
    }

    private static func isPrimary(_ site: SiteID, _ inventory: Inventory, _ observation: Observation) -> Bool {
        inventory.site(site)?.databaseNodes.contains { observation[$0.id].database.value?.isInRecovery == false }
            ?? false
    }

    /// `nil`: one of its members streams, and nobody can say from where.
    private static func follows(_ site: SiteID, _ inventory: Inventory, _ observation: Observation) -> Bool? {
        guard let site = inventory.site(site) else { return false }
        // A fenced site's database is stopped: what does not answer follows nobody.
        let databases = site.databaseNodes.compactMap { observation[$0.id].database.value }
        let follows = databases.map { site.streamsFromOutside($0, in: observation) }
        return follows.contains(true) ? true : follows.contains(nil) ? nil : false
    }
}

extension RunbookStage {
    /// The stage of a failback between those two sites, with the runbook that fits what the stage's `to` runs.
    package func between(_ from: Site, _ to: Site) -> RunbookStage {
        var stage = self
        let target = self.from == .from ? to : from
        if let patroniRunbook, target.runsPatroni { stage.runbook = patroniRunbook }
        return stage
    }
}

/// Which stage of a failback a plan is; what comes before and after it.
package struct PlanStage: Sendable, Hashable, Codable {
    /// The runbook of stages, and the sites as they were given for the whole.
    package var runbook: String
    package var from: SiteID
    package var to: SiteID
    /// From 1.
    package var number: Int
    package var stages: [Stage]

    package struct Stage: Sendable, Hashable, Codable {
        package var title: String
        package var runbook: String
        package var from: SiteID
        package var to: SiteID
        package var hold: String?
    }

    package init(_ runbook: Runbook, legs: [Failback.Leg], at index: Int, from: SiteID, to: SiteID) {
        self.runbook = runbook.name
        self.from = from
        self.to = to
        self.number = index + 1
        self.stages = legs.map {
            Stage(
                title: $0.stage.title, runbook: $0.stage.runbook, from: $0.from, to: $0.to, hold: $0.stage.hold)
        }
    }

    /// The stage after this one; `nil` for the last.
    package var next: Stage? { number < stages.count ? stages[number] : nil }

    /// Plans whichever stage comes next, this one or a later one.
    package var planCommand: String {
        "geo-failover plan \(RemoteCommand.quoted(runbook)) --from \(from) --to \(to)"
    }
}
