extension DatabaseQuery {
    /// Copies that the server sends. A question of its own: before PostgreSQL 13 there is no such view, and the error of it
    /// may not take the server's role along.
    package static let baseBackups = DatabaseQuery(
        name: "base-backups", database: .main,
        sql: """
            SELECT json_build_object('copies', coalesce(json_agg(json_build_object('phase', p.phase,
                'total', p.backup_total, 'streamed', p.backup_streamed, 'client', host(a.client_addr)) ORDER BY p.pid),
                '[]'::json))
            FROM pg_stat_progress_basebackup p LEFT JOIN pg_stat_activity a ON a.pid = p.pid
            """)
}

package enum BaseBackupReadings {
    package static func copies(_ json: some Collection<UInt8>) throws(Unreadable) -> [BaseBackup] {
        var copies: [BaseBackup] = []
        for row in try JSONMembers(json, of: "pg_stat_progress_basebackup").items("copies") {
            let (total, streamed) = (try row.optionalInteger("total"), try row.integer("streamed"))
            guard streamed >= 0, total ?? 0 >= 0 else { throw Unreadable("a copy of less than nothing") }
            copies.append(
                BaseBackup(
                    phase: Excerpt.of(try row.string("phase").utf8), totalBytes: total, streamedBytes: streamed,
                    client: try row.optionalString("client")))
        }
        return copies
    }
}
