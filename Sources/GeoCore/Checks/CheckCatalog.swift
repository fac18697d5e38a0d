/// Every check by name. Preflight, preconditions and verifications all come from here.
package enum CheckCatalog {
    /// Checks about one subject matter, for reading.
    package struct Group: Sendable {
        package var title: String
        package var checks: [Check]

        package init(title: String, checks: [Check]) {
            self.title = title
            self.checks = checks
        }
    }

    /// In the order to print: from reaching a node to proving a site.
    package static let groups: [Group] = [
        Group(
            title: "Reachability, rights and identity",
            checks: ReachabilityChecks.all + OperatorChecks.all + SightingChecks.all),
        Group(title: "Nodes", checks: NodeStateChecks.all),
        Group(
            title: "Versions and configuration",
            checks: VersionChecks.all + PasswordChecks.all + ConfigurationChecks.all + URLChecks.all),
        Group(title: "Roles", checks: RoleChecks.all),
        Group(title: "Database", checks: DatabaseChecks.all + ServerChecks.all + AccessChecks.all),
        Group(title: "Patroni", checks: PatroniChecks.all),
        Group(
            title: "Replication",
            checks: ReplicationChecks.all + SlotChecks.all + CompletionCheck.all
                + DivergenceChecks.all),
        Group(title: "Geo", checks: GeoChecks.all + DataTypeChecks.all + GeoStateChecks.all + RequirementChecks.all),
        Group(
            title: "Application",
            checks: ServiceChecks.all + OperationChecks.all + ReadinessChecks.all + SilentModeChecks.all),
        Group(title: "Capacity", checks: CapacityChecks.all),
        Group(title: "Names, certificates and ways", checks: NetworkChecks.all + LinkChecks.all),
        Group(title: "Fence and promotion", checks: FenceChecks.all + PromotionChecks.all),
        Group(
            title: "Re-seed",
            checks: PreparationChecks.all + ReseedChecks.all + RewindChecks.all + ReturnChecks.all
                + PatroniReturnChecks.all),
    ]

    package static let all: [Check] = groups.flatMap(\.checks)

    private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

    package static func check(_ id: CheckID) -> Check? { byID[id] }

    /// Whom a preflight reference asks about.
    package enum PreflightSubjects: String, Sendable, Hashable, CaseIterable {
        case deployment, failover
        case bothSites = "both-sites"
        case fromSite = "from-site"
        case toSite = "to-site"
        /// Every node of both sites that the check has a question for; or of the site to go to.
        case nodes
        case toNodes = "to-nodes"
    }

    /// What has to hold before a planned failover, and of whom, in the order to print.
    package static let plannedPreflight: [(check: CheckID, subjects: PreflightSubjects)] = [
        ("node.reachable", .nodes), ("node.sudo", .nodes), ("nodes.distinct", .failover), ("node.clock", .nodes),
        ("operator.independent", .failover), ("operator.last-check", .failover), ("operator.last-drill", .failover),
        ("operator.left-proven", .failover),
        ("node.disk", .nodes), ("node.services-up", .nodes), ("node.starts-at-boot", .nodes),
        ("node.attributes-good", .nodes), ("node.cluster-file", .nodes), ("node.no-change-running", .nodes),
        ("node.reconfigured", .nodes), ("site.node-name", .bothSites),
        ("gitlab.versions-equal", .failover), ("secrets.equal", .failover), ("passwords.equal", .failover),
        ("ssh-host-keys.equal", .failover),
        ("postgresql.versions-equal", .failover), ("gitlab.background-migrations", .failover),
        ("gitlab.schema-migrated", .failover), ("ssh.key-lookup", .failover), ("geo.license", .failover),
        ("geo.hashed-storage", .failover), ("geo.http-cloning", .failover),
        ("deployment.one-primary", .deployment), ("site.role", .bothSites),
        ("database.same-lineage", .failover), ("database.same-timeline", .failover),
        ("database.standby-readable", .failover), ("database.standby-settings", .failover),
        ("database.pending-restart", .failover), ("database.collation", .failover),
        ("database.long-transactions", .failover), ("database.room-for-secondaries", .failover),
        ("database.admits-secondaries", .failover),
        ("patroni.one-leader", .nodes), ("patroni.not-paused", .nodes), ("patroni.timelines", .nodes),
        ("patroni.pending-restart", .nodes), ("patroni.standby-cluster", .nodes),
        ("patroni.store-quorum", .nodes),
        ("replication.streaming", .failover), ("replication.slot", .failover),
        ("replication.orphaned-slots", .failover),
        ("replication.lag", .failover), ("replication.not-paused", .failover), ("geo.site-registered", .failover),
        ("geo.status-fresh", .failover), ("geo.complete", .failover), ("geo.verified", .failover),
        ("geo.log-cursor", .failover),
        ("geo.healthy", .failover), ("geo.waiting-items", .failover), ("geo.types-replicated", .failover),
        ("geo.container-registry", .failover), ("geo.tracking-schema", .failover), ("geo.storages-match", .failover),
        ("geo.oauth-application", .failover), ("geo.selective-sync", .failover), ("geo.object-storage", .failover),
        ("site.maintenance-mode", .fromSite), ("sidekiq.queues", .fromSite), ("site.cron-jobs", .bothSites),
        ("rails.tracking-database", .toSite),
        ("node.ready", .nodes), ("site.ready", .bothSites), ("capacity.machines", .failover), ("site.dns", .failover),
        ("site.dns-ttl", .failover), ("certificate.served", .failover), ("certificate.authorities", .failover),
        ("network.between-sites", .failover), ("backup.age", .failover),
    ]

    private static let declared = Dictionary(uniqueKeysWithValues: plannedPreflight.map { ($0.check, $0.subjects) })

    /// The subjects that a preflight reference to a check stands for, in the inventory's order.
    ///
    /// A node that the check has nothing to ask is left out: a load balancer has no services to be up.
    package static func subjects(
        of check: Check, inventory: Inventory, from: SiteID, to: SiteID, asked: PreflightSubjects? = nil
    ) -> [Subject] {
        switch asked ?? declared[check.id] ?? usual(for: check.scope) {
        case .deployment: return [.deployment]
        case .failover: return [.failover(from: from, to: to)]
        case .bothSites: return [.site(id: from), .site(id: to)]
        case .fromSite: return [.site(id: from)]
        case .toSite: return [.site(id: to)]
        case .nodes, .toNodes:
            let sites = asked == .toNodes ? [to] : [from, to]
            let nodes = sites.compactMap(inventory.site).flatMap(\.nodes)
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
