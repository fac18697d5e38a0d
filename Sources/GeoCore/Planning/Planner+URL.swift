/// A site that takes over a URL: which nodes have to be edited, and how. The URL is the one that the request's inventory has
/// for the site.
extension Expansion {
    var isRenaming: Bool { request.runbook.scenario == .changeURL }

    private var url: String { request.inventory.site(request.to)?.url ?? "" }

    /// Those that the step has something to do on; why the others are left out stands in the plan.
    mutating func renamed(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        if step.action == .reconfigure { return nodes.filter { !lines(of: $0).isEmpty } }
        var former: [String: [NodeID]] = [:]
        let chosen = nodes.filter { node in
            guard let old = formerURL(of: node, step) else { return false }
            former[old, default: []].append(node.id)
            return true
        }
        if former.count > 1 {
            let each = former.keys.sorted().map {
                "\($0) on \((former[$0] ?? []).map(\.rawValue).joined(separator: ", "))"
            }
            problems.append(
                "step \(step.id): the nodes of \(request.to) have different URLs: \(each.joined(separator: "; "))")
        }
        if chosen.isEmpty, problems.isEmpty, isWritten, request.runbook.name != AbortPlanner.name {
            problems.append(
                "gitlab.rb of every node of \(request.to) and Geo's tables have \(url) already; nothing is to be done")
        }
        return chosen
    }

    private func lines(of node: Node) -> [String] {
        request.observation[node.id].configuration.value?.urlLines ?? []
    }

    /// `nil` where nothing has to be changed, or where it cannot be; which of them is recorded.
    private mutating func formerURL(of node: Node, _ step: RunbookStep) -> String? {
        guard let facts = request.observation[node.id].configuration.value, let lines = facts.urlLines else {
            let reason = request.observation[node.id].configuration.reason ?? "not asked"
            problems.append("step \(step.id): gitlab.rb of \(node.id) was not read: \(reason)")
            return nil
        }
        let id = StepID("\(step.id)@\(node.id)")
        guard case .text(let old) = facts.externalURL, lines.count == 1 else {
            if lines.isEmpty, !node.servesURL {
                omitted.append(OmittedStep(id: id, reason: "gitlab.rb of \(node.id) sets no external_url"))
            } else {
                problems.append("step \(step.id): \(ConfigurationFacts.whyNotEditable(lines, node.id))")
            }
            return nil
        }
        if SiteURL.areEqual(old, url) {
            omitted.append(OmittedStep(id: id, reason: "gitlab.rb of \(node.id) has \(url) already"))
            return nil
        }
        guard edit(of: node) != nil else {
            problems.append("step \(step.id): \(ConfigurationFacts.whyNotEditable(lines, node.id))")
            return nil
        }
        return old
    }

    /// The one line that sets `external_url`, with the new URL in its place.
    func edit(of node: Node) -> ConfigurationEdit? {
        ConfigurationEdit(
            url: url, in: request.observation[node.id].configuration.value, madeAt: request.createdAt)
    }

    private var isWritten: Bool {
        guard let site = request.inventory.site(request.to) else { return false }
        return site.databaseNodes.contains { node in
            request.observation[node.id].geo.value?.node(named: site.geoNodeName).map {
                SiteURL.areEqual($0.url, site.url)
            } ?? false
        }
    }

    /// By the version of GitLab on the node; where that is not known, by today's name of the task.
    func writingURL(on node: Node, _ timeLimit: Int) -> RemoteCommand {
        let version = request.observation[node.id].gitlabVersion.value ?? ""
        let isOld = Int(version.prefix { $0 != "." }).map { $0 < 17 } ?? false
        return ActionCommands.updatePrimaryURL(timeLimit, isOld: isOld)
    }
}

extension Node {
    /// Rails and Sidekiq put the site's URL into pages, mails and links.
    var servesURL: Bool { runs(.rails) || runs(.sidekiq) }
}

extension ConfigurationFacts {
    /// Why no machine edits these lines, and what a person can do.
    static func whyNotEditable(_ lines: [String], _ node: NodeID) -> String {
        let what =
            switch lines.count {
            case 0: "\(node) sets no external_url in gitlab.rb"
            case 1: "external_url of \(node) is no plain text in gitlab.rb: \(Excerpt.of(lines[0].utf8))"
            default: "gitlab.rb of \(node) sets external_url \(lines.count) times"
            }
        return "\(what); write it as one line, external_url 'https://...', sudo gitlab-ctl reconfigure, and plan again"
    }
}
