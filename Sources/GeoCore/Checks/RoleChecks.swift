/// Which site is primary, by every source that can tell. GitLab has no quorum: each database believes its own.
enum RoleChecks {
    static let all = [onePrimary, siteRole, siteIsPrimary, railsRolePrimary, candidateNotPromoted]

    static let onePrimary = Check.aboutDeployment(
        "deployment.one-primary",
        CheckText(
            question: "Is exactly one site of the deployment primary?",
            rationale: "Two writable sites diverge, and nothing can merge them. No writable site means an outage.",
            source: cite(.promise(1), .disasterRecovery),
            remedy: "stop the site that must not be primary: sudo gitlab-ctl stop && sudo systemctl disable "
                + "gitlab-runsvdir on each of its nodes"),
        needs: { scope, inventory, context in
            for site in inventory.sites {
                scope.ask([.database], of: site.databaseNodes)
                scope.askGeo(of: site)
                guard context.isThird(site) else { continue }
                for node in site.databaseNodes {
                    scope.formUnion(FenceChecks.nodeFenced.needs(context.about(.node(id: node.id))))
                }
            }
        }
    ) { examination, inventory in
        var writable: [Site] = []
        let sites = inventory.sites.filter { !examination.isFencedThird($0) }
        for site in sites {
            if let database = examination.database(of: site), !database.facts.isInRecovery { writable.append(site) }
        }
        for site in sites {
            guard let geo = examination.geo(of: site), geo.facts.primaries.count != 1 else { continue }
            examination.fail(
                "geo_nodes in the database of \(site.id) names \(geo.facts.primaries.count) primaries",
                remedy: "sudo gitlab-psql -d gitlabhq_production -c 'SELECT id, name, \"primary\" FROM geo_nodes'"
                    + "  # on \(geo.node.id); then correct Admin > Geo > Sites on the primary")
        }
        let names = writable.map(\.id.rawValue).joined(separator: " and ")
        if writable.count > 1 {
            examination.fail(
                "TWO WRITABLE SITES: the databases of \(names) both accept writes, and diverge with every one",
                remedy: "stop the site that must not be primary now: sudo gitlab-ctl stop"
                    + " && sudo systemctl disable gitlab-runsvdir  # on each of its nodes")
        } else if writable.isEmpty, examination.remarks.isEmpty {
            examination.fail(
                "no site of the deployment is primary: every database is in recovery",
                remedy: "geo-failover plan --from SITE --to SITE  # to promote one")
        }
        return "\(names) is the only primary of \(Quantity.count(inventory.sites.count, "site"))"
    }

    static let candidateNotPromoted = Check.aboutFailover(
        "candidate.not-promoted",
        CheckText(
            question: "Is the candidate still a secondary, by its database and by Geo's tables in it?",
            rationale: "Starting the former primary beside a promoted candidate makes two writable sites.",
            source: cite(.promise(1), .promoteDatabase),
            remedy: "geo-failover status  # and go forward"),
        isInvariant: true,
        needs: { scope, pair, _ in
            scope.ask([.database], of: pair.to.databaseNodes)
            scope.askGeo(of: pair.to)
        }
    ) { examination, pair in
        let forward = "geo-failover status  # and go forward: \(pair.from.id) must stay off"
        if let database = examination.database(of: pair.to), !database.facts.isInRecovery {
            examination.fail(
                "PostgreSQL on \(database.node.id) has left recovery: \(pair.to.id) is promoted", remedy: forward)
        }
        if let geo = examination.geo(of: pair.to),
            geo.facts.primaries.contains(where: { $0.name == pair.to.geoNodeName })
        {
            examination.fail(
                "geo_nodes in the database of \(geo.node.id) names \(pair.to.id) as primary", remedy: forward)
        }
        return "\(pair.to.id) is a secondary by its database and by geo_nodes"
    }

    static let siteRole = Check.aboutSite(
        "site.role",
        CheckText(
            question: "Do all sources agree on the site's role, and is it the one that the failover takes for granted?",
            rationale: "Each source alone can be wrong: a half promotion changes PostgreSQL and not geo_nodes,"
                + " and a former primary's own tables still call it primary.",
            source: cite(.geoRole, .troubleshooting),
            remedy: "sudo gitlab-rake gitlab:geo:site:role on a Rails node of the site; then correct the source that "
                + "is wrong"),
        needs: { scope, site, context in
            scope.ask([.database], of: site.databaseNodes)
            for site in context.inventory.sites { scope.askGeo(of: site) }
            scope.ask([.railsConfiguration], of: site.nodes)
        }
    ) { examination, site in
        let votes = RoleVotes(about: site, &examination)
        votes.table.forEach { examination.note($0) }
        let known = votes.votes.filter { $0.role != nil }
        let roles = Set(known.compactMap(\.role))
        let remedy =
            "sudo gitlab-rake gitlab:geo:site:role  # on a Rails node of \(site.id); then correct the odd one out:"
            + " " + votes.table.joined(separator: "; ")
        if roles.count > 1 {
            examination.fail(
                "the sources disagree on the role of \(site.id): \(votes.table.joined(separator: "; "))", remedy: remedy
            )
        } else if known.filter(\.counts).count < 2 {
            examination.unknown(
                "only \(Quantity.count(known.filter(\.counts).count, "source")) tells the role of \(site.id),"
                    + " at least 2 are needed",
                remedy: remedy)
        }
        let role = roles.first ?? .secondary
        if let expected = RoleVotes.expected(of: site, in: examination.context), roles.count == 1, role != expected {
            examination.fail(
                "\(site.id) is \(role.rawValue), and the failover needs it to be \(expected.rawValue)",
                remedy: "exchange --from and --to, or find out who promoted \(site.id)")
        }
        return "\(site.id) is \(role.rawValue) by all \(known.count) sources that could be asked"
    }

    static let siteIsPrimary = Check.aboutSite(
        "site.is-primary",
        CheckText(
            question: "Is the site primary by its database, by geo_nodes and by Rails?",
            rationale: "geo promote prints success while the database is in recovery;"
                + " only all three together make a site that serves writes.",
            source: cite(.promoteDatabase, .geoTasks, .disasterRecovery),
            remedy: "sudo gitlab-ctl geo promote --force on one Rails node of the site"),
        needs: { scope, site, _ in
            scope.ask([.database, .geo], of: site.databaseNodes)
            scope.ask([.railsRole], of: Array(site.nodes(running: .rails).prefix(1)))
        }
    ) { examination, site in
        if let database = examination.database(of: site) {
            examination.requirePrimary(database.facts, of: database.node)
        }
        if let geo = examination.geo(of: site) {
            let primaries = geo.facts.primaries.map(\.name)
            if primaries != [site.geoNodeName] {
                examination.fail(
                    "geo_nodes in the database of \(site.id) names"
                        + " \(primaries.isEmpty ? "no" : primaries.joined(separator: " and ")) primary,"
                        + " not \(site.geoNodeName)",
                    remedy: "sudo gitlab-ctl geo promote --force  # on one Rails node of \(site.id)")
            }
        }
        if let rails = examination.railsNodes(of: site).first { examination.requireRailsRolePrimary(of: rails) }
        return "\(site.id) is primary by its database, by geo_nodes and by Rails"
    }

    static let railsRolePrimary = Check.aboutNode(
        "rails.role-primary",
        CheckText(
            question: "Does Rails on the node take its site for the primary?",
            rationale: "After a promotion other Rails processes may think for two minutes that they are a secondary.",
            source: cite(.geoTasks, .geoRole),
            remedy: "wait two minutes; then sudo gitlab-ctl restart puma on the node"),
        probes: [.railsRole]
    ) { examination, node in
        examination.requireRailsRolePrimary(of: node)
        return "Rails on \(node.id) takes its site for the primary"
    }
}

/// What each source says about the role of a site.
private struct RoleVotes {
    enum Role: String { case primary, secondary }
    struct Vote {
        var source: String
        var role: Role?
        /// Whether it counts towards the two that are needed; `database.yml` is a hint only.
        var counts: Bool
    }
    var votes: [Vote] = []
    var table: [String] { votes.map { "\($0.source): \($0.role?.rawValue ?? "not known")" } }

    static func expected(of site: Site, in context: CheckContext) -> Role? {
        switch site.id {
        case context.from: .primary
        case context.to: .secondary
        default: nil
        }
    }

    /// Reads on a copy: an unknown source is one vote less, and a remark only if fewer than two are left.
    init(about site: Site, _ examination: inout Examination) {
        var reading = Examination(examination.check, examination.context, examination.observation)
        let recovering = reading.database(of: site).map { $0.facts.isInRecovery }
        add("PostgreSQL of \(site.id)", recovering.map { $0 ? .secondary : .primary })
        for other in [site] + examination.context.inventory.sites.filter({ $0.id != site.id }) {
            let row = reading.geo(of: other)?.facts.node(named: site.geoNodeName)
            add("geo_nodes of \(other.id)", row.map { $0.isPrimary ? .primary : .secondary })
        }
        for node in site.nodes(running: .rails) {
            // A missing geo entry proves nothing about a primary, and a present one survives promotion (3.4).
            let isConfigured = reading.read(\.hasTrackingDatabaseConfigured, "geo in database.yml", of: node)
            if isConfigured == true, recovering == true {
                add("database.yml of \(node.id)", .secondary, counts: false)
            } else if isConfigured == false, recovering == true {
                add("database.yml of \(node.id)", .primary, counts: false)
            }
        }
        reading.evidence.forEach { examination.note($0) }
        // Two writable databases within the site are no missing answer but a fault.
        for remark in reading.remarks where remark.verdict == .fail {
            examination.fail(remark.sentence, remedy: remark.remedy)
        }
    }

    private mutating func add(_ source: String, _ role: Role?, counts: Bool = true) {
        votes.append(Vote(source: source, role: role, counts: counts))
    }
}

extension Examination {
    mutating func requirePrimary(_ facts: DatabaseFacts, of node: Node) {
        guard facts.isInRecovery else { return }
        fail(
            "the database of \(node.id) is in recovery: it does not accept writes",
            remedy: "sudo gitlab-ctl geo promote --force  # on \(node.id), if its site is to be primary")
    }

    mutating func requireRailsRolePrimary(of node: Node) {
        guard let role = read(\.railsRole, "role by Rails", of: node) else { return }
        if role != "primary" {
            fail(
                "Rails on \(node.id) takes its site for \"\(role)\", not for the primary",
                remedy: "sudo gitlab-ctl geo promote --force  # on \(node.id), after the databases of its site")
        }
    }
}

extension CheckContext {
    /// A site that takes no part in the failover which is asked about.
    fileprivate func isThird(_ site: Site) -> Bool {
        guard let pair else { return false }
        return site.id != pair.from.id && site.id != pair.to.id
    }
}

extension Examination {
    /// A former primary that was left, and is proven to be fenced on every node with a database, is no second one: that its
    /// server does not answer is no unknown. Of the two sites that are asked about their own word is wanted.
    fileprivate mutating func isFencedThird(_ site: Site) -> Bool {
        guard context.isThird(site), !site.databaseNodes.isEmpty else { return false }
        for node in site.databaseNodes {
            guard observation[node.id].database.value == nil,
                FenceChecks.nodeFenced.findings(context.about(.node(id: node.id)), observation).worst == .pass
            else { return false }
        }
        note("\(site.id): each of its nodes with a database is fenced")
        return true
    }
}
