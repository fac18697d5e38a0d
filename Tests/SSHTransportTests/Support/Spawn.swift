import Foundation
import Glibc

/// A child process that inherits nothing but its three streams: a descriptor of another test that leaked into a server
/// would keep that test waiting for ever.
final class ChildProcess: Sendable {
    let id: pid_t

    /// Standard output and error go to a file.
    init(_ path: String, _ arguments: [String], output: String, environment: [String: String]? = nil) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Closing what is not open does no harm here.
        for descriptor in 3..<1000 as Range<Int32> { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }

        // The threads of Swift's pool block signals; a child that inherited that would not end when asked to.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        let variables = environment ?? ProcessInfo.processInfo.environment
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer {
            for index in unsafe argv.indices { unsafe free(argv[index]) }
            for index in unsafe envp.indices { unsafe free(envp[index]) }
        }
        var id: pid_t = 0
        let code = unsafe posix_spawn(&id, path, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw ToolFailure(description: "\(path) does not start: \(code)") }
        self.id = id
    }

    /// The exit status when it has ended, or -1 after a signal; `nil` while it runs.
    func poll() -> Int32? {
        var status: Int32 = 0
        guard unsafe waitpid(id, &status, WNOHANG) == id else { return nil }
        return Self.meaning(status)
    }

    @discardableResult
    func wait() -> Int32 {
        var status: Int32 = 0
        while unsafe (waitpid(id, &status, 0) < 0 && errno == EINTR) {}
        return Self.meaning(status)
    }

    func terminate() { kill(id, SIGTERM) }

    private static func meaning(_ status: Int32) -> Int32 { status & 0x7f == 0 ? status >> 8 & 0xff : -1 }
}

struct ToolFailure: Error, CustomStringConvertible {
    var description: String
}

/// Runs a program to its end; what it printed.
///
/// Throws when it fails.
@discardableResult
func tool(_ path: String, _ arguments: [String], environment: [String: String]? = nil) throws -> String {
    let output = "/tmp/gst-out-" + String(UInt64.random(in: .min ... .max), radix: 36)
    defer { unsafe unlink(output) }
    let status = try ChildProcess(path, arguments, output: output, environment: environment).wait()
    let text = try String(contentsOfFile: output, encoding: .utf8)
    guard status == 0 else { throw ToolFailure(description: "\(path) \(arguments): \(text)") }
    return text
}
