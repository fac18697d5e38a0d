/// Whether GitLab itself says that it can serve.
enum ReadinessChecks {
    static let all = [nodeReady, railsReady, siteReady]

    static let nodeReady = Check.aboutNode(
        "node.ready",
        CheckText(
            question: "Does GitLab on the node answer its readiness probe?",
            rationale: "A running puma is not yet one that reaches its database, Redis and Gitaly.",
            source: cite(.disasterRecovery),
            remedy: "sudo gitlab-ctl tail puma on the node"),
        probes: [.readiness]
    ) { examination, node in
        if let status = examination.read(\.readiness, "/-/readiness", of: node) {
            examination.judge(
                readiness: status, of: node.id.rawValue, remedy: "sudo gitlab-ctl tail puma  # on \(node.id)")
        }
        return "\(node.id) answers /-/readiness with 200"
    }

    static let railsReady = Check.aboutSite(
        "site.rails-ready",
        CheckText(
            question: "Does GitLab answer its readiness probe on every Rails node of the site?",
            rationale: "A node that is not ready gets no traffic, and the others carry its load.",
            source: cite(.disasterRecovery),
            remedy: "sudo gitlab-ctl tail puma on the node that is not ready"),
        needs: { scope, site, _ in scope.ask([.readiness], of: site.nodes(running: .rails)) }
    ) { examination, site in
        let seen = examination.readEach(\.readiness, "/-/readiness", of: site.nodes(running: .rails)) { "HTTP \($0)" }
        for (node, status) in seen {
            examination.judge(
                readiness: status, of: node.id.rawValue, remedy: "sudo gitlab-ctl tail puma  # on \(node.id)")
        }
        return "all \(seen.count) Rails nodes of \(site.id) answer /-/readiness with 200"
    }

    static let siteReady = Check.aboutSite(
        "site.ready",
        CheckText(
            question: "Does the site answer its readiness probe at its own URL, as seen from the operator's machine?",
            rationale: "Users come through load balancer, TLS and DNS, which no node sees.",
            source: cite(.disasterRecovery),
            remedy: "curl -sS -o /dev/null -w '%{http_code}' URL/-/readiness; then load balancer, TLS, DNS"),
        needs: { scope, site, _ in scope.siteURLs.insert(site.id) }
    ) { examination, site in
        let fact = examination.observation.siteReadiness[site.id] ?? .notAsked
        let remedy = "curl -sS -o /dev/null -w '%{http_code}\\n' \(site.url)/-/readiness"
        if let status = examination.read(fact, "\(site.url)/-/readiness", remedy: remedy, as: { "HTTP \($0)" }) {
            examination.judge(readiness: status, of: site.id.rawValue, remedy: remedy)
        }
        return "\(site.id) answers \(site.url)/-/readiness with 200"
    }
}

extension Examination {
    fileprivate mutating func judge(readiness status: Int, of name: String, remedy: String) {
        switch status {
        case 200: break
        case 403, 404:
            warn(
                "\(name) hides its readiness (HTTP \(status)): the asking address is not on the monitoring allow-list",
                remedy: "add it to gitlab_rails['monitoring_whitelist'] in /etc/gitlab/gitlab.rb and reconfigure")
        default: fail("\(name) is not ready: HTTP \(status)", remedy: remedy)
        }
    }
}
