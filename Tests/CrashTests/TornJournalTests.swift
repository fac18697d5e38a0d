import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// A journal on a real disk, cut off by a crash.
@Suite struct TornJournalTests {
    private static func written() async -> [[UInt8]] {
        let rig = Rig()
        _ = await rig.process()
        return rig.disk.bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    private static func inRunDirectory(_ body: (RunDirectory) throws -> Void) throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "geo-failover-torn-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let directory = RunDirectory(run: "run", under: parent)
        try directory.create(plan: ShippedPlan.file)
        try body(directory)
    }

    @Test func aLastLineTornAtAnyByteIsDroppedAndTheJournalGoesOn() async throws {
        let lines = await Self.written()
        let clock = ManualClock()
        try Self.inRunDirectory { directory in
            for record in [0, 1, 2, 9, 20, lines.count - 1] {
                let whole = lines[..<record].flatMap(\.self)
                for cut in 0...lines[record].count {
                    try directory.writeAtomically(whole + lines[record].prefix(cut), to: directory.journalPath)
                    let contents = try directory.readJournal()
                    let isWhole = cut == lines[record].count
                    #expect(contents.records.count == record + (isWhole ? 1 : 0), "record \(record), byte \(cut)")
                    #expect(contents.wholeBytes == whole.count + (isWhole ? cut : 0))
                    #expect(contents.tornBytes == (isWhole ? 0 : cut))
                    guard cut % 37 == 5 || isWhole else { continue }
                    try Self.goOn(directory, contents, clock)
                }
            }
        }
    }

    /// Opens the torn file, writes a record, and reads it all back.
    private static func goOn(_ directory: RunDirectory, _ contents: JournalLine.Contents, _ clock: ManualClock) throws {
        let store = try directory.openStore(wholeBytes: contents.wholeBytes)
        let previous = try contents.records.last.map { Digest(of: try JournalLine.encode($0)) }
        let record = JournalRecord(
            sequence: contents.records.count, at: clock.now, run: "run", previous: previous,
            entry: .runHalted(reason: "test"))
        try store.append(try JournalLine.encode(record) + [UInt8(ascii: "\n")])
        let again = try directory.readJournal()
        #expect(again.records == contents.records + [record])
        #expect(again.tornBytes == 0)
    }

    @Test func damageInTheMiddleIsAHaltAndNeverAShorterJournal() async throws {
        let lines = await Self.written()
        let bytes = lines.flatMap(\.self)
        let lastLine = bytes.count - (lines.last?.count ?? 0)
        var random = SeededGenerator(seed: 3)
        for _ in 0..<150 {
            let position = Int.random(in: 0..<(lastLine - 1), using: &random)
            var damaged = bytes
            damaged[position] ^= UInt8.random(in: 1...255, using: &random)
            #expect(throws: JournalError.self, "byte \(position)") { try JournalLine.decode(damaged) }
        }
        for record in stride(from: 0, to: lines.count - 1, by: 10) {
            var gap = lines
            gap.remove(at: record)
            #expect(throws: JournalError.self, "line \(record) is missing") {
                try JournalLine.decode(gap.flatMap(\.self))
            }
            var exchanged = lines
            exchanged.swapAt(record, record + 1)
            #expect(throws: JournalError.self, "line \(record)") { try JournalLine.decode(exchanged.flatMap(\.self)) }
            let doubled = lines[...record] + lines[record...]
            #expect(throws: JournalError.self, "line \(record) twice") {
                try JournalLine.decode(doubled.flatMap(\.self))
            }
        }
    }

    @Test func everyRecordReadsBackAsItWasWritten() async throws {
        for line in await Self.written() {
            let record = try #require(try? JSONDecoder().decode(JournalRecord.self, from: Data(line)))
            #expect(try JournalLine.encode(record) == line.dropLast())
        }
    }
}
