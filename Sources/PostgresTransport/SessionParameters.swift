import CLibPQ
import Glibc

/// What libpq is told about one session.
///
/// Every parameter the environment could set is set here.
struct SessionParameters {
    private var pairs: [(keyword: String, value: [UInt8])] = []

    init(endpoint: PostgresEndpoint, timeLimit: Duration, statementTimeLimit: Duration) throws(PostgresError) {
        set("host", endpoint.host)
        set("port", String(endpoint.port))
        set("dbname", endpoint.database)
        set("user", endpoint.user)
        set("sslmode", endpoint.tlsMode.rawValue)
        set("sslrootcert", endpoint.tlsRootCertificatePath)
        set("sslcert", endpoint.tlsClientCertificate?.certificatePath)
        set("sslkey", endpoint.tlsClientCertificate?.keyPath)
        // Kerberos would cost a round trip and may ask DNS, blocking.
        set("gssencmode", "disable")
        set("channel_binding", "prefer")
        set("target_session_attrs", "any")
        // A path below a device cannot exist: ~/.pgpass and PGPASSFILE have no say, and libpq prints no warning.
        set("passfile", "/dev/null/none")
        set("client_encoding", "UTF8")
        set("application_name", "geo-failover")
        set("options", Self.options(timeLimit: timeLimit, statementTimeLimit: statementTimeLimit))
        try addPassword(of: endpoint)
        try refuseWhatLibPQCannotCarry(for: endpoint)
    }

    /// Settings from the first statement on.
    ///
    /// They outrank those of the role and the database.
    ///
    /// The lock limit is the shorter one, so that "waited for a lock" (`55P03`) and "slow" (`57014`) stay apart.
    private static func options(timeLimit: Duration, statementTimeLimit: Duration) -> String {
        let statement = max(1, statementTimeLimit.wholeMilliseconds)
        return [
            "default_transaction_read_only=on", "statement_timeout=\(statement)",
            "lock_timeout=\(max(1, statement / 2))",
            "idle_in_transaction_session_timeout=\(max(1, timeLimit.wholeMilliseconds))",
            "datestyle=ISO", "timezone=UTC",
        ].map { "-c \($0)" }.joined(separator: " ")
    }

    /// The same session at one numeric address, so that libpq looks up no name; `nil` only for a unix socket.
    func at(address: String?) -> SessionParameters {
        var parameters = self
        parameters.set("hostaddr", address)
        return parameters
    }

    private mutating func set(_ keyword: String, _ value: String?) {
        if let value { pairs.append((keyword, Array(value.utf8))) }
    }

    private mutating func addPassword(of endpoint: PostgresEndpoint) throws(PostgresError) {
        guard let password = endpoint.password else { return }
        do {
            pairs.append(("password", try password()))
        } catch {
            throw PostgresError(
                code: .badEndpoint, endpoint: endpoint.name, detail: "the password cannot be read: \(error)")
        }
    }

    private func refuseWhatLibPQCannotCarry(for endpoint: PostgresEndpoint) throws(PostgresError) {
        // libpq ends values at a NUL and takes an empty one from the environment instead.
        let bad = pairs.first { $0.value.isEmpty || $0.value.contains(0) }
        if let bad {
            throw PostgresError(
                code: .badEndpoint, endpoint: endpoint.name, detail: "\(bad.keyword) is empty or contains a NUL")
        }
        if endpoint.isUnixSocket, unsafe getenv("PGHOSTADDR") != nil {
            throw PostgresError(
                code: .badEndpoint, endpoint: endpoint.name,
                detail: "PGHOSTADDR in the environment would replace the unix socket", hint: "unset PGHOSTADDR")
        }
    }

    /// Begins a connection without blocking; `nil` when there is no memory.
    ///
    /// The copies made for libpq are wiped.
    func start() -> OpaquePointer? {
        var keywords: [UnsafePointer<CChar>?] = unsafe []
        var values: [UnsafePointer<CChar>?] = unsafe []
        defer {
            unsafe keywords.forEach { unsafe Self.wipe($0) }
            unsafe values.forEach { unsafe Self.wipe($0) }
        }
        for pair in pairs {
            unsafe keywords.append(Self.copy(Array(pair.keyword.utf8)))
            unsafe values.append(Self.copy(pair.value))
        }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        return unsafe PQconnectStartParams(keywords, values, 0)
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { unsafe buffer[index] = CChar(bitPattern: byte) }
        unsafe buffer[bytes.count] = 0
        return unsafe UnsafePointer(buffer)
    }

    private static func wipe(_ text: UnsafePointer<CChar>?) {
        guard let text = unsafe text else { return }
        let buffer = unsafe UnsafeMutablePointer(mutating: text)
        unsafe explicit_bzero(buffer, strlen(buffer))
        unsafe buffer.deallocate()
    }
}

extension Duration {
    /// Rounded down, at most what PostgreSQL's settings take (about 24 days).
    fileprivate var wholeMilliseconds: Int { Int(min(self / .milliseconds(1), Double(Int32.max))) }
}
