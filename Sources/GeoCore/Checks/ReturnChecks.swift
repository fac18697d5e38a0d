/// Nodes that come back as those of a secondary, and what their site keeps of an earlier time.
enum ReturnChecks {
    static let all = [
        secondaryEditable, secondaryConfigured, secondaryApplied, heldDown, returned, trackingFresh, geoJobsRun,
    ]

    static let secondaryEditable = Check.aboutNode(
        "node.secondary-editable",
        CheckText(
            question:
                "Is there what makes the node one of a secondary: in its gitlab.rb, each on one plain line, or as a file"
                + " of the inventory?",
            rationale:
                "Hosts and passwords of a secondary are the operators' to write; a run only turns on what is there, or"
                + " puts a file in place that it was given, and finds out before anything is touched.",
            source: cite(.multipleNodes, .bringPrimaryBack, .configurationFiles),
            remedy: "write geo_secondary['enable'] = false (Rails, Sidekiq), geo_logcursor['enable'] = false,"
                + " geo_postgresql['enable'] = false or patroni['standby_cluster']['enable'] = false with what belongs to"
                + " it; take geo_primary_role out; or name files in secondary_configuration of the inventory's site"),
        needs: { scope, node, context in context.askSettings(of: node, &scope) }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        _ = examination.readClusterFile(of: node)
        return examination.requireWhatMakesASecondary(of: node)
    }

    static let secondaryConfigured = Check.aboutNode(
        "node.secondary-configured",
        CheckText(
            question: "Is the configuration of the node that of a secondary, with no gitlab-cluster.json beside it?",
            rationale:
                "A node that still takes itself for a primary's has no tracking database, and a file that a promotion"
                + " has left overrides gitlab.rb. What configuration management writes is not contradicted, no more: that it"
                + " is in force shows only a reconfigure (node.secondary-applied).",
            source: cite(.multipleNodes, .bringPrimaryBack, .clusterFile),
            remedy: "set geo_secondary['enable'], geo_logcursor['enable'], geo_postgresql['enable'] or"
                + " patroni['standby_cluster']['enable'] to true in /etc/gitlab/gitlab.rb; sudo mv /etc/gitlab/gitlab-cluster.json aside"
        ),
        needs: { scope, node, context in context.askSettings(of: node, &scope) }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        return examination.requireSecondarySettings(of: node)
    }

    static let secondaryApplied = Check.aboutNode(
        "node.secondary-applied",
        CheckText(
            question: "Was the node reconfigured to the end with the configuration of a secondary?",
            rationale: "What stands in gitlab.rb counts only after a reconfigure that ended;"
                + " gitlab-ctl replicate-geo-database stops everything before it notices that none did. Where files of the"
                + " inventory or configuration management say so, what the reconfigure was told is looked at.",
            source: cite(.attributeReader, .bringPrimaryBack),
            remedy: "sudo gitlab-ctl reconfigure on the node"),
        needs: { scope, node, context in context.askApplied(on: node, &scope) }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        _ = examination.requireSecondarySettings(of: node)
        examination.requireApplied(on: node)
        return "\(node.id) was reconfigured as a node of a secondary"
    }

    static let heldDown = Check.aboutNode(
        "node.held-down",
        CheckText(
            question: "Does runit run on the node, with none of its services but Patroni's store where it has one?",
            rationale: "Between its start and its copy the former database would be a second writable one.",
            source: cite(.promise(1), .serviceControl, .bootUnit),
            remedy: "sudo touch /opt/gitlab/sv/SERVICE/down; sudo gitlab-ctl stop; sudo systemctl enable --now"
                + " gitlab-runsvdir"),
        probes: [.services, .boot]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        for finding in NodeStateChecks.startsAtBoot.findings(examination.context, examination.observation) {
            examination.prove(finding)
        }
        // Patroni can be told nothing without its store.
        let store = examination.context.site?.storeServices(on: node) ?? []
        if let services = examination.readServices(of: node) {
            examination.requireStopped(
                services.map(\.name).filter { !store.contains($0) }, among: services, of: node)
            examination.requireRunning(store, among: services, of: node)
            for service in services where service.state == .unsupervised {
                examination.fail(
                    "\(service.name) of \(node.id) has no supervisor",
                    remedy: "sudo systemctl enable --now gitlab-runsvdir  # on \(node.id)")
            }
        }
        return "runit runs on \(node.id), and none of its services does\(store.isEmpty ? "" : " but Consul")"
    }

    static let returned = Check.aboutNode(
        "node.returned",
        CheckText(
            question: "Is the node back in service as one of a secondary?",
            rationale:
                "All of it together: gitlab.rb, the reconfigure, services that run, and that they start at boot.",
            source: cite(.bringPrimaryBack, .serviceControl),
            remedy: "sudo gitlab-ctl reconfigure; sudo gitlab-ctl start on the node"),
        needs: { scope, node, context in
            context.askApplied(on: node, &scope)
            scope.ask([.services, .boot], of: [node])
        }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        _ = examination.requireSecondarySettings(of: node)
        examination.requireApplied(on: node)
        for finding in NodeStateChecks.inService.findings(examination.context, examination.observation) {
            examination.prove(finding)
        }
        // Also one that no component needs: it was held down, and what is left of that is known and can be run again.
        if let services = examination.readServices(of: node) {
            examination.requireRunning(services.map(\.name), among: services, of: node)
        }
        return "\(node.id) is back: reconfigured as a node of a secondary, its services run and start at boot"
    }

    static let trackingFresh = Check.aboutSite(
        "tracking.fresh",
        CheckText(
            question: "Has the tracking database its tables, and nothing of an earlier time as a secondary?",
            rationale: "An earlier one names items and events of another history: Geo refuses it, and what it calls"
                + " synchronised may not be.",
            source: cite(.bringPrimaryBack, .trackingSchema),
            remedy: "sudo gitlab-rake db:drop:geo DISABLE_DATABASE_ENVIRONMENT_CHECK=1 on a Rails node, sudo gitlab-ctl"
                + " reconfigure on the tracking node, sudo gitlab-rake db:migrate:geo"),
        needs: { scope, site, _ in scope.ask([.tracking], of: site.nodes(running: .trackingDB)) }
    ) { examination, site in
        let nodes = site.nodes(running: .trackingDB)
        if nodes.isEmpty {
            examination.unknown(
                "\(site.id) has no node with a tracking database",
                remedy:
                    "give a node of \(site.id) the component tracking-db in \(examination.context.inventory.source.path)"
            )
        }
        for node in nodes {
            // What PostgreSQL says of a table or a database that is not there: that is known, and what makes it may run
            // again. Where its server speaks another language it stays unknown.
            if let reason = examination.observation[node.id].tracking.reason, reason.contains("does not exist") {
                examination.fail(
                    "the tracking database of \(node.id) is not whole: \(reason)",
                    remedy: "sudo gitlab-rake db:migrate:geo  # on a Rails node of \(site.id)")
                continue
            }
            guard
                let facts = examination.readRows(
                    \.tracking, "tracking database", of: node, as: { "\($0.registries.count) data types" })
            else {
                continue
            }
            let rows = facts.registries.values.map(\.synced).reduce(0, +)
            if rows > 0 {
                examination.fail(
                    "the tracking database of \(node.id) has \(Quantity.count(rows, "synchronised item")) of an earlier time",
                    remedy: "rename or drop it, sudo gitlab-ctl reconfigure  # on \(node.id), and migrate it again")
            }
        }
        return "the tracking database of \(site.id) has its tables, and nothing of an earlier time"
    }

    static let geoJobsRun = Check.aboutSite(
        "cron.geo-running",
        CheckText(
            question: "Are Geo's own cron jobs of a secondary enabled?",
            rationale:
                "Redis of a site that was left keeps the jobs off that the failover had stopped: without them nothing"
                + " is copied, and no status is told. The ordinary ones Geo itself turns off on a secondary.",
            source: cite(.geoTasks, .plannedFailover),
            remedy: "sudo gitlab-rails runner 'Sidekiq::Cron::Job.all.each(&:enable!)' on a Rails node of the site"),
        needs: { scope, site, _ in scope.ask([.cronStates], of: site.nodes(running: .redis)) }
    ) { examination, site in
        let nodes = site.nodes(running: .redis)
        let seen = examination.readEach(\.cronStates, "cron jobs", of: nodes) { "\($0.count)" }
        guard seen.count == nodes.count, !seen.isEmpty else {
            if nodes.isEmpty {
                examination.unknown(
                    "\(site.id) has no Redis node that could be asked",
                    remedy: "add it to \(examination.context.inventory.source.path)")
            }
            return ""
        }
        let jobs = CronJobs.merged(seen.map(\.value))
        for name in needed + switches.filter({ jobs[$0] != nil }) where jobs[name] != "enabled" {
            examination.fail(
                "cron job \(name) of \(site.id) is \(jobs[name] ?? "not there")",
                remedy: "sudo gitlab-rails runner '\(ActionCommands.Ruby.allCronJobs)'  # on a Rails node of \(site.id)"
            )
        }
        return "Geo's cron jobs of \(site.id) are enabled"
    }

    private static let needed = ["geo_metrics_update_worker", "geo_verification_cron_worker"]
    /// Turns the others on and off with the site's role.
    private static let switches = ["geo_sidekiq_cron_config_worker"]
}
