/// What the replication user may run in the main database of what `pg_rewind` runs on its source.
package struct RewindRights: Sendable, Hashable, Codable {
    /// Of ``functions``, those that it may run, by whatever right.
    package var permitted: [String]
    /// Those of them that were granted to itself, and not to everybody or a role that it belongs to.
    package var granted: [String]
    package init(permitted: [String], granted: [String]) {
        self.permitted = permitted
        self.granted = granted
    }

    /// Of replication, on all sites (omnibus-gitlab `gitlab-ee/attributes/default.rb`, `sql_replication_user`).
    package static let user = "gitlab_replicator"

    /// What an online source has to let a user run that is no superuser (PostgreSQL documentation, pg_rewind, notes), as
    /// `regprocedure` spells them.
    package static let functions = [
        "pg_ls_dir(text,boolean,boolean)", "pg_stat_file(text,boolean)", "pg_read_binary_file(text)",
        "pg_read_binary_file(text,bigint,bigint,boolean)",
    ]

    private static let list = functions.map { "pg_catalog.\($0)" }.joined(separator: ", ")
    /// Rights to functions are per database: in the one that the rewind connects to.
    package static let grant = "GRANT EXECUTE ON FUNCTION \(list) TO \(user)"
    package static let revoke = "REVOKE EXECUTE ON FUNCTION \(list) FROM \(user)"
}
