import Foundation
import Glibc

/// A real PostgreSQL on a loopback port and a unix socket, trusting everyone.
///
/// Stops with its last reference.
final class Database: Sendable {
    let port: UInt16
    let socketPath: String
    private let process: ChildProcess

    init(_ directory: TemporaryDirectory) throws {
        let programs = try tool("/usr/bin/pg_config", ["--bindir"]).trimmingCharacters(in: .whitespacesAndNewlines)
        port = try freePort()
        let home = "/tmp/gst-db-" + String(UInt64.random(in: .min ... .max), radix: 36)
        socketPath = home + "/.s.PGSQL.\(port)"
        // PostgreSQL refuses to run as root.
        let start = """
            mkdir -m 700 \(home) && chown postgres \(home) && cd / && exec su postgres -s /bin/sh -c '
            trap "" HUP; \(programs)/initdb -A trust -N -D \(home)/data >/dev/null &&
            exec \(programs)/postgres -D \(home)/data -k \(home) -p \(port) -c listen_addresses=127.0.0.1 -c fsync=off'
            """
        process = try ChildProcess("/bin/sh", ["-c", start], output: directory.file("postgres.log"))
        let deadline = Date(timeIntervalSinceNow: 120)
        while try !directory.read("postgres.log").contains("ready to accept connections") {
            guard Date() < deadline, process.poll() == nil else {
                throw ToolFailure(description: "PostgreSQL does not start: \(try directory.read("postgres.log"))")
            }
            usleep(10_000)
        }
    }

    deinit {
        let home = String(socketPath.prefix { $0 != "." }.dropLast())
        let id = (try? String(contentsOfFile: home + "/data/postmaster.pid", encoding: .utf8))?.split(separator: "\n")
            .first
        if let id = id.flatMap({ Int32($0) }) { kill(id, SIGQUIT) }
        process.wait()
        try? FileManager.default.removeItem(atPath: home)
    }
}
