import Glibc

/// A request's headers and routes as libcurl wants them, after a look at what libcurl would pass on unseen.
struct RequestLists {
    let headers: [String]
    /// `HOST:PORT:ADDRESS:PORT`.
    let routes: [String]

    init(_ request: HTTPRequest) throws(HTTPError) {
        let scheme = request.url.lowercased()
        // libcurl would guess a scheme.
        guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://") else {
            throw HTTPError(code: .badURL, request: request, detail: "a URL starts with http:// or https://")
        }
        guard !request.url.utf8.contains(0) else {
            throw HTTPError(code: .badURL, request: request, detail: "the URL contains a NUL")
        }
        for field in request.headers where !Self.isName(field.name) || !Self.isValue(field.value) {
            let name = field.name.debugDescription
            throw HTTPError(code: .badRequest, request: request, detail: "header \(name) is malformed")
        }
        for route in request.routes where route.host.isEmpty || !Self.isNumeric(route.address) {
            throw HTTPError(
                code: .badRequest, request: request, detail: "\(route) needs a host and a numeric address")
        }
        headers =
            Self.suppressed(by: request.headers)
            + request.headers.map { field in
                // libcurl's spelling of a header without value.
                field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)"
            }
        routes = request.routes.map { route in
            "\(Self.bracketed(route.host)):\(route.port):\(Self.bracketed(route.address)):\(route.port)"
        }
    }

    /// Headers libcurl adds by itself and the caller did not ask for: a name without value takes one away.
    private static func suppressed(by headers: [HTTPRequest.Field]) -> [String] {
        let given = Set(headers.map { $0.name.lowercased() })
        return ["Content-Type", "Expect"].filter { !given.contains($0.lowercased()) }.map { "\($0):" }
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                byte > 32 && byte < 127 && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
            }
    }

    private static func isValue(_ value: String) -> Bool { !value.utf8.contains { [0, 10, 13].contains($0) } }

    private static func isNumeric(_ address: String) -> Bool {
        var space = in6_addr()
        return unsafe inet_pton(AF_INET, address, &space) == 1 || inet_pton(AF_INET6, address, &space) == 1
    }

    private static func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
}
