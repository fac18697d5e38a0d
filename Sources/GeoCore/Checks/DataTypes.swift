/// One kind of replicated data, by what both sides count of it.
struct DataType: Equatable {
    var name: String
    /// What the primary counts: `T_count`, `T_checksum_total_count` and so on; `nil` where it says nothing.
    var onPrimary: Int?
    var checksumTotal: Int?
    var checksummed: Int?
    var checksumFailed: Int?
    /// `nil`: the tracking database has no table for it.
    var registry: RegistryCounts?

    /// Whether there is anything to replicate, as far as either side knows.
    var isEmpty: Bool { (onPrimary ?? 0) == 0 && (registry?.total ?? 0) == 0 }
    /// Neither counted by the primary nor registered: a type that this release has and this site does not use.
    var isUnused: Bool { onPrimary == nil && (registry?.total ?? 0) == 0 }

    var evidenceText: String {
        let counted = onPrimary.map(String.init) ?? "?"
        guard let registry else { return "\(name): \(counted) on the primary, no registry" }
        return "\(name): \(counted) on the primary, \(registry.total) registered, \(registry.synced) synced,"
            + " \(registry.failed) failed, \(registry.verified) verified,"
            + " \(registry.verificationFailed) failed verification"
    }

    /// Whether this release does not compare items of this type by checksum, or somebody switched that off: neither side
    /// has anything of it.
    var isNeverVerified: Bool {
        guard let registry, registry.total > 0 else { return false }
        return registry.verificationDisabled == registry.total && checksummed == nil && checksumFailed == nil
    }

    /// Every type that either side knows of, by name. The list grows with each release and is never fixed here.
    static func all(primary: GeoStatus, registries: RegistriesInForce, uncounted: [String: Int]?) -> [DataType] {
        var names = Set(registries.counts.keys)
        for key in primary.counts.keys {
            guard let name = typeName(ofCount: key), !registries.leftOut.contains(name) else { continue }
            names.insert(name)
        }
        return names.sorted().map { name in
            let registry = registries.counts[name]
            // Container repositories that nobody replicates are `geo.container-registry`'s.
            let counted = name == GeoStateChecks.containers && (registry?.total ?? 0) == 0 ? nil : uncounted?[name]
            return DataType(
                name: name, onPrimary: primary.counts[total(of: name)] ?? counted,
                checksumTotal: primary.counts["\(name)_checksum_total_count"],
                checksummed: primary.counts["\(name)_checksummed_count"],
                checksumFailed: primary.counts["\(name)_checksum_failed_count"],
                registry: registry)
        }
    }

    /// Before 16.3 each project was one repository and one wiki, and only projects were counted (`GeoNodeStatus`).
    private static func total(of name: String) -> String {
        name == "repositories" || name == "wikis" ? "projects_count" : "\(name)_count"
    }

    /// `uploads` for `uploads_count` and for `uploads_checksum_failed_count`; `nil` for what counts no data type.
    static func typeName(ofCount key: String) -> String? {
        guard key.hasSuffix("_count") else { return nil }
        let stem = String(key.dropLast("_count".count))
        // Longest first: `_verification_failed` ends in `_failed`.
        let parts = [
            "_checksum_total", "_checksum_failed", "_checksummed", "_verification_total", "_verification_failed",
            "_verified", "_registry", "_synced", "_failed",
        ]
        let name = parts.first { stem.hasSuffix($0) }.map { String(stem.dropLast($0.count)) } ?? stem
        return notDataTypes.contains(name) ? nil : name
    }

    /// Counts of `geo_node_statuses` that are not data types (GitLab's API of Geo sites: fixed fields and legacy columns).
    private static let notDataTypes: Set<String> = [
        "projects", "repositories", "wikis", "repositories_checked", "replication_slots", "replication_slots_used",
        "git_fetch_event", "git_push_event", "attachments", "designs", "event_log", "repository", "wiki",
    ]
}

extension RegistryCounts {
    /// Whether so many rows can be in these states at once: the parts come from one statement, so they fit or are wrong.
    var isPossible: Bool {
        let parts = [total, synced, failed, verified, verificationFailed, verificationDisabled]
        return parts.allSatisfy { $0 >= 0 && $0 <= total } && synced <= total - failed && verified <= synced
            && verified <= total - verificationFailed - verificationDisabled
    }
}

/// The registries that GitLab goes by, of those that there are.
///
/// Releases that moved a type into another table kept the former one for a while, behind a feature flag and with rows in
/// both: `project_registry` until 16.3 for repositories and 15.11 for wikis, `design_registry` until 16.1. Which of the
/// two counts is in the secondary's own status, which has a number of registered items for the types that are replicated
/// by the framework (`GeoNodeStatus#load_ssf_replicable_data`).
struct RegistriesInForce {
    static let successors = [
        "repositories": "project_repositories", "wikis": "project_wiki_repositories",
        "designs": "design_management_repositories",
    ]

    var counts: [String: RegistryCounts]
    /// Types that were left out for their former or later form.
    private(set) var leftOut: Set<String> = []
    /// Former forms of which nobody told whether they count: they and their successors are both there.
    var undecided: [String] = []

    /// `status` is the candidate's own, if it is fresh.
    init(_ facts: TrackingFacts, status: GeoStatus?) {
        self.counts = facts.registries
        for (former, later) in Self.successors.sorted(by: { $0.key < $1.key }) {
            guard let old = counts[former], counts[later] != nil else { continue }
            if old.total == 0 {
                leave(former)
            } else if let status {
                leave(status.counts["\(later)_registry_count"] == nil ? later : former)
            } else {
                undecided.append(former)
            }
        }
    }

    private mutating func leave(_ name: String) {
        counts[name] = nil
        leftOut.insert(name)
    }
}

/// What the tracking database of a site said, and when.
struct SiteTracking {
    var node: Node
    var facts: TrackingFacts
    var at: Timestamp
}

extension Examination {
    /// The tracking database of a site; `nil`, with a remark, when it is not known.
    mutating func tracking(of site: Site) -> SiteTracking? {
        guard let node = site.nodes(running: .trackingDB).first else {
            unknown(
                "\(site.id) has no node with the component tracking-db, so that nothing shows what it replicated",
                remedy: "add the node of geo-postgresql to \(context.inventory.source.path)")
            return nil
        }
        let facts = readRows(\.tracking, "tracking database", of: node) {
            "\(Quantity.count($0.registries.count, "registry table")), cursor at event"
                + " \($0.cursorEventID.map(String.init) ?? "none")"
        }
        guard let facts, let at = observation[node.id].tracking.at else { return nil }
        return SiteTracking(node: node, facts: facts, at: at)
    }

    /// The types by the registries in force; the candidate's status is looked at only where it has to decide.
    private mutating func types(of pair: SitePair, _ status: GeoStatus, _ geo: SiteGeo?, _ tracking: SiteTracking)
        -> [DataType]
    {
        var registries = RegistriesInForce(tracking.facts, status: nil)
        if !registries.undecided.isEmpty, let geo {
            registries = RegistriesInForce(tracking.facts, status: freshStatus(of: pair.to, in: geo))
        }
        for former in registries.undecided {
            unknown(
                "\(former): two registries on \(pair.to.id) have rows of them, and its status does not say which counts",
                remedy: "sudo gitlab-rails runner 'Geo::MetricsUpdateWorker.new.perform'"
                    + "  # on a Rails node of \(pair.to.id)")
        }
        return DataType.all(primary: status, registries: registries, uncounted: geo?.facts.uncounted)
    }

    /// All data types with both sides' counts; `nil`, with a remark, unless both are known and fresh.
    mutating func dataTypes(of pair: SitePair) -> [DataType]? {
        let geo = geo(of: pair.from)
        let status = geo.flatMap { freshStatus(of: pair.from, in: $0) }
        guard let tracking = tracking(of: pair.to), let status else { return nil }
        guard !tracking.facts.registries.isEmpty else {
            fail(
                "the tracking database of \(pair.to.id) has no registry table: nothing was ever replicated",
                remedy: "sudo gitlab-rake db:migrate:geo  # on a Rails node of \(pair.to.id)")
            return nil
        }
        let types = types(of: pair, status, geo, tracking)
        for type in types where type.registry?.isPossible == false {
            unknown(
                "\(type.name): the counts of its registry on \(pair.to.id) contradict each other (\(type.evidenceText))",
                remedy: "sudo gitlab-rake gitlab:geo:status  # on a Rails node of \(pair.to.id), then check again")
        }
        for table in tracking.facts.unread ?? [] {
            // Later releases leave the old table behind, without some of its columns, and count in the new ones.
            if table == "project_registry", tracking.facts.registries["project_wiki_repositories"] != nil,
                types.contains(where: { $0.name == "project_repositories" && !$0.isUnused })
            {
                continue
            }
            unknown(
                "\(pair.to.id) keeps \(table), a registry of a form that is not known here: what it holds was not counted",
                remedy: "compare by hand: sudo gitlab-rake gitlab:geo:status  # on a Rails node of \(pair.to.id);"
                    + " before GitLab 17: geo:status")
        }
        let unused = types.filter(\.isUnused)
        for type in types where !type.isUnused {
            note(Evidence(type.evidenceText, from: tracking.node.id.rawValue, at: tracking.at))
        }
        if !unused.isEmpty {
            note("neither counted nor registered, not judged: \(Quantity.list(unused.map(\.name), atMost: 40))")
        }
        let used = types.filter { !$0.isUnused }
        if used.allSatisfy(\.isEmpty) {
            warn(
                "zero of zero: there is nothing to replicate, all \(used.count) data types are empty on both sites",
                remedy: "push something to \(pair.from.url) and check again, to see that replication works")
        }
        return used
    }
}
