import Dispatch
import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Glibc

/// This machine as a node: job scripts run under a real `sh`, with their files in a folder of the test's own.
final class LocalNode: Sendable {
    let base: String
    let identity: NodeIdentity
    let journal: Journal

    init() throws {
        base = FileManager.default.temporaryDirectory.appending(path: "geo-failover-jobs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        journal = try Journal(run: "run", store: JournalStore { _ in }, clock: ManualClock().wall)
        let names = try Self.sh("hostname -f 2>/dev/null || hostname; cat /etc/machine-id 2>/dev/null; echo")
        let lines = String(decoding: names, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        identity = NodeIdentity(hostName: String(lines[0]), machineID: String(lines[1]), bootID: "")
    }

    deinit {
        // Commands that a test left running: the session of each job, by the id that the job wrote down.
        _ = try? Self.sh(
            "for pid in \(base)/jobs/*/*/pid; do kill -9 $(ps -s \"$(cat \"$pid\")\" -o pid=); done 2>/dev/null; true")
        try? FileManager.default.removeItem(atPath: base)
    }

    func folder(_ key: String) -> String { "\(base)/jobs/run/\(key)" }
    func has(_ file: String) -> Bool { FileManager.default.fileExists(atPath: "\(base)/\(file)") }
    func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(base)/\(file)"))
    }
    /// Makes it look like a node of GitLab: a `pg_controldata` that says this, and a gitlab.rb.
    func install(controlData: String? = nil, configuration: String? = nil) throws {
        func put(_ text: String, _ folder: String, _ name: String, _ mode: Int) throws {
            try FileManager.default.createDirectory(
                atPath: "\(base)/\(folder)", withIntermediateDirectories: true)
            try write(text, to: "\(folder)/\(name)")
            try FileManager.default.setAttributes(
                [.posixPermissions: mode], ofItemAtPath: "\(base)/\(folder)/\(name)")
        }
        if let controlData {
            try put("#!/bin/sh\n\(controlData)\n", "opt/gitlab/embedded/bin", "pg_controldata", 0o755)
        }
        if let configuration { try put(configuration, "etc/gitlab", "gitlab.rb", 0o600) }
    }
    func read(_ file: String) -> String? {
        FileManager.default.contents(atPath: "\(base)/\(file)").map { String(decoding: $0, as: UTF8.self) }
    }

    func script(
        _ key: String, _ shell: String, limit: Int = 60, keep: Int = 4 << 20, epoch: Int = 1,
        expected: NodeIdentity? = nil, marks: NodeMarks = NodeMarks(), input: String? = nil, file: [UInt8]? = nil
    ) async throws -> JobScript {
        _ = try await journal.append(.commandStarted(step: "step", attempt: 1, index: 0, key: key))
        // What the command needs of its folder it gets as an argument: nothing is filled into its text.
        let command = RemoteCommand(
            arguments: ["sh", "-c", shell, "test", base], asRoot: false, timeLimitSeconds: limit, outputLimitBytes: keep
        )
        return JobScript(
            key: key, run: "run", epoch: epoch, command: command, node: "local", expected: expected ?? identity,
            marks: marks, input: input.map { .line(Array($0.utf8)) } ?? file.map { .file($0) }, base: base, root: base,
            receipt: try await journal.receipt(forCommand: key)
        ).bounded(by: "geo-test-boundary")
    }

    /// What one exchange prints.
    func raw(_ script: JobScript, offset: Int = 0) async throws -> [UInt8] {
        let text = script.text(offset: offset)
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try Self.sh(text) }) }
        }
    }

    func exchange(_ script: JobScript, offset: Int = 0) async throws -> JobAnswer? {
        JobAnswer(try await raw(script, offset: offset), boundary: script.boundary, offset: offset)
    }

    /// Exchanges until the job is over and all of its output is here; each waits on the node.
    func follow(_ script: JobScript) async throws -> (state: JobAnswer.State?, output: [UInt8]) {
        var output: [UInt8] = []
        for _ in 0..<40 {
            guard let answer = try await exchange(script, offset: output.count) else { continue }
            output += answer.output
            if answer.state != .running, !answer.hasMore { return (answer.state, output) }
        }
        return (nil, output)
    }

    /// Runs a text under `sh -s` and gives what it printed.
    static func sh(_ text: String) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "geo-failover-sh-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (input, output) = (folder.appending(path: "input"), folder.appending(path: "output"))
        try Data(text.utf8).write(to: input)
        try Data().write(to: output)
        try spawn("/bin/sh", "-s", input: input.path, output: output.path)
        return [UInt8](try Data(contentsOf: output))
    }

    /// With files for its streams and nothing else of ours: a pipe that leaked into a job would be open for ever.
    private static func spawn(_ path: String, _ argument: String, input: String, output: String) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        for descriptor in 3..<1000 as Range<Int32> { unsafe posix_spawn_file_actions_addclose(&actions, descriptor) }
        // The threads of Swift's pool block signals; what they spawn would not end when asked to.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = unsafe [strdup(path), strdup(argument), nil]
        var variables: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), nil]
        defer {
            for index in unsafe words.indices { unsafe free(words[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var id: pid_t = 0
        let code = unsafe posix_spawn(&id, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw SpawnFailure(code: code) }
        var status: Int32 = 0
        while unsafe (waitpid(id, &status, 0) < 0 && errno == EINTR) {}
    }
}

struct SpawnFailure: Error { var code: Int32 }
