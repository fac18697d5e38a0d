extension GeoStateChecks {
    static let waitingItems = Check.aboutFailover(
        "geo.waiting-items",
        CheckText(
            question: "Would waiting help: is every item that is not there yet being tried, and failing for no reason?",
            rationale: "A count that does not shrink looks like one that does. Items that nobody tries, and items that"
                + " fail again and again for one reason, are still there after any wait. So are those with two rows, of"
                + " which one ends with \"Verification timed out\"; registries beyond 64 MiB without a unique index are not"
                + " looked through for them.",
            source: cite(.registry, .troubleshootingSync, .troubleshooting),
            remedy: "act on the reason that is named; sudo gitlab-ctl status sidekiq and geo-logcursor on the candidate"
        ),
        limits: [
            LimitDefault(
                name: "untried_seconds", value: 3600, unit: .seconds,
                meaning: "age of the oldest waiting item beyond which rows that nobody tried fail")
        ],
        needs: { scope, pair, _ in scope.ask([.registryDetails], of: pair.to.nodes) }
    ) { examination, pair in
        guard let (_, details) = examination.registryDetails(of: pair.to) else { return "" }
        for (type, waiting) in details.types.sorted(by: { $0.key < $1.key }) {
            if waiting.neverTried > 0, let age = waiting.oldestSeconds,
                age > Double(examination.limit("untried_seconds"))
            {
                examination.fail(
                    "\(type): nobody has tried to synchronise \(waiting.neverTried), the oldest for"
                        + " \(Quantity.seconds(age))",
                    remedy: "sudo gitlab-ctl status  # on the Sidekiq and log cursor nodes of \(pair.to.id);"
                        + " then Admin > Monitoring > Background jobs > Cron")
            }
            if waiting.neverTried > 0, waiting.oldestSeconds == nil {
                examination.unknown(
                    "\(type): nobody has tried to synchronise \(waiting.neverTried), and since when was not told",
                    remedy: "Admin > Geo > Sites > \(pair.to.geoNodeName) > \(type): filter by pending")
            }
            for (what, reasons) in [
                ("synchronise", waiting.syncFailures), ("verify", waiting.verificationFailures),
            ] where !reasons.isEmpty {
                let told = reasons.map { "\($0.count) times \"\($0.text)\"" }.joined(separator: ", ")
                examination.warn(
                    "\(type): failed to \(what): \(told)"
                        + (waiting.retries > 0 ? ", up to \(waiting.retries) times each" : ""),
                    remedy: "Admin > Geo > Sites > \(pair.to.geoNodeName) > \(type): filter by failed;"
                        + " sudo gitlab-ctl tail gitlab-rails/geo.log  # on the Sidekiq nodes of \(pair.to.id)")
            }
        }
        for (type, waiting) in details.types.sorted(by: { $0.key < $1.key }) {
            guard let duplicates = waiting.duplicates, duplicates > 0 else { continue }
            examination.warn(
                "\(type): \(Quantity.count(duplicates, "row is", "rows are")) about an item that has a row already: their"
                    + " verification times out",
                remedy:
                    "docs.gitlab.com, Geo, troubleshooting common errors: \"Verification timed out\", the script that"
                    + " removes duplicate rows  # on a Rails node of \(pair.to.id)")
        }
        let uncompared = details.types.filter { $0.value.duplicates == nil }.keys.sorted()
        if !uncompared.isEmpty { examination.note("not looked through for second rows: \(Quantity.list(uncompared))") }
        return "no item of \(Quantity.count(details.types.count, "data type")) waits untried or fails on \(pair.to.id)"
    }

    static let trackingSchema = Check.aboutFailover(
        "geo.tracking-schema",
        CheckText(
            question: "Is the schema of the candidate's tracking database the one that its GitLab expects?",
            rationale: "With a schema behind the code the log cursor and the registries of newer types stop, while the"
                + " counts of all others stay complete.",
            source: cite(.troubleshooting, .trackingSchema),
            remedy: "sudo gitlab-rake db:migrate:geo on a Rails node of the candidate"),
        needs: { scope, pair, _ in scope.ask([.registryDetails, .trackingSchema], of: pair.to.nodes) }
    ) { examination, pair in
        guard let (node, details) = examination.registryDetails(of: pair.to),
            let packaged = examination.read(\.trackingSchema, "newest migration in the package", of: node, as: { $0 })
        else { return "" }
        guard let installed = details.schemaVersion else {
            examination.fail(
                "the tracking database on \(node.id) has no migration at all",
                remedy: "sudo gitlab-rake db:migrate:geo  # on a Rails node of \(pair.to.id)")
            return ""
        }
        // Versions are times of equal length.
        if installed < packaged {
            examination.fail(
                "the tracking database on \(node.id) is at \(installed), GitLab there expects \(packaged)",
                remedy: "sudo gitlab-rake db:migrate:geo  # on a Rails node of \(pair.to.id)")
        } else if installed > packaged {
            examination.fail(
                "the tracking database on \(node.id) is at \(installed), newer than GitLab's \(packaged) there:"
                    + " it was made by a newer GitLab",
                remedy: "make the GitLab versions of \(pair.to.id) equal, or reset its tracking database")
        }
        return "the tracking database on \(node.id) is at \(installed), as GitLab there expects"
    }

    static let backgroundMigrations = Check.aboutFailover(
        "gitlab.background-migrations",
        CheckText(
            question: "Are all batched background migrations of the primary finished?",
            rationale: "They go on rewriting tables for hours or days after an upgrade. In a failover they compete with"
                + " replication, and the promoted site cannot be upgraded to repair anything before they end.",
            source: cite(.backgroundMigrations),
            remedy: "wait: Admin > Monitoring > Background migrations; failed ones are to be retried there"),
        needs: askTables
    ) { examination, pair in
        guard let tables = examination.tables(of: pair.from) else { return "" }
        let count = tables.facts.unfinishedMigrationCount
        if count > 0 {
            examination.warn(
                "\(Quantity.count(count, "background migration")) of \(pair.from.id) not finished:"
                    + " \(Quantity.list(tables.facts.unfinishedMigrations, atMost: 3))",
                remedy: "wait, or look at \(pair.from.url)/admin/background_migrations")
        }
        return "all background migrations of \(pair.from.id) are finished"
    }
}

extension Examination {
    fileprivate mutating func registryDetails(of site: Site) -> (Node, RegistryDetails)? {
        guard let node = site.nodes(running: .trackingDB).first else {
            unknown(
                "\(site.id) has no node with the component tracking-db",
                remedy: "add the node of geo-postgresql to \(context.inventory.source.path)")
            return nil
        }
        let details = readRows(\.registryDetails, "registries", of: node) { details in
            let failing = details.types.filter {
                !$0.value.syncFailures.isEmpty || !$0.value.verificationFailures.isEmpty
            }
            return "\(Quantity.count(details.types.count, "registry", "registries")), schema"
                + " \(details.schemaVersion ?? "none"), failures in \(failing.count)"
        }
        return details.map { (node, $0) }
    }
}
