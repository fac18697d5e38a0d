import FoundationEssentials
package import GeoCore

/// Proof that a record is on disk. Only a ``Journal`` makes one, and each effect that changes a node consumes one.
package struct JournalReceipt: ~Copyable, Sendable {
    package let sequence: Int
    fileprivate init(sequence: Int) { self.sequence = sequence }
}

/// Where the journal's lines go. `append` returns only when the bytes would survive a power cut.
package struct JournalStore: Sendable {
    package var append: @Sendable (_ line: [UInt8]) throws -> Void
    package init(append: @escaping @Sendable (_ line: [UInt8]) throws -> Void) { self.append = append }
}

/// The write-ahead log of one run: JSON lines, each with the digest of the one before it.
///
/// Times in it never go back: where the machine's clock was set back, or another machine's clock is behind, they are
/// counted on from the record before, so that no duration in the report is less than what was measured.
package actor Journal {
    package let run: RunID
    private let store: JournalStore
    private let clock: WallClock
    private var next: Int
    private var previous: Digest?
    private var started: [String: Int]
    /// When the last record was written, by the journal and by the machine's uptime.
    private var last: (at: Timestamp, uptime: Duration)?
    /// Set by a failed append: what is on disk is not known any more, so nothing may follow.
    private var isBroken = false

    /// A journal that goes on after `records`, which are empty for a new run.
    package init(run: RunID, store: JournalStore, clock: WallClock, after records: [JournalRecord] = []) throws {
        self.run = run
        self.store = store
        self.clock = clock
        self.next = records.count
        self.previous = try records.last.map { Digest(of: try JournalLine.encode($0)) }
        self.last = records.last.map { ($0.at, clock.uptime()) }
        self.started = [:]
        for record in records {
            for key in record.entry.startedKeys { started[key] = record.sequence }
        }
    }

    /// Writes the entry and waits until it is on disk.
    package func append(_ entry: JournalEntry) throws -> JournalRecord {
        guard !isBroken else { throw JournalError.brokenEarlier }
        let at = last.map { max(clock.now(), $0.at.adding(seconds: clock.seconds(since: $0.uptime))) } ?? clock.now()
        let record = JournalRecord(sequence: next, at: at, run: run, previous: previous, entry: entry)
        let line = try JournalLine.encode(record)
        do {
            try store.append(line + [UInt8(ascii: "\n")])
        } catch {
            isBroken = true
            throw JournalError.notWritten(detail: String(describing: error))
        }
        next += 1
        last = (at, clock.uptime())
        previous = Digest(of: line)
        for key in entry.startedKeys { started[key] = record.sequence }
        return record
    }

    /// The receipt for a command whose start was recorded, in this process or an earlier one.
    package func receipt(forCommand key: String) throws -> JournalReceipt {
        guard let sequence = started[key] else { throw JournalError.notRecorded(key: key) }
        return JournalReceipt(sequence: sequence)
    }
}

package enum JournalError: Error, Sendable, CustomStringConvertible {
    case notWritten(detail: String)
    case brokenEarlier
    case notRecorded(key: String)
    case damaged(line: Int, detail: String)

    package var description: String {
        switch self {
        case .notWritten(let detail): "the journal could not be written, so nothing more is done: \(detail)"
        case .brokenEarlier: "the journal could not be written earlier, so nothing more is done"
        case .notRecorded(let key): "the command \(key) was never recorded as started"
        case .damaged(let line, let detail): "the journal is damaged in line \(line): \(detail)"
        }
    }
}

/// Lines of a journal file to records and back.
package enum JournalLine {
    package static func encode(_ record: JournalRecord) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(record))
    }

    /// What a journal file holds.
    package struct Contents: Sendable {
        package var records: [JournalRecord]
        /// Bytes of whole lines; what follows is a line that a crash tore.
        package var wholeBytes: Int
        package var tornBytes: Int

        package static let none = Contents(records: [], wholeBytes: 0, tornBytes: 0)
    }

    /// Reads a journal file. A last line without its line feed, or one that is not JSON, was torn by a crash and is
    /// reported, not read; anything else that is wrong is damage and throws. `known` is what was read of the same bytes
    /// before, when there were fewer: its whole lines are not read again.
    package static func decode(_ bytes: [UInt8], after known: Contents = .none) throws(JournalError) -> Contents {
        var records = known.records
        var start = known.wholeBytes
        var previous: Digest?
        if start > 0 {
            let line = bytes[..<(start - 1)]
            previous = Digest(of: line[(line.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0)...])
        }
        while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(bytes[start..<end])
            let record: JournalRecord
            do {
                record = try JSONDecoder().decode(JournalRecord.self, from: Data(line))
            } catch {
                if end + 1 == bytes.count { break }
                throw .damaged(line: records.count + 1, detail: "it cannot be read")
            }
            guard record.sequence == records.count else {
                throw .damaged(line: records.count + 1, detail: "record \(records.count) is missing")
            }
            guard record.previous == previous else {
                throw .damaged(line: records.count + 1, detail: "it does not follow the line before it")
            }
            records.append(record)
            previous = Digest(of: line)
            start = end + 1
        }
        return Contents(records: records, wholeBytes: start, tornBytes: bytes.count - start)
    }
}
