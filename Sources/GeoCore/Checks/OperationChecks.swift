/// What keeps a site going beside its services, and is missed only after the failover.
enum OperationChecks {
    static let all = [backups, cronJobs]

    static let backups = Check.aboutFailover(
        "backup.age",
        CheckText(
            question: "Was the primary backed up lately?",
            rationale: "A failover replaces a damaged site by a copy with the same damage: deletions and corruption are"
                + " replicated too. Only a backup gives back what they took.",
            source: cite(.backup, .disasterRecovery),
            remedy: "sudo gitlab-backup create on a Rails node of the primary, and a cron job for it"),
        limits: [
            LimitDefault(
                name: "at_most_seconds", value: 172_800, unit: .seconds,
                meaning: "age of the newest archive in /var/opt/gitlab/backups, beyond which it warns")
        ],
        needs: { scope, pair, _ in scope.ask([.backups], of: pair.from.nodes) }
    ) { examination, pair in
        let nodes = pair.from.nodes(running: .rails)
        let seen = examination.readEach(\.backups, "backups", of: nodes) { facts in
            facts.newestAt.map { "\(facts.count), the newest of \($0.toSeconds)" } ?? "none"
        }
        let remedy = "sudo gitlab-backup create  # on \(nodes.first?.id.rawValue ?? "a Rails node") of \(pair.from.id)"
        let archives = seen.compactMap { answer in answer.value.newestAt.map { (node: answer.node, at: $0) } }
        guard let newest = archives.max(by: { $0.at < $1.at }) else {
            if !seen.isEmpty {
                examination.warn(
                    "no Rails node of \(pair.from.id) has an archive in /var/opt/gitlab/backups: whether it is backed"
                        + " up elsewhere, or at all, cannot be seen",
                    remedy: remedy)
            }
            return ""
        }
        let age = examination.observation.endedAt.seconds(since: newest.at)
        if age < -3600 {
            examination.unknown(
                "the newest backup on \(newest.node.id) is dated \(Quantity.days(-age)) ahead",
                remedy: "ls -l /var/opt/gitlab/backups; chronyc tracking  # on \(newest.node.id)")
        } else if age > Double(examination.limit("at_most_seconds")) {
            examination.warn(
                "the newest backup of \(pair.from.id), on \(newest.node.id), is \(Quantity.days(age)) old",
                remedy: remedy)
        }
        return "the newest backup of \(pair.from.id) is \(Quantity.days(max(0, age))) old"
    }

    /// Those that every site needs, primary and secondary: they report its status, and verify.
    private static let everywhere = ["geo_metrics_update_worker", "geo_verification_cron_worker"]

    static let cronJobs = Check.aboutSite(
        "site.cron-jobs",
        CheckText(
            question: "Are the cron jobs enabled that the site needs in its role?",
            rationale:
                "Their state lives in each site's Redis and outlives failovers and restarts: a run that was broken"
                + " off, or a person, may have left them off. Without Geo's own, status and verification stand still.",
            source: cite(.plannedFailover, .geoTasks),
            remedy: "Admin > Monitoring > Background jobs > Cron: Enable All on the primary"),
        needs: { scope, site, _ in scope.ask([.cronStates], of: site.nodes) }
    ) { examination, site in
        let nodes = site.nodes(running: .redis)
        let seen = examination.readEach(\.cronStates, "cron jobs", of: nodes) { jobs in
            jobs.isEmpty ? "none" : "\(jobs.count), \(jobs.values.count { $0 == "enabled" }) enabled"
        }
        guard seen.count == nodes.count, !seen.isEmpty else { return "" }
        let jobs = CronJobs.merged(seen.map(\.value))
        guard !jobs.isEmpty else {
            examination.unknown(
                "Redis of \(site.id) knows no cron job: Sidekiq never ran, or its jobs are in another Redis",
                remedy: "sudo gitlab-redis-cli keys 'cron_jobs*'  # on \(Quantity.list(nodes.map(\.id.rawValue)))")
            return ""
        }
        let page = "Admin > Monitoring > Background jobs > Cron, on \(site.url)"
        for name in everywhere where jobs[name] != "enabled" {
            examination.warn("cron job \(name) of \(site.id) is \(jobs[name] ?? "not there")", remedy: page)
        }
        // A secondary keeps GitLab's ordinary jobs off.
        if site.id == examination.context.from {
            let ordinary = jobs.filter { !$0.key.contains("geo") }
            let off = ordinary.filter { $0.value != "enabled" }.keys.sorted()
            if !off.isEmpty {
                examination.warn(
                    "\(Quantity.count(off.count, "cron job")) of \(site.id) disabled: \(Quantity.list(off))",
                    remedy: "\(page): Enable All, unless somebody wants them off")
            }
            if ordinary.isEmpty {
                examination.unknown(
                    "Redis of \(site.id) lists no cron job besides Geo's, so that the list is not complete",
                    remedy: page)
            }
        }
        return "the cron jobs of \(site.id) are as its role wants them"
    }
}
