/// How a person changes what PostgreSQL of a node runs with. Patroni reads attributes of its own and restarts PostgreSQL
/// itself, and runit's `postgresql` is disabled beside it: there the other words do nothing, with exit status 0 (omnibus-ctl,
/// run_sv_command_for_service; GitLab documentation, PostgreSQL replication and failover, has `gitlab-ctl patroni restart`).
extension Node {
    /// `value` as Ruby writes it. Some settings would count without the restart; all of them count with it.
    func toSet(_ name: String, _ value: String) -> String {
        let attribute = runs(.patroni) ? "patroni['postgresql']['\(name)']" : "postgresql['\(name)']"
        let file = "/etc/gitlab/gitlab.rb of \(id)\(runs(.patroni) ? " and of every other member" : "")"
        return "set \(attribute) = \(value) in \(file), sudo gitlab-ctl reconfigure, \(toRestartPostgreSQL)"
    }

    var toRestartPostgreSQL: String {
        runs(.patroni) ? "sudo gitlab-ctl patroni restart" : "sudo gitlab-ctl restart postgresql"
    }
}

extension ServerChecks {
    /// Behind the words for a single PostgreSQL, where a remedy is of no node.
    static let forPatroni = "; with Patroni patroni['postgresql'] and sudo gitlab-ctl patroni restart"
}
