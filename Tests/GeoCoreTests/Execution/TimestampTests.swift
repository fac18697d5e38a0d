import GeoCore
import GeoTestSupport
import Testing

@Suite struct TimestampTests {
    /// Milliseconds by `date -u -d TEXT +%s`.
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0), ("1969-12-31T23:59:59.999Z", -1),
        ("2000-02-29T12:34:56.789Z", 951_827_696_789),
        ("2026-11-21T03:12:45.678Z", 1_795_230_765_678), ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
        ("2024-02-29T23:59:59.000Z", 1_709_251_199_000), ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ])
    func datesAreThoseOfTheCalendar(text: String, milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test func everyMomentReadsBackAsItWasWritten() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<2_000 {
            let moment = Timestamp(
                milliseconds: Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random))
            #expect(Timestamp(moment.description) == moment)
        }
    }

    @Test(arguments: [
        "", "2026", "2026-11-21T03:12:45", "2026-13-01T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T03:12:45.67Z",
        "x026-11-21T03:12:45Z", "2026-02-31T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-21T03:12:60Z",
        "2026-11-21T03-12-45Z", "2026/11/21T03:12:45Z", "2026-11-21T03:12:45.+12Z", "+026-11-21T03:12:45Z",
    ])
    func otherTextIsNoMoment(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func secondsAreCountedBetweenMomentsAndAddedToThem() {
        let moment = Fixtures.moment()
        #expect(moment.adding(seconds: 1.5).seconds(since: moment) == 1.5)
        #expect(moment.seconds(since: moment.adding(seconds: 60)) == -60)
        #expect(moment.adding(seconds: -0.001) < moment)
    }
}
