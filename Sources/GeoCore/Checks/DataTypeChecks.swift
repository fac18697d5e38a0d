/// Whether every kind of data has arrived, and arrived intact. GitLab's percentages count the rows that exist.
enum DataTypeChecks {
    static let all = [complete, verified]

    static let pending = LimitDefault(
        name: "at_most_pending", value: 0, unit: .count,
        meaning: "items of one data type that may still be on their way; never failed or missing ones")

    static let needs: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = { scope, pair, _ in
        scope.askGeo(of: pair.from)
        scope.ask([.tracking], of: pair.to.nodes)
    }

    static let complete = Check.aboutFailover(
        "geo.complete",
        CheckText(
            question: "Has every item of every data type that the primary counts reached the candidate?",
            rationale: "GitLab's 100 % is of the registry rows that exist. Items without a row are missing from it,"
                + " so the registry is compared with the primary's own count.",
            source: cite(.siteStatus, .registry, .sitesAPI),
            remedy: "Admin > Geo > Sites > SITE > TYPE: Resync all; missing rows: "
                + "Geo::Secondary::RegistryConsistencyWorker.new.perform"),
        limits: [pending, Examination.statusAge],
        needs: needs
    ) { examination, pair in
        guard let types = examination.dataTypes(of: pair) else { return "" }
        for type in types { examination.requireComplete(type, of: pair) }
        let registries = types.compactMap(\.registry)
        // What has rows and is not counted on the primary may be of any size.
        let isCounted = types.allSatisfy { $0.registry == nil || $0.onPrimary != nil }
        examination.progress = Measure(
            .items, done: registries.map(\.synced).reduce(0, +), of: isCounted ? wanted(types) : nil)
        let items = types.compactMap { $0.registry?.synced }.reduce(0, +)
        return "all \(items) items of \(types.filter { !$0.isEmpty }.count) data types reached \(pair.to.id)"
            + Self.emptyTypes(types)
    }

    static let verified = Check.aboutFailover(
        "geo.verified",
        CheckText(
            question: "Is every replicated item compared by checksum and equal?",
            rationale: "A synchronised item can be truncated or old; only verification compares it with the primary's.",
            source: cite(.siteStatus, .verification),
            remedy: "Admin > Geo > Sites > SITE > TYPE: Reverify all; sudo gitlab-rake gitlab:geo:check on the "
                + "primary"),
        limits: [pending, Examination.statusAge],
        needs: needs
    ) { examination, pair in
        guard let types = examination.dataTypes(of: pair) else { return "" }
        for type in types {
            examination.requireVerified(type, of: pair)
            examination.requireChecksummed(type, of: pair)
        }
        let registries = types.compactMap(\.registry)
        examination.progress = Measure(
            .items, done: registries.map(\.verified).reduce(0, +),
            of: registries.map { $0.synced - $0.verificationDisabled }.reduce(0, +))
        let items = types.compactMap { $0.registry?.verified }.reduce(0, +)
        let disabled = types.compactMap { $0.registry?.verificationDisabled }.reduce(0, +)
        return "all \(items) verifiable items on \(pair.to.id) are verified"
            + (disabled == 0 ? "" : ", \(disabled) have verification switched off") + Self.emptyTypes(types)
    }

    /// Of each data type the larger count: rows may be too many, and may be missing.
    private static func wanted(_ types: [DataType]) -> Int {
        types.compactMap { [$0.onPrimary, $0.registry?.total].compactMap(\.self).max() }.reduce(0, +)
    }

    private static func emptyTypes(_ types: [DataType]) -> String {
        let empty = types.filter(\.isEmpty).map(\.name)
        return empty.isEmpty ? "" : "; zero of zero: \(Quantity.list(empty))"
    }
}

extension Examination {
    fileprivate mutating func requireComplete(_ type: DataType, of pair: SitePair) {
        let resync =
            "Admin > Geo > Sites > \(pair.to.geoNodeName) > \(type.name): Resync all; then"
            + " sudo gitlab-rake gitlab:geo:status  # on a Rails node of \(pair.to.id)"
        guard let registry = type.registry else {
            if !type.isEmpty {
                fail(
                    "\(type.name): \(type.onPrimary ?? 0) on \(pair.from.id) and no registry on \(pair.to.id):"
                        + " they are not replicated",
                    remedy: "turn on the replication of \(type.name), or copy them by other means")
            }
            return
        }
        guard let onPrimary = type.onPrimary else {
            unknown(
                "\(type.name): \(registry.total) registered on \(pair.to.id), and \(pair.from.id) does not say how many"
                    + " there are",
                remedy:
                    "sudo gitlab-rails runner 'Geo::MetricsUpdateWorker.new.perform'"
                    + "  # on a Rails node of \(pair.from.id)"
            )
            return
        }
        let pending = registry.total - registry.synced - registry.failed
        if registry.failed > 0 {
            fail("\(type.name): \(registry.failed) of \(registry.total) failed to synchronise", remedy: resync)
        }
        if registry.total < onPrimary {
            fail(
                "\(type.name): \(onPrimary - registry.total) of \(onPrimary) on \(pair.from.id) have no registry row on"
                    + " \(pair.to.id), so that its percentage does not count them",
                remedy: "wait for Geo::RegistryConsistencyWorker, or run it: sudo gitlab-rails runner"
                    + " 'Geo::Secondary::RegistryConsistencyWorker.new.perform'  # on a Rails node of \(pair.to.id)")
        } else if registry.total > onPrimary {
            warn(
                "\(type.name): \(registry.total) registered on \(pair.to.id), \(onPrimary) counted on \(pair.from.id):"
                    + " \(Quantity.count(registry.total - onPrimary, "row")) too many could hide as many missing ones",
                remedy: "check again after the next status of \(pair.from.id); rows of deleted items vanish with"
                    + " Geo::Secondary::RegistryConsistencyWorker")
        }
        if pending > limit("at_most_pending") {
            fail("\(type.name): \(pending) of \(registry.total) are not synchronised yet", remedy: resync)
        }
    }

    fileprivate mutating func requireVerified(_ type: DataType, of pair: SitePair) {
        guard let registry = type.registry else { return }
        let reverify = "Admin > Geo > Sites > \(pair.to.geoNodeName) > \(type.name): Reverify all"
        if registry.verificationFailed > 0 {
            fail(
                "\(type.name): \(registry.verificationFailed) of \(registry.total) differ from \(pair.from.id)'s"
                    + " or could not be compared",
                remedy: reverify)
        }
        let pending = registry.synced - registry.verified - registry.verificationDisabled - registry.verificationFailed
        if pending > limit("at_most_pending") {
            fail(
                "\(type.name): \(pending) of \(registry.synced) synchronised items are not verified yet",
                remedy: reverify)
        }
    }

    /// The primary's side: what has no checksum there cannot be verified anywhere.
    fileprivate mutating func requireChecksummed(_ type: DataType, of pair: SitePair) {
        let remedy =
            "sudo gitlab-rake gitlab:geo:check  # on a Rails node of \(pair.from.id);"
            + " then Admin > Geo > Sites > \(pair.from.geoNodeName) > \(type.name)"
        guard let onPrimary = type.onPrimary, onPrimary > 0 else {
            if let failed = type.checksumFailed, failed != 0 {
                fail("\(type.name): \(failed) of none on \(pair.from.id) cannot be checksummed", remedy: remedy)
            }
            return
        }
        guard let checksummed = type.checksummed, let failed = type.checksumFailed else {
            if type.isNeverVerified {
                note("\(type.name): not compared by checksum on either site")
                return
            }
            unknown(
                "\(type.name): \(pair.from.id) does not say how many of its \(onPrimary) have a checksum",
                remedy: remedy)
            return
        }
        if failed > 0 {
            fail("\(type.name): \(failed) of \(onPrimary) on \(pair.from.id) cannot be checksummed", remedy: remedy)
        }
        let pending = (type.checksumTotal ?? onPrimary) - checksummed - failed
        if pending > limit("at_most_pending") {
            fail("\(type.name): \(pending) of \(onPrimary) on \(pair.from.id) have no checksum yet", remedy: remedy)
        }
    }
}
