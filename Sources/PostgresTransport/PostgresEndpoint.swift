/// One PostgreSQL server as the inventory describes it: where it listens, who asks, how it must prove itself.
///
/// Says nothing about time: limits belong to the call (`PostgresClient.query`).
package struct PostgresEndpoint: Sendable {
    /// libpq's `sslmode`.
    ///
    /// Only `verifyFull` proves that the server is the one named.
    package enum TLSMode: String, Sendable {
        case disable
        /// Encrypts when the server offers it, and goes on in clear text when it does not.
        case prefer
        case require
        case verifyCA = "verify-ca"
        case verifyFull = "verify-full"
    }

    /// A client certificate and its key, as paths to PEM files; libpq refuses a key that others can read.
    package struct ClientCertificate: Sendable, Equatable {
        package var certificatePath: String
        package var keyPath: String

        package init(certificatePath: String, keyPath: String) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
        }
    }

    /// What errors call it, usually the node's name.
    package var name: String
    /// A DNS name, a numeric address, or the directory of a unix socket (starts with `/`).
    ///
    /// Certificates are checked against it.
    package var host: String
    /// A numeric address to connect to instead of looking `host` up.
    package var address: String?
    package var port: UInt16
    package var database: String
    package var user: String
    /// Asked once for each call.
    ///
    /// Without it libpq may still take `PGPASSWORD`, never `~/.pgpass`.
    package var password: (@Sendable () throws -> [UInt8])?
    package var tlsMode: TLSMode
    /// PEM file with the authorities to trust; `nil` is libpq's own default, `~/.postgresql/root.crt`.
    package var tlsRootCertificatePath: String?
    package var tlsClientCertificate: ClientCertificate?

    package init(
        name: String, host: String, address: String? = nil, port: UInt16 = 5432, database: String, user: String,
        password: (@Sendable () throws -> [UInt8])? = nil, tlsMode: TLSMode, tlsRootCertificatePath: String? = nil,
        tlsClientCertificate: ClientCertificate? = nil
    ) {
        self.name = name
        self.host = host
        self.address = address
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.tlsMode = tlsMode
        self.tlsRootCertificatePath = tlsRootCertificatePath
        self.tlsClientCertificate = tlsClientCertificate
    }

    /// Whether `host` is the directory of a unix socket.
    package var isUnixSocket: Bool { host.hasPrefix("/") }
}

extension PostgresEndpoint: CustomStringConvertible, CustomReflectable {
    package var description: String { "\(name) (\(user)@\(host):\(port)/\(database))" }

    /// Never shows the password, not even that its closure exists.
    package var customMirror: Mirror { Mirror(self, children: ["endpoint": description]) }
}
