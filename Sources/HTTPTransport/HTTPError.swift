internal import CLibCurl
import Glibc

/// Why there is no answer.
///
/// Says nothing about the server unless the code does.
package struct HTTPError: Error, Sendable, Equatable {
    package enum Code: Sendable, Equatable {
        /// The URL cannot be asked, or names a user.
        case badURL
        /// A header, a route or a file of the request cannot be used; nothing was sent.
        case badRequest
        case nameNotFound
        /// The machine answered, nothing listens there.
        case refused
        /// No route, network down.
        case unreachable
        /// Expiry means unknown, not down.
        case timedOut
        /// The server's certificate does not hold; the detail is OpenSSL's sentence.
        case certificate
        /// TLS did not come about for another reason.
        case tlsFailed
        /// The connection ended before the answer was complete.
        case connectionLost
        /// What came back is not HTTP.
        case protocolViolation
        /// More header bytes than any server sends in earnest.
        case tooLarge
        /// The calling task was cancelled.
        case cancelled
        /// This process has no memory, thread or descriptor left.
        case noResources
        /// libcurl's own number, for what has no meaning here.
        case other(Int)
    }

    package var code: Code
    /// `HTTPRequest.description`.
    package var request: String
    package var detail: String
    package var hint: String?

    package init(code: Code, request: HTTPRequest, detail: String, hint: String? = nil) {
        self.code = code
        self.request = request.description
        self.detail = detail
        self.hint = hint
    }
}

extension HTTPError: CustomStringConvertible {
    package var description: String { "\(request): \(code): \(detail)" + (hint.map { " (\($0))" } ?? "") }
}

extension HTTPError {
    /// `sentence` is libcurl's error text for this transfer, and may be empty.
    init(_ result: CURLcode, sentence: String, outcome: geo_http_outcome, request: HTTPRequest) {
        let (code, hint) = unsafe Self.reading(result, outcome: outcome, request: request)
        let general = unsafe String(cString: curl_easy_strerror(result))
        self.init(code: code, request: request, detail: sentence.isEmpty ? general : sentence, hint: hint)
    }

    private static func reading(
        _ result: CURLcode, outcome: geo_http_outcome, request: HTTPRequest
    ) -> (Code, hint: String?) {
        let isConnected = unsafe outcome.address[0] != 0
        return switch result {
        case CURLE_URL_MALFORMAT: (.badURL, nil)
        case CURLE_LOGIN_DENIED: (.badURL, "a URL must not carry a user name; send a header")
        // Also what an answer without a status line ends in.
        case CURLE_UNSUPPORTED_PROTOCOL: (isConnected ? .protocolViolation : .badURL, nil)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: (.nameNotFound, nil)
        case CURLE_COULDNT_CONNECT where unsafe outcome.system_error == Int(ECONNREFUSED):
            (.refused, "does anything listen there?")
        case CURLE_COULDNT_CONNECT: (.unreachable, nil)
        case CURLE_OPERATION_TIMEDOUT: (.timedOut, nil)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
            (.certificate, request.certificateAuthorityPath == nil ? "is a private authority missing?" : nil)
        case CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CRL_BADFILE: (.badRequest, nil)
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER: (.tlsFailed, nil)
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE:
            (.connectionLost, hintForLostConnection(request))
        case CURLE_WEIRD_SERVER_REPLY: (.protocolViolation, nil)
        case CURLE_OUT_OF_MEMORY, CURLE_FAILED_INIT: (.noResources, nil)
        default: (.other(Int(result.rawValue)), nil)
        }
    }

    /// With TLS 1.3 a missing client certificate is told after the handshake, by hanging up.
    private static func hintForLostConnection(_ request: HTTPRequest) -> String? {
        guard request.url.lowercased().hasPrefix("https:"), request.clientCertificate == nil else { return nil }
        return "the server may ask for a client certificate"
    }
}
