extension DatabaseQuery {
    /// A question of its own, since it is asked around a rewind alone. No row of the user: it may nothing.
    package static let rewindRights = DatabaseQuery(
        name: "rewind-rights", database: .main,
        sql: """
            SELECT json_build_object('permitted', coalesce(json_agg(f.name ORDER BY f.name)
                FILTER (WHERE has_function_privilege(f.role, f.oid, 'EXECUTE')), '[]'::json),
              'granted', coalesce(json_agg(f.name ORDER BY f.name)
                FILTER (WHERE EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee = f.role)), '[]'::json))
            FROM (SELECT p.oid, p.proacl, p.oid::regprocedure::text AS name, r.oid AS role
              FROM pg_proc p, pg_roles r
              WHERE r.rolname = '\(RewindRights.user)' AND p.pronamespace = 'pg_catalog'::regnamespace
                AND p.oid::regprocedure::text IN (\(RewindRights.functions.map { "'\($0)'" }.joined(separator: ", ")))) f
            """)
}

package enum RewindReadings {
    package static func rights(_ json: some Collection<UInt8>) throws(Unreadable) -> RewindRights {
        let members = try JSONMembers(json, of: "pg_proc")
        let (permitted, granted) = (try members.strings("permitted"), try members.strings("granted"))
        guard (permitted + granted).allSatisfy(RewindRights.functions.contains) else {
            throw Unreadable("rights to functions that nobody asked about")
        }
        return RewindRights(permitted: permitted, granted: granted)
    }
}
