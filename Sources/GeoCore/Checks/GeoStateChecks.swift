/// What Geo's percentages leave out: types that nobody counts, items that nobody tries, a schema that is behind.
enum GeoStateChecks {
    static let all = [
        healthy, oauthApplication, storagesMatch, typesReplicated, containerRegistry, waitingItems, trackingSchema,
        backgroundMigrations,
    ]

    static let healthy = Check.aboutFailover(
        "geo.healthy",
        CheckText(
            question: "Does the candidate's own health report say that it is healthy?",
            rationale: "Geo's health check looks from inside: tracking database, schema, replication as Rails sees it."
                + " Percentages can be complete under an unhealthy site, since both stop moving.",
            source: cite(.healthCheck, .troubleshooting),
            remedy: "sudo gitlab-rake gitlab:geo:check on a Rails node of the candidate"),
        limits: [Examination.statusAge],
        needs: GeoChecks.askFrom
    ) { examination, pair in
        guard let geo = examination.geo(of: pair.from),
            let status = examination.freshStatus(of: pair.to, in: geo)
        else { return "" }
        if let message = status.message, message != "Healthy" {
            examination.fail(
                "\(pair.to.id) reports: \(Excerpt.of(message.utf8))",
                remedy: "sudo gitlab-rake gitlab:geo:check  # on a Rails node of \(pair.to.id)")
        }
        if let message = geo.facts.node(named: pair.from.geoNodeName)?.status?.message, message != "Healthy" {
            examination.warn(
                "\(pair.from.id) reports of itself: \(Excerpt.of(message.utf8))",
                remedy: "sudo gitlab-rake gitlab:geo:check  # on a Rails node of \(pair.from.id)")
        }
        return "\(pair.to.id) reports that it is healthy"
    }

    static let askTables: @Sendable (inout ObservationScope, SitePair, CheckContext) -> Void = { scope, pair, _ in
        scope.askTables(of: pair.from)
    }

    static let oauthApplication = Check.aboutFailover(
        "geo.oauth-application",
        CheckText(
            question: "Has the candidate the OAuth application with which users sign in there, for its own URL?",
            rationale: "Without it nobody can sign in to the secondary by its own URL, which nobody tries before the"
                + " day on which the primary does not answer. One that was made for another URL says \"The redirect URI"
                + " included is not valid\".",
            source: cite(.sitesAPI, .troubleshooting, .geoSite),
            remedy: "curl -X POST -H 'PRIVATE-TOKEN: TOKEN' URL-OF-PRIMARY/api/v4/geo_sites/ID/repair"),
        needs: askTables
    ) { examination, pair in
        guard let tables = examination.tables(of: pair.from), let row = examination.site(pair.to, in: tables) else {
            return ""
        }
        if !row.hasOAuthApplication {
            examination.warn(
                "\(pair.to.id) has no OAuth application: nobody can sign in there",
                remedy: "curl -X POST -H 'PRIVATE-TOKEN: TOKEN' \(pair.from.url)/api/v4/geo_sites/ID/repair"
                    + "  # ID of \(pair.to.geoNodeName)")
            return ""
        }
        guard let url = row.url else {
            examination.unknown(
                "the URL of \(pair.to.id) in geo_nodes was not told",
                remedy: "sudo gitlab-psql -c 'SELECT name, url FROM geo_nodes'  # on \(tables.node.id)")
            return ""
        }
        let wanted = ApplicationFacts.callback(of: url)
        let uris = (row.redirect ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
        if !uris.contains(wanted) {
            examination.warn(
                "the OAuth application of \(pair.to.id) sends users back to"
                    + " \(uris.isEmpty ? "nowhere" : Quantity.list(uris)), and the site is at \(url): nobody can sign in"
                    + " there",
                remedy:
                    "Admin > Geo > Sites > \(pair.to.geoNodeName) > Edit, on \(pair.from.url): save it anew with its"
                    + " URL, which must be external_url of its Rails nodes")
        }
        return "\(pair.to.id) has an OAuth application for its URL"
    }

    static let storagesMatch = Check.aboutFailover(
        "geo.storages-match",
        CheckText(
            question: "Have both sites reported the same Gitaly storages?",
            rationale: "A repository is found by the name of its storage. On a site that lacks the name it can be"
                + " neither replicated nor served.",
            source: cite(.siteStatus, .sitesAPI),
            remedy: "give both sites storages of the same names in gitlab.rb of their Rails nodes, then reconfigure"),
        needs: askTables
    ) { examination, pair in
        guard let tables = examination.tables(of: pair.from) else { return "" }
        var digests: [String] = []
        for site in [pair.from, pair.to] {
            guard let row = examination.site(site, in: tables) else { continue }
            if let digest = row.storageDigest, !digest.isEmpty {
                digests.append(digest)
            } else {
                examination.unknown(
                    "\(site.id) has not reported its storages",
                    remedy: "sudo gitlab-rails runner 'Geo::MetricsUpdateWorker.new.perform'"
                        + "  # on a Rails node of \(site.id)")
            }
        }
        if Set(digests).count > 1 {
            examination.fail(
                "the Gitaly storages of \(pair.from.id) and \(pair.to.id) differ",
                remedy: "sudo grep -A9 -E 'git_data_dirs|repositories_storages' /etc/gitlab/gitlab.rb"
                    + "  # on a Rails node of each; make the names equal, then reconfigure")
        }
        return "both sites reported the same Gitaly storages"
    }

    static let typesReplicated = Check.aboutFailover(
        "geo.types-replicated",
        CheckText(
            question: "Is every data type that the primary has items of replicated at all?",
            rationale: "A type whose replication is switched off is counted by nobody: it is missing from GitLab's"
                + " percentages, and its items are lost at 100 %.",
            source: cite(.siteStatus, .dataTypes),
            remedy:
                "turn on the type's replication (Admin > Geo > Sites; feature flags), or copy its items by other means"
        ),
        needs: { scope, pair, _ in
            scope.askTables(of: pair.from)
            scope.askGeo(of: pair.from)
            scope.ask([.tracking], of: pair.to.nodes)
        }
    ) { examination, pair in
        let tables = examination.tables(of: pair.from)
        let row = examination.geo(of: pair.from).flatMap { examination.row(of: pair.to, in: $0) }
        let tracking = examination.tracking(of: pair.to)
        guard let tables, let row, let tracking else { return "" }
        let present = tables.facts.hasItems.filter { $0.value && $0.key != containers }.keys.sorted()
        if tables.facts.hasItems.isEmpty {
            examination.unknown(
                "\(tables.node.id) told of no data type's table",
                remedy: "sudo gitlab-psql -d gitlabhq_production -c '\\dt'  # on \(tables.node.id)")
        }
        for type in present where !tracking.facts.holds(type) {
            let sentence =
                "\(type): there are items on \(pair.from.id), and \(pair.to.id) has registered none:"
                + " no percentage counts them"
            let remedy =
                "turn on the replication of \(type) (Admin > Geo > Sites > \(pair.to.geoNodeName)), or copy them"
            // Without replication of object storage, blobs that are all in buckets are rightly not registered.
            if type.hasSuffix("repositories") || row.syncsObjectStorage {
                examination.fail(sentence, remedy: remedy)
            } else {
                examination.warn("\(sentence), unless all are in object storage", remedy: remedy)
            }
        }
        return "all \(present.count) data types that \(pair.from.id) has items of are registered on \(pair.to.id)"
    }

    static let containers = "container_repositories"

    static let containerRegistry = Check.aboutFailover(
        "geo.container-registry",
        CheckText(
            question: "Are container images replicated, if there are any?",
            rationale:
                "Replication of the container registry is off unless somebody switched it on. Images are then not"
                + " counted anywhere, and not there after the promotion.",
            source: cite(.dataTypes),
            remedy:
                "set gitlab_rails['geo_registry_replication_enabled'] = true and its URL on the candidate's Rails and"
                + " Sidekiq nodes, sudo gitlab-ctl reconfigure"),
        needs: { scope, pair, _ in
            scope.askTables(of: pair.from)
            scope.ask([.tracking], of: pair.to.nodes)
        }
    ) { examination, pair in
        let tables = examination.tables(of: pair.from)
        guard let tracking = examination.tracking(of: pair.to), let tables else { return "" }
        let registered = tracking.facts.registries[containers]?.total ?? 0
        switch tables.facts.hasItems[containers] {
        case nil:
            examination.unknown(
                "\(tables.node.id) has no table \(containers)",
                remedy: "sudo gitlab-psql -d gitlabhq_production -c '\\d \(containers)'  # on \(tables.node.id)")
        case .some(true) where registered == 0:
            examination.fail(
                "\(pair.from.id) has container repositories, and \(pair.to.id) replicates none",
                remedy: "set gitlab_rails['geo_registry_replication_enabled'] = true and"
                    + " gitlab_rails['geo_registry_replication_primary_api_url'] in /etc/gitlab/gitlab.rb of the Rails"
                    + " and Sidekiq nodes of \(pair.to.id), sudo gitlab-ctl reconfigure; or share the registry's bucket"
            )
        case .some(false): return "\(pair.from.id) has no container repository"
        case .some(true): break
        }
        return "\(Quantity.count(registered, "container repository", "container repositories")) are registered on"
            + " \(pair.to.id)"
    }
}

extension TrackingFacts {
    /// Whether any item of the type is registered, in the table of today or in that of an earlier release.
    fileprivate func holds(_ type: String) -> Bool {
        let former = RegistriesInForce.successors.first { $0.value == type }?.key
        return [type, former].contains { $0.flatMap { registries[$0]?.total } ?? 0 > 0 }
    }
}

extension ApplicationFacts {
    /// Where a secondary of that URL has users sent back to.
    fileprivate static func callback(of url: String) -> String {
        "\(url.hasSuffix("/") ? url : url + "/")oauth/geo/callback"
    }
}

/// What the main database of a site says beside Geo's own tables.
struct SiteTables {
    var node: Node
    var facts: ApplicationFacts
}

extension ObservationScope {
    /// What ``Examination/tables(of:)`` reads.
    mutating func askTables(of site: Site) {
        ask(site.databaseNodes.count > 1 ? [.application, .database] : [.application], of: site.databaseNodes)
    }
}

extension Examination {
    mutating func tables(of site: Site) -> SiteTables? {
        let leader = site.databaseNodes.count == 1 ? site.databaseNodes[0] : database(of: site)?.node
        guard let node = leader else { return nil }
        let facts = readRows(\.application, "GitLab's tables", of: node) { facts in
            "schema \(facts.schemaVersion ?? "?"),"
                + " \(Quantity.count(facts.unfinishedMigrationCount, "unfinished background migration")),"
                + " items of \(Quantity.list(facts.hasItems.filter(\.value).keys.sorted(), atMost: 20))"
        }
        return facts.map { SiteTables(node: node, facts: $0) }
    }

    fileprivate mutating func site(_ site: Site, in tables: SiteTables) -> ApplicationFacts.SiteRow? {
        if let row = tables.facts.sites[site.geoNodeName] { return row }
        fail(
            "geo_nodes in the database of \(tables.node.id) has no row named \(site.geoNodeName)",
            remedy: "make geo_node_name in the inventory, gitlab_rails['geo_node_name'] in /etc/gitlab/gitlab.rb"
                + " and the name in Admin > Geo > Sites the same for \(site.id)")
        return nil
    }
}
