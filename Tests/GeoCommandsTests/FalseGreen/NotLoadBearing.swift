import GeoCore

/// Facts that may be anything without the verdict being wrong, each with the reason. A line that excuses nothing any more
/// fails ``FalseGreenTests``, so that none outlives its reason.
enum NotLoadBearing {
    struct Line: Sendable, Hashable {
        /// The fact's place and all below it; `?` stands for any one name, `*_count` for names that end so.
        var path: String
        /// How it may differ.
        var changes: Set<JSONTree.Variant.Change>
        /// Whose: nodes whose names begin or end so; empty for all.
        var nodes: String = ""
        /// Whether there is a limit beyond which the same difference is noticed; the sweep has to see that too.
        var hasLimit = false
        var reason: String

        func excuses(_ owner: String, _ place: String, _ change: JSONTree.Variant.Change) -> Bool {
            guard changes.contains(change), owner.hasPrefix(nodes) || owner.hasSuffix(nodes) else {
                return false
            }
            let (wanted, parts) = (path.split(separator: "."), place.split(separator: "."))
            return wanted.count <= parts.count
                && zip(wanted, parts).allSatisfy { want, part in
                    want == "?" || want == part || (want.hasPrefix("*_") && part.hasSuffix(want.dropFirst()))
                }
        }
    }

    private static let any: Set<JSONTree.Variant.Change> = [.more, .less, .other, .gone, .fewer]

    static let lines: [Line] = machine + installation + surroundings + settings + databases + geo

    /// Facts that may be unknown or old, by name.
    static func mayBeUnknown(_ profile: CheckProfile) -> [(owner: String, fact: String, reason: String)] {
        let contact = ("", "contact", "tells why a node was not visited; the visit itself is another fact, and needed")
        let role = (
            "tokyo-rails", "hasTrackingDatabaseConfigured",
            "one of four sources of the site's role, which three others tell; a promoted site keeps the entry"
        )
        switch profile {
        case .planned, .drill: return [contact, role]
        case .reseed: return [contact]
        // Not among those that are swept: the deployment that they start from has no change of a URL before it.
        case .changeURL, .slots, .returning: return []
        case .unplanned:
            return [contact, ("seoul-sidekiq", "views", "three places look at a lost site, and each sees for itself")]
        }
    }

    private static let machine: [Line] = [
        Line(path: "connection", changes: [.more, .less], reason: "milliseconds of a visit that succeeded"),
        Line(path: "clockOffset", changes: [.more, .less], hasLimit: true, reason: "within the limit of the clock"),
        Line(
            path: "identity", changes: any,
            reason: "there is no name that a node must have; a plan records them, and execute compares"),
        Line(path: "disks.?.freeBytes", changes: [.more], reason: "more room is no harm"),
        Line(
            path: "disks.?.totalBytes", changes: [.more, .less], reason: "while enough is free, in bytes and per cent"),
        Line(path: "machine.system", changes: any, reason: "said for people; the C library is what sorts"),
        Line(
            path: "machine.glibc", changes: any, reason: "of nodes without a database: nothing is sorted there for good"
        ),
        Line(path: "machine.addresses", changes: [.gone], reason: "the inventory has addresses here, and no names"),
        Line(path: "machine.pumaWorkers", changes: any, reason: "of nodes that run no Puma, or more of them"),
        Line(path: "machine.sidekiqProcesses", changes: any, reason: "of nodes that run no Sidekiq, or more of them"),
        Line(path: "machine.memoryBytes", changes: [.less], nodes: "tokyo-", reason: "the candidate has more then"),
        Line(path: "machine.memoryBytes", changes: [.more], nodes: "seoul-", reason: "the candidate has more then"),
        Line(
            path: "machine.memoryBytes", changes: [.more], nodes: "tokyo-", hasLimit: true, reason: "a byte is no less"),
        Line(
            path: "machine.processors", changes: [.more], nodes: "tokyo-", hasLimit: true, reason: "one is no less"),
        Line(path: "machine.processors", changes: [.less], nodes: "tokyo-", reason: "the candidate has more then"),
        Line(path: "machine.processors", changes: [.more], nodes: "seoul-", reason: "the candidate has more then"),
    ]

    private static let installation: [Line] = [
        Line(
            path: "services.?.seconds", changes: [.more, .less], reason: "a service that runs is up; since when is said"
        ),
        Line(
            path: "services.?.name", changes: [.other], reason: "of services that no component is made of (logrotate)"),
        Line(path: "configuration.changedAt", changes: [.less], reason: "changed before the last reconfigure"),
        Line(path: "configuration.reconfiguredAt", changes: [.more], reason: "reconfigured after the last change"),
        Line(path: "configuration.secretsChangedAt", changes: [.less, .gone], reason: "before the last reconfigure"),
        Line(
            path: "configuration.externalURL", changes: any,
            reason: "users may reach a site by another name than its nodes have; certificates and DNS are asked instead"
        ),
        Line(
            path: "configuration.nodeName", changes: any,
            reason: "of nodes on which nothing reads it: Gitaly, Redis, the tracking database"),
        Line(
            path: "hasTrackingDatabaseConfigured", changes: [.other], nodes: "tokyo-",
            reason: "a promoted site keeps the entry; its database says what it is"),
        Line(path: "queues.?", changes: [.more], hasLimit: true, reason: "below the limit"),
        Line(path: "queues.?", changes: [.less, .gone], reason: "fewer jobs are no harm"),
    ]

    private static let surroundings: [Line] = [
        Line(
            path: "backups.newestAt", changes: [.less, .gone], nodes: "tokyo-",
            reason: "the other Rails node has one that is young enough"),
        Line(path: "backups.count", changes: [.more, .less], reason: "said for people; the newest counts"),
        Line(
            path: "trustedCertificates", changes: [.fewer], nodes: "tokyo-", reason: "the candidate trusts more then"),
        Line(
            path: "cronStates.?", changes: [.gone], hasLimit: true,
            reason: "jobs come and go with releases; those that every site needs are asked for by name"),
        Line(
            path: "cronStates.?", changes: [.other], nodes: "seoul-", hasLimit: true,
            reason: "a secondary keeps all but the two off"),
        Line(
            path: "cronStates.geo_prune_event_log_worker", changes: [.other], nodes: "tokyo-",
            reason: "prunes, which can wait"),
        Line(
            path: "views.readiness.?.known", changes: any,
            reason: "any status is an answer here; the site's own page is asked for what it means"),
        Line(path: "views.readiness", changes: any, nodes: "pg-1", reason: "the Rails node is asked about the page"),
        Line(path: "views.nodes", changes: any, nodes: "rails-1", reason: "the database node is asked about databases"),
        Line(path: "views.nodes.?.*.service", changes: [.other], reason: "the number of the port tells"),
        Line(
            path: "siteAddresses.*", changes: [.other],
            reason: "anything but a node of the other site, such as a load balancer of the network"),
        Line(path: "operatorMachine.machineID", changes: any, reason: "said in the journal of a run"),
        Line(path: "operatorMachine.failovers", changes: any, reason: "a question before a re-seed only"),
        Line(
            path: "operatorMachine.addresses.*", changes: [.other],
            reason: "anywhere but on a node of the primary's site"),
    ]

    private static let settings: [Line] = [
        Line(
            path: "settings.hashesNewProjects", changes: [.gone], reason: "newer releases have no such column"),
        Line(path: "settings.legacyProjects", changes: [.less], reason: "fewer than none"),
        Line(
            path: "schemaFiles", changes: [.fewer], hasLimit: true,
            reason: "the database has more migrations than the newest of the package"),
        Line(
            path: "passwords.?", changes: [.gone], hasLimit: true, reason: "another node of the site tells it"),
        Line(path: "accessRules.?.users", changes: [.other, .fewer], reason: "users are not compared, and it says so"),
        Line(
            path: "accessRules.?.method", changes: [.other],
            reason: "any method lets in; `reject` has a test of its own"
        ),
    ]

    private static let databases: [Line] = [
        Line(
            path: "database.role.primary.state.senders.?.applicationName", changes: any,
            reason: "the only sender out of the site is the candidate's, whatever it calls itself"),
        Line(
            path: "database.role.primary.state.senders.?.clientAddress", changes: any,
            reason: "the only sender out of the site is the candidate's, also behind a translated address"),
        Line(
            path: "database.role.primary.state.senders.?.replayed", changes: any,
            reason: "the candidate is asked itself"),
        Line(
            path: "database.role.primary.state.slots.?.retainedBytes", changes: [.more], hasLimit: true,
            reason: "below the limit"),
        Line(path: "database.role.primary.state.slots.?.retainedBytes", changes: [.less], reason: "less is no harm"),
        Line(
            path: "database.role.primary.state.slots.?.walStatus", changes: [.gone],
            reason: "PostgreSQL before 13 has no such column; the slot is active"),
        Line(path: "database.role.standby.state.received", changes: any, reason: "what counts is what was replayed"),
        Line(
            path: "database.role.standby.state.receiver.latestEnd", changes: any,
            reason: "the primary is asked itself where it is"),
        Line(
            path: "database.role.standby.state.receiver.senderHost", changes: any,
            reason: "may be a load balancer; lineage, slot and sender say who it is"),
        Line(
            path: "database.role.standby.state.receiver.secondsSinceMessage", changes: [.less], hasLimit: true,
            reason: "just now"),
        Line(
            path: "database.role.standby.state.secondsSinceLastReplay", changes: any,
            reason: "grows while the primary is idle; the positions are equal"),
        Line(path: "database.serverVersion", changes: [.more], hasLimit: true, reason: "another minor release"),
        Line(
            path: "controlData", changes: any, nodes: "seoul-pg-1",
            reason: "PostgreSQL answered itself; asked for the case that it does not"),
        Line(path: "server.collationVersion", changes: [.gone], reason: "not kept before PostgreSQL 15"),
        Line(path: "server.databaseBytes", changes: any, reason: "what a base backup needs, and none is planned"),
        Line(path: "server.preparedTransactions", changes: [.less], reason: "fewer than none"),
        Line(path: "server.settings.hot_standby", changes: any, nodes: "tokyo-", reason: "the primary is no standby"),
        Line(
            path: "server.settings.max_replication_slots", changes: any, nodes: "tokyo-",
            reason: "the candidate needs room for secondaries"),
        Line(path: "server.settings.max_slot_wal_keep_size", changes: any, reason: "said beside orphaned slots only"),
        Line(path: "server.settings.shared_buffers", changes: any, reason: "said for people"),
        Line(
            path: "server.settings.synchronous_standby_names", changes: [.other], nodes: "tokyo-",
            reason: "of the site to be left; the candidate's would make it hang"),
        Line(path: "server.settings.synchronous_standby_names", changes: [.gone], reason: "PostgreSQL always tells it"),
        Line(
            path: "server.settings.wal_level", changes: any, nodes: "tokyo-", reason: "it streams, so there is enough"),
        Line(
            path: "server.settings.wal_level", changes: [.other], nodes: "seoul-", hasLimit: true,
            reason: "words that PostgreSQL does not have; `minimal` is noticed"),
        Line(path: "server.transactions", changes: [.fewer], reason: "fewer are no harm"),
        Line(path: "server.transactions.?.application", changes: any, reason: "said for people"),
        Line(path: "server.transactions.?.state", changes: any, reason: "said for people"),
        Line(path: "server.transactions.?.user", changes: any, reason: "said for people"),
        Line(path: "server.transactions.?.seconds", changes: [.more], hasLimit: true, reason: "below the limit"),
        Line(path: "server.transactions.?.seconds", changes: [.less], reason: "younger is no harm"),
        Line(path: "server.writing", changes: any, reason: "the hours until a disk is full, where a slot is orphaned"),
    ]

    private static let geo: [Line] =
        replica + [
            Line(
                path: "application.hasItems", changes: any, reason: "of types that the primary's status counts anyway"),
            Line(path: "application.schemaVersion", changes: any, reason: "the packages' versions are compared"),
            Line(
                path: "application.sites.tokyo", changes: any, hasLimit: true,
                reason: "a primary needs no application for itself"),
            Line(path: "application.unfinishedMigrationCount", changes: [.less], reason: "fewer than none"),
            Line(
                path: "geo.nodes.seoul.status.counts", changes: any, nodes: "tokyo-",
                reason: "the candidate's own counts are not believed; the rows of its registries are counted"),
            Line(
                path: "geo.nodes.?.status.counts.projects_count", changes: any, nodes: "tokyo-",
                reason: "counts no type of data"),
            Line(
                path: "geo.nodes.?.status.counts.replication_slots_count", changes: any, nodes: "tokyo-",
                reason: "PostgreSQL is asked itself"),
            Line(
                path: "geo.nodes.tokyo.status.counts.*_checksum_total_count", changes: [.gone, .less],
                reason: "without it every item has to have a checksum; fewer are what cannot be verified by design"),
            Line(
                path: "geo.nodes.tokyo.status.counts.*_checksummed_count", changes: [.more],
                reason: "counted some queries after the items, of which some are new"),
            Line(
                path: "geo.nodes.tokyo.status.counts.lfs_objects_checksum_total_count", changes: any, reason: noneOfThem
            ),
            Line(path: "geo.nodes.tokyo.status.counts.lfs_objects_checksummed_count", changes: any, reason: noneOfThem),
            Line(
                path: "geo.nodes.tokyo.status.counts.lfs_objects_checksum_failed_count", changes: [.gone],
                reason: noneOfThem),
            Line(path: "geo.nodes.tokyo.status.counts.lfs_objects_count", changes: [.gone], reason: noneOfThem),
            Line(
                path: "geo.nodes.?.status.ageSeconds", changes: [.more, .less], nodes: "tokyo-", hasLimit: true,
                reason: "within the limit"),
            Line(
                path: "geo.nodes.?.status.version", changes: any, nodes: "tokyo-",
                reason: "every node's package is asked"),
            Line(
                path: "geo.nodes.?.status.message", changes: [.gone], nodes: "tokyo-",
                reason: "no message is how older releases say healthy"),
            Line(path: "geo.nodes.?.url", changes: any, nodes: "tokyo-", reason: "sites are found by name"),
            Line(
                path: "geo.nodes.tokyo.syncsObjectStorage", changes: any, nodes: "tokyo-",
                reason: "a primary copies nothing"),
            Line(
                path: "geo.lastEventID", changes: [.gone], nodes: "tokyo-",
                reason: "the log is empty when everybody has read it and it was pruned"),
            Line(path: "tracking.cursorEventID", changes: [.more], hasLimit: true, reason: "read a moment later"),
            Line(
                path: "tracking.registries.lfs_objects", changes: [.gone], reason: noneOfThem),
            Line(
                path: "tracking.registries.supply_chain_attestations", changes: [.gone],
                reason: "a type that this deployment does not use"),
            Line(
                path: "registryDetails.types.?", changes: [.gone],
                reason: "the counts are asked besides, of every table"),
            Line(path: "registryDetails.types.?.neverTried", changes: [.less], reason: "fewer than none"),
            Line(
                path: "registryDetails.types.?.duplicates", changes: [.less, .gone],
                reason: "not looked for in large tables, and it says so"),
            Line(
                path: "registryDetails.types.?.retries", changes: [.more, .less],
                reason: "said with the reasons of failures, and there is none"),
        ]

    private static let noneOfThem = "there is none of this type"

    /// What the candidate's own copy says of Geo is as old as its replay; the primary is asked. Who is primary by it counts.
    private static let replica =
        ["status", "url", "name", "isEnabled", "syncsObjectStorage"].map {
            Line(path: "geo.nodes.?.\($0)", changes: any, nodes: "seoul-", reason: "the primary's own tables are read")
        }
        + ["isInMaintenanceMode", "lastEventID"].map {
            Line(path: "geo.\($0)", changes: any, nodes: "seoul-", reason: "the primary's own tables are read")
        }
}
