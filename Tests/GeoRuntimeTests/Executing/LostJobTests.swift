import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Jobs whose end was lost, and answers that did not arrive as they were sent.
@Suite struct LostJobTests {
    @Test func aJobOfAnEarlierBootIsLost() async throws {
        let node = try LocalNode()
        let script = try await node.script("boot", "sleep 60")
        #expect(try await node.exchange(script)?.state == .running)
        try node.write("another boot\n", to: "jobs/run/boot/boot")
        #expect(
            try await node.exchange(script)?.state == .lost(text: "the node was started again while the command ran"))
    }

    @Test func aJobThatEndedBeforeTheNodeRebootedIsNotLost() async throws {
        let node = try LocalNode()
        let script = try await node.script("boot", "exit 4")
        let (state, _) = try await node.follow(script)
        try node.write("another boot\n", to: "jobs/run/boot/boot")
        #expect(try await node.exchange(script)?.state == state)
    }

    @Test func aJobWhoseRunnerWasKilledIsLost() async throws {
        let node = try LocalNode()
        let script = try await node.script("killed", "sleep 60")
        #expect(try await node.exchange(script)?.state == .running)
        let id = try #require(node.read("jobs/run/killed/pid"))
        _ = try LocalNode.sh("kill -9 -\(id.filter(\.isNumber))")
        #expect(try await node.exchange(script)?.state == .lost(text: "the command is gone and left no exit status"))
        // Its number may belong to another process by now; this one's is certainly in use.
        try node.write("\(ProcessInfo.processInfo.processIdentifier)\n", to: "jobs/run/killed/pid")
        defer { try? node.write(id, to: "jobs/run/killed/pid") }
        #expect(try await node.exchange(script)?.state == .lost(text: "the command is gone and left no exit status"))
    }

    @Test func aJobThatWasNeverBegunIsGivenUpForGood() async throws {
        let node = try LocalNode()
        let script = try await node.script("half", "echo >\"$1/ran\"")
        // The shell was killed after it made the folder.
        _ = try LocalNode.sh("mkdir -p '\(node.folder("half"))'")
        #expect(try await node.exchange(script)?.state == .running)
        _ = try LocalNode.sh("touch -d '1 hour ago' '\(node.folder("half"))'")
        let lost = JobAnswer.State.lost(text: "the command was about to start and never did")
        #expect(try await node.exchange(script)?.state == lost)
        #expect(try await node.exchange(script)?.state == lost)
        #expect(!node.has("ran"))
    }

    @Test func halfAScriptDoesNothing() async throws {
        let node = try LocalNode()
        let script = try await node.script("half", "echo >\"$1/ran\"")
        let text = Array(script.text(offset: 0).utf8)
        let call = "geo_failover_job\n".utf8.count
        for length in stride(from: 0, through: text.count - call, by: 97) + [text.count - call] {
            #expect(try LocalNode.sh(String(decoding: text.prefix(length), as: UTF8.self)) == [], "\(length) bytes")
        }
        #expect(!node.has("jobs") && !node.has("ran"))
    }

    // MARK: Answers

    private static let boundary = "geo-b"
    private static func answer(_ state: String, _ output: String, offset: Int = 0, size: Int? = nil) -> [UInt8] {
        let bytes = Array(output.utf8)
        return Array("\(boundary) \(state)\n\(boundary) output \(offset) \(bytes.count) \(size ?? bytes.count)\n".utf8)
            + bytes + Array("\n\(boundary) end\n".utf8)
    }

    static let answers: [(bytes: [UInt8], state: JobAnswer.State)] = [
        (answer("running", "some\noutput"), .running),
        (answer("exited 0 1010 1000", "ok\n"), .exited(status: 0, milliseconds: 10)),
        (answer("exited 137 1000 1000", ""), .exited(status: 137, milliseconds: 0)),
        (answer("lost the node was started again", "geo-b end\n"), .lost(text: "the node was started again")),
        (Array("geo-b refused this is another machine\n".utf8), .refused(text: "this is another machine")),
    ]

    @Test(arguments: answers.indices)
    func anAnswerCutOffAtAnyByteIsNoAnswer(index: Int) {
        let (bytes, state) = Self.answers[index]
        #expect(JobAnswer(bytes, boundary: Self.boundary, offset: 0)?.state == state)
        for length in 0..<bytes.count {
            #expect(
                JobAnswer(Array(bytes.prefix(length)), boundary: Self.boundary, offset: 0) == nil, "\(length) bytes")
        }
    }

    @Test(arguments: answers.indices)
    func garbageBeforeAnAnswerChangesNothing(index: Int) {
        let (bytes, state) = Self.answers[index]
        for banner in [
            "Welcome!\n", "geo-b\n", "geo-bx exited 0 1 1\n", "\u{1B}[31mwarning\u{1B}[0m\n", "sudo: geo-b running\n",
        ] {
            #expect(
                JobAnswer(Array(banner.utf8) + bytes, boundary: Self.boundary, offset: 0)?.state == state, "\(banner)")
        }
        #expect(JobAnswer(bytes, boundary: "geo-other", offset: 0) == nil)
    }

    /// Bytes that lie in the frame can make it unreadable, and never another state with the same words.
    @Test(arguments: answers.indices)
    func aDamagedAnswerNeverTellsAnotherKindOfState(index: Int) {
        let (bytes, state) = Self.answers[index]
        var random = SeededGenerator(seed: UInt64(index))
        for position in bytes.indices {
            var damaged = bytes
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            guard let read = JobAnswer(damaged, boundary: Self.boundary, offset: 0)?.state else { continue }
            switch (read, state) {
            case (.running, .running), (.exited, .exited), (.lost, .lost), (.refused, .refused): break
            default: Issue.record("byte \(position): \(read)")
            }
        }
    }

    @Test func anAnswerForAnotherOffsetIsNotTaken() {
        let bytes = Self.answer("running", "abc", offset: 4, size: 7)
        #expect(JobAnswer(bytes, boundary: Self.boundary, offset: 4)?.output == Array("abc".utf8))
        #expect(JobAnswer(bytes, boundary: Self.boundary, offset: 0) == nil)
    }

    @Test func numbersThatCannotBeAreNoAnswer() {
        for state in ["exited 0", "exited x 1 1", "exited 0 1 ", "exited", "done", ""] {
            #expect(JobAnswer(Self.answer(state, ""), boundary: Self.boundary, offset: 0) == nil, "\(state)")
        }
        for header in ["output 0 -1 0", "output 0 99 99", "output 0 0", "output", "output a b c", "end"] {
            let text = "geo-b running\ngeo-b \(header)\n\ngeo-b end\n"
            #expect(JobAnswer(Array(text.utf8), boundary: "geo-b", offset: 0) == nil, "\(header)")
        }
    }
}
