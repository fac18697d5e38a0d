/// What a server answered, whatever its status: an HTTP error status is an answer, not an `HTTPError`.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int
    /// In the order received, of the final answer only; names as sent.
    package var headers: [HTTPRequest.Field]
    /// At most the request's `bodyLimit`, not decoded.
    package var body: [UInt8]
    /// The body was longer than the limit and `body` is only its beginning.
    package var isTruncated: Bool
    /// `ADDRESS:PORT` that really answered (the proxy's, when there is one).
    package var effectiveAddress: String
    /// From `send` to the last byte.
    package var elapsed: Duration
    /// When the server's own certificate ends, in seconds since 1970; `nil` over plain HTTP.
    package var certificateExpiryUnixSeconds: Int?

    /// The body as text; bytes that are not UTF-8 read as U+FFFD.
    package var text: String { String(decoding: body, as: UTF8.self) }

    /// The first value of a header, by a name in any case.
    package subscript(header name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
