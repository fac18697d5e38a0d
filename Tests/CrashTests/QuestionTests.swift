import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// What the operator is asked, and plans that nobody approved.
@Suite struct QuestionTests {
    @Test(arguments: ["tokyo", "", "y", "yes", "Seoul", "seoul ", "SEOUL", "seou"])
    func onlyTheNameOfTheSiteIsAConfirmation(answer: String) async throws {
        let rig = Rig()
        #expect(await rig.process(answers: { _ in answer }) == .ended(.declined(step: "confirm")))
        #expect(rig.promotions.isEmpty)
        #expect(await rig.process(answers: { _ in answer }) == .ended(.declined(step: "confirm")))
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [])
    }

    @Test func withNobodyThereTheRunHaltsBeforeThePromotion() async throws {
        let rig = Rig()
        guard case .ended(.halted(let reason)) = await rig.process(answers: { _ in nil }) else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("nobody is there to answer"))
        #expect(rig.promotions.isEmpty)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
    }

    @Test func aPlanThatWasChangedByAByteIsRefused() throws {
        let bytes = ShippedPlan.file.bytes
        var random = SeededGenerator(seed: 1)
        let header = try #require(bytes.firstIndex(of: UInt8(ascii: "\n")))
        let positions =
            Array(0...(header + 2)) + (0..<120).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
            + [bytes.count - 1]
        for position in positions {
            var replaced = bytes
            replaced[position] ^= UInt8.random(in: 1...255, using: &random)
            #expect(throws: PlanFileError.self, "byte \(position) replaced") { try PlanFile(reading: replaced) }
            var cut = bytes
            cut.remove(at: position)
            #expect(throws: PlanFileError.self, "byte \(position) removed") { try PlanFile(reading: cut) }
        }
        for length in [0, 1, header, header + 1, bytes.count - 1] {
            #expect(throws: PlanFileError.self, "cut after \(length)") {
                try PlanFile(reading: Array(bytes.prefix(length)))
            }
        }
        #expect(throws: PlanFileError.self) { try PlanFile(reading: bytes + [UInt8(ascii: "\n")]) }
        #expect(try PlanFile(reading: bytes).plan == ShippedPlan.plan)
    }
}
