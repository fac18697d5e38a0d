/// Whether what is configured is what runs, under the name that Geo knows.
enum ConfigurationChecks {
    static let all = [reconfigured, nodeName]

    static let reconfigured = Check.aboutNode(
        "node.reconfigured",
        CheckText(
            question: "Was the node reconfigured since its gitlab.rb was changed last?",
            rationale: "Promotion reconfigures every node, and so applies, in the outage, whatever was edited and never"
                + " tried. GitLab has no dry run, and shows no difference between file and service.",
            source: cite(.promote, .attributeReader),
            remedy: "sudo gitlab-ctl reconfigure on the node"),
        probes: [.configuration]
    ) { examination, node in
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        guard let facts = examination.readConfiguration(of: node) else { return "" }
        let remedy = "sudo gitlab-ctl reconfigure  # on \(node.id)"
        guard let applied = facts.reconfiguredAt else {
            examination.fail("\(node.id) was never reconfigured", remedy: remedy)
            return ""
        }
        for (name, changed) in [("gitlab.rb", facts.changedAt), ("gitlab-secrets.json", facts.secretsChangedAt)] {
            guard let changed, changed > applied else { continue }
            examination.warn(
                "\(name) of \(node.id) was changed \(Quantity.seconds(changed.seconds(since: applied))) after the last"
                    + " reconfigure: a promotion would apply it untried",
                remedy: remedy)
        }
        return "\(node.id) was reconfigured after the last change of its configuration"
    }

    static let nodeName = Check.aboutSite(
        "site.node-name",
        CheckText(
            question: "Do all nodes of the site call it by its name in Geo's tables?",
            rationale:
                "A node finds its site by comparing names character by character. With another name, or with none"
                + " and another URL, promotion, pause and status on that node are of no site, or of the other one.",
            source: cite(.configuration, .troubleshooting, .pauseResume),
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
            guard let facts = examination.readConfiguration(of: node) else { continue }
            let remedy =
                "set gitlab_rails['geo_node_name'] = '\(site.geoNodeName)' in /etc/gitlab/gitlab.rb of \(node.id),"
                + " sudo gitlab-ctl reconfigure"
            // Without a name the URL is the name.
            let isName = facts.nodeName != .absent
            switch isName ? facts.nodeName : facts.externalURL {
            case .text(let value) where value == site.geoNodeName: break
            case .text(let value):
                examination.fail(
                    "\(node.id) takes its site for \(value), by its"
                        + " \(isName ? "geo_node_name" : "external_url, since it has no geo_node_name");"
                        + " the inventory has \(site.geoNodeName)",
                    remedy: remedy)
            case .absent:
                examination.fail("\(node.id) has neither geo_node_name nor external_url", remedy: remedy)
            case .computed:
                examination.unknown(
                    "\(isName ? "geo_node_name" : "external_url") of \(node.id) is computed in gitlab.rb",
                    remedy: "sudo gitlab-rails runner 'puts GeoNode.current_node_name'"
                        + "  # on a Rails node of \(site.id)")
            }
        }
        return "all \(Quantity.count(nodes.count, "node")) of \(site.id) call it \(site.geoNodeName)"
    }
}

extension Node {
    /// Rails needs the site's name; so do pause and resume on the database's nodes.
    var needsSiteName: Bool {
        runs(.rails) || runs(.sidekiq) || runs(.logcursor) || runs(.postgresql) || runs(.patroni)
    }
}

extension Examination {
    mutating func readConfiguration(of node: Node) -> ConfigurationFacts? {
        read(\.configuration, "configuration", of: node) { facts in
            "gitlab.rb of \(facts.changedAt.toSeconds), reconfigured"
                + " \(facts.reconfiguredAt?.toSeconds ?? "never"), geo_node_name \(facts.nodeName.evidenceText),"
                + " external_url \(facts.externalURL.evidenceText)"
        }
    }
}

extension ConfigurationFacts.Setting {
    var evidenceText: String {
        switch self {
        case .absent: "not set"
        case .computed: "computed"
        case .text(let value): value
        }
    }
}
