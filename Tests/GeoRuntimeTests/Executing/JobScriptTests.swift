import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The script that starts a command on a node, under a real `sh`.
@Suite struct JobScriptTests {
    private static func status(_ state: JobAnswer.State?) -> Int? {
        if case .exited(let status, _) = state { status } else { nil }
    }

    private static func lostText(_ state: JobAnswer.State?) -> String? {
        if case .lost(let text) = state { text } else { nil }
    }

    private static func refusal(_ answer: JobAnswer?) -> String? {
        if case .refused(let text) = answer?.state { text } else { nil }
    }

    @Test func twentyStartsAtOnceOfOneKeyRunTheCommandOnce() async throws {
        let node = try LocalNode()
        let script = try await node.script("once", "echo x >>\"$1/ran\"; echo done")
        let states = try await withThrowingTaskGroup(of: JobAnswer.State?.self) { group in
            for _ in 0..<20 { group.addTask { try await node.exchange(script)?.state } }
            return try await group.reduce(into: [JobAnswer.State?]()) { $0.append($1) }
        }
        #expect(try await node.follow(script).output == Array("done\n".utf8))
        #expect(node.read("ran") == "x\n")
        for state in states { #expect(state == .running || Self.status(state) == 0, "\(String(describing: state))") }
    }

    @Test func ofTwoEpochsAtOnceTheOlderNeverComesOutOnTop() async throws {
        for round in 0..<4 {
            let node = try LocalNode()
            let scripts = try await [
                node.script("old", "true", epoch: 1 + round), node.script("new", "true", epoch: 20),
                node.script("older", "true", epoch: 1), node.script("newer", "true", epoch: 21),
            ]
            await withTaskGroup(of: Void.self) { group in
                for script in scripts { group.addTask { _ = try? await node.raw(script) } }
            }
            #expect(node.read("epoch") == "21\n")
        }
    }

    /// Looked for by the command itself, while it runs: in every process of the node, and in every file of the job.
    @Test(arguments: ["hush-hush 'quoted' $HOME \\n", "plain"])
    func aSecretComesOnStandardInputOnceAndIsNowhereElse(secret: String) async throws {
        let node = try LocalNode()
        let script = try await node.script(
            "secret",
            "read -r line; printf '%s' \"$line\" | wc -c; cat | wc -c; cat /proc/[0-9]*/cmdline /proc/self/environ"
                + " >\"$1/seen\" 2>/dev/null; cd \"$1/jobs/run/secret\" && cat command boot began pid >>\"$1/seen\"; true",
            input: secret)
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(String(decoding: output, as: UTF8.self) == "\(secret.utf8.count)\n0\n")
        #expect(node.read("seen")?.contains("geo-failover-job") == true)
        #expect(node.read("seen")?.contains(secret) == false)
        // Asked again it starts nothing, and needs no secret.
        #expect(try await node.exchange(script)?.state == state)
    }

    /// As gitlab-secrets.json comes from another node: every byte, and in no process and no file of the job.
    @Test func aFileComesOnStandardInputByteForByteAndIsNowhereElse() async throws {
        let node = try LocalNode()
        let file =
            Array("{\n  \"key\": \"it's $SECRET \\n\"\n}\n\n".utf8) + Array(0...255)
            + Array(repeating: 10, count: 200_000)
        let script = try await node.script(
            "file",
            "cat >\"$1/copy\"; cat /proc/[0-9]*/cmdline >\"$1/seen\" 2>/dev/null; cd \"$1/jobs/run/file\" && cat command boot began pid >>\"$1/seen\""
                + " 2>/dev/null; true",
            file: file)
        let (state, _) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(FileManager.default.contents(atPath: node.base + "/copy") == Data(file))
        let seen = try #require(FileManager.default.contents(atPath: node.base + "/seen"))
        for part in ["$SECRET", Data(file).base64EncodedString().prefix(60)] as [Substring] {
            #expect(seen.range(of: Data(part.utf8)) == nil)
        }
        #expect(try await node.exchange(script)?.state == state)
    }

    @Test func aFileThatWouldBeCutShortStartsNothing() async throws {
        let node = try LocalNode()
        let script = try await node.script("short", "cat >\"$1/copy\"", file: Array("secret".utf8))
        // A `base64` that decodes half, in front of the real one.
        let bin = node.base + "/bin"
        try FileManager.default.createDirectory(atPath: bin, withIntermediateDirectories: true)
        try Data("#!/bin/sh\nhead -c 3\n".utf8).write(to: URL(filePath: bin + "/base64"))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: bin + "/base64")
        let text = "PATH='\(bin)':$PATH\n" + script.text(offset: 0)
        let bytes = try LocalNode.sh(text)
        let answer = JobAnswer(bytes, boundary: script.boundary, offset: 0)
        #expect(Self.refusal(answer)?.contains("cut short") == true)
        #expect(!FileManager.default.fileExists(atPath: node.base + "/copy"))
        #expect(!FileManager.default.fileExists(atPath: node.base + "/jobs/run/short"))
    }

    @Test(arguments: [0, 1, 3, 77, 124, 255])
    func theExitStatusIsTheCommands(status: Int) async throws {
        let node = try LocalNode()
        let script = try await node.script("status", "echo out; echo err >&2; exit \(status)")
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == status)
        #expect(String(decoding: output, as: UTF8.self) == "out\nerr\n")
        // Asked again, days later, it says the same and runs nothing.
        #expect(try await node.exchange(script)?.state == state)
    }

    /// The price of being detached: none in round trips, for a command that ends within the wait of one exchange.
    @Test func aCommandThatEndsInTimeIsStartedAndToldInOneExchange() async throws {
        let node = try LocalNode()
        let answer = try await node.exchange(try await node.script("short", "echo all; exit 7"))
        #expect(Self.status(answer?.state) == 7)
        #expect(answer?.output == Array("all\n".utf8) && answer?.hasMore == false)
    }

    @Test func outputComesInPartsFromTheByteThatIsAskedFor() async throws {
        let node = try LocalNode()
        let script = try await node.script("parts", "printf 'abc\\000\\377def\\n'; printf 'geo-test-boundary end\\n'")
        let (_, whole) = try await node.follow(script)
        #expect(whole == [97, 98, 99, 0, 255, 100, 101, 102, 10] + Array("geo-test-boundary end\n".utf8))
        for offset in 0...whole.count {
            let answer = try await node.exchange(script, offset: offset)
            #expect(answer?.output == Array(whole[offset...]), "from \(offset)")
            #expect(answer?.hasMore == false)
        }
        #expect(try await node.exchange(script, offset: whole.count + 10)?.output == [])
    }

    @Test func moreOutputThanOneExchangeCarriesArrivesWhole() async throws {
        let node = try LocalNode()
        let bytes = JobScript.chunkBytes * 2 + 17
        let script = try await node.script("large", "head -c \(bytes) /dev/zero | tr '\\0' x")
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(output == [UInt8](repeating: UInt8(ascii: "x"), count: bytes))
    }

    @Test func outputBeyondTheLimitIsDroppedAndTheCommandLives() async throws {
        let node = try LocalNode()
        let script = try await node.script(
            "chatty", "head -c 500000 /dev/zero | tr '\\0' x && echo >\"$1/survived\"", keep: 1_000)
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(output.count == 1_000)
        #expect(node.has("survived"))
    }

    @Test func aCommandThatOutlivesItsTimeIsEndedOnTheNode() async throws {
        let node = try LocalNode()
        let script = try await node.script("slow", "sleep 60; echo >\"$1/survived\"", limit: 1)
        let (state, _) = try await node.follow(script)
        guard case .exited(124, let milliseconds) = state else {
            Issue.record("\(String(describing: state))")
            return
        }
        #expect(milliseconds >= 1000 && milliseconds < 30_000)
        #expect(!node.has("survived"))
    }

    @Test func aDaemonThatKeepsTheOutputOpenDoesNotHangTheJob() async throws {
        let node = try LocalNode()
        // Its id is kept, so that the test ends it.
        let script = try await node.script("daemon", "setsid sleep 600 & echo $! >\"$1/daemon\"; echo started")
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(output == Array("started\n".utf8))
        if let id = node.read("daemon") { _ = try LocalNode.sh("kill \(id)") }
    }

    @Test func stdinIsEmptyAndArgumentsArriveAsTheyAre() async throws {
        let node = try LocalNode()
        let hostile = "a b'c\"d\\e$f`g`;h\n*i|j&k>l"
        _ = try await node.journal.append(.commandStarted(step: "step", attempt: 1, index: 0, key: "args"))
        let script = JobScript(
            key: "args", run: "run", epoch: 1,
            command: RemoteCommand(
                arguments: ["sh", "-c", "cat; printf %s \"$1\"", "name", hostile], asRoot: false, timeLimitSeconds: 20),
            node: "local", expected: node.identity, marks: NodeMarks(), base: node.base,
            receipt: try await node.journal.receipt(forCommand: "args")
        ).bounded(by: "geo-b")
        let (state, output) = try await node.follow(script)
        #expect(Self.status(state) == 0)
        #expect(String(decoding: output, as: UTF8.self) == hostile)
    }

    // MARK: Refusals

    @Test func anotherMachineRefuses() async throws {
        let node = try LocalNode()
        let other = NodeIdentity(hostName: node.identity.hostName, machineID: "other", bootID: "")
        let third = NodeIdentity(hostName: "other", machineID: node.identity.machineID, bootID: "")
        for expected in [other, third] {
            let answer = try await node.exchange(try await node.script("guard", "echo >\"$1/ran\"", expected: expected))
            #expect(Self.refusal(answer)?.contains("the plan was made for") == true)
        }
        #expect(!node.has("ran") && !node.has("jobs/run/guard"))
    }

    @Test func anOlderEpochIsRefusedAlsoForItsOwnRunningJob() async throws {
        let node = try LocalNode()
        let old = try await node.script("long", "echo x >>\"$1/ran\"", epoch: 5)
        _ = try await node.follow(old)
        #expect(node.read("epoch") == "5\n")
        _ = try await node.follow(try await node.script("new", "true", epoch: 6))
        #expect(node.read("epoch") == "6\n")
        for key in ["long", "other"] {
            let answer = try await node.exchange(try await node.script(key, "echo x >>\"$1/ran\"", epoch: 5))
            #expect(Self.refusal(answer)?.contains("its epoch is 6") == true)
        }
        #expect(node.read("ran") == "x\n")
        // The run that took over finds the job.
        let found = try await node.exchange(try await node.script("long", "echo x >>\"$1/ran\"", epoch: 6))
        #expect(Self.status(found?.state) == 0)
    }

    @Test(arguments: ["x\n", "5x\n", "-1\n", "1 2\n", "5.0\n", "5\n6\n", "5\nx", "\n5\n", "", "\n", "\0\0"])
    func aDamagedEpochFileRefuses(text: String) async throws {
        let node = try LocalNode()
        try node.write(text, to: "epoch")
        let answer = try await node.exchange(try await node.script("job", "echo >\"$1/ran\"", epoch: 9))
        #expect(Self.refusal(answer)?.contains("damaged") == true)
        #expect(!node.has("ran"))
    }

    @Test func aJobThatSomebodyEditedIsRefusedOrLeftInDoubtAndNeverBelieved() async throws {
        let node = try LocalNode()
        let script = try await node.script("job", "echo x >>\"$1/ran\"")
        _ = try await node.follow(script)
        let place = "jobs/run/job/"
        let (exit, began, command) = (
            node.read(place + "exit"), node.read(place + "began"), node.read(place + "command")
        )
        for text in ["", "\n", "0\n", "zero 1\n", "0 x\n", "0 1 2\n", "-1 5\n", "0 $(touch x)\n"] {
            try node.write(text, to: place + "exit")
            let state = try await node.exchange(script)?.state
            #expect(
                Self.lostText(state)?.contains("somebody changed it") == true,
                "\(text.debugDescription): \(String(describing: state))")
        }
        try node.write(try #require(exit), to: place + "exit")
        try node.write("yesterday\n", to: place + "began")
        #expect(Self.lostText(try await node.exchange(script)?.state)?.contains("somebody changed it") == true)
        try node.write(try #require(began), to: place + "began")
        try node.write("gitlab-ctl stop\n", to: place + "command")
        #expect(Self.refusal(try await node.exchange(script))?.contains("another command than the plan's") == true)
        try node.write(try #require(command), to: place + "command")
        #expect(Self.status(try await node.exchange(script)?.state) == 0)
        #expect(node.read("ran") == "x\n")
    }

    @Test func aPlaceThatCannotBeWrittenRefuses() async throws {
        let node = try LocalNode()
        try node.write("a file", to: "jobs")
        let answer = try await node.exchange(try await node.script("job", "true"))
        let refusal = try #require(Self.refusal(answer))
        #expect(refusal.contains("cannot be written"))
        #expect(refusal.contains("File exists") || refusal.contains("Not a directory"), "why? \(refusal)")
    }
}
