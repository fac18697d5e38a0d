/// What a check is for: which questions are asked, and which answers stand in the way.
package enum CheckProfile: String, Sendable, Hashable, Codable, CaseIterable {
    /// The primary is healthy, and nothing may be lost.
    case planned
    /// The primary is lost, or is given up: what only it could answer may stay unknown.
    case unplanned
    /// A site is to be seeded anew from the primary; nothing of it has to be saved.
    case reseed
    /// A planned failover that is to be undone the same day: also the way back is looked at.
    case drill
    /// The primary is to take over a URL. Whether the URL is ready for it, only a plan can ask.
    case changeURL = "change-url"

    /// Slots of the primary are to be dropped. Whether anybody wants them, only a plan can ask.
    case slots

    /// A former primary, fenced, is to come back as a secondary. Whose database may be replaced, only a plan can ask.
    case returning

    /// What `check` is asked for.
    package static let allCases: [CheckProfile] = [.planned, .unplanned, .reseed, .drill]

    /// One sentence for people.
    package var meaning: String {
        switch self {
        case .planned: "nothing may be lost or unknown"
        case .unplanned: "what only the lost primary could answer may be unknown, and is loss"
        case .reseed: "the candidate's data is given up; the way to copy it anew has to hold"
        case .slots: "the primary is proven, and its database answers"
        case .changeURL: "the primary is proven, and the other site is out of the way"
        case .returning: "the primary is proven, and the site that comes back is fenced and its own"
        case .drill: "as planned, and the way back is looked at too"
        }
    }

    /// What is asked and of whom, in the order to print.
    package var preflight: [(check: CheckID, subjects: CheckCatalog.PreflightSubjects)] {
        switch self {
        case .planned: CheckCatalog.plannedPreflight
        case .unplanned:
            // A time to live cannot be lowered any more, and whose resolver died with the site is not to be held up by it.
            CheckCatalog.plannedPreflight.filter { $0.check != "site.dns-ttl" }
                + [("primary.not-out-of-reach", .failover)]
        case .changeURL: Self.forChangeOfURL
        case .slots: Self.forSlots
        case .returning: Self.forReturn
        case .drill: CheckCatalog.plannedPreflight + [("database.room-for-base-backup", .failover)]
        case .reseed:
            CheckCatalog.plannedPreflight.filter { Self.forReseed.contains($0.check) }
                + [
                    ("database.seed-source", .failover), ("database.room-for-base-backup", .failover),
                    ("operator.observation-window", .failover),
                ]
        }
    }

    /// What a base backup and a secondary that starts again need. Whether it replicates now is no question.
    private static let forReseed: Set<CheckID> = [
        "node.reachable", "node.sudo", "nodes.distinct", "node.clock", "operator.independent", "operator.left-proven",
        "node.disk",
        "node.attributes-good", "node.cluster-file", "node.no-change-running", "site.node-name",
        "gitlab.versions-equal", "secrets.equal", "ssh-host-keys.equal", "postgresql.versions-equal",
        "deployment.one-primary", "replication.orphaned-slots", "rails.tracking-database", "site.dns",
        "network.between-sites",
    ]

    /// What has to hold beside a site that is fenced: nothing of it can answer but its machines.
    private static let forReturn: [(check: CheckID, subjects: CheckCatalog.PreflightSubjects)] =
        [
            ("node.reachable", .nodes), ("node.sudo", .nodes), ("nodes.distinct", .failover), ("node.clock", .nodes),
            ("operator.independent", .failover), ("node.disk", .nodes), ("node.attributes-good", .nodes),
            ("node.no-change-running", .nodes), ("node.secondary-editable", .toNodes),
            ("patroni.standby-settings", .toNodes), ("site.node-name", .bothSites),
            ("gitlab.versions-equal", .failover),
            ("secrets.equal", .failover), ("passwords.equal", .failover), ("ssh-host-keys.equal", .failover),
            ("site.is-primary", .fromSite), ("reseed.stands-still", .failover), ("reseed.direction", .failover),
            ("reseed.own-database", .failover), ("database.seed-source", .failover),
            ("database.trusts-primary", .failover),
            ("database.room-for-base-backup", .failover), ("replication.orphaned-slots", .failover),
            ("operator.observation-window", .failover), ("divergence.known", .failover),
        ]

    /// What the run touches is the primary's database. Who may want the slots, the plan asks, and the step just before it acts.
    private static let forSlots: [(check: CheckID, subjects: CheckCatalog.PreflightSubjects)] =
        [
            ("nodes.distinct", .failover), ("operator.independent", .failover), ("site.is-primary", .fromSite),
            ("site.node-name", .fromSite),
        ]

    /// What the site needs to be edited and reconfigured, and that the other one does not serve under the URL. The inventory
    /// that is asked with has the new URL.
    private static let forChangeOfURL: [(check: CheckID, subjects: CheckCatalog.PreflightSubjects)] =
        [
            ("node.reachable", .toNodes), ("node.sudo", .toNodes), ("node.disk", .toNodes),
            ("node.attributes-good", .toNodes), ("node.cluster-file", .toNodes), ("node.no-change-running", .toNodes),
            ("node.reconfigured", .toNodes), ("node.url-editable", .toNodes), ("node.ready", .toNodes),
            ("site.node-name", .toSite), ("site.own-name", .toSite), ("site.is-primary", .toSite),
            ("site.stands-back", .fromSite), ("certificate.served", .failover),
        ]

    /// Questions about the link, or about what only the primary has: after its loss their answers are the loss, and the
    /// loss statement counts it. They never say whether the candidate can be promoted.
    private static let lossAfterADisaster: Set<CheckID> = [
        "replication.streaming", "replication.slot", "replication.lag", "geo.status-fresh", "geo.healthy",
        "geo.complete", "geo.verified", "geo.log-cursor", "geo.waiting-items", "geo.types-replicated",
        "geo.container-registry", "geo.oauth-application", "geo.tracking-schema",
    ]

    /// What counts where the runbook says nothing else. Nobody can copy a bucket from a site that is lost.
    package var limits: [CheckID: Limits] {
        switch self {
        case .planned, .reseed, .drill, .changeURL, .slots, .returning: [:]
        case .unplanned: ["geo.object-storage": Limits(["may_be_left_out": 0])]
        }
    }

    /// Why a finding does not stand in the way of this profile; `nil` when it does, and for passes and warnings.
    ///
    /// For an unplanned failover only: what speaks of the lost site alone, what is loss, and what is unknown only because
    /// the lost site does not answer. To tell, the check is asked again with that silence allowed for: whatever is still
    /// unknown then is about the candidate, and is never accepted.
    package func acceptance(
        of finding: Finding, limits: Limits, in inventory: Inventory, from: SiteID, to: SiteID,
        _ observation: Observation
    ) -> String? {
        guard self == .unplanned, finding.verdict > .warn, let check = CheckCatalog.check(finding.check),
            !check.isInvariant
        else { return nil }
        switch finding.subject {
        case .site(let id) where id == from: return "\(from) is the site that is lost"
        case .node(let id) where inventory.site(of: id)?.id == from: return "\(from) is the site that is lost"
        case .site, .node: return nil
        case .deployment, .failover: break
        }
        var context = CheckContext(
            inventory: inventory, subject: finding.subject, limits: limits, from: from, to: to)
        context.lostSite = from
        let again = check.findings(context, observation)
        let worst = again.worst
        if worst <= .warn { return "only \(from), which is lost, could answer" }
        let isAllKnown = again.allSatisfy { $0.verdict != .unknown && !$0.hasUnknownRemarks }
        guard worst == .fail, isAllKnown, Self.lossAfterADisaster.contains(check.id) else { return nil }
        return "it is loss, which the loss statement counts"
    }
}

extension Scenario {
    /// What a runbook of this kind is checked for.
    package var profile: CheckProfile {
        switch self {
        case .planned, .abort: .planned
        case .unplanned: .unplanned
        case .reseed, .failback: .returning
        case .dropSlots: .slots
        case .changeURL: .changeURL
        }
    }
}
