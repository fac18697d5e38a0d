import SSHTransport
import Testing

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
}
