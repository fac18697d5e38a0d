internal import CLibCurl
import Glibc

/// One libcurl handle and what it has received.
///
/// Made, used and freed on the transfer thread.
@safe
final class Transfer {
    let request: HTTPRequest
    let handle: UnsafeMutableRawPointer
    private let start: ContinuousClock.Instant
    private let errorText: UnsafeMutablePointer<CChar>
    private let headerList: UnsafeMutablePointer<curl_slist>?
    private let routeList: UnsafeMutablePointer<curl_slist>?

    private var headers: [HTTPRequest.Field] = []
    private var headerBytes = 0
    private var body: [UInt8] = []
    private var isTruncated = false

    private static let headerByteLimit = 64 << 10

    /// The request's time runs since `start`.
    init(_ request: HTTPRequest, since start: ContinuousClock.Instant) throws(HTTPError) {
        let lists = try RequestLists(request)
        guard let handle = unsafe curl_easy_init() else {
            throw HTTPError(code: .noResources, request: request, detail: "no memory for a transfer")
        }
        self.request = request
        self.start = start
        unsafe self.handle = handle
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe headerList = Self.list(lists.headers)
        unsafe routeList = Self.list(lists.routes)
        let code = prepare(timeLimit: request.timeLimit - start.duration(to: .now))
        guard code == CURLE_OK else {
            throw unsafe HTTPError(code, sentence: sentence, outcome: geo_http_outcome_of(handle), request: request)
        }
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(headerList)
        unsafe curl_slist_free_all(routeList)
        unsafe errorText.deallocate()
    }

    var cancelled: HTTPError {
        HTTPError(code: .cancelled, request: request, detail: "the caller no longer wants the answer")
    }

    /// What a finished transfer amounts to.
    func response(after result: CURLcode) -> Result<HTTPResponse, HTTPError> {
        let outcome = unsafe geo_http_outcome_of(handle)
        if headerBytes > Self.headerByteLimit {
            let detail = "more than \(Self.headerByteLimit) bytes of headers"
            return .failure(HTTPError(code: .tooLarge, request: request, detail: detail))
        }
        // Refusing more bytes than the limit is how a transfer is ended early.
        guard result == CURLE_OK || result == CURLE_WRITE_ERROR && isTruncated else {
            return unsafe .failure(HTTPError(result, sentence: sentence, outcome: outcome, request: request))
        }
        let address = unsafe String(cString: outcome.address)
        let expiry = unsafe Int(outcome.certificate_expiry)
        return .success(
            HTTPResponse(
                status: unsafe outcome.status, headers: headers, body: body, isTruncated: isTruncated,
                effectiveAddress: (address.contains(":") ? "[\(address)]" : address) + ":\(unsafe outcome.port)",
                elapsed: start.duration(to: .now), certificateExpiryUnixSeconds: expiry < 0 ? nil : expiry))
    }

    private var sentence: String { unsafe String(cString: errorText) }

    /// `nil` for an empty list, or, as libcurl has it, without memory.
    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        unsafe lines.reduce(nil) { list, line in unsafe curl_slist_append(list, line) ?? list }
    }

    private func prepare(timeLimit: Duration) -> CURLcode {
        // Rounded up, and never 0, which libcurl takes for "no limit".
        let milliseconds = Int(min(max(0, timeLimit / .milliseconds(1)), Double(Int32.max - 1))) + 1
        var options = unsafe geo_http_request()
        unsafe options.time_limit_ms = milliseconds
        unsafe options.connect_limit_ms = milliseconds
        unsafe options.headers = headerList
        unsafe options.connect_to = routeList
        unsafe options.error_buffer = errorText
        unsafe options.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe options.on_header = { bytes, size, count, context in
            unsafe Transfer.from(context)?.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
        }
        unsafe options.on_body = { bytes, size, count, context in
            unsafe Transfer.from(context)?.takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? 0
        }
        return unsafe withOptionalStrings(options)
    }

    /// Lends the request's strings and body for the call; libcurl copies them.
    private func withOptionalStrings(_ given: geo_http_request) -> CURLcode {
        let texts: [UnsafePointer<CChar>?] = unsafe [
            request.url, request.method.rawValue, request.certificateAuthorityPath,
            request.clientCertificate?.certificatePath, request.clientCertificate?.keyPath, request.proxy,
        ].map { text in unsafe text.map { unsafe UnsafePointer<CChar>(strdup($0)) } ?? nil }
        defer { unsafe texts.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        var options = unsafe given
        unsafe (options.url, options.method, options.ca_file) = (texts[0], texts[1], texts[2])
        unsafe (options.client_certificate, options.client_key, options.proxy) = (texts[3], texts[4], texts[5])
        guard let body = request.body else { return unsafe geo_http_prepare(handle, &options) }
        // One byte more, so that an empty body still has an address.
        return unsafe (body + [0]).withUnsafeBytes { bytes in
            unsafe options.body = bytes.baseAddress
            unsafe options.body_count = body.count
            return unsafe geo_http_prepare(handle, &options)
        }
    }

    /// Alive: the thread keeps every transfer until its handle is out of libcurl's hands.
    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        unsafe context.map { unsafe Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// One line.
    ///
    /// Taking fewer bytes than given ends the transfer.
    private func takeHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        headerBytes += bytes.count
        guard headerBytes <= Self.headerByteLimit else { return 0 }
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        // A status line: what came before belonged to an interim answer.
        if line.hasPrefix("HTTP/") { headers = [] }
        if let colon = line.firstIndex(of: ":"), !line.hasPrefix("HTTP/") {
            let value = line[line.index(after: colon)...].drop { $0.isWhitespace }
            let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
            headers.append(HTTPRequest.Field(String(line[..<colon]), String(value[..<end])))
        }
        return bytes.count
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        let room = max(0, request.bodyLimit - body.count)
        unsafe body.append(contentsOf: bytes.prefix(room))
        guard bytes.count > room else { return bytes.count }
        isTruncated = true
        return room
    }
}
