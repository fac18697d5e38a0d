/// What runs, what is queued, and what may start by itself.
enum ServiceChecks {
    static let all = [queues, drained, trackingDatabase, applicationStopped, stopped, cronGeoOnly, cronRunning]

    static let queues = Check.aboutSite(
        "sidekiq.queues",
        CheckText(
            question: "How much work waits in Sidekiq?",
            rationale:
                "Redis is not replicated. What is queued has to be drained before the primary stops, or is lost.",
            source: cite(.plannedFailover, .dataTypes),
            remedy: "start the failover when the queues are shorter; draining them is part of its window"),
        limits: [
            LimitDefault(
                name: "at_most", value: 10_000, unit: .count, meaning: "jobs of all queues beyond which it warns")
        ],
        needs: { scope, site, _ in scope.ask([.queues], of: site.nodes) }
    ) { examination, site in
        guard let queues = examination.queues(of: site) else { return "" }
        let total = queues.values.reduce(0, +)
        let text = Self.text(queues.filter { $0.value > 0 })
        if total > examination.limit("at_most") {
            examination.warn(
                "\(Quantity.count(total, "job")) waiting in Sidekiq of \(site.id) (\(text)),"
                    + " more than \(examination.limit("at_most"))",
                remedy: "start the failover when the queues are shorter: draining them is part of its window")
        }
        return "\(Quantity.count(total, "job")) waiting in \(Quantity.count(queues.count, "queue")) of \(site.id)"
            + (total == 0 ? "" : ": \(text)")
    }

    static let drained = Check.aboutSite(
        "sidekiq.drained",
        CheckText(
            question: "Are all Sidekiq queues of the site empty, Geo's own left out?",
            rationale: "A job that is queued when the primary stops is lost. Geo's queues go on working until the end.",
            source: cite(.plannedFailover, .geoTasks),
            remedy: "sudo gitlab-ctl status sidekiq on the Sidekiq nodes: it must run to drain"),
        needs: { scope, site, _ in scope.ask([.queues], of: site.nodes) }
    ) { examination, site in
        guard let queues = examination.queues(of: site) else { return "" }
        let waiting = queues.filter { !$0.key.contains("geo") && $0.value != 0 }
        if !waiting.isEmpty {
            examination.fail(
                "\(Quantity.count(waiting.values.reduce(0, +), "job")) waiting in"
                    + " \(Quantity.count(waiting.count, "queue")) of \(site.id): \(Self.text(waiting))",
                remedy: "sudo gitlab-ctl status sidekiq"
                    + "  # on \(Quantity.list(site.nodes(running: .sidekiq).map(\.id.rawValue))): it must run to drain"
            )
        }
        return "all \(queues.keys.count { !$0.contains("geo") }) queues of \(site.id) are empty, Geo's left out"
    }

    private static func text(_ queues: [String: Int]) -> String {
        Quantity.list(queues.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value)" })
    }

    static let trackingDatabase = Check.aboutSite(
        "rails.tracking-database",
        CheckText(
            question: "Do the Rails nodes of the secondary have a tracking database configured?",
            rationale: "Without a geo entry in database.yml Rails does not work as a Geo secondary.",
            source: cite(.geoRole, .troubleshooting),
            remedy: "set geo_secondary['enable'] and geo_secondary['db_host'] in /etc/gitlab/gitlab.rb, then sudo "
                + "gitlab-ctl reconfigure"),
        needs: { scope, site, _ in scope.ask([.railsConfiguration], of: site.nodes) }
    ) { examination, site in
        let seen = examination.readEach(
            \.hasTrackingDatabaseConfigured, "geo in database.yml", of: site.nodes(running: .rails)
        ) { "\($0)" }
        let without = seen.filter { !$0.value }.map(\.node.id.rawValue)
        if !without.isEmpty {
            examination.fail(
                "database.yml has no geo entry on \(Quantity.list(without))",
                remedy: "set geo_secondary['enable'] and geo_secondary['db_host'] in /etc/gitlab/gitlab.rb there,"
                    + " then sudo gitlab-ctl reconfigure")
        }
        return "all \(Quantity.count(seen.count, "Rails node")) of \(site.id) have a tracking database configured"
    }

    static let applicationServices = ["puma", "gitlab-workhorse", "nginx", "sidekiq", "gitlab-sshd", "gitlab-kas"]

    static let applicationStopped = Check.aboutNode(
        "node.application-stopped",
        CheckText(
            question: "Are all services of the node down that could take or cause writes?",
            rationale: "While PostgreSQL still runs for the standby to catch up, nothing may commit any more.",
            source: cite(.disasterRecovery, .shutdown),
            remedy: "sudo gitlab-ctl stop SERVICE; sudo gitlab-ctl graceful-kill SERVICE on the node"),
        probes: [.services]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let services = examination.readServices(of: node) else { return "" }
        let needed = node.expectedServicesOfPrimary.filter(applicationServices.contains)
        let listed = services.map(\.name).filter(applicationServices.contains)
        examination.requireStopped(listed + needed.filter { !listed.contains($0) }, among: services, of: node)
        return listed.isEmpty
            ? "\(node.id) runs no application service" : "\(listed.joined(separator: ", ")) of \(node.id) are down"
    }

    static let stopped = Check.aboutNode(
        "node.stopped",
        CheckText(
            question: "Is every service of the node down?",
            rationale:
                "gitlab-ctl stop gives up on a service that ignores TERM, and exits as if it were one of many reasons.",
            source: cite(.serviceControl),
            remedy: "sudo gitlab-ctl stop; sudo gitlab-ctl graceful-kill SERVICE for what ignores it"),
        probes: [.services]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let services = examination.readServices(of: node) else { return "" }
        examination.requireStopped(services.map(\.name), among: services, of: node)
        return "all \(Quantity.count(services.count, "service")) of \(node.id) are down"
    }

    static let geoCronJobs: Set<String> = [
        "geo_metrics_update_worker", "geo_prune_event_log_worker", "geo_verification_cron_worker",
        "repository_check_worker",
    ]

    static let cronGeoOnly = Check.aboutSite(
        "cron.geo-only",
        CheckText(
            question: "Are only the four cron jobs enabled that finish replication and verification?",
            rationale: "Other jobs go on creating work. Without these four a failover cannot complete.",
            source: cite(.plannedFailover, .geoTasks),
            remedy: "Admin > Monitoring > Background jobs > Cron: Disable All, then enable the four that are named"),
        needs: { scope, site, _ in scope.ask([.cronJobs], of: Array(site.nodes(running: .rails).prefix(1))) }
    ) { examination, site in
        guard let (node, jobs) = examination.cronJobs(of: site) else { return "" }
        let off = geoCronJobs.filter { jobs[$0] != "enabled" }.sorted()
        let on = jobs.filter { !geoCronJobs.contains($0.key) && $0.value != "disabled" }.keys.sorted()
        let remedy =
            "Admin > Monitoring > Background jobs > Cron: Disable All, then Enable"
            + " \(geoCronJobs.sorted().joined(separator: ", "))  # on \(site.url)"
        if !off.isEmpty {
            examination.fail("not enabled by \(node.id): \(off.joined(separator: ", "))", remedy: remedy)
        }
        if !on.isEmpty {
            examination.fail(
                "\(Quantity.count(on.count, "other cron job")) not disabled: \(Quantity.list(on))", remedy: remedy)
        }
        return
            "the \(geoCronJobs.count) needed cron jobs are enabled,"
            + " the other \(jobs.count - geoCronJobs.count) disabled"
    }

    static let cronRunning = Check.aboutSite(
        "cron.running",
        CheckText(
            question: "Are the cron jobs of the primary enabled?",
            rationale: "Their state lives in each site's Redis: a promoted site may keep them disabled, and GitLab then"
                + " stops cleaning up, mailing and running schedules without a word.",
            source: cite(.geoTasks, .plannedFailover),
            remedy: "sudo gitlab-rails runner 'Sidekiq::Cron::Job.all.each(&:enable!)' on a Rails node"),
        needs: { scope, site, _ in scope.ask([.cronJobs], of: Array(site.nodes(running: .rails).prefix(1))) }
    ) { examination, site in
        guard let (node, jobs) = examination.cronJobs(of: site) else { return "" }
        let ordinary = jobs.filter { !$0.key.contains("geo") }
        let leftOff = Set(examination.context.cronJobsLeftOff).intersection(ordinary.keys)
        let off = ordinary.filter { $0.value != "enabled" && !leftOff.contains($0.key) }.keys.sorted()
        if !off.isEmpty {
            let code = ActionCommands.Ruby.cronJobs(leavingOff: leftOff.sorted())
            examination.fail(
                "\(Quantity.count(off.count, "cron job")) of \(site.id) not enabled: \(Quantity.list(off))",
                remedy: "sudo gitlab-rails runner '\(code)'  # on \(node.id)")
        }
        // Told and no more: GitLab before the feature flag stop_bulk_sidekiq_job_activation enables all of a primary's
        // jobs each minute, and a run cannot hold it to anything else.
        let told = leftOff.sorted().map { "\($0) is \(ordinary[$0] ?? "not there")" }.joined(separator: ", ")
        let others = leftOff.isEmpty ? "" : "; off before the run: \(told)"
        return "all \(ordinary.count - leftOff.count) cron jobs of \(site.id) that are not Geo's are enabled\(others)"
    }
}
