/// What GitLab's own tables say of the two sites and of the settings that lose data silently.
enum GeoChecks {
    static let all = [
        siteRegistered, statusFresh, selectiveSync, objectStorage, maintenanceMode, readOnly, maintenanceOff, logCursor,
    ]

    static let askFrom: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = { scope, pair, _ in
        scope.askGeo(of: pair.from)
    }
    /// The primary's word counts, and the candidate's copy of it where the primary is silent.
    static let askBoth: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = { scope, pair, _ in
        scope.askGeo(of: pair.from)
        scope.askGeo(of: pair.to)
    }
    static let askOwn: @Sendable (inout ObservationScope, Site, CheckContext) -> Void = { scope, site, _ in
        scope.askGeo(of: site)
    }

    static let siteRegistered = Check.aboutFailover(
        "geo.site-registered",
        CheckText(
            question: "Does the primary know both sites by the names that their nodes use, and are both enabled?",
            rationale: "A node finds its site by comparing names character by character; a disabled site is paused.",
            source: cite(.configuration, .troubleshooting, .pauseResume),
            remedy: "make geo_node_name in the inventory, gitlab_rails['geo_node_name'] and Admin > Geo > Sites the "
                + "same"),
        needs: askFrom
    ) { examination, pair in
        guard let geo = examination.geo(of: pair.from) else { return "" }
        for site in [pair.from, pair.to] {
            guard let row = examination.row(of: site, in: geo), !row.isEnabled else { continue }
            examination.fail(
                "\(site.id) (\(row.name)) is disabled in geo_nodes: its replication is paused",
                remedy: "sudo gitlab-ctl geo-replication-resume"
                    + "  # on \(Quantity.list(site.databaseNodes.map(\.id.rawValue)))")
        }
        return "geo_nodes has enabled rows for \(pair.from.geoNodeName) and \(pair.to.geoNodeName)"
    }

    static let statusFresh = Check.aboutFailover(
        "geo.status-fresh",
        CheckText(
            question: "Has each site reported its status lately?",
            rationale: "GitLab shows the figures of a site that stopped reporting until somebody looks at their age.",
            source: cite(.siteStatus, .sitesAPI),
            remedy: "sudo gitlab-rails runner 'Geo::MetricsUpdateWorker.new.perform' on a Rails node of the site"),
        limits: [Examination.statusAge],
        needs: askFrom
    ) { examination, pair in
        guard let geo = examination.geo(of: pair.from) else { return "" }
        for site in [pair.from, pair.to] { _ = examination.freshStatus(of: site, in: geo, asVerdict: .fail) }
        return "both sites reported their status within the last \(examination.limit("status_age")) s"
    }

    static let selectiveSync = Check.aboutFailover(
        "geo.selective-sync",
        CheckText(
            question: "Does the candidate replicate everything, not only chosen groups or storages?",
            rationale: "100 % of a selection looks like 100 %; the rest is lost with the promotion. When the primary"
                + " does not answer, the candidate's own copy of the setting counts: no step can mend it then, and a"
                + " person has to accept the loss by name.",
            source: cite(.selectiveSync, .statusCheck),
            remedy: "Admin > Geo > Sites > SITE > Edit: Selective synchronization \"All projects\"; then wait for "
                + "geo.complete"),
        needs: askBoth
    ) { examination, pair in
        guard let row = examination.settingsRow(of: pair) else { return "" }
        if let selection = row.selectiveSync, !selection.isEmpty {
            let lost =
                selection == "shards" ? "projects on all other storages" : "groups and projects outside the selection"
            examination.fail(
                "\(pair.to.id) replicates selected \(selection) only: the \(lost) would be lost",
                remedy: "Admin > Geo > Sites > \(row.name) > Edit: Selective synchronization \"All projects\";"
                    + " then wait for geo.complete")
        } else {
            examination.requirePrimarysWord(pair)
        }
        return "\(pair.to.id) replicates everything: no selective synchronization"
    }

    static let objectStorage = Check.aboutFailover(
        "geo.object-storage",
        CheckText(
            question: "Does Geo replicate object storage to the candidate?",
            rationale: "Where Geo does not, the storage provider has to, and Geo's counts do not show whether it does."
                + " While the primary lives this is a warning; for a primary that is lost it stands in the way until a"
                + " person says that the provider's copy is there.",
            source: cite(.plannedFailover, .dataTypes),
            remedy: "Admin > Geo > Sites > SITE > Edit: allow this site to replicate content on object storage; or "
                + "confirm the provider's replication"),
        limits: [
            LimitDefault(
                name: "may_be_left_out", value: 1, unit: .count,
                meaning:
                    "1: that Geo leaves buckets out is a warning; 0: it stands in the way (when the primary is lost)")
        ],
        needs: askBoth
    ) { examination, pair in
        guard let row = examination.settingsRow(of: pair) else { return "" }
        if row.syncsObjectStorage {
            examination.requirePrimarysWord(pair)
        } else {
            let sentence =
                "Geo does not replicate object storage to \(pair.to.id): what is in buckets is there only"
                + " if their provider replicates it"
            let remedy =
                "Admin > Geo > Sites > \(row.name) > Edit: allow this site to replicate content on object storage;"
                + " or confirm the provider's replication"
            if examination.limit("may_be_left_out") > 0 {
                examination.warn(sentence, remedy: remedy)
            } else {
                examination.fail(sentence, remedy: remedy)
            }
        }
        return "Geo replicates object storage to \(pair.to.id)"
    }

    static let maintenanceMode = Check.aboutSite(
        "site.maintenance-mode",
        CheckText(
            question: "Is maintenance mode off before the failover?",
            rationale:
                "Maintenance mode that is already on belongs to somebody else's work, or to a run that never ended.",
            source: cite(.plannedFailover, .maintenanceMode),
            remedy: "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(maintenance_mode: false)' on a Rails "
                + "node"),
        needs: askOwn
    ) { examination, site in
        guard let geo = examination.geo(of: site) else { return "" }
        if geo.facts.isInMaintenanceMode {
            examination.warn(
                "\(site.id) is in maintenance mode already", remedy: examination.endMaintenanceMode(of: site))
        }
        examination.warnOfSilentMode(geo.facts, of: site)
        return "\(site.id) is not in maintenance mode"
    }

    static let readOnly = Check.aboutSite(
        "site.read-only",
        CheckText(
            question: "Does the site's own database say that maintenance mode is on?",
            rationale: "The runner's exit status is a claim; the row that Rails reads is what refuses writes.",
            source: cite(.maintenanceMode, .plannedFailover),
            remedy: "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(maintenance_mode: true)' on a Rails "
                + "node"),
        needs: askOwn
    ) { examination, site in
        if let geo = examination.geo(of: site), !geo.facts.isInMaintenanceMode {
            examination.fail(
                "\(site.id) is not in maintenance mode: users can write",
                remedy: "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(maintenance_mode: true)'"
                    + "  # on a Rails node of \(site.id)")
        }
        return "\(site.id) is in maintenance mode by its own database"
    }

    static let maintenanceOff = Check.aboutSite(
        "site.maintenance-off",
        CheckText(
            question: "Does the site's own database say that maintenance mode is off?",
            rationale: "Maintenance mode is replicated: a promoted site comes up read-only until it is turned off.",
            source: cite(.maintenanceMode, .disasterRecovery),
            remedy: "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(maintenance_mode: false)' on a Rails "
                + "node"),
        needs: askOwn
    ) { examination, site in
        guard let geo = examination.geo(of: site) else { return "" }
        if geo.facts.isInMaintenanceMode {
            examination.fail(
                "\(site.id) is in maintenance mode: users cannot write",
                remedy: examination.endMaintenanceMode(of: site))
        }
        // Said when users are let in, in earnest and in a drill: whoever wonders where the mail is finds it in the report.
        examination.warnOfSilentMode(geo.facts, of: site)
        return "\(site.id) is out of maintenance mode by its own database"
    }

    static let logCursor = Check.aboutFailover(
        "geo.log-cursor",
        CheckText(
            question: "Has the candidate's log cursor processed every event that the primary recorded?",
            rationale: "Registries know only what the cursor has told them: complete registries behind a cursor that"
                + " stands still are complete for the past.",
            source: cite(.geoTasks, .trackingSchema),
            remedy: "sudo gitlab-ctl tail geo-logcursor on the log cursor's nodes of the candidate"),
        limits: [
            LimitDefault(
                name: "at_most_events", value: 0, unit: .count, meaning: "events that the cursor may be behind")
        ],
        needs: { scope, pair, _ in
            scope.askGeo(of: pair.from)
            scope.ask([.tracking], of: pair.to.nodes)
        }
    ) { examination, pair in
        let geo = examination.geo(of: pair.from)
        let tracking = examination.tracking(of: pair.to)
        guard let geo, let tracking else { return "" }
        return examination.compare(cursor: tracking.facts.cursorEventID, with: geo.facts.lastEventID, of: pair)
    }
}

extension Examination {
    func endMaintenanceMode(of site: Site) -> String {
        "sudo gitlab-rails runner '::Gitlab::CurrentSettings.update!(maintenance_mode: false)'"
            + "  # on a Rails node of \(site.id)"
    }

    fileprivate mutating func compare(cursor: Int?, with last: Int?, of pair: SitePair) -> String {
        let remedy =
            "sudo gitlab-ctl tail geo-logcursor"
            + "  # on \(Quantity.list(pair.to.nodes(running: .logcursor).map(\.id.rawValue)))"
        // Reading the log first and the cursor a moment later can show the cursor a little ahead.
        let slack = 1000
        switch (cursor, last) {
        case (nil, nil):
            warn("neither site has ever seen a Geo event, so that nothing shows the log cursor working", remedy: remedy)
        case (nil, .some(let last)):
            fail("the log cursor of \(pair.to.id) has processed nothing, the last event is \(last)", remedy: remedy)
        case (.some(let cursor), nil):
            return
                "the event log of \(pair.from.id) is empty,"
                + " the log cursor of \(pair.to.id) has processed up to \(cursor)"
        case (.some(let cursor), .some(let last)) where cursor > last + slack:
            fail(
                "the log cursor of \(pair.to.id) is at event \(cursor), past the last event \(last) of \(pair.from.id):"
                    + " its tracking database belongs to another past",
                remedy: "reset the tracking database of \(pair.to.id): geo-failover plan --runbook reseed")
        case (.some(let cursor), .some(let last)) where last - cursor > limit("at_most_events"):
            fail(
                "the log cursor of \(pair.to.id) is at event \(cursor), \(last - cursor) behind \(last) on"
                    + " \(pair.from.id), at most \(limit("at_most_events")) allowed",
                remedy: remedy)
        case (.some(let cursor), .some(let last)):
            return
                "the log cursor of \(pair.to.id) is at event \(cursor), \(max(0, last - cursor)) behind \(pair.from.id)"
        }
        return ""
    }
}
