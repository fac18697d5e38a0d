import GeoCore
import GeoRuntime
import Testing

/// Listing, ending and removing jobs, under a real `sh`.
@Suite struct JobKeepingTests {
    private static let anna = Actor(user: "anna", host: "laptop")

    private static func ask(_ operation: KeeperScript.Operation, _ node: LocalNode, run: RunID = "run", epoch: Int = 1)
        throws -> KeeperAnswer?
    {
        let script = KeeperScript(
            operation, run: run, holder: anna, epoch: epoch, boundary: "geo-keeper-test", base: node.base)
        return KeeperAnswer(try LocalNode.sh(script.text), boundary: script.boundary)
    }

    private static func jobs(_ node: LocalNode) throws -> [String: NodeJob.State] {
        guard case .jobs(let jobs)? = try ask(.listJobs, node) else {
            Issue.record("no list")
            return [:]
        }
        return Dictionary(uniqueKeysWithValues: jobs.map { ($0.key, $0.state) })
    }

    /// Starts a job and waits until its runner is there.
    private static func start(_ node: LocalNode, _ key: String, _ shell: String) async throws -> JobScript {
        let script = try await node.script(key, shell)
        #expect(try await node.exchange(script)?.state == .running)
        return script
    }

    @Test func everyJobIsListedWithItsStateAndItsCommand() async throws {
        let node = try LocalNode()
        #expect(try Self.jobs(node) == [:])
        _ = try await node.follow(try await node.script("done", "exit 3"))
        _ = try await Self.start(node, "long", "sleep 600\n# over two lines")
        _ = try LocalNode.sh("mkdir \(node.folder("older")); echo another-boot >\(node.folder("older"))/boot")
        #expect(try Self.jobs(node) == ["done": .exited(status: 3), "long": .running, "older": .rebooted])
        guard case .jobs(let jobs)? = try Self.ask(.listJobs, node) else { return }
        let long = try #require(jobs.first { $0.key == "long" })
        #expect(long.run == "run" && (0...60).contains(long.ageSeconds) && long.kibibytes > 0)
        #expect(long.command.hasPrefix("sh -c 'sleep 600 # over two lines' test"))
        _ = try Self.ask(.cancel(key: "long"), node)
    }

    @Test func aCancelledJobEndsWithAllItsProcessesAndItsRunSeesHow() async throws {
        let node = try LocalNode()
        let script = try await Self.start(node, "long", "sleep 611 & echo $! >\"$1/child\"; sleep 612")
        while node.read("child") == nil { await Task.yield() }
        var answer = try Self.ask(.cancel(key: "long"), node)
        for _ in 0..<10 where answer == .cancelled(.running) { answer = try Self.ask(.cancel(key: "long"), node) }
        #expect(answer == .cancelled(.exited(status: 143)) || answer == .cancelled(.exited(status: 124)))
        let child = try #require(node.read("child"))
        let left = try LocalNode.sh("kill -0 \(child) 2>/dev/null && cat /proc/\(child)/stat")
        #expect(left.isEmpty || String(decoding: left, as: UTF8.self).contains(") Z"))
        guard case .exited(let status, _)? = try await node.follow(script).state else {
            Issue.record("its run does not see that it ended")
            return
        }
        #expect(status != 0)
    }

    @Test func aRunThatWasTakenOverEndsNothing() async throws {
        let node = try LocalNode()
        _ = try await Self.start(node, "long", "sleep 600")
        try node.write("7\n", to: "epoch")
        guard case .newer(_, 7)? = try Self.ask(.cancel(key: "long"), node) else {
            Issue.record("an old epoch was obeyed")
            return
        }
        #expect(try Self.jobs(node) == ["long": .running])
        _ = try Self.ask(.cancel(key: "long"), node, epoch: 7)
    }

    @Test func onlyARunThatIsQuietOldAndHeldByNobodyIsRemoved() async throws {
        func reason(_ run: RunID, _ node: LocalNode, older: Int = 0) throws -> String {
            if case .refused(let text)? = try Self.ask(.removeRun(olderThanSeconds: older), node, run: run) {
                text
            } else {
                "removed"
            }
        }
        let node = try LocalNode()
        _ = try await Self.start(node, "long", "sleep 600")
        #expect(try reason("run", node).contains("long still runs"))
        _ = try Self.ask(.cancel(key: "long"), node)
        while try Self.jobs(node)["long"] == .running { _ = try Self.ask(.cancel(key: "long"), node) }
        #expect(try reason("run", node, older: 600).contains("was changed"))
        try node.write("1 run anna@laptop 1000\n", to: "lease")
        #expect(try reason("run", node).contains("held for run run by anna@laptop"))
        try node.write("1 other anna@laptop 1000\n", to: "lease")
        for name in ["..", ".", "a/b"] { #expect(try reason(RunID(name), node).contains("no name of a run")) }
        #expect(node.has("jobs/run/long"))
        _ = try Self.ask(.write(file: .journal, offset: 0, bytes: [65]), node)
        #expect(try reason("run", node) == "removed")
        #expect(!node.has("jobs/run") && !node.has("runs/run") && node.has("epoch") && node.has("lease"))
    }
}
