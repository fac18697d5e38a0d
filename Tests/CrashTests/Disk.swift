import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization

/// The power went, the process was killed, the disk is full.
struct Death: Error, Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The record is not on disk; what was begun before it is under way.
        case beforeWriting
        /// The record is on disk and its effect was never performed.
        case afterWriting
        /// Half of the record is on disk.
        case halfWritten
    }
    var kind: Kind
    /// How many whole records are on the disk before the one that it strikes.
    var record: Int
}

/// The journal file of a run, which outlives the processes that write it.
final class Disk: Sendable {
    private struct Contents {
        var bytes: [UInt8] = []
        var records = 0
        var death: Death?
        var isDead = false
        /// What was read of `bytes` before; a history looks at its journal after every process.
        var known = JournalLine.Contents.none
    }
    private let contents = Mutex(Contents())

    var bytes: [UInt8] { contents.withLock { $0.bytes } }
    var records: Int { contents.withLock { $0.records } }
    /// Whether the process that holds the store has died.
    var isDead: Bool { contents.withLock { $0.isDead } }

    /// A disk with what another one holds, read or not.
    func restore(_ other: Disk) {
        let whole = other.contents.withLock { $0 }
        contents.withLock {
            $0.bytes = whole.bytes
            $0.records = whole.records
            $0.known = whole.known
        }
    }

    /// A copy of another disk's journal, without so many of its last lines.
    func restore(_ bytes: [UInt8], without last: Int = 0) {
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        let kept = last == 0 ? bytes.count : ends.dropLast(last).last.map { $0 + 1 } ?? 0
        contents.withLock {
            $0.bytes = Array(bytes.prefix(kept))
            $0.records = max(0, ends.count - last)
            $0.known = .none
        }
    }

    /// A new process opens the journal, which ends after `wholeBytes`.
    func open(wholeBytes: Int, records: Int, death: Death?) -> JournalStore {
        contents.withLock {
            $0.bytes = Array($0.bytes.prefix(wholeBytes))
            $0.records = records
            $0.death = death
            $0.isDead = false
        }
        return JournalStore { line in try self.contents.withLock { try Self.append(line, to: &$0) } }
    }

    private static func append(_ line: [UInt8], to contents: inout Contents) throws {
        if contents.isDead { throw Death(kind: .beforeWriting, record: contents.records) }
        guard let death = contents.death, death.record <= contents.records else {
            contents.bytes += line
            contents.records += 1
            return
        }
        contents.isDead = true
        switch death.kind {
        case .beforeWriting: break
        case .afterWriting:
            contents.bytes += line
            contents.records += 1
        case .halfWritten: contents.bytes += line.prefix(line.count / 2)
        }
        throw death
    }

    func decoded() throws -> [JournalRecord] { try read().records }

    func read() throws -> JournalLine.Contents {
        try contents.withLock { contents in
            contents.known = try JournalLine.decode(contents.bytes, after: contents.known)
            return contents.known
        }
    }
}
