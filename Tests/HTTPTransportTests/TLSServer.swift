import Foundation

/// `openssl s_server` with a private authority, in a temporary directory.
///
/// A shell holds it and lives on the other end of a pipe: when the pipe closes, by `stop()` or because this process
/// died, it ends the server and removes the directory.
final class TLSServer: Sendable {
    struct Refusal: Error {}

    let directory: String
    let port: UInt16
    private let process: Process
    private let input: Pipe

    var authorityPath: String { directory + "/ca.crt" }
    var otherAuthorityPath: String { directory + "/other.crt" }
    var client: (certificate: String, key: String) { (directory + "/client.crt", directory + "/client.key") }

    /// Its certificate is for `node.test` and lasts two days.
    static func start(_ options: String = "") async throws -> TLSServer {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try TLSServer(options) }) }
        }
    }

    private init(_ options: String) throws {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        directory = NSTemporaryDirectory() + "geo-tls-\(UUID().uuidString.prefix(8))"
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.standardInput = input
        process.standardOutput = output
        process.arguments = [
            "-c",
            #"""
            dir='\#(directory)'; mkdir "$dir" && cd "$dir" || exit 1
            trap '' INT TERM HUP PIPE
            new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            {
            openssl req -x509 $new -days 2 -subj /CN=test-ca -keyout ca.key -out ca.crt
            openssl req -x509 $new -days 2 -subj /CN=other-ca -keyout other.key -out other.crt
            for name in server client; do
                openssl req $new -subj "/CN=$name" -keyout $name.key -out $name.csr
                echo subjectAltName=DNS:node.test > san
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san \
                    -out $name.crt
            done
            } 2>/dev/null
            openssl s_server -accept 127.0.0.1:0 -cert server.crt -key server.key -CAfile ca.crt \#(options) -www \
                </dev/null 2>/dev/null &
            cat >/dev/null
            kill -KILL $!; wait; cd /; rm -rf "$dir"
            """#,
        ]
        try process.run()
        (self.process, self.input) = (process, input)
        port = Self.acceptedPort(output.fileHandleForReading)
        guard port > 0 else {
            stop()
            throw Refusal()
        }
    }

    /// From the line `ACCEPT 127.0.0.1:PORT`; 0 when the server ended without it.
    private static func acceptedPort(_ output: FileHandle) -> UInt16 {
        var text = ""
        while case let data = output.availableData, !data.isEmpty {
            text += String(decoding: data, as: UTF8.self)
            guard let mark = text.range(of: "ACCEPT 127.0.0.1:"), text[mark.upperBound...].contains("\n") else {
                continue
            }
            return UInt16(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
        }
        return 0
    }

    func stop() {
        input.fileHandleForWriting.closeFile()
        process.waitUntilExit()
    }
}
