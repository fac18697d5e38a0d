import Dispatch
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Somebody on another machine takes the run over while the first tool is frozen, not dead.
@Suite struct TakeoverTests {
    @Test(arguments: [Story.planned, .unplanned])
    func aToolThatWakesUpAfterATakeoverChangesNothing(story: Story) async throws {
        let exchanges = try await story.measure().exchanges.count
        for number in stride(from: 0, to: exchanges, by: Thoroughness.isThorough ? 1 : story == .planned ? 9 : 24) {
            let old = try await story.rig()
            let count = Counter()
            let end = await old.process(beforeExchange: { _ in
                guard count.next() == number else { return }
                await Self.takeOver(old, "\(story.rawValue), exchange \(number)")
            })
            #expect(end != .ended(.finished), "\(story.rawValue), exchange \(number)")
            Self.expectNoHarm(of: old, "\(story.rawValue), exchange \(number)")
        }
    }

    /// Frozen when a record was written, and nothing done of what it announces.
    @Test(arguments: [Story.planned, .unplanned])
    func aToolThatIsFrozenAfterARecordChangesNothingWhenItWakesUp(story: Story) async throws {
        let records = try await story.measure().records
        for number in stride(from: 3, to: records - 1, by: Thoroughness.isThorough ? 1 : story == .planned ? 19 : 53) {
            let old = try await story.rig()
            let what = "\(story.rawValue), record \(number)"
            let isFirst = Counter()
            _ = await old.process(watching: { event in
                guard case .recorded(let record) = event, record.sequence == number, isFirst.next() == 0 else { return }
                let isOver = DispatchSemaphore(value: 0)
                Task.detached {
                    await Self.takeOver(old, what)
                    isOver.signal()
                }
                isOver.wait()
            })
            #expect(isFirst.next() == 1, "\(what) was not met")
            Self.expectNoHarm(of: old, what)
        }
    }

    private static func takeOver(_ old: Rig, _ what: String) async {
        let new = Rig(takingOver: old)
        let end = await new.runToTheEnd(processes: 3)
        #expect(end == .ended(.finished), "\(what)\n\(new.story)")
        #expect(new.faults == [] && new.gaps == [], "\(what): \(new.faults) \(new.gaps)")
    }

    private static func expectNoHarm(of old: Rig, _ what: String) {
        #expect(old.faults == [] && old.gaps == [], "\(what): \(old.faults)\n\(old.story)")
        #expect(old.promotions.values.allSatisfy { $0 == 1 }, "\(what)")
    }

    @Test func twoToolsAtOnceStillStartEachCommandOnce() async throws {
        let exchanges = try await Story.planned.measure().exchanges.count
        for number in stride(from: 2, to: exchanges, by: Thoroughness.isThorough ? 1 : 9) {
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
