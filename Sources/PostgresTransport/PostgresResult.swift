/// What one statement of a query gave: rows, or the server's refusal of this statement alone.
package enum PostgresResult: Sendable, Equatable {
    /// Values in PostgreSQL's text format (dates ISO, time zone UTC), `nil` for NULL. Both lists are empty for a
    /// statement that returns nothing. Bytes that are not UTF-8 (a `SQL_ASCII` database) read as U+FFFD.
    case rows(columns: [String], rows: [[String?]])
    case failed(PostgresStatementFailure)
}

/// An ERROR the server gave for one statement; the connection lived on.
package struct PostgresStatementFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// Five characters, PostgreSQL documentation appendix A; `25006` is a refused write, `57014` a time limit.
    package var sqlState: String
    package var message: String
    package var detail: String?
    package var hint: String?

    package init(sqlState: String, message: String, detail: String? = nil, hint: String? = nil) {
        self.sqlState = sqlState
        self.message = message
        self.detail = detail
        self.hint = hint
    }

    /// A standby cancelled the statement because replay needed its rows (`max_standby_streaming_delay`).
    ///
    /// A single read-only statement at the default isolation level has no other way to `40001`.
    package var isRecoveryConflict: Bool { sqlState == "40001" }

    package var description: String {
        "\(sqlState): \(message)" + (detail.map { "; \($0)" } ?? "")
    }
}

/// The most a query may return, all its statements together.
///
/// Going over is an error, never a shortened answer.
package struct PostgresResultLimit: Sendable, Equatable {
    package var rows: Int
    /// Bytes of all values.
    ///
    /// A single row is counted when all of it has arrived (PostgreSQL allows 1 GB a field).
    package var bytes: Int

    package init(rows: Int, bytes: Int) {
        self.rows = rows
        self.bytes = bytes
    }

    /// Far above what any probe returns, far below what hurts.
    package static let standard = PostgresResultLimit(rows: 10_000, bytes: 8 << 20)
}
