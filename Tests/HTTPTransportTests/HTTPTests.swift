import Foundation
import HTTPTransport
import Testing

@Suite(.timeLimit(.minutes(3)))
struct HTTPTests {
    /// Generous, because the machine may be busy; no test that passes waits for it.
    static let patience: Duration = .seconds(60)

    func send(_ server: TinyServer, _ change: (inout HTTPRequest) -> Void = { _ in }) async throws -> HTTPResponse {
        var request = HTTPRequest(url: server.url + "/path", timeLimit: Self.patience)
        change(&request)
        return try await HTTPClient.send(request)
    }

    func error(_ request: HTTPRequest) async throws -> HTTPError {
        try await #require(throws: HTTPError.self) { _ = try await HTTPClient.send(request) }
    }

    @Test(arguments: [200, 204, 301, 404, 500, 503])
    func everyStatusIsAnAnswer(status: Int) async throws {
        let server = try TinyServer("HTTP/1.1 \(status) Word\r\nX-Thing:  a b \r\nx-empty:\r\nLocation: /else\r\n\r\n")
        defer { server.stop() }
        let response = try await send(server)
        #expect(response.status == status)
        #expect(response[header: "x-thing"] == "a b")
        #expect(response[header: "X-Empty"] == "")
        #expect(response[header: "missing"] == nil)
        #expect(response.effectiveAddress == "127.0.0.1:\(server.port)")
        #expect(response.certificateExpiryUnixSeconds == nil)
        #expect(server.requests.count == 1, "a redirect is not followed, nothing is tried twice")
    }

    @Test func requestsCarryMethodHeadersAndBody() async throws {
        let server = try TinyServer("HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Made\r\n\r\nfine")
        defer { server.stop() }
        let response = try await send(server) {
            $0.method = .put
            $0.headers = [
                .init("Authorization", "Bearer s3cret"), .init("Content-Type", "text/plain"), .init("X-None", ""),
            ]
            $0.body = Array("line\0end".utf8)
        }
        #expect(response.status == 201)
        #expect(response.text == "fine")
        #expect(response.headers.isEmpty, "an interim answer's headers are not the answer's")
        let sent = try #require(server.requests.first)
        #expect(sent.hasPrefix("PUT /path HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        for line in ["Authorization: Bearer s3cret", "Content-Type: text/plain", "X-None:", "Content-Length: 8"] {
            #expect(sent.contains("\r\n\(line)\r\n"), "\(line)")
        }
        #expect(sent.hasSuffix("\r\n\r\nline\0end"))
    }

    @Test(arguments: [HTTPRequest.Method.get, .head, .delete, .post, .patch])
    func methodsAreSentAsNamed(method: HTTPRequest.Method) async throws {
        let server = try TinyServer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        defer { server.stop() }
        let body: [UInt8]? = [.post, .patch].contains(method) ? [] : nil
        #expect(try await send(server) { ($0.method, $0.body) = (method, body) }.status == 200)
        let sent = try #require(server.requests.first)
        #expect(sent.hasPrefix("\(method.rawValue) /path HTTP/1.1\r\n"))
        #expect(sent.contains("Content-Length: 0\r\n") == (body != nil))
        #expect(!sent.contains("Content-Type"))
    }

    @Test(arguments: [(3, "abc", true), (6, "abcdef", false), (0, "", true)])
    func bodyEndsAtItsLimitAndSaysSo(limit: Int, text: String, isTruncated: Bool) async throws {
        let server = try TinyServer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef")
        defer { server.stop() }
        let response = try await send(server) { $0.bodyLimit = limit }
        #expect(response.text == text)
        #expect(response.isTruncated == isTruncated)
    }

    @Test func endlessBodyEndsAtItsLimit() async throws {
        let chunk = [UInt8](repeating: 120, count: 50_000)
        let server = try TinyServer(.endless(Array("HTTP/1.1 200 OK\r\n\r\n".utf8), then: chunk))
        defer { server.stop() }
        let response = try await send(server) { $0.bodyLimit = 1_000_000 }
        #expect(response.body.count == 1_000_000)
        #expect(response.isTruncated)
    }

    @Test func endlessHeadersAreTooLarge() async throws {
        let line = "X: \(String(repeating: "x", count: 900))\r\n"
        let server = try TinyServer(.endless(Array("HTTP/1.1 200 OK\r\n".utf8), then: Array(line.utf8)))
        defer { server.stop() }
        let error = try await error(HTTPRequest(url: server.url, timeLimit: Self.patience))
        #expect(error.code == .tooLarge, "\(error)")
    }

    @Test func brokenOffAnswerIsNoAnswer() async throws {
        let server = try TinyServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        defer { server.stop() }
        #expect(try await error(HTTPRequest(url: server.url, timeLimit: Self.patience)).code == .connectionLost)
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/x"])
    func otherProtocolsAreNoAnswer(text: String) async throws {
        let server = try TinyServer(text)
        defer { server.stop() }
        let error = try await error(HTTPRequest(url: server.url, timeLimit: Self.patience))
        #expect([.protocolViolation, .connectionLost].contains(error.code), "\(error)")
    }

    @Test func routeReplacesTheLookUpOnlyForItsRequest() async throws {
        let one = try TinyServer("HTTP/1.1 200 OK\r\n\r\none")
        defer { one.stop() }
        let url = "http://node.test:\(one.port)/"
        let routed = HTTPRequest(
            url: url, timeLimit: Self.patience, routes: [.init(host: "node.test", port: one.port, address: "127.0.0.1")]
        )
        let response = try await HTTPClient.send(routed)
        #expect(response.text == "one")
        #expect(one.requests.first?.contains("Host: node.test:\(one.port)") == true)
        // Another address for the same name: neither the connection nor the look-up of before is used.
        var elsewhere = routed
        elsewhere.routes[0].address = "127.0.0.2"
        #expect(try await error(elsewhere).code == .refused)
        #expect(try await HTTPClient.send(routed).text == "one")
    }

    @Test func proxiesOfTheEnvironmentAreIgnored() async {
        // In a process of its own, because the environment belongs to all tests.
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"] {
                unsafe setenv(name, "http://127.0.0.1:9", 1)
            }
            let server = try TinyServer("HTTP/1.1 200 OK\r\n\r\n")
            defer { server.stop() }
            let response = try await HTTPClient.send(HTTPRequest(url: server.url, timeLimit: .seconds(60)))
            #expect(response.status == 200)
        }
    }

    @Test func givenProxyIsUsed() async throws {
        let proxy = try TinyServer("HTTP/1.1 200 OK\r\n\r\nproxied")
        defer { proxy.stop() }
        let response = try await HTTPClient.send(
            HTTPRequest(url: "http://node.test/", timeLimit: Self.patience, proxy: proxy.url))
        #expect(response.text == "proxied")
        #expect(proxy.requests.first?.hasPrefix("GET http://node.test/ ") == true)
    }

    @Test(arguments: [
        ("node.test", HTTPError.Code.badURL), ("ftp://127.0.0.1/", .badURL), ("file:///etc/passwd", .badURL),
        ("http://", .badURL), ("http://user:s3cret@127.0.0.1/", .badURL), ("http://127.0.0.1:99999/", .badURL),
        ("http://127.0.0.1/a b", .badURL), ("http://127.0.0.1\0/", .badURL),
    ])
    func urlsThatCannotBeAskedAreRefused(url: String, code: HTTPError.Code) async throws {
        let error = try await error(HTTPRequest(url: url, timeLimit: Self.patience))
        #expect(error.code == code, "\(error)")
        #expect(!"\(error)".contains("s3cret"))
    }

    @Test(arguments: [("X\r\nY", "1"), ("", "1"), ("X: Y", "1"), ("X", "1\r\nY: 2"), ("X", "1\0")])
    func malformedHeadersAreRefused(name: String, value: String) async throws {
        let request = HTTPRequest(url: "http://127.0.0.1:9/", headers: [.init(name, value)], timeLimit: Self.patience)
        #expect(try await error(request).code == .badRequest)
    }

    @Test func secretsAreInNoDescription() {
        let request = HTTPRequest(
            url: "https://node.test/path?token=s3cret#s3cret", headers: [.init("Authorization", "s3cret")],
            body: Array("s3cret".utf8), timeLimit: Self.patience)
        #expect("\(request)" == "GET https://node.test/path")
        var text = String(reflecting: request)
        dump(request, to: &text)
        #expect(!text.contains("s3cret"))
    }
}
