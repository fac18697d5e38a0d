import GeoCore
import Testing

/// Where histories part, and what was saved, as the nodes print it.
@Suite struct DivergenceReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    static let log = ProbeCatalog.dataDirectory + "/pg_wal"
    static let history = """
        \(log)/00000003.history:1\t0/3009588\tno recovery target specified
        \(log)/00000003.history:2\t0/70000A0\tno recovery target specified

        """
    static let segments = """
        total 49156
        -rw------- 1 996 996 16777216 1795221001 000000010000000000000002
        -rw------- 1 996 996 16777216 1795221000 000000010000000000000001
        -rw------- 1 996 996       41 1795221100 00000002.history
        drwx--S--- 2 996 996     4096 1795221100 archive_status

        """
    private static let name = "7301234567890123456-1-0-3009588"
    static func state(_ lines: [String]) -> String {
        lines.map { "\(DivergenceArchive.base)/\(name)/STATE:\($0)\n" }.joined()
    }
    static let begun = ["divergence 1", "system 7301234567890123456", "timelines 1 2", "fork 0/3009588", "since 0"]
    static let done = [
        "part database commits=2 rows=3 segments=1", "left files: 2 of 7, for which there is no room", "bytes 4096",
        "manifest 0a0a", "complete 1795221500",
    ]

    private func archives(_ saying: RecordedAnswer.Saying) -> Observed<[DivergenceArchive]> {
        RecordedAnswer.facts(.divergence, ["divergence": saying]).divergence
    }

    @Test func aHistoryFileTellsWhereEachTimelineWasLeft() {
        let facts = RecordedAnswer.facts(
            .timelines,
            ["timeline-history": Saying(output: Self.history), "wal-segments": Saying(output: Self.segments)])
        let timelines = facts.timelines.value
        #expect(
            timelines?.branches.map(\.parent) == [1, 2] && timelines?.branches.allSatisfy { $0.timeline == 3 } == true)
        #expect(timelines?.branches.first?.leftAt == LogPosition("0/3009588"))
        #expect(timelines?.segments.map(\.number) == [1, 2])
    }

    @Test func ofManySegmentsTheOldestAndOthersAreKept() {
        let lines = (0..<1000).map { index in
            let number = String(index, radix: 16, uppercase: true)
            return "-rw------- 1 996 996 16777216 \(1_795_221_000 + index) 0000000100000000"
                + String(repeating: "0", count: 8 - number.count) + number
        }
        let facts = RecordedAnswer.facts(
            .timelines,
            [
                "timeline-history": Saying(output: "", status: 1),
                "wal-segments": Saying(output: lines.joined(separator: "\n") + "\n"),
            ])
        let segments = facts.timelines.value?.segments ?? []
        #expect(segments.count <= TimelineFacts.segmentsAtMost && segments.count > 30 && segments.first?.number == 0)
        #expect(facts.timelines.value?.branches == [])
    }

    @Test(arguments: ["0/3009588", "1\t0/3009588", "x\t0/3009588\tbecause", "3\t0/3009588\tbecause", "1\t3009588\tx"])
    func anOddHistoryIsUnknown(line: String) {
        let path = line == "1\t0/3009588" ? "\(Self.log)/3.history" : "\(Self.log)/00000003.history"
        let facts = RecordedAnswer.facts(
            .timelines,
            ["timeline-history": Saying(output: "\(path):\(line)\n"), "wal-segments": Saying(output: Self.segments)])
        #expect(facts.timelines.value == nil, "\(facts.timelines)")
    }

    @Test func onlyTheLineThatIsWrittenLastMakesAnArchiveComplete() throws {
        for count in 0...Self.done.count {
            let found = archives(Saying(output: Self.state(Self.begun + Self.done.prefix(count))))
            let archive = try #require(found.value?.first)
            #expect((archive.completedAt != nil) == (count == Self.done.count))
        }
        let whole = archives(Saying(output: Self.state(Self.begun + Self.done))).value?.first
        #expect(whole?.name == Self.name && whole?.bytes == 4096 && whole?.parts.map(\.name) == ["database"])
        #expect(whole?.leftOut == ["files: 2 of 7, for which there is no room"])
    }

    @Test(arguments: [
        state(begun + done + ["part files found=1"]), state(begun + ["complete 1795221500"]),
        state(Array(begun.prefix(3))),
        state(begun + ["bytes 1", "complete soon"]), state(["divergence 2"] + begun), "STATE:complete 1\n", "x\n",
    ])
    func whatDoesNotEndWithThatLineIsNoArchive(text: String) {
        let found = archives(Saying(output: text))
        #expect(found.value == nil, "\(found)")
    }

    @Test func whereNothingWasEverSavedThereIsNothing() {
        let complaint = "/bin/grep: \(DivergenceArchive.base): No such file or directory\n"
        #expect(archives(Saying(output: "", complaint: complaint, status: 2)).value == [])
        #expect(archives(Saying(output: "", status: 1)).value == [])
        let denied = "/bin/grep: \(DivergenceArchive.base): Permission denied\n"
        #expect(archives(Saying(output: "", complaint: denied, status: 2)).value == nil)
        // One that could not be read is no proof that there is none.
        let half = Saying(output: Self.state(Self.begun), complaint: complaint, status: 2)
        #expect(archives(half).value == nil)
    }
}
