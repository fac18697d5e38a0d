import Foundation
import HTTPTransport
import Testing

/// Against OpenSSL's own server with a private authority.
@Suite(.timeLimit(.minutes(3)))
struct HTTPSTests {
    private func request(_ server: TLSServer, host: String = "node.test") -> HTTPRequest {
        HTTPRequest(
            url: "https://\(host):\(server.port)/", timeLimit: .seconds(60),
            certificateAuthorityPath: server.authorityPath,
            routes: [.init(host: host, port: server.port, address: "127.0.0.1")])
    }

    private func error(_ request: HTTPRequest) async throws -> HTTPError {
        try await #require(throws: HTTPError.self) { _ = try await HTTPClient.send(request) }
    }

    @Test func privateAuthorityIsTrustedWhenGivenAndOnlyThen() async throws {
        let server = try await TLSServer.start()
        defer { server.stop() }
        let response = try await HTTPClient.send(request(server))
        #expect(response.status == 200)
        let days = try #require(response.certificateExpiryUnixSeconds).days(since: Date())
        #expect((1.9...2.0).contains(days), "the certificate was made for two days")

        var untrusting = request(server)
        for path in [nil, server.otherAuthorityPath] {
            untrusting.certificateAuthorityPath = path
            let error = try await error(untrusting)
            #expect(error.code == .certificate, "\(error)")
            #expect(error.detail.contains("certificate"), "\(error)")
        }
        untrusting.certificateAuthorityPath = server.directory + "/no-such-file"
        #expect(try await error(untrusting).code == .badRequest)
        let misnamed = request(server, host: "other.test")
        #expect(try await error(misnamed).code == .certificate, "the name must be the certificate's")
    }

    @Test func clientCertificateIsSentAndItsAbsenceHinted() async throws {
        let server = try await TLSServer.start("-Verify 1 -verify_return_error")
        defer { server.stop() }
        var request = request(server)
        let refused = try await error(request)
        #expect(refused.code == .connectionLost, "\(refused)")
        #expect(refused.hint?.contains("client certificate") == true)
        request.clientCertificate = .init(certificatePath: server.client.certificate, keyPath: server.client.key)
        #expect(try await HTTPClient.send(request).status == 200)
    }

    @Test func plainServerIsNoTLSServer() async throws {
        let server = try TinyServer("HTTP/1.1 400 Bad\r\n\r\n")
        defer { server.stop() }
        let error = try await error(
            HTTPRequest(url: "https://127.0.0.1:\(server.port)/", timeLimit: .seconds(3)))
        // The server waits for the end of a request that never comes, so the limit may come first.
        #expect([.tlsFailed, .timedOut, .connectionLost].contains(error.code), "\(error)")
    }
}

extension Int {
    fileprivate func days(since date: Date) -> Double { (Double(self) - date.timeIntervalSince1970) / 86_400 }
}
