import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Somebody on another machine takes the run over while the first tool is frozen, not dead.
@Suite struct TakeoverTests {
    @Test func aToolThatWakesUpAfterATakeoverChangesNothing() async throws {
        let whole = Rig()
        _ = await whole.process()
        for number in stride(from: 0, to: whole.deployment.exchanges.count, by: Thoroughness.isThorough ? 1 : 7) {
            let old = Rig()
            let count = Counter()
            let end = await old.process(beforeExchange: { _ in
                guard count.next() == number else { return }
                let new = Rig(takingOver: old)
                let end = await new.runToTheEnd(processes: 3)
                #expect(end == .ended(.finished), "\(number)\n\(new.story)")
                #expect(new.faults == [] && new.gaps == [], "\(number): \(new.faults) \(new.gaps)")
            })
            #expect(end != .ended(.finished), "\(number)")
            #expect(old.faults == [] && old.gaps == [], "\(number): \(old.faults)\n\(old.story)")
            #expect(old.promotions.values.allSatisfy { $0 == 1 }, "\(number)")
        }
    }

    @Test func twoToolsAtOnceStillStartEachCommandOnce() async throws {
        let whole = Rig()
        _ = await whole.process()
        for number in stride(from: 2, to: whole.deployment.exchanges.count, by: Thoroughness.isThorough ? 1 : 7) {
            let old = Rig()
            let count = Counter()
            let new = Counter()
            _ = await old.process(beforeExchange: { _ in
                guard count.next() == number, new.next() == 0 else { return }
                let other = Rig(takingOver: old)
                _ = await other.process(dies: Death(kind: .beforeWriting, record: old.disk.records + 9))
                #expect(other.faults == [], "\(number): \(other.faults)")
            })
            #expect(old.faults == [], "\(number): \(old.faults)\n\(old.story)")
            #expect(old.promotions.values.allSatisfy { $0 == 1 }, "\(number)\n\(old.story)")
        }
    }
}
