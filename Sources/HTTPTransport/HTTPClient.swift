/// Sends HTTP requests through libcurl.
package enum HTTPClient {
    /// Sends one request and reads its answer, within the request's limits.
    ///
    /// Redirects are not followed: the redirect is the answer. Cancelling the task ends the transfer at once.
    /// Nothing is tried twice. Certificates are always verified.
    package static func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse {
        guard let thread = TransferThread.shared else {
            throw HTTPError(code: .noResources, request: request, detail: "libcurl could not start")
        }
        return try await thread.send(request).get()
    }
}
