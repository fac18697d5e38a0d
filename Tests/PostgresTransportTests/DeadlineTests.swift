import Glibc
import PostgresTransport
import Testing

/// What never answers costs the time limit and no more.
///
/// Needs no PostgreSQL.
@Suite(.timeLimit(.minutes(5)))
struct DeadlineTests {
    /// A busy machine is late, a missing deadline never comes.
    private static let lateness: Duration = .seconds(40)

    private func error(host: String, port: UInt16, timeLimit: Duration) async throws -> PostgresError {
        let endpoint = PostgresEndpoint(
            name: "pg", host: host, port: port, database: "postgres", user: "postgres", tlsMode: .prefer)
        let start = ContinuousClock.now
        let error = try await #require(throws: PostgresError.self) {
            _ = try await PostgresClient.query(["select 1"], at: endpoint, timeLimit: timeLimit)
        }
        #expect(start.duration(to: .now) < timeLimit + Self.lateness)
        return error
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func muteServerTimesOutWhileTheSessionStarts(host: String) async throws {
        let server = try SilentServer()
        defer { server.stop() }
        let error = try await error(host: host, port: server.port, timeLimit: .seconds(4))
        #expect(error.code == .timedOut(.startingSession), "\(error)")
    }

    @Test func swallowedPacketsTimeOutWhileConnecting() async throws {
        let server = try SilentServer(swallowing: true)
        defer { server.stop() }
        let error = try await error(host: "127.0.0.1", port: server.port, timeLimit: .seconds(1))
        #expect(error.code == .timedOut(.connecting), "\(error)")
    }

    @Test func unknownNameIsToldWithinTheLimit() async throws {
        let error = try await error(host: "no-such-node.invalid", port: 5432, timeLimit: .seconds(2))
        // Without a resolver in reach, the limit comes first.
        #expect([.nameNotFound, .timedOut(.lookingUpName)].contains(error.code), "\(error)")
    }

    @Test(arguments: [Duration.zero, .seconds(-1)])
    func noTimeIsTimedOutAtOnce(timeLimit: Duration) async throws {
        let error = try await error(host: "127.0.0.1", port: 5432, timeLimit: timeLimit)
        guard case .timedOut = error.code else { return #expect(Bool(false), "\(error)") }
    }

    @Test func environmentDoesNotReplaceAUnixSocket() async {
        // In a process of its own, because the environment belongs to all tests.
        await #expect(processExitsWith: .success) {
            unsafe setenv("PGHOSTADDR", "127.0.0.1", 1)
            let endpoint = PostgresEndpoint(
                name: "pg", host: "/nowhere", database: "postgres", user: "postgres", tlsMode: .disable)
            await #expect {
                _ = try await PostgresClient.query([], at: endpoint, timeLimit: .seconds(60))
            } throws: {
                ($0 as? PostgresError)?.code == .badEndpoint
            }
        }
    }

    @Test func cancelledTaskEndsALogin() async throws {
        let server = try SilentServer()
        defer { server.stop() }
        let endpoint = PostgresEndpoint(
            name: "pg", host: "127.0.0.1", port: server.port, database: "postgres", user: "postgres", tlsMode: .prefer)
        let start = ContinuousClock.now
        let query = Task { try await PostgresClient.query([], at: endpoint, timeLimit: .seconds(300)) }
        query.cancel()
        await #expect { _ = try await query.value } throws: { ($0 as? PostgresError)?.code == .cancelled }
        #expect(start.duration(to: .now) < .seconds(120), "the limit would have been 300 s")
    }
}
