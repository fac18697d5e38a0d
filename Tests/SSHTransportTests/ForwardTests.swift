import Foundation
import Glibc
import SSHTransport
import Testing

/// A unix socket on this machine that leads to a node.
@Suite struct ForwardTests {
    @Test func bytesPassBothWaysThroughAUnixSocketOnTheNode() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let echo = try UnixListener(server.directory.file("echo"))
        echo.echo()
        let forward = try await client.forward(.unixSocket(path: echo.path), from: server.destination, named: "node-1")
        let connection = try connectUnix(forward.socketPath)
        let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        Thread.detachNewThread { _ = sendAll(connection, sent[...]) }
        #expect(receive(connection, count: sent.count) == sent)
        close(connection)
        await forward.close()
        await client.close()
    }

    @Test func theSocketIsPrivateAndGoneAfterClosing() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let echo = try UnixListener(server.directory.file("echo"))
        echo.echo()
        let forward = try await client.forward(
            .unixSocket(path: echo.path), from: server.destination, named: "a/b ../c")
        let attributes = try FileManager.default.attributesOfItem(atPath: forward.directory)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
        #expect(FileManager.default.fileExists(atPath: forward.directory + "/.s.PGSQL.5432"))
        #expect(!forward.directory.contains(".."))
        await forward.close()
        #expect(!FileManager.default.fileExists(atPath: forward.directory))
        await client.close()
    }

    @Test func severalConnectionsAtOnceAreKeptApart() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let echo = try UnixListener(server.directory.file("echo"))
        echo.echo()
        let forward = try await client.forward(.unixSocket(path: echo.path), from: server.destination, named: "many")
        let connections = try (0..<12).map { _ in try connectUnix(forward.socketPath) }
        for (number, connection) in connections.enumerated() {
            #expect(sendAll(connection, Array("hello \(number + 10)".utf8)[...]))
        }
        for (number, connection) in connections.enumerated() {
            #expect(receive(connection, count: 8) == Array("hello \(number + 10)".utf8))
            close(connection)
        }
        // Commands run beside it on the same connection.
        #expect(try await client.output("echo too", on: server.destination) == "too\n")
        #expect(client.statistics[server.destination]?.connectionsOpened == 1)
        await forward.close()
        await client.close()
    }

    @Test func theEndOfOneSideReachesTheOther() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let echo = try UnixListener(server.directory.file("echo"))
        echo.echo()
        let forward = try await client.forward(.unixSocket(path: echo.path), from: server.destination, named: "ends")
        let connection = try connectUnix(forward.socketPath)
        #expect(sendAll(connection, Array("last words".utf8)[...]))
        shutdown(connection, Int32(SHUT_WR))
        // The echo server answers and then closes, because our end closed.
        #expect(receive(connection, count: 100) == Array("last words".utf8))
        close(connection)
        await forward.close()
        await client.close()
    }

    @Test func aTargetThatIsNotThereIsAnErrorAtOnce() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let missing = await #expect(throws: SSHError.self) {
            try await client.forward(.unixSocket(path: "/no/such/socket"), from: destination, named: "x")
        }
        #expect(missing?.code == .channelRefused)
        let port = try freePort()
        let dead = await #expect(throws: SSHError.self) {
            try await client.forward(.tcp(host: "127.0.0.1", port: port), from: destination, named: "x")
        }
        #expect(dead?.code == .unreachable, "\(String(describing: dead))")
        await client.close()
    }

    @Test func aForwardEndsWithItsConnection() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let echo = try UnixListener(server.directory.file("echo"))
        echo.echo()
        let forward = try await client.forward(.unixSocket(path: echo.path), from: server.destination, named: "lost")
        let connection = try connectUnix(forward.socketPath)
        #expect(sendAll(connection, Array("a".utf8)[...]))
        #expect(receive(connection, count: 1) == Array("a".utf8))
        _ = await client.failure("kill -9 $PPID; sleep 1", on: server.destination)
        #expect(receive(connection, count: 1).isEmpty)
        close(connection)
        #expect(!FileManager.default.fileExists(atPath: forward.directory))
        await client.close()
    }

    @Test func psqlTalksToPostgreSQLThroughIt() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let database = try Database(server.directory)
        let targets: [SSHForwardTarget] = [
            .unixSocket(path: database.socketPath), .tcp(host: "127.0.0.1", port: database.port),
        ]
        for target in targets {
            let forward = try await client.forward(target, from: server.destination, named: "postgres")
            let query = "select sum(n) from generate_series(1, 1000) n; select repeat('x', 200000)"
            let answer = try await offThePool {
                try tool(
                    "/usr/bin/psql",
                    ["-AtX", "-h", forward.directory, "-p", "5432", "-U", "postgres", "-d", "postgres", "-c", query])
            }
            #expect(answer == "500500\n\(String(repeating: "x", count: 200_000))\n")
            await forward.close()
        }
        await client.close()
    }
}

/// Runs blocking work on a thread of its own.
func offThePool<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result(catching: work)) }
    }
}
