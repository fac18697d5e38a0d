import Foundation
import PostgresTransport
import Testing

/// How a session comes about, or does not, and what the error calls it.
extension PostgresTests {
    @Test func passwordOpensTheSession() async throws {
        let endpoint = server.endpoint(user: "careful", password: "correct horse")
        let results = try await ask("select current_user as me", at: endpoint)
        #expect(results == [.rows(columns: ["me"], rows: [["careful"]])])
    }

    @Test(arguments: [("wrong horse", "28P01"), (nil, nil)] as [(String?, String?)])
    func wrongOrMissingPasswordIsAuthenticationRefused(password: String?, sqlState: String?) async throws {
        let endpoint = server.endpoint(user: "careful", password: password)
        let error = try await error(at: endpoint)
        #expect(error.code == .authenticationRefused, "\(error)")
        #expect(error.sqlState == sqlState)
        for text in ["\(error)", String(reflecting: error), "\(endpoint)", String(reflecting: endpoint)] {
            #expect(!text.contains("wrong horse"))
        }
    }

    @Test func roleWithoutAccessIsAuthenticationRefused() async throws {
        let error = try await error(at: server.endpoint(user: "nobody"))
        #expect(error.code == .authenticationRefused)
        #expect(error.sqlState == "28000")
    }

    @Test func missingDatabaseIsRejectedWithItsCode() async throws {
        var endpoint = server.endpoint()
        endpoint.database = "no_such"
        let error = try await error(at: endpoint)
        #expect(error.code == .rejected)
        #expect(error.sqlState == "3D000")
        #expect(
            error.description == """
                pg: session rejected: connection to server at "\(server.address)", port 5432 failed: \
                FATAL: database "no_such" does not exist
                """)
    }

    @Test func verifiedTLSOpensTheSession() async throws {
        var endpoint = server.endpoint()
        endpoint.tlsMode = .verifyFull
        endpoint.tlsRootCertificatePath = server.directory + "/ca.crt"
        let results = try await ask("select ssl from pg_stat_ssl where pid = pg_backend_pid()", at: endpoint)
        #expect(results == [.rows(columns: ["ssl"], rows: [["t"]])])
    }

    @Test(arguments: ["server.crt", "no-such-file"])
    func certificateOfAnotherAuthorityIsRefused(authority: String) async throws {
        var endpoint = server.endpoint()
        endpoint.tlsMode = .verifyCA
        // A certificate signed by the authority, taken for the authority itself, proves nothing about the chain's end.
        endpoint.tlsRootCertificatePath = server.directory + "/" + authority
        let error = try await error(at: endpoint)
        #expect(error.code == .tlsRefused, "\(error)")
    }

    @Test func standbyAnswersAndItsConflictsAreTold() async throws {
        let standby = try await TemporaryPostgres.standby(of: server)
        defer { standby.stop() }
        let recovering = try await ask("select pg_is_in_recovery() as r", at: standby.endpoint())
        #expect(recovering == [.rows(columns: ["r"], rows: [["t"]])])

        var encrypted = standby.endpoint()
        encrypted.tlsMode = .require
        #expect(try await error(at: encrypted).code == .tlsRefused, "it has no TLS")

        try await server.administer("create table doomed(value int)")
        try await until("the table is replicated") {
            try await ask("select 1 from doomed", at: standby.endpoint())[0].failure == nil
        }
        async let conflicted = ask(
            "select pg_sleep(600), count(*) from doomed", "select 1 as a", at: standby.endpoint())
        try await until("the statement holds its lock") {
            let sql = "select 1 from pg_stat_activity where query like '%from doomed%' and wait_event = 'PgSleep'"
            return try await ask(sql, at: standby.endpoint())[0].rows?.isEmpty == false
        }
        try await server.administer("drop table doomed")
        let results = try await conflicted
        #expect(results[0].failure?.isRecoveryConflict == true, "\(results[0])")
        #expect(results[1] == .rows(columns: ["a"], rows: [["1"]]))
    }

    @Test func serverThatIsNotOpenYetIsStarting() async throws {
        let starting = try await TemporaryPostgres.neverOpening(copyOf: server)
        defer { starting.stop() }
        let error = try await error(at: starting.endpoint())
        #expect(error.code == .serverStarting, "\(error)")
        #expect(error.sqlState == "57P03")
    }

    @Test func stoppedServerIsRefusedByAddressAndBySocket() async throws {
        var endpoint = server.endpoint()
        endpoint.port = 9
        #expect(try await error(at: endpoint).code == .refused)
        endpoint.host = server.directory
        #expect(try await error(at: endpoint).code == .refused)
    }

    @Test func sessionEndedByAnAdministratorIsConnectionLost() async throws {
        let mark = "mark-\(UUID().uuidString)"
        async let ended = error(at: server.endpoint(), "select pg_sleep(600), '\(mark)'")
        try await until("the statement is gone") {
            let sql = """
                select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%\(mark)%'
                """
            return try await ask(sql)[0].rows?.isEmpty == false
        }
        let error = try await ended
        #expect(error.code == .connectionLost, "\(error)")
        #expect(error.sqlState == "57P01")
    }

    @Test(arguments: ["", "postgres\0x"]) func valuesLibPQWouldMisreadAreRefused(database: String) async throws {
        var endpoint = server.endpoint()
        endpoint.database = database
        #expect(try await error(at: endpoint).code == .badEndpoint)
    }

    @Test func addressThatIsNoAddressIsABadEndpoint() async throws {
        var endpoint = server.endpoint()
        endpoint.address = "not-an-address"
        #expect(try await error(at: endpoint).code == .badEndpoint)
    }

    @Test func passwordThatCannotBeReadIsABadEndpoint() async throws {
        struct NoSecret: Error {}
        var endpoint = server.endpoint()
        endpoint.password = { throw NoSecret() }
        let error = try await error(at: endpoint)
        #expect(error.code == .badEndpoint)
        #expect(error.detail.contains("NoSecret"))
    }
}
