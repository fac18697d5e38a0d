import CLibPQ

/// Asks PostgreSQL servers questions that change nothing.
///
/// Every session is opened with `default_transaction_read_only=on` and server-side limits, from its first statement.
/// That stops writes to tables, sequences and catalogues (`25006`). It does not stop functions with effects of their own
/// (`pg_promote()`), what PostgreSQL counts as maintenance (`VACUUM`, `REINDEX`, `CHECKPOINT`), `COPY ... TO PROGRAM`,
/// nor a statement that sets the setting back. Statements are ours, never an operator's, and the role should hold no
/// more than `pg_monitor`.
package enum PostgresClient {
    /// Runs independent statements over one new connection, all sent at once; results come in their order.
    ///
    /// One failing statement leaves the others' results. No statements at all proves that a session can be opened.
    /// Cancelling the task closes the connection; the server may work on until the statement's limit.
    /// `timeLimit` is over everything, looking up the name included; expiry means unknown, not down.
    /// `statementTimeLimit` is PostgreSQL's limit for each statement, three quarters of `timeLimit` when not given, so
    /// that a slow statement is reported as such while there is time for the others. Throws when there is no complete
    /// list of results.
    @concurrent
    package static func query(
        _ statements: [String], at endpoint: PostgresEndpoint, timeLimit: Duration,
        resultLimit: PostgresResultLimit = .standard, statementTimeLimit: Duration? = nil
    ) async throws(PostgresError) -> [PostgresResult] {
        let deadline = ContinuousClock.now + timeLimit
        guard let thread = PollThread.shared else {
            throw PostgresError(code: .noResources, endpoint: endpoint.name, detail: "no thread to wait on")
        }
        let addresses = try await addresses(of: endpoint, until: deadline, on: thread)
        let statementTimeLimit = statementTimeLimit ?? timeLimit * 0.75
        let session = try await session(
            at: endpoint, addresses: addresses, until: deadline, on: thread,
            parameters: try SessionParameters(
                endpoint: endpoint, timeLimit: timeLimit, statementTimeLimit: statementTimeLimit))
        try session.send(statements)

        var left = resultLimit
        var results: [PostgresResult] = []
        for _ in statements {
            results.append(try await result(from: session, left: &left, limit: resultLimit, until: deadline))
        }
        return results
    }

    /// One `nil` for a unix socket, else at least one numeric address.
    private static func addresses(
        of endpoint: PostgresEndpoint, until deadline: ContinuousClock.Instant, on thread: PollThread
    ) async throws(PostgresError) -> [String?] {
        if endpoint.isUnixSocket { return [nil] }
        if let address = endpoint.address { return [address] }
        switch await NameResolver.addresses(of: endpoint.host, until: deadline, on: thread) {
        case .addresses(let addresses): return addresses
        case .failed(let reason):
            throw PostgresError(code: .nameNotFound, endpoint: endpoint.name, detail: "\(endpoint.host): \(reason)")
        case .timedOut: throw PostgresError(timedOutWhile: .lookingUpName, endpoint: endpoint.name)
        case .cancelled: throw PostgresError(cancelledAt: endpoint.name)
        case .noResources:
            throw PostgresError(code: .noResources, endpoint: endpoint.name, detail: "no thread to look up a name")
        }
    }

    /// The first address where a session starts.
    ///
    /// One that swallows packets gets only its share of the time.
    private static func session(
        at endpoint: PostgresEndpoint, addresses: [String?], until deadline: ContinuousClock.Instant,
        on thread: PollThread, parameters: SessionParameters
    ) async throws(PostgresError) -> Session {
        var untried = addresses.count
        var last = PostgresError(code: .nameNotFound, endpoint: endpoint.name, detail: "\(endpoint.host): no address")
        for address in addresses {
            let now = ContinuousClock.now
            let share = now + (deadline - now) / untried
            untried -= 1
            do throws(PostgresError) {
                let session = try Session(
                    starting: parameters.at(address: address), endpoint: endpoint.name, thread: thread)
                try await session.establish(connectingUntil: share, until: deadline)
                return session
            } catch {
                switch error.code {
                case .refused, .unreachable, .timedOut(.connecting): last = error
                default: throw error
                }
            }
        }
        throw last
    }

    /// Everything one statement gives, and the sync behind it.
    private static func result(
        from session: borrowing Session, left: inout PostgresResultLimit, limit: PostgresResultLimit,
        until deadline: ContinuousClock.Instant
    ) async throws(PostgresError) -> PostgresResult {
        try session.expectRowByRow()
        var columns: [String] = []
        var rows: [[String?]] = []
        var failure: PostgresStatementFailure?
        while let answer = try await session.next(until: deadline) {
            switch answer.status {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK:
                if columns.isEmpty { columns = answer.columns }
                for row in 0..<answer.rowCount {
                    left.rows -= 1
                    left.bytes -= answer.byteCount(ofRow: row)
                    guard left.rows >= 0, left.bytes >= 0 else { throw tooLarge(session.endpoint, limit) }
                    rows.append(answer.row(row))
                }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_FATAL_ERROR: failure = try statementFailure(in: answer, of: session)
            default:
                throw PostgresError(
                    code: .protocolViolation, endpoint: session.endpoint,
                    detail: "\(answer.statusName) is no answer to a query")
            }
        }
        guard let sync = try await session.next(until: deadline), sync.status == PGRES_PIPELINE_SYNC else {
            throw session.failure(otherwise: .protocolViolation)
        }
        return failure.map(PostgresResult.failed) ?? .rows(columns: columns, rows: rows)
    }

    /// A statement's own error; one that ended the session, or that libpq made, is the whole query's.
    private static func statementFailure(
        in answer: borrowing Answer, of session: borrowing Session
    ) throws(PostgresError) -> PostgresStatementFailure {
        let failure = answer.failure
        guard answer.endsSession || failure.sqlState.isEmpty else { return failure }
        let verbose = failure.sqlState.isEmpty ? failure.message : "FATAL: \(failure.sqlState): \(failure.message)"
        throw ServerMessage(verbose: verbose).error(at: session.endpoint, otherwise: .connectionLost)
    }

    private static func tooLarge(_ endpoint: String, _ limit: PostgresResultLimit) -> PostgresError {
        PostgresError(
            code: .tooLarge, endpoint: endpoint,
            detail: "more than \(limit.rows) rows or \(limit.bytes) bytes, the most this query may return")
    }
}
