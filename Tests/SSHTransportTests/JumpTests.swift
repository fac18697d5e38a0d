import SSHTransport
import Testing

/// Nodes behind another host.
@Suite struct JumpTests {
    /// Both servers' keys in one file.
    private func client(
        _ jump: SSHServer, _ nodes: [SSHServer], jumpPatience: Duration = .seconds(1)
    ) throws -> SSHClient {
        let lines = try ([jump] + nodes).map { "\($0.knownHostsName) \(try $0.publicKey("ed25519"))" }
        for node in nodes { try node.authorize(jump.directory.file("user.pub")) }
        return try jump.client(knownHosts: lines, jumpPatience: jumpPatience)
    }

    private func behind(_ jump: SSHServer, _ node: SSHServer, _ name: String) -> SSHDestination {
        var destination = node.destination
        destination.name = name
        var host = jump.destination
        host.name = "bastion"
        destination.jump = [host]
        return destination
    }

    @Test func manyNodesShareOneConnectionToTheJumpHost() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        // On a busy machine one opening may take longer than a second.
        let client = try client(jump, [node], jumpPatience: patience)
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<15 {
                let destination = behind(jump, node, "node-\(number)")
                group.addTask {
                    try await client.output("echo \(number); head -c 200000 /dev/zero | wc -c", on: destination)
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(outputs == Set((0..<15).map { "\($0)\n200000\n" }))
        var host = jump.destination
        host.name = "bastion"
        #expect(client.statistics[host]?.connectionsOpened == 1)
        #expect(client.statistics.count == 16)
        await client.close()
    }

    @Test func twoJumpsInARowWork() async throws {
        let servers = try (0..<3).map { _ in try SSHServer() }
        let client = try client(servers[0], [servers[1], servers[2]])
        var destination = servers[2].destination
        destination.jump = [servers[0].destination, servers[1].destination]
        let input = String(repeating: "0123456789", count: 50_000)
        #expect(try await client.output("wc -c", on: destination, input: input) == "500000\n")
        await client.close()
    }

    @Test func theJumpHostsKeyIsCheckedToo() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try node.client()
        let failure = await client.failure(on: behind(jump, node, "node-1"))
        #expect(failure?.code == .hostKeyUnknown)
        #expect(failure?.destination == "node-1")
        #expect(failure?.detail.contains("bastion") == true)
        await client.close()
    }

    @Test func theNodesKeyIsCheckedBehindAJumpHost() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try jump.client()
        let failure = await client.failure(on: behind(jump, node, "node-1"))
        #expect(failure?.code == .hostKeyUnknown)
        #expect(failure?.detail.contains(node.knownHostsName) == true)
        await client.close()
    }

    @Test func aDeadNodeBehindAJumpHostIsUnreachableAndSparesTheOthers() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try client(jump, [node])
        var dead = behind(jump, node, "dead")
        dead.port = try freePort()
        async let failure = client.failure(on: dead)
        #expect(try await client.output("echo alive", on: behind(jump, node, "alive")) == "alive\n")
        #expect(await failure?.code == .unreachable)
        #expect(await failure?.detail.contains("bastion") == true)
        await client.close()
    }

    @Test func aSilentNodeBehindAJumpHostEndsAtItsLimitAndSparesTheOthers() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try client(jump, [node])
        let listener = try Listener()
        var silent = behind(jump, node, "silent")
        silent.port = listener.port
        async let failure = client.failure(on: silent, timeLimit: .seconds(2))
        #expect(try await client.output("echo alive", on: behind(jump, node, "alive")) == "alive\n")
        #expect(await failure?.code == .timedOut)
        #expect(await failure?.phase == .handshake)
        await client.close()
    }

    @Test func nodesThatSwallowPacketsBehindAJumpHostHoldNobodyUp() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try client(jump, [node])
        let hole = try BlackHole()
        let swallowed = (0..<3).map { number in
            var dead = behind(jump, node, "dead-\(number)")
            dead.port = hole.port
            return Task { [dead] in await client.failure(on: dead) }
        }
        var host = jump.destination
        host.name = "bastion"
        while client.statistics[host] == nil { try await Task.sleep(for: .milliseconds(5)) }
        for number in 0..<5 {
            let destination = behind(jump, node, "alive-\(number)")
            #expect(try await client.output("echo alive", on: destination) == "alive\n")
        }
        // The dead ones have not been given up yet: nobody waited for that.
        for task in swallowed { task.cancel() }
        for task in swallowed { #expect(await task.value?.code == .cancelled) }
        await client.close()
    }

    @Test func aLostJumpHostEndsWhatRanThroughIt() async throws {
        let jump = try SSHServer()
        let node = try SSHServer()
        let client = try client(jump, [node])
        let destination = behind(jump, node, "node-1")
        let task = Task { await client.failure("echo begun; sleep 30", on: destination) }
        while client.statistics[destination]?.commandsStarted != 1 { try await Task.sleep(for: .milliseconds(5)) }
        var host = jump.destination
        host.name = "bastion"
        _ = await client.failure("kill -9 $PPID; sleep 1", on: host)
        let failure = await task.value
        #expect(failure?.code == .channelClosed)
        #expect(failure?.mayHaveStarted == true)
        #expect(try await client.output("echo back", on: destination) == "back\n")
        await client.close()
    }
}
