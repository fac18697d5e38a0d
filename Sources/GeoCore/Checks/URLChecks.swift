/// What a change of a site's URL stands on, and what proves it.
enum URLChecks {
    static let all = [ownName, editable, inFile, applied, inTables, standsBack]

    static let ownName = Check.aboutSite(
        "site.own-name",
        CheckText(
            question:
                "Do all nodes of the site have a geo_node_name of their own, so that another URL changes nothing of it?",
            rationale:
                "Without a geo_node_name the URL is the name by which a node finds its site in Geo's tables: with"
                + " another URL the node belongs to no site.",
            source: cite(.configuration, .geoTasks),
            remedy: "set gitlab_rails['geo_node_name'] = 'NAME' in /etc/gitlab/gitlab.rb, sudo gitlab-ctl reconfigure"),
        needs: { scope, site, _ in scope.ask([.configuration], of: site.nodes.filter(\.needsSiteName)) }
    ) { examination, site in
        let nodes = site.nodes.filter(\.needsSiteName)
        if nodes.isEmpty {
            examination.unknown(
                "\(site.id) has no node that knows the site's name",
                remedy: "add the Rails and database nodes of \(site.id) to \(examination.context.inventory.source.path)"
            )
        }
        for node in nodes {
            guard let facts = examination.readConfiguration(of: node), facts.nodeName == .absent else { continue }
            examination.fail(
                "\(node.id) has no geo_node_name: it finds its site by its URL, and would not find it by another one",
                remedy:
                    "set gitlab_rails['geo_node_name'] = '\(site.geoNodeName)' in /etc/gitlab/gitlab.rb of \(node.id),"
                    + " sudo gitlab-ctl reconfigure")
        }
        return "all \(Quantity.count(nodes.count, "node")) of \(site.id) have a geo_node_name of their own"
    }

    static let editable = Check.aboutNode(
        "node.url-editable",
        CheckText(
            question: "Does gitlab.rb of the node set external_url in one plain line?",
            rationale:
                "A URL that Ruby computes, or that is set twice, cannot be replaced without knowing what else hangs"
                + " on it.",
            source: cite(.configuration),
            remedy: "write it as one line: external_url 'https://...'; sudo gitlab-ctl reconfigure"),
        needs: { scope, node, _ in if node.isManagedByOmnibus { scope.ask([.configuration], of: [node]) } }
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let facts = examination.readConfiguration(of: node) else { return "" }
        guard let lines = facts.urlLines else {
            examination.unknown(
                "the lines that set external_url on \(node.id) were not read", remedy: Examination.lookAgain(at: node))
            return ""
        }
        if lines.isEmpty, !node.servesURL { return "\(node.id) sets no external_url, and needs none" }
        guard case .text(let value) = facts.externalURL, lines.count == 1 else {
            examination.fail(
                ConfigurationFacts.whyNotEditable(lines, node.id),
                remedy: "grep -n external_url /etc/gitlab/gitlab.rb  # on \(node.id)")
            return ""
        }
        return "\(node.id) sets external_url in one line, to \(value)"
    }

    static let inFile = Check.aboutNode(
        "node.external-url",
        CheckText(
            question: "Does gitlab.rb of the node have the site's URL?",
            rationale: "A node that was left out sends users, mails and webhooks to the former URL.",
            source: cite(.disasterRecovery),
            remedy: "grep -n external_url /etc/gitlab/gitlab.rb"),
        probes: [.configuration]
    ) { examination, node in
        guard let site = examination.context.site else { return "" }
        if let facts = examination.readConfiguration(of: node) { examination.require(site.url, in: facts, of: node) }
        return "external_url of \(node.id) is \(site.url)"
    }

    static let applied = Check.aboutNode(
        "node.url-applied",
        CheckText(
            question: "Was the node reconfigured to the end after it got the site's URL, and does it serve?",
            rationale:
                "A reconfigure that fails in the middle leaves services of before and after; the next node would be"
                + " taken out while this one does not serve.",
            source: cite(.attributeReader, .disasterRecovery),
            remedy: "sudo gitlab-ctl reconfigure on the node"),
        needs: { scope, node, _ in
            scope.ask([.configuration, .attributes, .services], of: [node])
            if node.runs(.rails) { scope.ask([.readiness], of: [node]) }
        }
    ) { examination, node in
        guard let site = examination.context.site else { return "" }
        let remedy = "sudo gitlab-ctl reconfigure  # on \(node.id)"
        if let facts = examination.readConfiguration(of: node) {
            examination.require(site.url, in: facts, of: node)
            let isApplied = facts.reconfiguredAt.map { $0 >= facts.changedAt } ?? false
            if !isApplied {
                examination.fail(
                    "gitlab.rb of \(node.id) was changed after the last reconfigure", remedy: remedy)
            }
        }
        if let file = examination.read(\.attributeFile, "node attributes", of: node, as: \.rawValue), file != .good {
            examination.fail("the last reconfigure of \(node.id) did not come to its end", remedy: remedy)
        }
        let services = examination.read(\.services, "services", of: node, as: { "\($0.count)" }) ?? []
        for service in services
        where service.state != .running && node.expectedServicesOfPrimary.contains(service.name) {
            examination.fail(
                "\(service.name) of \(node.id) is \(service.state.rawValue)",
                remedy: "sudo gitlab-ctl tail \(service.name)  # on \(node.id)")
        }
        if node.runs(.rails), let status = examination.read(\.readiness, "/-/readiness", of: node), status != 200 {
            examination.fail(
                "\(node.id) is not ready: HTTP \(status)", remedy: "sudo gitlab-ctl tail puma  # on \(node.id)")
        }
        return "\(node.id) was reconfigured with \(site.url), and its services are up"
    }

    static let inTables = Check.aboutSite(
        "geo.site-url",
        CheckText(
            question: "Do Geo's tables name the site as primary, with its URL?",
            rationale: "Secondaries send users and copy data by the URL of the primary's row in geo_nodes.",
            source: cite(.geoTasks, .geoSite),
            remedy: "sudo gitlab-rake gitlab:geo:update_primary_node_url on a Rails node of the site"),
        needs: { scope, site, _ in scope.askGeo(of: site) }
    ) { examination, site in
        guard let geo = examination.geo(of: site) else { return "" }
        let remedy = "sudo gitlab-rake gitlab:geo:update_primary_node_url  # on a Rails node of \(site.id)"
        guard let row = geo.facts.node(named: site.geoNodeName), row.isPrimary else {
            examination.fail(
                "geo_nodes names \(geo.facts.primaries.map(\.name).joined(separator: " and ")) as primary, not"
                    + " \(site.geoNodeName)", remedy: remedy)
            return ""
        }
        if !SiteURL.areEqual(row.url, site.url) {
            examination.fail("geo_nodes has \(row.url) for \(site.geoNodeName), not \(site.url)", remedy: remedy)
        }
        return "geo_nodes has \(site.url) for \(site.geoNodeName), the primary"
    }

    static let standsBack = Check(
        id: "site.stands-back", scope: .site,
        question: "Is the other site a secondary, or proven to be off, so that its URL can be given to the primary?",
        rationale: "Two sites that serve under one name are two primaries to users, whichever they reach.",
        source: cite(.promise(1), .disasterRecovery),
        remedy:
            "fence it: sudo gitlab-ctl stop && sudo systemctl disable gitlab-runsvdir on every node of it; a site that is"
            + " gone for good takes --waive site.stands-back@SITE='what became of it'",
        limits: [Examination.ageLimit],
        needs: { context in
            var scope = FenceChecks.siteFenced.needs(context)
            scope.ask([.database], of: context.site?.databaseNodes ?? [])
            return scope
        },
        evaluate: { context, observation in
            var examination = Examination("site.stands-back", context, observation)
            guard let site = context.site, !site.databaseNodes.isEmpty else {
                examination.unknown(
                    "\(context.subject) is no site with a database", remedy: "ask about a site of the inventory")
                return [examination.finding(pass: "")]
            }
            let running = site.databaseNodes.filter { observation[$0.id].database.value != nil }
            let isSecondary = running.compactMap { node in
                examination.read(\.database, "database", of: node, as: { $0.isInRecovery ? "standby" : "primary" })
            }.map(\.isInRecovery)
            if isSecondary.contains(false) {
                examination.fail(
                    "the database of \(site.id) is up and no standby: it can be written to",
                    remedy:
                        "sudo gitlab-ctl stop && sudo systemctl disable gitlab-runsvdir  # on each node of \(site.id)")
            } else if isSecondary.isEmpty {
                for finding in FenceChecks.siteFenced.findings(context, observation) { examination.prove(finding) }
                return [examination.finding(pass: "\(site.id) is off: every node of it is fenced")]
            }
            return [examination.finding(pass: "\(site.id) is a secondary")]
        })
}

extension Examination {
    fileprivate mutating func require(_ url: String, in facts: ConfigurationFacts, of node: Node) {
        if case .text(let value) = facts.externalURL, SiteURL.areEqual(value, url) { return }
        fail(
            "external_url of \(node.id) is \(facts.externalURL.evidenceText), not \(url)",
            remedy: "grep -n external_url /etc/gitlab/gitlab.rb  # on \(node.id)")
    }
}
