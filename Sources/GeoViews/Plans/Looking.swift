import GeoCore

/// How a person sees by hand what a check sees: which command, where, and what it should print.
///
/// For the checks that a failover hangs on; for all others the check's question must do.
struct Looking {
    struct Way: Hashable {
        /// Where: nodes by name, or the operator's machine.
        var places: [String]
        var command: String
        /// In Markdown.
        var expect: String
    }

    let plan: Plan

    /// The ways for several subjects of one kind, each way once with all its places.
    func ways(_ references: [CheckReference]) -> [Way] {
        var found: [Way] = []
        for way in references.flatMap(ways) {
            if let index = found.firstIndex(where: { $0.command == way.command && $0.expect == way.expect }) {
                found[index].places += way.places.filter { !found[index].places.contains($0) }
            } else {
                found.append(way)
            }
        }
        return found
    }

    private func ways(_ reference: CheckReference) -> [Way] {
        let nodes = nodes(reference.subject)
        let found =
            stopping(reference.check, nodes) ?? promoting(reference.check, nodes) ?? database(reference.check, nodes)
            ?? application(reference.check, nodes) ?? readiness(reference, nodes) ?? []
        return found.filter { !$0.places.isEmpty }
    }

    private func nodes(_ subject: Subject) -> [Node] {
        switch subject {
        case .deployment: plan.inventory.nodes
        case .site(let id): plan.inventory.site(id)?.nodes ?? []
        case .node(let id): plan.inventory.node(id).map { [$0] } ?? []
        case .failover(_, let to): plan.inventory.site(to)?.nodes ?? []
        }
    }

    private func databases(_ site: SiteID) -> [Node] { plan.inventory.site(site)?.databaseNodes ?? [] }

    private func way(_ nodes: [Node], _ command: String, _ expect: String) -> Way {
        Way(places: nodes.map(\.id.rawValue), command: command, expect: expect)
    }

    private func stopping(_ check: CheckID, _ nodes: [Node]) -> [Way]? {
        let nodes = nodes.filter(\.isManagedByOmnibus)
        switch check {
        case "node.stopped", "node.application-stopped":
            return [way(nodes, "sudo gitlab-ctl status", "`down:` for what was stopped")]
        case "node.fenced", "site.fenced":
            return [
                way(nodes, "sudo gitlab-ctl status", "`down:` for every service"),
                way(nodes, "systemctl is-enabled gitlab-runsvdir", "`masked`; `disabled` where it cannot be masked"),
                way(nodes, "sudo ss -ltnp", "no port of GitLab"),
            ]
        case "database.stopped-cleanly": return [controlData("the state `shut down`")]
        case "database.zero-loss":
            return [
                controlData("the state `shut down`; note `Latest checkpoint location`"),
                way(
                    databases(plan.to), "sudo gitlab-psql -c 'SELECT pg_last_wal_replay_lsn()'",
                    "a position that is not before that location"),
            ]
        default: return nil
        }
    }

    private func controlData(_ expect: String) -> Way {
        way(
            databases(plan.from),
            "sudo /opt/gitlab/embedded/bin/pg_controldata /var/opt/gitlab/postgresql/data", expect)
    }

    private func promoting(_ check: CheckID, _ nodes: [Node]) -> [Way]? {
        switch check {
        case "node.promoted":
            [
                way(nodes, "sudo gitlab-ctl status", "`run:` for every service that the node needs"),
                way(
                    nodes.filter { $0.runs(.postgresql) || $0.runs(.patroni) },
                    "sudo gitlab-psql -c 'SELECT pg_is_in_recovery()'", "`f`"),
                way(
                    nodes.filter { $0.runs(.rails) }, "sudo gitlab-rake gitlab:geo:site:role",
                    "the role of a primary"),
            ]
        case "site.is-primary", "rails.role-primary":
            [
                way(
                    nodes.filter { $0.runs(.postgresql) || $0.runs(.patroni) },
                    "sudo gitlab-psql -c 'SELECT pg_is_in_recovery()' -c 'SELECT name, \"primary\" FROM geo_nodes'",
                    "`f`, and `t` for this site alone"),
                way(
                    Array(nodes.filter { $0.runs(.rails) }.prefix(1)), "sudo gitlab-rake gitlab:geo:site:role",
                    "the role of a primary"),
            ]
        default: nil
        }
    }

    private func database(_ check: CheckID, _ nodes: [Node]) -> [Way]? {
        switch check {
        case "database.is-primary", "database.accepts-writes":
            [
                way(
                    nodes.filter { $0.runs(.postgresql) || $0.runs(.patroni) },
                    "sudo gitlab-psql -c 'SELECT pg_is_in_recovery()' -c 'SHOW transaction_read_only'", "`f` and `off`")
            ]
        case "replication.lag", "replication.caught-up", "replication.streaming":
            [
                way(
                    databases(plan.from), "sudo gitlab-psql -c 'SELECT pg_current_wal_lsn()'",
                    "a position to compare with"),
                way(
                    databases(plan.to),
                    "sudo gitlab-psql -c 'SELECT status FROM pg_stat_wal_receiver' -c 'SELECT pg_last_wal_replay_lsn()'",
                    "`streaming`, and that position"),
            ]
        case "replication.complete", "geo.complete", "geo.verified":
            [
                way(
                    Array((plan.inventory.site(plan.to)?.nodes(running: .rails) ?? []).prefix(1)),
                    "sudo gitlab-rake geo:status", "100 % synced and verified, nothing failed, for every data type")
            ]
        default: nil
        }
    }

    private func application(_ check: CheckID, _ nodes: [Node]) -> [Way]? {
        let rails = Array(nodes.filter { $0.runs(.rails) }.prefix(1))
        switch check {
        case "site.read-only", "site.maintenance-mode", "site.maintenance-off":
            return [
                way(
                    nodes.filter { $0.runs(.postgresql) || $0.runs(.patroni) },
                    "sudo gitlab-psql -c 'SELECT maintenance_mode FROM application_settings ORDER BY id DESC LIMIT 1'",
                    check == "site.read-only" ? "`t`" : "`f`")
            ]
        case "sidekiq.drained", "sidekiq.queues":
            return [way(rails, "sudo gitlab-rails runner 'puts Sidekiq::Queue.all.sum(&:size)'", "0")]
        case "cron.geo-only", "cron.running":
            return [
                way(
                    rails, "sudo gitlab-rails runner 'Sidekiq::Cron::Job.all.each { |job| puts job.name, job.status }'",
                    check == "cron.running"
                        ? "`enabled` for every job" : "`disabled` for all but the four jobs that Geo needs")
            ]
        default: return nil
        }
    }

    private func readiness(_ reference: CheckReference, _ nodes: [Node]) -> [Way]? {
        let ask = "curl -sS -o /dev/null -w '%{http_code}\\n'"
        switch reference.check {
        case "node.ready", "site.rails-ready":
            return [way(nodes.filter { $0.runs(.rails) }, "\(ask) http://localhost/-/readiness", "200")]
        case "site.ready":
            guard case .site(let id) = reference.subject, let url = plan.inventory.site(id)?.url else { return nil }
            return [
                Way(
                    places: ["the operator's machine"],
                    command: "\(ask) \(RemoteCommand.quoted(url + "/-/readiness"))", expect: "200")
            ]
        default: return nil
        }
    }
}
