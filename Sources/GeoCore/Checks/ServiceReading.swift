/// Services, queues and cron jobs of a site or node, read so that no gap looks like emptiness.
extension Examination {
    /// Sizes by queue over all Redis nodes; `nil`, with remarks, unless every one of them answered and a queue exists.
    mutating func queues(of site: Site) -> [String: Int]? {
        let nodes = site.nodes(running: .redis)
        let seen = readEach(\.queues, "Sidekiq queues", of: nodes) { queues in
            queues.isEmpty
                ? "no queue" : queues.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        }
        guard seen.count == nodes.count, !seen.isEmpty else { return nil }
        // Replicas repeat the queues of their primary: the larger number is the newer or the safer one.
        let queues = seen.reduce(into: [String: Int]()) { $0.merge($1.value) { max($0, $1) } }
        guard !queues.isEmpty else {
            unknown(
                "Redis of \(site.id) knows no Sidekiq queue at all: nothing was ever queued, or the queues are"
                    + " in another Redis",
                remedy: "sudo gitlab-redis-cli smembers queues  # on \(Quantity.list(nodes.map(\.id.rawValue)))")
            return nil
        }
        return queues
    }

    /// The site's Rails nodes; with a remark where the inventory has none.
    mutating func railsNodes(of site: Site) -> [Node] {
        let nodes = site.nodes(running: .rails)
        if nodes.isEmpty {
            unknown(
                "\(site.id) has no node with the component rails to ask",
                remedy: "add the Rails nodes of \(site.id) to \(context.inventory.source.path)")
        }
        return nodes
    }

    /// Cron jobs as the site's first Rails node lists them; `nil`, with a remark, when the list cannot be complete.
    mutating func cronJobs(of site: Site) -> (node: Node, jobs: [String: String])? {
        guard let node = railsNodes(of: site).first else { return nil }
        guard
            let jobs = read(
                \.cronJobs, "cron jobs", of: node,
                as: { jobs in "\(jobs.count), \(jobs.values.count { $0 == "enabled" }) enabled" })
        else { return nil }
        // Every GitLab has dozens of ordinary jobs; a list without any is no answer.
        guard jobs.keys.contains(where: { !$0.contains("geo") && !ServiceChecks.geoCronJobs.contains($0) }) else {
            unknown(
                "\(node.id) lists no cron job besides Geo's, so that the list is not complete",
                remedy:
                    "sudo gitlab-rails runner 'puts Sidekiq::Cron::Job.all.map(&:name).to_json'"
                    + "  # on \(node.id)")
            return nil
        }
        return (node, jobs)
    }

    /// Each named service is down and stays so. A service without a supervisor counts only if runit itself is gone.
    mutating func requireStopped(_ names: [String], among services: [ServiceState], of node: Node) {
        let runitIsGone = services.allSatisfy { $0.state == .unsupervised }
        for name in names {
            guard let service = services.first(where: { $0.name == name }) else {
                unknown(
                    "\(name) is not among the services that gitlab-ctl status lists on \(node.id)",
                    remedy: "pgrep -af \(name)  # on \(node.id)")
                continue
            }
            switch service.state {
            case .down where !service.isChanging: break
            case .unsupervised where runitIsGone: break
            case .unsupervised:
                unknown(
                    "\(name) of \(node.id) has no supervisor while others have: its process may live on",
                    remedy: "pgrep -af \(name)  # on \(node.id)")
            case .down, .running:
                fail(
                    "\(name) of \(node.id) \(service.isChanging ? "is on its way to another state" : "runs")",
                    remedy: "sudo gitlab-ctl stop \(name); sudo gitlab-ctl graceful-kill \(name)  # on \(node.id)")
            }
        }
    }
}
