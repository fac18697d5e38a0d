import GeoCore
import GeoViews
import Testing

/// What a person plans by: never a rate that nobody saw.
@Suite struct PaceTests {
    private static func at(_ seconds: Double) -> Timestamp { Timestamp(milliseconds: Int64(seconds * 1000)) }

    @Test func aCopySaysHowMuchHowFastAndHowLong() {
        var pace = Pace()
        #expect(pace.text == nil)
        pace.add(
            BaseBackup(phase: "waiting for checkpoint to finish", totalBytes: nil, streamedBytes: 0, client: nil)
                .measure, at: Self.at(0))
        #expect(pace.text == "the source waits for its checkpoint, normal for up to 5m")
        func copied(_ mebibytes: Int) -> Measure {
            BaseBackup(
                phase: "streaming database files", totalBytes: 1000 << 20, streamedBytes: mebibytes << 20, client: nil
            ).measure
        }
        pace.add(copied(100), at: Self.at(60))
        // One look is no rate.
        #expect(pace.text == "100 MiB of 1000 MiB (10 %)" && pace.remainingSeconds == nil)
        pace.add(copied(300), at: Self.at(70))
        #expect(pace.text == "300 MiB of 1000 MiB (30 %), 20 MiB/s, about 35 s more")
        #expect(pace.brief == "30 % of 1000 MiB, about 35 s more")
        // Of the last two minutes, not of the whole.
        for second in stride(from: 80, through: 400, by: 10) {
            pace.add(copied(300 + (second - 70)), at: Self.at(Double(second)))
        }
        #expect(pace.text == "630 MiB of 1000 MiB (63 %), 1 MiB/s, about 6m 10s more")
        for second in stride(from: 410, through: 540, by: 10) { pace.add(copied(630), at: Self.at(Double(second))) }
        #expect(pace.text == "630 MiB of 1000 MiB (63 %), nothing moves" && pace.remainingSeconds == nil)
        pace.add(
            BaseBackup(phase: "transferring wal files", totalBytes: 1000 << 20, streamedBytes: 1000 << 20, client: nil)
                .measure, at: Self.at(550))
        #expect(pace.text == "the source sends the WAL of meanwhile (1000 MiB of 1000 MiB (100 %))")
    }

    /// The primary goes on writing: what is left is the distance, at the speed of replay.
    @Test func aReplayGapSaysHowFarBehindAndHowLong() {
        var pace = Pace()
        pace.add(Measure(.log, done: 5 << 30, of: 6 << 30), at: Self.at(0))
        #expect(pace.text == "1 GiB of WAL behind")
        pace.add(Measure(.log, done: (5 << 30) + (400 << 20), of: (6 << 30) + (76 << 20)), at: Self.at(20))
        #expect(pace.text == "700 MiB of WAL behind, 20 MiB/s, about 35 s more")
        #expect(pace.brief == "700 MiB of WAL behind, about 35 s more")
    }

    @Test func aSecondAttemptIsMeasuredAnew() {
        var pace = Pace()
        pace.add(Measure(.items, done: 90, of: 100), at: Self.at(0))
        pace.add(Measure(.items, done: 99, of: 100), at: Self.at(60))
        #expect(pace.text == "99 of 100 items (99 %), 9 a minute, about 7 s more")
        pace.add(Measure(.items, done: 5, of: 100), at: Self.at(120))
        #expect(pace.text == "5 of 100 items (5 %)" && pace.brief == "5 % of 100 items")
        // The clock was set back.
        pace.add(Measure(.items, done: 6, of: 100), at: Self.at(30))
        #expect(pace.perSecond == nil)
        pace.add(Measure(.items, done: 7, of: 100), at: Self.at(30 + 3600))
        #expect(pace.text == "7 of 100 items (7 %), 1 an hour, about 3d 21h more")
    }
}
