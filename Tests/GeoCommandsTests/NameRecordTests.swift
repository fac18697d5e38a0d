import GeoCore
import Testing

@testable import GeoCommands

/// DNS messages as servers send them, cut and damaged.
@Suite struct NameRecordTests {
    private static let name: [UInt8] = [6] + Array("gitlab".utf8) + [7] + Array("example".utf8) + [0]

    private static func message(_ records: [(type: UInt16, seconds: UInt32, data: [UInt8])]) -> [UInt8] {
        func two(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }
        var bytes: [UInt8] = [0x12, 0x34, 0x81, 0x80] + two(1) + two(UInt16(records.count)) + two(0) + two(0)
        bytes += name + two(1) + two(1)
        for record in records {
            // A pointer to the question's name.
            bytes += [0xC0, 12] + two(record.type) + two(1)
            bytes += two(UInt16(record.seconds >> 16)) + two(UInt16(record.seconds & 0xFFFF))
            bytes += two(UInt16(record.data.count)) + record.data
        }
        return bytes
    }

    @Test func theLeastOfAllThatLeadToAnAddressCounts() throws {
        let address: [UInt8] = [10, 77, 1, 10]
        #expect(try DNSAnswer.timeToLive(Self.message([(1, 300, address)])) == 300)
        #expect(try DNSAnswer.timeToLive(Self.message([(5, 60, [0xC0, 12]), (1, 3600, address)])) == 60)
        #expect(
            try DNSAnswer.timeToLive(
                Self.message([(5, 3600, [0xC0, 12]), (28, 70_000, Array(repeating: 0, count: 16))])) == 3600)
        // Signatures and other records lead nowhere; an alias alone does not either.
        #expect(try DNSAnswer.timeToLive(Self.message([(46, 5, [1, 2, 3]), (1, 300, address)])) == 300)
        #expect(try DNSAnswer.timeToLive(Self.message([(5, 60, [0xC0, 12])])) == nil)
        #expect(try DNSAnswer.timeToLive(Self.message([])) == nil)
        #expect(try DNSAnswer.timeToLive(Self.message([(1, 1 << 31, address)])) == 0)
    }

    @Test func anAnswerThatWasCutIsUnknownAndNeverAnotherNumber() {
        let whole = Self.message([(5, 60, [0xC0, 12]), (1, 3600, [10, 77, 1, 10])])
        for length in whole.indices {
            #expect(throws: Unreadable.self) { _ = try DNSAnswer.timeToLive(Array(whole[..<length])) }
        }
        // Names that point in circles are passed over, not followed.
        #expect(throws: Unreadable.self) { _ = try DNSAnswer.timeToLive(Array(repeating: 0xFF, count: 40)) }
    }

    @Test func bytesThatAreAnythingCrashNobody() {
        var state: UInt64 = 20_261_121
        for _ in 0..<20_000 {
            var bytes = Self.message([(5, 60, [0xC0, 12]), (1, 3600, [10, 77, 1, 10])])
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
            }
            do {
                let seconds = try DNSAnswer.timeToLive(bytes)
                #expect(seconds ?? 0 >= 0)
            } catch {
                #expect(error.reason == "the DNS server's answer was cut off")
            }
        }
    }
}
