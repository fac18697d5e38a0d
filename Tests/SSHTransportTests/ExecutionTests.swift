import SSHTransport
import Testing

/// What one command gives, on a real sshd.
@Suite struct ExecutionTests {
    @Test func bothStreamsAndTheStatusComeBackApart() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let result = try await client.execute(
            SSHCommand(line: "cat; echo oops >&2; exit 7", standardInput: Array("hello\n".utf8), timeLimit: patience),
            on: server.destination)
        #expect(String(decoding: result.standardOutput, as: UTF8.self) == "hello\n")
        #expect(String(decoding: result.standardError, as: UTF8.self) == "oops\n")
        #expect(result.outcome == .exited(status: 7))
        #expect(!result.standardOutputTruncated && !result.standardErrorTruncated)
        #expect(client.statistics[server.destination] == SSHStatistics(connectionsOpened: 1, commandsStarted: 1))
        await client.close()
    }

    @Test(arguments: [
        ("exit 0", SSHCommandResult.Outcome.exited(status: 0)), ("exit 255", .exited(status: 255)),
        ("kill -9 $$", .signalled(name: "KILL")), ("kill -TERM $$", .signalled(name: "TERM")),
        ("/no/such/program", .exited(status: 127)),
    ])
    func aSignalIsNeverTakenForStatusZero(line: String, expected: SSHCommandResult.Outcome) async throws {
        let server = try SSHServer()
        let client = try server.client()
        let result = try await client.execute(SSHCommand(line: line, timeLimit: patience), on: server.destination)
        #expect(result.outcome == expected)
        await client.close()
    }

    @Test func aStatusThatComesAfterTheEndOfTheOutputCounts() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let result = try await client.execute(
            SSHCommand(line: "exec >&- 2>&-; sleep 0.3; exit 5", timeLimit: patience), on: server.destination)
        #expect(result.outcome == .exited(status: 5))
        await client.close()
    }

    @Test func fourMebibytesOfInputAndOutputPassUnchanged() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let input = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 11) }
        let result = try await client.execute(
            SSHCommand(line: "cat", standardInput: input, timeLimit: patience, outputLimit: 8 << 20),
            on: server.destination)
        #expect(result.standardOutput == input)
        #expect(!result.standardOutputTruncated)
        await client.close()
    }

    @Test func inputThatTheCommandDoesNotReadIsNoFailure() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let command = SSHCommand(
            line: "exit 3", standardInput: [UInt8](repeating: 120, count: 6 << 20), timeLimit: patience)
        #expect(try await client.execute(command, on: server.destination).outcome == .exited(status: 3))
        await client.close()
    }

    @Test func outputBeyondTheLimitIsDroppedAndSaidSo() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let command = SSHCommand(
            line: "head -c 20971520 /dev/zero; echo all >&2; exit 4", timeLimit: patience, outputLimit: 100_000)
        let result = try await client.execute(command, on: server.destination)
        #expect(result.standardOutput.count == 100_000)
        #expect(result.standardOutputTruncated && !result.standardErrorTruncated)
        // Drained to the end: what came after is there.
        #expect(result.standardError == Array("all\n".utf8))
        #expect(result.outcome == .exited(status: 4))
        await client.close()
    }

    @Test func muchOnStandardErrorDoesNotStallStandardOutput() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let command = SSHCommand(
            line: "head -c 5000000 /dev/zero >&2; echo done", timeLimit: patience, outputLimit: 6_000_000)
        let result = try await client.execute(command, on: server.destination)
        #expect(result.standardError.count == 5_000_000)
        #expect(result.standardOutput == Array("done\n".utf8))
        await client.close()
    }

    @Test func outputOfExactlyTheLimitIsNotTruncated() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let command = SSHCommand(line: "printf 12345", timeLimit: patience, outputLimit: 5)
        let result = try await client.execute(command, on: server.destination)
        #expect(result.standardOutput == Array("12345".utf8) && !result.standardOutputTruncated)
        await client.close()
    }

    @Test func commandsOneAfterAnotherShareOneConnection() async throws {
        let server = try SSHServer()
        let client = try server.client()
        for round in 1...5 {
            #expect(try await client.output("echo \(round)", on: server.destination) == "\(round)\n")
        }
        #expect(client.statistics[server.destination] == SSHStatistics(connectionsOpened: 1, commandsStarted: 5))
        await client.close()
    }

    @Test func commandsAtOnceShareOneConnection() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<10 {
                group.addTask {
                    try await client.output(
                        "head -c 300000 /dev/zero | wc -c; cat", on: destination, input: "\(number)")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outputs.sorted() == (0..<10).map { "300000\n\($0)" })
        #expect(client.statistics[destination] == SSHStatistics(connectionsOpened: 1, commandsStarted: 10))
        await client.close()
    }

    @Test func theEleventhSessionAtOnceIsRefusedAndSaysWhy() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let flag = server.directory.file("go")
        // Ten commands wait for a file; the eleventh finds no session.
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await client.output(
                        "n=0; while [ ! -e \(flag) ] && [ $n -lt 1000 ]; do n=$((n+1)); sleep 0.1; done; echo ok",
                        on: destination)
                }
            }
            while client.statistics[destination]?.commandsStarted != 10 { try await Task.sleep(for: .milliseconds(5)) }
            let failure = await client.failure(on: destination)
            #expect(failure?.code == .tooManySessions)
            #expect(failure?.mayHaveStarted == false)
            try server.directory.write("", to: "go")
            for try await output in group { #expect(output == "ok\n") }
        }
        #expect(try await client.output("echo again", on: destination) == "again\n")
        await client.close()
    }

    @Test func thirtyNodesAtOnceAreServed() async throws {
        let server = try SSHServer()
        let client = try server.client()
        let destination = server.destination
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<30 {
                group.addTask {
                    var node = destination
                    node.name = "node-\(number)"
                    return try await client.output("echo \(number)", on: node)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(outputs) == Set((0..<30).map { "\($0)\n" }))
        #expect(client.statistics.count == 30)
        #expect(client.statistics.values.allSatisfy { $0 == SSHStatistics(connectionsOpened: 1, commandsStarted: 1) })
        await client.close()
    }
}
