import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// The write-ahead log: sequence, chain, damage, and what happens when it cannot be written.
@Suite struct JournalTests {
    final class Store: Sendable {
        let lines = Mutex<[[UInt8]]>([])
        let failsAt: Int
        init(failsAt: Int = .max) { self.failsAt = failsAt }
        struct Full: Error {}
        var port: JournalStore {
            JournalStore { line in
                try self.lines.withLock { lines in
                    if lines.count >= self.failsAt { throw Full() }
                    lines.append(line)
                }
            }
        }
        var bytes: [UInt8] { lines.withLock { $0.flatMap(\.self) } }
    }

    private static func journal(_ store: Store, after records: [JournalRecord] = []) throws -> Journal {
        try Journal(run: "run", store: store.port, clock: ManualClock().wall, after: records)
    }

    @Test func recordsAreNumberedWithoutGapsAndEachHoldsTheDigestOfTheLineBefore() async throws {
        let store = Store()
        let journal = try Self.journal(store)
        for number in 0..<5 { _ = try await journal.append(.stepStarted(step: "step", attempt: number)) }
        let lines = store.lines.withLock { $0 }
        let records = try JournalLine.decode(store.bytes).records
        #expect(records.map(\.sequence) == [0, 1, 2, 3, 4])
        #expect(records[0].previous == nil)
        for number in 1..<5 { #expect(records[number].previous == Digest(of: lines[number - 1].dropLast())) }
    }

    @Test func aSecondProcessGoesOnWhereTheFirstEnded() async throws {
        let first = Store()
        let journal = try Self.journal(first)
        _ = try await journal.append(.commandStarted(step: "step", attempt: 1, index: 0, key: "key"))
        let records = try JournalLine.decode(first.bytes).records
        let second = Store()
        let next = try Self.journal(second, after: records)
        _ = try await next.append(.runFinished)
        #expect(try JournalLine.decode(first.bytes + second.bytes).records.map(\.sequence) == [0, 1])
        // The start that the first recorded is good for a receipt in the second.
        #expect(try await next.receipt(forCommand: "key").sequence == 0)
    }

    @Test func aClockThatIsSetBackMakesNoTimeInTheJournalGoBack() async throws {
        let store = Store()
        let passing = ManualClock()
        let isBack = Mutex(false)
        let usual = passing.wall
        let clock = WallClock(
            now: { usual.now().adding(seconds: isBack.withLock { $0 } ? -86_400 : 0) }, uptime: usual.uptime,
            sleep: usual.sleep)
        let journal = try Journal(run: "run", store: store.port, clock: clock)
        let began = try await journal.append(.stepStarted(step: "step", attempt: 1)).at
        passing.advance(seconds: 10)
        isBack.withLock { $0 = true }
        #expect(try await journal.append(.stepStarted(step: "step", attempt: 2)).at.seconds(since: began) == 10)
        passing.advance(seconds: 5)
        #expect(try await journal.append(.stepStarted(step: "step", attempt: 3)).at.seconds(since: began) == 15)
        // Another process, on a machine whose clock is behind: it does not know how long nobody was there.
        let next = try Journal(
            run: "run", store: Store().port, clock: clock, after: try JournalLine.decode(store.bytes).records)
        passing.advance(seconds: 1)
        #expect(try await next.append(.runFinished).at.seconds(since: began) == 16)
    }

    @Test func aCommandWhoseStartWasNotRecordedGetsNoReceipt() async throws {
        let journal = try Self.journal(Store())
        await #expect(throws: JournalError.self) { _ = try await journal.receipt(forCommand: "key").sequence }
        let full = try Self.journal(Store(failsAt: 0))
        await #expect(throws: JournalError.self) {
            try await full.append(.commandStarted(step: "step", attempt: 1, index: 0, key: "key"))
        }
        await #expect(throws: JournalError.self) { _ = try await full.receipt(forCommand: "key").sequence }
    }

    @Test func afterAFailedWriteNothingFollowsEvenIfTheDiskHasRoomAgain() async throws {
        let store = Store(failsAt: 2)
        let journal = try Self.journal(store)
        _ = try await journal.append(.runFinished)
        _ = try await journal.append(.runFinished)
        await #expect(throws: JournalError.self) { try await journal.append(.runFinished) }
        store.lines.withLock { $0 = [] }
        await #expect(throws: JournalError.self) { try await journal.append(.runFinished) }
        #expect(store.bytes.isEmpty)
    }

    @Test func everyKindOfEntryReadsBackAsItWasWritten() throws {
        let actor = Actor(user: "änna \"x\"\n", host: "laptop\u{1F}")
        let finding = Finding(
            check: "node.fenced", subject: .failover(from: "tokyo", to: "seoul"), verdict: .warn, summary: "a\u{2028}b",
            evidence: [Evidence("text", from: "node", at: Fixtures.moment())], remedy: "sudo x")
        let summary = TranscriptSummary(saysNotOK: true, lastLines: ["\u{FFFD}", ""])
        let transcript = TranscriptReference(path: "p", digest: Digest(of: [1]), bytes: 3, summary: summary)
        let entries: [JournalEntry] = [
            .runStarted(plan: Digest(of: [2]), by: actor, toolVersion: "1", epoch: 1),
            .runResumed(by: actor, toolVersion: "1", epoch: .max), .approved(plan: Digest(of: [2]), by: actor, how: ""),
            .driftChecked(before: "s", drift: [Drift(subject: .deployment, fact: "f", planned: "a", now: "b")]),
            .stepStarted(step: "s", attempt: 1), .commandSkipped(step: "s", attempt: 1, index: 0, because: "x"),
            .commandStarted(step: "s", attempt: 1, index: 0, key: "k"),
            .commandFinished(
                step: "s", attempt: 1, index: 0, outcome: .exited(status: -1, seconds: 0.1 + 0.2),
                transcript: transcript),
            .commandFinished(step: "s", attempt: 1, index: 0, outcome: .timedOut(afterSeconds: 3), transcript: nil),
            .commandFinished(step: "s", attempt: 1, index: 0, outcome: .refused(text: "r"), transcript: nil),
            .commandFinished(step: "s", attempt: 1, index: 0, outcome: .lost(text: "l"), transcript: nil),
            .commandFinished(step: "s", attempt: 1, index: 0, outcome: .unreachable(text: "u"), transcript: nil),
            .answered(step: "s", attempt: 1, answer: "seoul", by: actor, how: "typed"),
            .stepSucceeded(step: "s", attempt: 1, how: .recovered, findings: [finding]),
            .stepFailed(step: "s", attempt: 1, reason: "r", findings: []),
            .stepLeftInDoubt(step: "s", attempt: 1, reason: "r"), .runHalted(reason: "r"), .runFinished,
        ]
        var previous: Digest?
        var bytes: [UInt8] = []
        var written: [JournalRecord] = []
        for (number, entry) in entries.enumerated() {
            let record = JournalRecord(
                sequence: number, at: Fixtures.moment(Double(number) / 7), run: "run", previous: previous, entry: entry)
            let line = try JournalLine.encode(record)
            #expect(!line.contains(UInt8(ascii: "\n")), "a record is one line")
            previous = Digest(of: line)
            bytes += line + [UInt8(ascii: "\n")]
            written.append(record)
        }
        #expect(try JournalLine.decode(bytes).records == written)
    }

    @Test func anEmptyFileIsAnEmptyJournal() throws {
        let contents = try JournalLine.decode([])
        #expect(contents.records.isEmpty && contents.wholeBytes == 0 && contents.tornBytes == 0)
    }
}
