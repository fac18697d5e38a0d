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

    /// Every type that either side knows of, by name. The list grows with each release and is never fixed here.
    static func all(primary: GeoStatus, tracking: TrackingFacts) -> [DataType] {
        var names = Set(tracking.registries.keys)
        for key in primary.counts.keys {
            guard let name = typeName(ofCount: key) else { continue }
            names.insert(name)
        }
        return names.sorted().map { name in
            DataType(
                name: name, onPrimary: primary.counts["\(name)_count"],
                checksumTotal: primary.counts["\(name)_checksum_total_count"],
                checksummed: primary.counts["\(name)_checksummed_count"],
                checksumFailed: primary.counts["\(name)_checksum_failed_count"],
                registry: tracking.registries[name])
        }
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
        let types = DataType.all(primary: status, tracking: tracking.facts)
        for type in types where type.registry?.isPossible == false {
            unknown(
                "\(type.name): the counts of its registry on \(pair.to.id) contradict each other (\(type.evidenceText))",
                remedy: "sudo gitlab-rake gitlab:geo:status  # on a Rails node of \(pair.to.id), then check again")
        }
        for table in tracking.facts.unread ?? [] {
            // Later releases leave the old table behind and count in the new one.
            if table == "project_registry", types.contains(where: { $0.name == "project_repositories" && !$0.isUnused })
            {
                continue
            }
            unknown(
                "\(pair.to.id) keeps \(table), a registry of an older GitLab's form: what it holds was not counted",
                remedy: "compare by hand: sudo gitlab-rake geo:status  # on a Rails node of \(pair.to.id); GitLab 16.3"
                    + " and later have registries that can be counted")
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
