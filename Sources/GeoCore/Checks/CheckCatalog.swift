/// Every check by name. Preflight, preconditions and verifications all come from here.
package enum CheckCatalog {
    /// In the order to print: from reaching a node to proving a site.
    package static let all: [Check] =
        ReachabilityChecks.all + NodeStateChecks.all + VersionChecks.all + RoleChecks.all + DatabaseChecks.all
        + ReplicationChecks.all + CompletionCheck.all + GeoChecks.all + DataTypeChecks.all + ServiceChecks.all
        + FenceChecks.all + PromotionChecks.all + ReadinessChecks.all

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

    package static func check(_ id: CheckID) -> Check? { byID[id] }

    /// Whom a preflight reference asks about.
    package enum PreflightSubjects: String, Sendable, Hashable, CaseIterable {
        case deployment, failover
        case bothSites = "both-sites"
        case fromSite = "from-site"
        case toSite = "to-site"
        /// Every node of both sites that the check has a question for.
        case nodes
    }

    /// What has to hold before a planned failover, and of whom, in the order to print.
    package static let plannedPreflight: [(check: CheckID, subjects: PreflightSubjects)] = [
        ("node.reachable", .nodes), ("node.sudo", .nodes), ("nodes.distinct", .failover), ("node.clock", .nodes),
        ("node.disk", .nodes), ("node.services-up", .nodes), ("node.starts-at-boot", .nodes),
        ("node.attributes-good", .nodes), ("node.cluster-file", .nodes), ("node.no-change-running", .nodes),
        ("gitlab.versions-equal", .failover), ("secrets.equal", .failover), ("ssh-host-keys.equal", .failover),
        ("postgresql.versions-equal", .failover), ("deployment.one-primary", .deployment), ("site.role", .bothSites),
        ("database.same-lineage", .failover), ("replication.streaming", .failover), ("replication.slot", .failover),
        ("replication.lag", .failover), ("replication.not-paused", .failover), ("geo.site-registered", .failover),
        ("geo.status-fresh", .failover), ("geo.complete", .failover), ("geo.verified", .failover),
        ("geo.log-cursor", .failover), ("geo.selective-sync", .failover), ("geo.object-storage", .failover),
        ("site.maintenance-mode", .fromSite), ("sidekiq.queues", .fromSite), ("rails.tracking-database", .toSite),
        ("node.ready", .nodes), ("site.ready", .bothSites),
    ]

    private static let declared = Dictionary(uniqueKeysWithValues: plannedPreflight.map { ($0.check, $0.subjects) })

    /// The subjects that a preflight reference to a check stands for, in the inventory's order.
    ///
    /// A node that the check has nothing to ask is left out: a load balancer has no services to be up.
    package static func subjects(of check: Check, inventory: Inventory, from: SiteID, to: SiteID) -> [Subject] {
        switch declared[check.id] ?? usual(for: check.scope) {
        case .deployment: return [.deployment]
        case .failover: return [.failover(from: from, to: to)]
        case .bothSites: return [.site(id: from), .site(id: to)]
        case .fromSite: return [.site(id: from)]
        case .toSite: return [.site(id: to)]
        case .nodes:
            let nodes = [from, to].compactMap(inventory.site).flatMap(\.nodes)
            return nodes.map { Subject.node(id: $0.id) }.filter { subject in
                let context = CheckContext(inventory: inventory, subject: subject, from: from, to: to)
                let scope = check.needs(context)
                return !scope.probes.isEmpty || !scope.siteURLs.isEmpty
            }
        }
    }

    private static func usual(for scope: Check.Scope) -> PreflightSubjects {
        switch scope {
        case .deployment: .deployment
        case .site: .bothSites
        case .node: .nodes
        case .failover: .failover
        }
    }
}
