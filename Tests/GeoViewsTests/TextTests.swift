import GeoCore
import GeoViews
import Testing

@Suite struct TextTests {
    @Test(arguments: [
        (0, "0 s"), (45, "45 s"), (60, "1m"), (90, "90 s"), (119, "119 s"), (120, "2m"), (125, "2m 05s"), (720, "12m"),
        (719, "12m"), (3569, "59m"), (3599, "1h"), (3600, "1h"), (3900, "1h 05m"), (86_340, "23h 59m"), (86_399, "1d"),
        (86_400, "1d"), (273_600, "3d 04h"), (-5, "-5 s"),
    ])
    func durationsHaveTwoUnitsAtMost(seconds: Int, expected: String) {
        #expect(DurationText.of(seconds) == expected)
    }

    @Test(arguments: [Int.min, .max]) func noDurationTraps(seconds: Int) {
        // The smallest number has no positive counterpart.
        #expect(DurationText.of(seconds).contains("106751991167300d"))
    }

    @Test(arguments: [
        (0.4, "0.4 s"), (1, "1 s"), (9.96, "10 s"), (59.6, "1m"), (982.8, "16m"), (-0.5, "-0.5 s"),
        (.infinity, "inf s"),
        (.nan, "nan s"),
    ])
    func fractionsAreShownOnlyWhereTheyMatter(seconds: Double, expected: String) {
        #expect(DurationText.of(seconds) == expected)
    }

    @Test(arguments: [
        (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (1024, "1 KiB"), (1536, "1.5 KiB"), (16 << 20, "16 MiB"),
        ((1 << 20) - 1, "1 MiB"), (1_610_612_736, "1.5 GiB"), (-2048, "-2 KiB"), (Int.max, "8 EiB"),
        (Int.min, "-8 EiB"),
    ])
    func amountsOfDataUseBinaryUnits(bytes: Int, expected: String) {
        #expect(ByteText.of(bytes) == expected)
    }

    @Test(arguments: [(0.0, "0 s ago"), (12, "12 s ago"), (-0.6, "0 s ago"), (-90, "dated 90 s ahead of this clock")])
    func anAgeIsNeverNegative(seconds: Double, expected: String) {
        let at = Deployment.midnight
        #expect(AgeText.of(at, now: at.adding(seconds: seconds)) == expected)
    }
}
