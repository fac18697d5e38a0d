import Foundation
import PostgresTransport
import Testing

/// Against a real server; every wait is bounded by the transport's own limit.
@Suite(.postgres, .timeLimit(.minutes(5)))
struct PostgresTests {
    let server: TemporaryPostgres
    /// Generous, because the machine may be busy; no test that passes waits for it.
    let patience: Duration = .seconds(60)

    init() throws { server = try #require(TemporaryPostgres.current) }

    func ask(_ statements: String..., at endpoint: PostgresEndpoint? = nil) async throws -> [PostgresResult] {
        try await PostgresClient.query(statements, at: endpoint ?? server.endpoint(), timeLimit: patience)
    }

    func error(
        at endpoint: PostgresEndpoint, _ statement: String = "select 1", timeLimit: Duration = .seconds(60),
        resultLimit: PostgresResultLimit = .standard
    ) async throws -> PostgresError {
        try await #require(throws: PostgresError.self) {
            _ = try await PostgresClient.query(
                [statement], at: endpoint, timeLimit: timeLimit, resultLimit: resultLimit)
        }
    }

    @Test func valuesComeAsTextAndNullAsAbsence() async throws {
        let results = try await ask(
            """
            select 42::bigint as n, true as yes, null::text as nothing, '' as empty, 'grün' as word, 1.50::numeric as sum,
                '{a,b}'::text[] as list, timestamptz '2026-01-02 03:04:05+09' as moment
            """)
        #expect(
            results == [
                .rows(
                    columns: ["n", "yes", "nothing", "empty", "word", "sum", "list", "moment"],
                    rows: [["42", "t", nil, "", "grün", "1.50", "{a,b}", "2026-01-01 18:04:05+00"]])
            ])
    }

    @Test func severalStatementsAnswerInTheirOrder() async throws {
        let results = try await ask("select 1 as a", "select 2 as b where false", "set local jit = off", "select 3, 4")
        #expect(
            results == [
                .rows(columns: ["a"], rows: [["1"]]), .rows(columns: ["b"], rows: []), .rows(columns: [], rows: []),
                .rows(columns: ["?column?", "?column?"], rows: [["3", "4"]]),
            ])
    }

    @Test func oneFailingStatementLeavesTheOthersResults() async throws {
        let results = try await ask(
            "select 1 as a", "select no_such_column", "select 1/(2 - g) from generate_series(1, 3) g", "select 2 as b")
        try #require(results.count == 4)
        #expect(results[0] == .rows(columns: ["a"], rows: [["1"]]))
        #expect(results[1].failure?.sqlState == "42703")
        #expect(results[2].failure?.message == "division by zero", "rows came before the error; they do not count")
        #expect(results[3] == .rows(columns: ["b"], rows: [["2"]]))
    }

    @Test func noStatementsProveThatASessionOpens() async throws {
        #expect(try await ask() == [])
        #expect(try await ask(at: server.socketEndpoint) == [])
    }

    @Test(arguments: [
        "insert into held values (2)", "update held set value = 3", "delete from held", "truncate held",
        "create table other(value int)", "drop table held", "select nextval('counter')",
        "with gone as (delete from held returning *) select * from gone", "alter role writer createdb",
    ])
    func writesAreRefused(statement: String) async throws {
        for user in ["postgres", "writer"] {
            let results = try await ask(statement, "select count(*) from held", at: server.endpoint(user: user))
            // `writer` asks for sessions that may write, and lacks some rights, which PostgreSQL may look at first.
            let refusals = user == "postgres" ? ["25006"] : ["25006", "42501"]
            #expect(refusals.contains(results[0].failure?.sqlState ?? "none"), "\(results[0])")
            #expect(results[1] == .rows(columns: ["count"], rows: [["2"]]))
        }
    }

    @Test func twoStatementsInOneStringAreRefused() async throws {
        let results = try await ask("select 1; drop table held", "select 1 as a")
        #expect(results[0].failure?.sqlState == "42601")
        #expect(results[1] == .rows(columns: ["a"], rows: [["1"]]))
    }

    @Test func sessionsCarryTheirLimitsFromTheFirstStatement() async throws {
        let names = [
            "default_transaction_read_only", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout",
            "application_name",
        ]
        let results = try await PostgresClient.query(
            names.map { "select current_setting('\($0)')" }, at: server.endpoint(user: "writer"),
            timeLimit: .seconds(40))
        let values = results.map { $0.rows?.first?.first ?? "none" }
        #expect(values == ["on", "30s", "15s", "40s", "geo-failover"])
    }

    @Test func slowStatementIsReportedAndTheOthersAnswer() async throws {
        let results = try await PostgresClient.query(
            ["select 1 as a", "select pg_sleep(600)", "select 2 as b"], at: server.endpoint(), timeLimit: patience,
            statementTimeLimit: .milliseconds(100))
        #expect(results[0] == .rows(columns: ["a"], rows: [["1"]]))
        #expect(results[1].failure?.sqlState == "57014")
        #expect(results[2] == .rows(columns: ["b"], rows: [["2"]]))
    }

    @Test func deadlineHoldsWhenTheServerSleeps() async throws {
        let error = try await #require(throws: PostgresError.self) {
            _ = try await PostgresClient.query(
                ["select pg_sleep(600)"], at: server.endpoint(), timeLimit: .seconds(3),
                statementTimeLimit: .seconds(30))
        }
        // On a machine too busy to log in within 3 s the phase is an earlier one.
        guard case .timedOut = error.code else { return #expect(Bool(false), "\(error)") }
    }

    @Test func tooManyRowsAreAnErrorThatSaysSo() async throws {
        let limit = PostgresResultLimit(rows: 1000, bytes: 1 << 20)
        let error = try await error(at: server.endpoint(), "select generate_series(1, 1e8)", resultLimit: limit)
        #expect(error.code == .tooLarge)
        #expect(error.detail.contains("1000 rows"))
        let most = try await PostgresClient.query(
            ["select generate_series(1, 600)", "select generate_series(1, 400)"], at: server.endpoint(),
            timeLimit: patience, resultLimit: limit)
        #expect(most.map { $0.rows?.count } == [600, 400])
    }

    @Test func tooManyBytesAreAnErrorThatSaysSo() async throws {
        let limit = PostgresResultLimit(rows: 1000, bytes: 100_000)
        let error = try await error(
            at: server.endpoint(), "select repeat('x', 30000) from generate_series(1, 4)", resultLimit: limit)
        #expect(error.code == .tooLarge)
    }

    @Test func largeStatementsAndResultsPassThroughTheNonBlockingSocket() async throws {
        let text = String(repeating: "x", count: 2_000_000)
        let results = try await ask("select '\(text)'", "select length('\(text)') as n", at: server.socketEndpoint)
        #expect(results[0].rows?.first?.first == text)
        #expect(results[1] == .rows(columns: ["n"], rows: [["2000000"]]))
    }

    @Test func aHundredQueriesAtOnceAnswerEachTheirOwn() async throws {
        let answers = try await withThrowingTaskGroup(of: (Int, [PostgresResult]).self) { group in
            for number in 0..<100 {
                let endpoint = number.isMultiple(of: 2) ? server.endpoint() : server.socketEndpoint
                group.addTask { (number, try await ask("select \(number) as n", at: endpoint)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        #expect(answers.count == 100)
        for (number, results) in answers { #expect(results == [.rows(columns: ["n"], rows: [["\(number)"]])]) }
    }

    @Test func cancelledTaskClosesItsConnectionAtOnce() async throws {
        let mark = "mark-\(UUID().uuidString)"
        let query = Task { try await ask("select pg_sleep(300), '\(mark)'") }
        try await until("the statement runs") {
            let sql = "select 1 from pg_stat_activity where query like '%\(mark)%' and wait_event = 'PgSleep'"
            return try await ask(sql)[0].rows?.isEmpty == false
        }
        let start = ContinuousClock.now
        query.cancel()
        await #expect { _ = try await query.value } throws: { ($0 as? PostgresError)?.code == .cancelled }
        #expect(start.duration(to: .now) < .seconds(120), "the statement itself would have taken 300 s")
    }

    /// Asks again until it holds; the transport's answers are the only clock.
    func until(_ what: String, holds: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + patience
        while try await !holds() {
            try #require(ContinuousClock.now < deadline, "waited for: \(what)")
        }
    }
}

extension PostgresResult {
    var rows: [[String?]]? {
        guard case .rows(_, let rows) = self else { return nil }
        return rows
    }

    var failure: PostgresStatementFailure? {
        guard case .failed(let failure) = self else { return nil }
        return failure
    }
}
