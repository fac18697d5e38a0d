import Foundation
import SSHTransport
import Testing

/// What goes wrong, and that nothing hangs, leaks or lies when it does.
@Suite struct FailureTests {
    private func client(_ directory: TemporaryDirectory, connectTimeLimit: Duration = patience) throws -> SSHClient {
        try SSHServer.makeKey(directory.file("user"), type: "ed25519")
        return try SSHClient(
            SSHConfiguration(
                identities: [.file(directory.file("user"))], knownHostsFiles: [], connectTimeLimit: connectTimeLimit))
    }

    @Test func aPortWithoutListenerIsRefused() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory)
        let node = SSHDestination(name: "gone", host: "127.0.0.1", port: try freePort(), user: "root")
        let failure = await client.failure(on: node)
        #expect(failure?.code == .refused)
        #expect(failure?.destination == "gone")
        #expect(failure?.mayHaveStarted == false)
        await client.close()
    }

    @Test func aNameThatDoesNotExistIsSaid() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory)
        let node = SSHDestination(name: "typo", host: "no-such-host.invalid", user: "root")
        let failure = await client.failure(on: node)
        #expect(failure?.code == .nameNotFound, "\(String(describing: failure))")
        await client.close()
    }

    @Test func aNodeThatAcceptsAndStaysSilentEndsAtTheLimitAndSaysWhere() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory)
        let listener = try Listener()
        let node = SSHDestination(name: "mute", host: "127.0.0.1", port: listener.port, user: "root")
        let failure = await client.failure(on: node, timeLimit: .milliseconds(500))
        #expect(failure?.code == .timedOut)
        #expect(failure?.phase == .handshake)
        #expect(failure?.mayHaveStarted == false)
        await client.close()
    }

    @Test func theLimitForConnectingCountsApart() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory, connectTimeLimit: .milliseconds(300))
        let listener = try Listener()
        let node = SSHDestination(name: "mute", host: "127.0.0.1", port: listener.port, user: "root")
        // All that wait for the same attempt get its failure; nobody tries one after another.
        let started = ContinuousClock.now
        await withTaskGroup(of: SSHError?.self) { group in
            for _ in 0..<20 { group.addTask { await client.failure(on: node) } }
            for await failure in group { #expect(failure?.code == .timedOut) }
        }
        #expect(ContinuousClock.now - started < .seconds(60))
        await client.close()
    }

    @Test func aServerThatIsNotSSHIsSaid() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory)
        let server = try SSHServer()
        let relay = try Chatter("220 mail.example.com ESMTP\r\n", times: 100_000)
        let node = SSHDestination(name: "mail", host: "127.0.0.1", port: relay.port, user: "root")
        let failure = await client.failure(on: node)
        #expect(failure?.code == .protocolFailure, "\(String(describing: failure))")
        _ = server
        await client.close()
    }

    @Test func aNodeThatSwallowsPacketsEndsAtTheLimitAndSaysWhere() async throws {
        let directory = try TemporaryDirectory()
        let client = try client(directory)
        let hole = try BlackHole()
        let node = SSHDestination(name: "gone", host: "127.0.0.1", port: hole.port, user: "root")
        let failure = await client.failure(on: node, timeLimit: .milliseconds(500))
        #expect(failure?.code == .timedOut)
        #expect(failure?.phase == .connecting)
        await client.close()
    }

    @Test func aNodeThatHangsAfterTheLoginEndsAtTheLimit() async throws {
        let server = try SSHServer()
        let client = try server.client()
        // The session's sshd is stopped from a second connection, and goes on only after the test.
        let process = try await client.output("echo $PPID", on: server.destination)
        var second = server.destination
        second.name = "stopper"
        _ = try await client.output("kill -STOP \(process)", on: second)
        let failure = await client.failure(on: server.destination, timeLimit: .seconds(1))
        #expect(failure?.code == .timedOut)
        #expect(failure?.phase == .openingChannel)
        #expect(failure?.mayHaveStarted == false)
        _ = try await client.output("kill -KILL \(process)", on: second)
        #expect(try await client.output("echo back", on: server.destination) == "back\n")
        await client.close()
    }

    @Test func aConnectionWithoutASignOfLifeIsLost() async throws {
        let server = try SSHServer()
        let client = try server.client(keepaliveSeconds: 1)
        var second = server.destination
        second.name = "stopper"
        let destination = server.destination
        let task = Task {
            await client.failure("echo $PPID > \(server.directory.file("pid")); sleep 60", on: destination)
        }
        var process = ""
        while process.isEmpty {
            process = try await client.output("cat \(server.directory.file("pid")) 2>/dev/null", on: second)
        }
        _ = try await client.output("kill -STOP \(process)", on: second)
        let failure = await task.value
        #expect(failure?.code == .channelClosed)
        #expect(failure?.detail.contains("no sign of life") == true)
        #expect(failure?.mayHaveStarted == true)
        _ = try await client.output("kill -KILL \(process)", on: second)
        await client.close()
    }

    @Test func aCommandOverItsLimitEndsThereAndMayHaveStarted() async throws {
        let server = try SSHServer()
        let client = try server.client()
        _ = try await client.output("true", on: server.destination)
        let failure = await client.failure("sleep 20", on: server.destination, timeLimit: .seconds(1))
        #expect(failure?.code == .timedOut)
        #expect(failure?.phase == .command)
        #expect(failure?.mayHaveStarted == true)
        #expect(try await client.output("echo next", on: server.destination) == "next\n")
        await client.close()
    }

    @Test func manyCommandsOverTheirLimitDoNotUseUpTheNodesSessions() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        _ = try await client.output("true", on: destination)
        for _ in 0..<2 {
            await withTaskGroup(of: SSHError?.self) { group in
                for _ in 0..<10 {
                    group.addTask { await client.failure("sleep 5", on: destination, timeLimit: .seconds(1)) }
                }
                for await failure in group { #expect(failure?.code == .timedOut || failure?.code == .tooManySessions) }
            }
        }
        await client.close()
    }

    @Test func aKilledConnectionInMidCommandLeavesTheOutcomeUnknown() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let failure = await client.failure("echo begun; kill -9 $PPID; sleep 1", on: server.destination)
        #expect(failure?.code == .channelClosed, "\(String(describing: failure))")
        #expect(failure?.mayHaveStarted == true)
        // The next command makes a new connection.
        #expect(try await client.output("echo back", on: server.destination) == "back\n")
        #expect(client.statistics[server.destination]?.connectionsOpened == 2)
        await client.close()
    }

    @Test func anIdleConnectionThatWasLostIsReplacedUnnoticed() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        // The session's own sshd is killed by another connection while the first is idle.
        let process = try await client.output("echo $PPID", on: destination).trimmingCharacters(
            in: .whitespacesAndNewlines)
        var second = destination
        second.name = "killer"
        _ = try await client.output("kill -9 \(process)", on: second)
        #expect(try await client.output("echo back", on: destination) == "back\n")
        #expect(client.statistics[destination] == SSHStatistics(connectionsOpened: 2, commandsStarted: 2))
        await client.close()
    }

    @Test func cancellationEndsACallAtOnceAndSparesTheOthers() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        _ = try await client.output("true", on: destination)
        async let other = client.output("sleep 0.5; echo other", on: destination)
        let task = Task { await client.failure("sleep 300", on: destination) }
        while client.statistics[destination]?.commandsStarted != 3 { try await Task.sleep(for: .milliseconds(5)) }
        let started = ContinuousClock.now
        task.cancel()
        let failure = await task.value
        #expect(failure?.code == .cancelled)
        #expect(failure?.mayHaveStarted == true)
        #expect(ContinuousClock.now - started < .seconds(120))
        #expect(try await other == "other\n")
        await client.close()
    }

    @Test func aCallThatIsCancelledBeforeItBeginsDoesNotBegin() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await client.failure("touch \(server.directory.file("never"))", on: destination)
        }
        task.cancel()
        let failure = await task.value
        #expect(failure?.code == .cancelled && failure?.mayHaveStarted == false)
        #expect(!FileManager.default.fileExists(atPath: server.directory.file("never")))
        await client.close()
    }

    @Test func theOneThatConnectsMayBeCancelledWithoutHarmToThoseWhoWait() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let first = Task { await client.failure(on: destination) }
        let others = (0..<5).map { number in Task { try await client.output("echo \(number)", on: destination) } }
        first.cancel()
        _ = await first.value
        for (number, task) in others.enumerated() { #expect(try await task.value == "\(number)\n") }
        await client.close()
    }

    @Test func closingEndsWhatIsUnderWayAndRefusesWhatComesLater() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let task = Task { await client.failure("sleep 300", on: destination) }
        while client.statistics[destination]?.commandsStarted != 1 { try await Task.sleep(for: .milliseconds(5)) }
        await client.close()
        #expect(await task.value?.code == .clientClosed)
        #expect(await client.failure(on: destination)?.code == .clientClosed)
    }

    @Test func aForcedRekeyInMidOutputIsSurvived() async throws {
        let server = try SSHServer(settings: ["RekeyLimit 1M"])
        let client = try server.client()
        let destination = server.destination
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    let command = SSHCommand(
                        line: "cat >/dev/null; head -c 5000000 /dev/zero",
                        standardInput: [UInt8](repeating: 1, count: 2 << 20), timeLimit: patience,
                        outputLimit: 6_000_000)
                    return try await client.execute(command, on: destination).standardOutput.count
                }
            }
            for try await count in group { #expect(count == 5_000_000) }
        }
        await client.close()
    }

    @Test func connectionsDroppedByMaxStartupsAreTriedAgain() async throws {
        let server = try SSHServer(settings: ["MaxStartups 3:30:6"])
        let client = try server.client()
        let destination = server.destination
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<12 {
                group.addTask {
                    var node = destination
                    node.name = "node-\(number)"
                    return try await client.output("echo ok", on: node)
                }
            }
            for try await output in group { #expect(output == "ok\n") }
        }
        await client.close()
    }
}
