import GeoCore

/// How a person sees by hand what a check sees: the command, where, and what it should print.
enum Looking {
    struct Way: Hashable {
        var place: String
        var command: String
        /// In Markdown.
        var expect: String
    }

    /// Empty for checks without a short way; then the check's question must do.
    static func ways(_ check: CheckID) -> [Way] {
        switch check {
        case "node.stopped", "node.application-stopped", "node.database-stopped", "node.services-down":
            [Way(place: "the node", command: "sudo gitlab-ctl status", expect: "`down:` for what was stopped")]
        case "node.fenced", "site.fenced":
            [
                Way(place: "each node", command: "sudo gitlab-ctl status", expect: "`down:` for every service"),
                Way(place: "each node", command: "systemctl is-enabled gitlab-runsvdir", expect: "`disabled`"),
            ]
        case "node.promoted":
            [
                Way(place: "the node", command: "sudo gitlab-ctl status", expect: "`run:` for every service"),
                Way(
                    place: "a database node", command: "sudo gitlab-psql -c 'SELECT pg_is_in_recovery()'", expect: "`f`"),
            ]
        case "site.is-primary", "rails.role-primary":
            [
                Way(
                    place: "a Rails node", command: "sudo gitlab-rake gitlab:geo:site:role",
                    expect: "the site to be the primary")
            ]
        case "database.zero-loss":
            [
                Way(
                    place: "the former primary's database node, stopped",
                    command:
                        "sudo -u gitlab-psql /opt/gitlab/embedded/bin/pg_controldata /var/opt/gitlab/postgresql/data",
                    expect: "the state `shut down`; note `Latest checkpoint location`"),
                Way(
                    place: "the candidate's database node",
                    command: "sudo gitlab-psql -c 'SELECT pg_last_wal_replay_lsn()'",
                    expect: "a position that is not before that location"),
            ]
        case "database.writable":
            [
                Way(
                    place: "the database node",
                    command: "sudo gitlab-psql -c 'SELECT pg_is_in_recovery(), current_setting($$transaction_read_only$$)'",
                    expect: "`f` and `off`")
            ]
        case "replication.lag", "replication.caught-up":
            [
                Way(
                    place: "the secondary's database node",
                    command: "sudo gitlab-psql -c 'SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()'",
                    expect: "positions that are equal, while `pg_stat_wal_receiver` has a row")
            ]
        case "maintenance.on", "maintenance.off":
            [
                Way(
                    place: "a database node",
                    command: "sudo gitlab-psql -c 'SELECT maintenance_mode FROM application_settings'",
                    expect: check == "maintenance.on" ? "`t`" : "`f`")
            ]
        case "site.ready", "site.readiness", "node.ready":
            [
                Way(
                    place: "a Rails node", command: "curl -sS -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8080/-/readiness",
                    expect: "200")
            ]
        default: []
        }
    }
}
