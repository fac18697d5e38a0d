import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The scripts that keep the lease and the copies on a node, under a real `sh`.
@Suite struct KeeperScriptTests {
    private static let anna = Actor(user: "anna", host: "laptop")
    private static let ben = Actor(user: "ben", host: "desk 2; rm -rf /")

    private static func ask(
        _ operation: KeeperScript.Operation, _ node: LocalNode, run: RunID = "run-a", by holder: Actor = anna,
        epoch: Int = 10
    ) throws -> KeeperAnswer? {
        let script = KeeperScript(
            operation, run: run, holder: holder, epoch: epoch, boundary: "geo-keeper-test", base: node.base)
        return KeeperAnswer(try LocalNode.sh(script.text), boundary: script.boundary)
    }

    private static func holder(_ answer: KeeperAnswer?) -> RunID? {
        switch answer {
        case .taken(let lease, _), .held(let lease, _), .newer(let lease, _), .lost(let lease, _), .shown(let lease, _):
            lease?.run
        default: nil
        }
    }

    @Test func theFirstTakesItAndOthersAreToldWhoHasIt() throws {
        let node = try LocalNode()
        #expect(try Self.ask(.look, node) == .shown(nil, epoch: 0))
        guard case .taken(let lease?, 10)? = try Self.ask(.take(takingOver: false), node) else {
            Issue.record("not taken")
            return
        }
        #expect(lease.run == "run-a" && lease.holder == Self.anna && (0...2).contains(lease.ageSeconds))
        guard
            case .held(let other?, 10)? = try Self.ask(
                .take(takingOver: false), node, run: "run-b", by: Self.ben, epoch: 11)
        else {
            Issue.record("not held")
            return
        }
        #expect(other.run == "run-a" && other.epoch == 10)
        // The same run of another person is another's too; the same run again is ours.
        #expect(Self.holder(try Self.ask(.take(takingOver: false), node, by: Self.ben, epoch: 11)) == "run-a")
        #expect(try String(contentsOfFile: node.base + "/epoch", encoding: .utf8) == "10\n")
        guard case .taken? = try Self.ask(.take(takingOver: false), node, epoch: 12) else {
            Issue.record("ours was refused")
            return
        }
    }

    @Test func aTakeoverSilencesTheOneBefore() throws {
        let node = try LocalNode()
        _ = try Self.ask(.take(takingOver: false), node)
        guard
            case .taken(let lease?, 11)? = try Self.ask(
                .take(takingOver: true), node, run: "run-b", by: Self.ben, epoch: 11)
        else {
            Issue.record("not taken over")
            return
        }
        #expect(lease.holder.token == "ben@desk_2__rm_-rf__")
        for operation in [KeeperScript.Operation.beat, .take(takingOver: true), .release] {
            guard case .newer(let now?, 11)? = try Self.ask(operation, node) else {
                Issue.record("\(operation) of the old epoch was not refused")
                continue
            }
            #expect(now.run == "run-b")
        }
        let late = try Self.ask(.write(file: .journal, offset: 0, bytes: [65]), node)
        #expect(Self.holder(late) == "run-b")
        #expect(!node.has("runs/run-a/journal.jsonl"))
    }

    @Test func aBeatIsHeardAndAReleaseLeavesTheEpoch() throws {
        let node = try LocalNode()
        _ = try Self.ask(.take(takingOver: false), node)
        try node.write("10 run-a anna@laptop 1000\n", to: "lease")
        guard case .shown(let old?, 10)? = try Self.ask(.look, node) else {
            Issue.record("not shown")
            return
        }
        #expect(old.ageSeconds > 1_000_000_000)
        guard case .taken(let fresh?, 10)? = try Self.ask(.beat, node) else {
            Issue.record("not heard")
            return
        }
        #expect(fresh.ageSeconds <= 2)
        #expect(try Self.ask(.release, node) == .released)
        #expect(try Self.ask(.look, node) == .shown(nil, epoch: 10))
        guard case .newer(nil, 10)? = try Self.ask(.take(takingOver: false), node, run: "run-b", epoch: 9) else {
            Issue.record("an older epoch was let in")
            return
        }
    }

    @Test(arguments: [
        "garbage", "1 2 3", "10 run-a anna 5", "x run-a anna@laptop 5", "* * * *", "10 run-a anna@laptop x",
    ])
    func aLeaseThatCannotBeReadIsSomebodys(text: String) throws {
        let node = try LocalNode()
        try node.write(text + "\n", to: "lease")
        let answer = try Self.ask(.take(takingOver: false), node, run: "run-z")
        guard case .held(let lease?, _)? = answer else {
            Issue.record("\(String(describing: answer))")
            return
        }
        #expect(!lease.sentence.isEmpty)
        #expect(try String(contentsOfFile: node.base + "/lease", encoding: .utf8) == text + "\n")
    }

    @Test func aLeaseFromTheFutureIsSaidToBeOne() throws {
        let node = try LocalNode()
        try node.write("10 run-a anna@laptop \(Int(Date().timeIntervalSince1970) + 500)\n", to: "lease")
        guard case .held(let lease?, _)? = try Self.ask(.take(takingOver: false), node, run: "run-z") else {
            Issue.record("not held")
            return
        }
        #expect(lease.sentence.contains("in the future of the node's clock"))
    }

    @Test(arguments: ["1x\n", "", "1\n2\n"]) func aDamagedEpochIsRefused(text: String) throws {
        let node = try LocalNode()
        try node.write(text, to: "epoch")
        // Who only looks is told so, too, and not that the answer makes no sense.
        for operation in [KeeperScript.Operation.take(takingOver: true), .beat, .look] {
            guard case .refused(let text)? = try Self.ask(operation, node) else {
                Issue.record("\(operation): not refused")
                continue
            }
            #expect(text.contains("epoch is damaged"))
        }
    }

    @Test func twentyAtOnceLeaveOneHolder() async throws {
        let node = try LocalNode()
        let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    let answer = try Self.ask(.take(takingOver: false), node, run: RunID("run-\(number)"))
                    if case .taken = answer { return true }
                    return false
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(taken == 1)
    }

    @Test func copiesGrowOnlyAtTheirEndAndComeBackByteForByte() throws {
        let node = try LocalNode()
        let first = Array("{\"a\":1}\n'$(touch x)' \\ ü \u{0}\n".utf8) + [0xFF, 0x00, 0x0A]
        #expect(try Self.ask(.write(file: .journal, offset: 0, bytes: first), node) == .wrote(bytes: first.count))
        // Sent twice: the second finds it longer, and says so.
        #expect(
            try Self.ask(.write(file: .journal, offset: 5, bytes: [1, 2]), node) == .wrote(bytes: first.count))
        let more = [UInt8](repeating: 0x41, count: KeeperScript.chunkBytes)
        #expect(
            try Self.ask(.write(file: .journal, offset: first.count, bytes: more), node)
                == .wrote(bytes: first.count + more.count))
        guard case .content(let part, let size)? = try Self.ask(.read(file: .journal, offset: 0), node, epoch: 0) else {
            Issue.record("no content")
            return
        }
        #expect(size == first.count + more.count)
        #expect(part == Array((first + more).prefix(KeeperScript.chunkBytes)))
        #expect(
            try Self.ask(.read(file: .journal, offset: part.count), node, epoch: 0)
                == .content(bytes: Array((first + more).dropFirst(part.count)), size: size))
        #expect(try Self.ask(.read(file: .plan, offset: 0), node, epoch: 0) == .absent)
        #expect(try Self.ask(.listRuns, node, epoch: 0) == .runs(["run-a": first.count + more.count]))
    }

    @Test func halfAScriptDoesNothing() throws {
        let node = try LocalNode()
        let script = KeeperScript(
            .take(takingOver: false), run: "run-a", holder: Self.anna, epoch: 10, boundary: "geo-keeper-test",
            base: node.base)
        let bytes = Array(script.text.utf8)
        for length in stride(from: 0, to: bytes.count - 20, by: 41) {
            _ = try? LocalNode.sh(String(decoding: bytes.prefix(length), as: UTF8.self))
            #expect(!node.has("lease"), "\(length) bytes")
        }
    }

    @Test func aCutAnswerIsNone() throws {
        let node = try LocalNode()
        _ = try Self.ask(.take(takingOver: false), node)
        _ = try Self.ask(.write(file: .journal, offset: 0, bytes: Array("abc\ndef\n".utf8)), node)
        for operation in [KeeperScript.Operation.look, .read(file: .journal, offset: 0), .listRuns] {
            let script = KeeperScript(
                operation, run: "run-a", holder: Self.anna, epoch: 10, boundary: "geo-keeper-test", base: node.base)
            let bytes = try LocalNode.sh(script.text)
            #expect(KeeperAnswer(bytes, boundary: script.boundary) != nil)
            for length in 0..<(bytes.count - 1) {
                #expect(KeeperAnswer(Array(bytes.prefix(length)), boundary: script.boundary) == nil, "\(length)")
            }
        }
    }
}
