import HTTPTransport
import Testing

/// What never answers, or is not there.
extension HTTPTests {
    /// A busy machine is late, a missing deadline never comes.
    private static let lateness: Duration = .seconds(40)

    private func timed(_ request: HTTPRequest) async throws -> HTTPError {
        let start = ContinuousClock.now
        let error = try await error(request)
        #expect(start.duration(to: .now) < request.timeLimit + Self.lateness)
        return error
    }

    @Test func silentServerTimesOut() async throws {
        let server = try TinyServer(.silence)
        defer { server.stop() }
        let error = try await timed(HTTPRequest(url: server.url, timeLimit: .seconds(1)))
        #expect(error.code == .timedOut, "\(error)")
    }

    @Test func drippingServerTimesOut() async throws {
        let text = "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 1000)
        let server = try TinyServer(.drip(Array(text.utf8), everyMilliseconds: 50))
        defer { server.stop() }
        #expect(try await timed(HTTPRequest(url: server.url, timeLimit: .seconds(2))).code == .timedOut)
    }

    @Test(arguments: [Duration.zero, .seconds(-1), .nanoseconds(1)])
    func noTimeIsTimedOutAtOnce(timeLimit: Duration) async throws {
        let server = try TinyServer(.silence)
        defer { server.stop() }
        #expect(try await timed(HTTPRequest(url: server.url, timeLimit: timeLimit)).code == .timedOut)
    }

    @Test func closedPortIsRefused() async throws {
        let error = try await timed(HTTPRequest(url: "http://127.0.0.1:9/", timeLimit: Self.patience))
        #expect(error.code == .refused, "\(error)")
    }

    @Test func unknownNameIsToldWithinTheLimit() async throws {
        let error = try await timed(HTTPRequest(url: "http://no-such-node.invalid/", timeLimit: .seconds(2)))
        // Without a resolver in reach, the limit comes first.
        #expect([.nameNotFound, .timedOut].contains(error.code), "\(error)")
    }

    @Test func cancelledTaskEndsItsTransferAtOnce() async throws {
        let server = try TinyServer(.silence)
        defer { server.stop() }
        let start = ContinuousClock.now
        let task = Task { try await HTTPClient.send(HTTPRequest(url: server.url, timeLimit: Self.patience)) }
        while server.requests.isEmpty {
            try #require(start.duration(to: .now) < Self.patience)
            await Task.yield()
        }
        #expect(server.openConnections == 1)
        task.cancel()
        await #expect { _ = try await task.value } throws: { ($0 as? HTTPError)?.code == .cancelled }
        while server.openConnections > 0 {
            try #require(start.duration(to: .now) < Self.patience, "the connection is still open")
            await Task.yield()
        }
    }

    @Test func taskCancelledBeforehandSendsNothing() async throws {
        let server = try TinyServer("HTTP/1.1 200 OK\r\n\r\n")
        defer { server.stop() }
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await HTTPClient.send(HTTPRequest(url: server.url, timeLimit: Self.patience))
        }
        await #expect { _ = try await task.value } throws: { ($0 as? HTTPError)?.code == .cancelled }
        #expect(server.requests.isEmpty)
    }

    @Test func slowServersHoldUpNobody() async throws {
        let silent = try TinyServer(.silence)
        defer { silent.stop() }
        let quick = try TinyServer("HTTP/1.1 200 OK\r\n\r\nquick")
        defer { quick.stop() }
        let statuses = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<100 {
                let url = number < 50 ? silent.url : quick.url
                let timeLimit: Duration = number < 50 ? .seconds(600) : Self.patience
                group.addTask { try await HTTPClient.send(HTTPRequest(url: url, timeLimit: timeLimit)).status }
            }
            var statuses: [Int?] = []
            while statuses.count < 50, let status = try await group.next() { statuses.append(status) }
            group.cancelAll()
            return statuses
        }
        #expect(statuses == Array(repeating: 200, count: 50))
    }
}
