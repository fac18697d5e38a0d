/// One request.
///
/// Stands alone: shares no connection, cookie, session, name look-up or credential with any other.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where to connect for a host, in place of what DNS says; name, `Host` and certificate check stay the host's.
    ///
    /// Looks at one node behind a load balancer, or at a site before DNS points to it.
    package struct Route: Sendable, Equatable {
        /// As in the URL, an IPv6 literal without brackets.
        package var host: String
        package var port: UInt16
        /// Numeric.
        package var address: String

        package init(host: String, port: UInt16, address: String) {
            self.host = host
            self.port = port
            self.address = address
        }
    }

    /// A client certificate and its key, as paths to PEM files.
    package struct ClientCertificate: Sendable, Equatable {
        package var certificatePath: String
        package var keyPath: String

        package init(certificatePath: String, keyPath: String) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
        }
    }

    /// Starts with `http://` or `https://`.
    ///
    /// Credentials belong in a header: a user name in it is refused.
    package var url: String
    package var method: Method
    package var headers: [Field]
    package var body: [UInt8]?
    /// Over everything: name look-up, connection, TLS, and the last byte of the answer.
    package var timeLimit: Duration
    /// Bytes of the answer's body.
    ///
    /// What comes after them is not read, and the response says `isTruncated`.
    package var bodyLimit: Int
    /// PEM file with the only authorities to trust; `nil` trusts those of the system.
    ///
    /// There is no way to trust none.
    package var certificateAuthorityPath: String?
    package var clientCertificate: ClientCertificate?
    package var routes: [Route]
    /// URL of a proxy.
    ///
    /// `http_proxy` and its kin are ignored: a proxy of the operator's shell would answer for a dead site, and would
    /// be a vantage point nobody chose.
    package var proxy: String?

    package init(
        url: String, method: Method = .get, headers: [Field] = [], body: [UInt8]? = nil, timeLimit: Duration,
        bodyLimit: Int = 1 << 20, certificateAuthorityPath: String? = nil, clientCertificate: ClientCertificate? = nil,
        routes: [Route] = [], proxy: String? = nil
    ) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.timeLimit = timeLimit
        self.bodyLimit = bodyLimit
        self.certificateAuthorityPath = certificateAuthorityPath
        self.clientCertificate = clientCertificate
        self.routes = routes
        self.proxy = proxy
    }
}

extension HTTPRequest: CustomStringConvertible, CustomReflectable {
    /// Method and URL without query and fragment, which may hold a secret; no URL at all when it may name a user.
    package var description: String {
        // Where a password ends in a malformed URL, nobody can say.
        let shown = url.contains("@") ? "URL with @" : url.prefix { $0 != "?" && $0 != "#" }
        return "\(method.rawValue) \(shown)"
    }

    /// Headers and body may hold secrets.
    package var customMirror: Mirror { Mirror(self, children: ["request": description]) }
}
