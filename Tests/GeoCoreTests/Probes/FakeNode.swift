import Foundation
import GeoCore

/// A directory that stands for a node: stub commands that a real shell finds on PATH, and a `sudo` that runs privileged
/// ones from below it. Removed with the value.
final class FakeNode {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("fake-node-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // sudo -n /usr/bin/timeout -k 2 SECONDS COMMAND...: a hanging stub is given one second.
        try install(
            "bin/sudo",
            """
            shift 4
            limit=$1 command=$2
            shift 2
            [ -e "$FAKE_NODE/short$command" ] && limit=1
            exec timeout -k 1 "$limit" "$FAKE_NODE/root$command" "$@"
            """)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    /// Puts a shell script at a path below the directory: `bin/NAME` is on PATH, `root/PATH` is what sudo runs.
    func install(_ path: String, _ body: String) throws {
        let file = directory.appendingPathComponent(path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("#!/bin/sh\n\(body)\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }

    /// Runs a privileged stub under a limit of one second instead of its own.
    func shorten(_ command: String) throws { try install("short" + command, "") }

    func run(_ text: String, shell: [String]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: shell[0])
        process.arguments = Array(shell.dropFirst())
        process.environment = [
            "PATH": "\(directory.path)/bin:/usr/bin:/bin", "FAKE_NODE": directory.path, "HOME": directory.path,
        ]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        // Foundation waits for a socket that whatever the shell left running, as a PostgreSQL, may have inherited: seen twice
        // to wait for ever beside an ended shell. All that it printed is here, so nothing is left but to take it away.
        while waitpid(process.processIdentifier, nil, 0) < 0 && errno == EINTR {}
        return Array(bytes)
    }

    static let shells: [[String]] = [
        ["/usr/bin/dash", "-s"], ["/usr/bin/bash", "-s"], ["/usr/bin/bash", "--posix", "-s"],
        ["/usr/bin/busybox", "sh", "-s"],
    ].filter { FileManager.default.isExecutableFile(atPath: $0[0]) }
}
