package import GeoCore
import Synchronization

/// The journal's bytes as they are on this machine's disk, for those who copy them.
package final class JournalTail: Sendable {
    private let content: Mutex<[UInt8]>
    package init(_ bytes: [UInt8]) { self.content = Mutex(bytes) }
    package func append(_ line: [UInt8]) { content.withLock { $0 += line } }
    package var bytes: [UInt8] { content.withLock { $0 } }

    /// A store that appends here what it has written.
    package func following(_ store: JournalStore) -> JournalStore {
        JournalStore { line in
            try store.append(line)
            self.append(line)
        }
    }
}

/// Copies of a run's plan and journal on nodes of the site that will survive, so that another person on another machine
/// can go on.
///
/// A copy may be behind; it never contradicts. What was sent to a node and is missing in a copy is found there under
/// its key, so a run that goes on from a copy starts nothing twice.
package actor JournalCopies {
    package static let wanted = 2

    private struct Copy {
        var node: Node
        /// Bytes of the journal that are known to be there; `nil`: plan and journal have to be sent from the start.
        var journalBytes: Int?
        var failures = 0
    }

    private let keeper: NodeKeeper
    private let boundary: @Sendable () -> String
    private let run: RunID
    private let holder: Actor
    private let plan: [UInt8]
    private let epoch: Int
    private let tail: JournalTail
    private var copies: [Copy] = []
    private var spare: [Node]
    private var isSending = false

    /// The first two of `nodes` that answer get a copy. Copies are written under the lease's epoch: a node that was
    /// taken over refuses them.
    package init(
        keeper: NodeKeeper, boundary: @escaping @Sendable () -> String, run: RunID, holder: Actor, epoch: Int,
        plan: [UInt8], tail: JournalTail, nodes: [Node]
    ) {
        self.keeper = keeper
        self.boundary = boundary
        self.run = run
        self.holder = holder
        self.plan = plan
        self.epoch = epoch
        self.tail = tail
        self.spare = nodes
    }

    /// Waits until a copy has all that was written when this was called; at most that long. All copies are tried.
    ///
    /// - Returns: how many copies have it.
    package func flush(within seconds: Double, clock: WallClock) async -> Int {
        let wanted = tail.bytes.count
        let began = clock.uptime()
        while true {
            if isSending { await clock.sleep(.milliseconds(20)) } else { await catchUp() }
            let whole = copies.count { ($0.journalBytes ?? -1) >= wanted }
            if whole > 0 || clock.seconds(since: began) > seconds { return whole }
            await clock.sleep(.milliseconds(200))
        }
    }

    /// Keeps the copies up to date until the task is cancelled: within half a second where nodes answer at once, and without
    /// haste where they do not. Records come in bursts, and each exchange is a dozen processes on two nodes.
    package func follow(clock: WallClock) async {
        while !Task.isCancelled {
            let wanted = tail.bytes.count
            let isBehind = copies.count < Self.wanted || copies.contains { $0.journalBytes != wanted }
            if isBehind { await catchUp() }
            let isStuck = copies.contains { $0.failures > 0 }
            await clock.sleep(.milliseconds(isStuck ? 2_000 : 400))
        }
    }

    /// Sends what is missing. Two of these at once are one.
    package func catchUp() async {
        if isSending { return }
        isSending = true
        defer { isSending = false }
        while copies.count < Self.wanted, !spare.isEmpty { copies.append(Copy(node: spare.removeFirst())) }
        let snapshot = tail.bytes
        let pending = copies.indices.filter { copies[$0].journalBytes != snapshot.count }
        await withTaskGroup(of: (Int, Int?).self) { group in
            for index in pending {
                let copy = copies[index]
                group.addTask { (index, await self.send(snapshot, to: copy.node, from: copy.journalBytes)) }
            }
            for await (index, bytes) in group {
                copies[index].journalBytes = bytes
                copies[index].failures = bytes == nil ? copies[index].failures + 1 : 0
            }
        }
        // A node that fails again and again makes room for another, and comes last in line.
        for index in copies.indices where copies[index].failures >= 3 && !spare.isEmpty {
            spare.append(copies[index].node)
            copies[index] = Copy(node: spare.removeFirst())
        }
    }

    /// Where whole copies are, for the operator.
    package var places: [NodeID] { copies.filter { $0.journalBytes != nil }.map(\.node.id) }

    /// Brings one copy up to `journal`; returns its length, or `nil` when nothing is known of it any more.
    private nonisolated func send(_ journal: [UInt8], to node: Node, from known: Int?) async -> Int? {
        var offset = known ?? 0
        if known == nil, await write(plan, as: .plan, from: 0, to: node) != plan.count { return nil }
        offset = await write(journal, as: .journal, from: offset, to: node) ?? -1
        return offset == journal.count ? offset : nil
    }

    private nonisolated func write(_ bytes: [UInt8], as file: KeeperScript.CopiedFile, from start: Int, to node: Node)
        async -> Int?
    {
        var offset = start
        repeat {
            let chunk = Array(bytes[offset..<min(bytes.count, offset + KeeperScript.chunkBytes)])
            let script = KeeperScript(
                .write(file: file, offset: offset, bytes: chunk), run: run, holder: holder, epoch: epoch,
                boundary: boundary())
            guard case .success(.wrote(let size)) = await keeper.ask(script, node), size == offset + chunk.count else {
                return nil
            }
            offset = size
        } while offset < bytes.count
        return offset
    }
}

/// A run as a node has it.
package enum CopiedRun {
    /// The runs that nodes have copies of, by node, with the length of the journal. A node that does not answer is left
    /// out, except the one that has to: its failure is thrown.
    package static func all(
        on nodes: [Node], atLeast needed: NodeID, keeper: NodeKeeper, holder: Actor,
        boundary: @escaping @Sendable () -> String
    ) async throws(NodeFailure) -> [NodeID: [RunID: Int]] {
        let asked = await keeper.askAll(nodes) { _ in
            KeeperScript(.listRuns, run: "none", holder: holder, epoch: 0, boundary: boundary())
        }
        let answers = Dictionary(uniqueKeysWithValues: asked)
        if case .failure(let failure)? = answers[needed] { throw failure }
        return answers.compactMapValues { if case .success(.runs(let runs)) = $0 { runs } else { nil } }
    }

    /// Plan and journal of a run. A last line that was cut while it was copied is the reader's to drop.
    package static func fetch(
        _ run: RunID, from node: Node, keeper: NodeKeeper, holder: Actor, boundary: @Sendable () -> String
    ) async throws(NodeFailure) -> (plan: [UInt8], journal: [UInt8]) {
        func read(_ file: KeeperScript.CopiedFile) async throws(NodeFailure) -> [UInt8] {
            var bytes: [UInt8] = []
            while true {
                let script = KeeperScript(
                    .read(file: file, offset: bytes.count), run: run, holder: holder, epoch: 0, boundary: boundary())
                switch try await keeper.ask(script, node).get() {
                case .content(let part, let size):
                    bytes += part
                    if bytes.count >= size { return bytes }
                    if part.isEmpty { throw unexpected(node) }
                case .absent:
                    throw NodeFailure(kind: .other, text: "\(node.id) has no copy of run \(run)")
                default: throw unexpected(node)
                }
            }
        }
        return (try await read(.plan), try await read(.journal))
    }

    private static func unexpected(_ node: Node) -> NodeFailure {
        NodeFailure(kind: .other, text: "\(node.id) answered something else than it was asked")
    }
}
