import Foundation
import Glibc
import SSHTransport

/// A real sshd on a loopback port, with its own directory, host keys and one generated user key.
///
/// Stops with its last reference.
final class SSHServer: Sendable {
    let directory: TemporaryDirectory
    let port: UInt16
    private let process: ChildProcess

    /// Makes the keys and starts the server.
    ///
    /// `hostKeys` are types as `ssh-keygen -t` wants them; `settings` are lines of sshd_config that come first, so they
    /// win.
    init(hostKeys: [String] = ["ed25519", "ecdsa"], settings: [String] = []) throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        for type in hostKeys { try Self.makeKey(directory.file("host_\(type)"), type: type) }
        try Self.makeKey(directory.file("user"), type: "ed25519")
        try directory.write(try directory.read("user.pub"), to: "authorized_keys")
        self.directory = directory
        // SetEnv keeps bash from reading the user's .bashrc, which may do anything.
        let common = """
            SetEnv SHLVL=5
            ListenAddress 127.0.0.1
            PermitRootLogin yes
            UsePAM no
            StrictModes no
            PidFile none
            PasswordAuthentication no
            PrintMotd no
            LogLevel VERBOSE
            MaxStartups 200
            AuthorizedKeysFile \(directory.file("authorized_keys"))
            """
        let keys = hostKeys.map { "HostKey \(directory.file("host_\($0)"))" }
        let text = (settings + keys + [common]).joined(separator: "\n") + "\n"

        // Another test may take the port in between; then the next one is tried.
        for _ in 0..<20 {
            let port = try freePort()
            try directory.write("Port \(port)\n" + text, to: "sshd_config")
            if let process = try Self.start(directory) {
                self.process = process
                self.port = port
                return
            }
        }
        throw ToolFailure(description: "sshd found no free port")
    }

    deinit {
        process.terminate()
        process.wait()
    }

    static func makeKey(_ path: String, type: String, bits: Int? = nil, passphrase: String = "", more: [String] = [])
        throws
    {
        let size = bits.map { ["-b", "\($0)"] } ?? []
        try tool("/usr/bin/ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", "test", "-f", path] + size + more)
    }

    /// Starts sshd and waits until it says that it listens; `nil` when the port is taken.
    private static func start(_ directory: TemporaryDirectory) throws -> ChildProcess? {
        let process = try ChildProcess(
            "/usr/sbin/sshd", ["-D", "-e", "-f", directory.file("sshd_config")], output: directory.file("sshd.log"))
        // It says so within milliseconds; the limit is for a machine that does other things.
        let deadline = Date(timeIntervalSinceNow: 60)
        while Date() < deadline {
            let said = (try? directory.read("sshd.log")) ?? ""
            if said.contains("Server listening on") { return process }
            if process.poll() != nil {
                if said.contains("in use") {
                    unsafe unlink(directory.file("sshd.log"))
                    return nil
                }
                throw ToolFailure(description: "sshd ended: \(said)")
            }
            usleep(5000)
        }
        throw ToolFailure(description: "sshd does not listen")
    }

    // MARK: What a client needs

    var knownHostsName: String { "[127.0.0.1]:\(port)" }

    /// "type base64" of a host key.
    func publicKey(_ type: String) throws -> String {
        try directory.read("host_\(type).pub").split(separator: " ").prefix(2).joined(separator: " ")
    }

    /// A known_hosts file with the given lines; by default the server's own keys.
    func knownHosts(_ lines: [String]? = nil) throws -> String {
        let own = try ["ed25519", "ecdsa"].compactMap { type in
            FileManager.default.fileExists(atPath: directory.file("host_\(type)"))
                ? "\(knownHostsName) \(try publicKey(type))" : nil
        }
        let name = "known_hosts_" + String(UInt64.random(in: .min ... .max), radix: 36)
        return try directory.write((lines ?? own).joined(separator: "\n") + "\n", to: name)
    }

    /// Lets a further key in.
    func authorize(_ publicKeyFile: String) throws {
        let text = try String(contentsOfFile: publicKeyFile, encoding: .utf8)
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: directory.file("authorized_keys")))
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
    }

    var destination: SSHDestination { SSHDestination(name: "node-1", host: "127.0.0.1", port: port, user: "root") }

    func client(
        identities: [SSHIdentity]? = nil, knownHosts lines: [String]? = nil, connectTimeLimit: Duration = patience,
        keepaliveSeconds: Int = 15, jumpPatience: Duration = .seconds(1)
    ) throws -> SSHClient {
        try SSHClient(
            SSHConfiguration(
                identities: identities ?? [.file(directory.file("user"))], knownHostsFiles: [try knownHosts(lines)],
                connectTimeLimit: connectTimeLimit, keepaliveSeconds: keepaliveSeconds,
                jumpPatience: jumpPatience))
    }
}

/// A loopback port that was free a moment ago.
func freePort() throws -> UInt16 {
    let listener = try Listener()
    return listener.port
}

/// A TCP socket that listens on loopback and never answers.
final class Listener: Sendable {
    let descriptor: Int32
    let port: UInt16

    init(backlog: Int32 = 64) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = self.descriptor
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let bound = unsafe bind(descriptor, address, length) == 0 && listen(descriptor, backlog) == 0
                return unsafe bound && getsockname(descriptor, address, &length) == 0
            }
        }
        guard code else { throw ToolFailure(description: "no loopback port") }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(descriptor) }
}

/// Time enough for a busy machine; no test waits for it to pass.
let patience = Duration.seconds(120)

extension SSHClient {
    /// Runs a line and gives what it printed.
    func output(_ line: String, on destination: SSHDestination, input: String = "") async throws -> String {
        let result = try await execute(
            SSHCommand(line: line, standardInput: Array(input.utf8), timeLimit: patience), on: destination)
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    /// The error that a command ends with.
    func failure(
        _ line: String = "true", on destination: SSHDestination, timeLimit: Duration = patience
    ) async -> SSHError? {
        do {
            _ = try await execute(SSHCommand(line: line, timeLimit: timeLimit), on: destination)
            return nil
        } catch {
            return error
        }
    }
}
