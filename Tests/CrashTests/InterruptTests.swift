import Dispatch
import GeoCore
import GeoRuntime
import GeoTestSupport
import Synchronization
import Testing

/// Ctrl-C, once and twice.
@Suite struct InterruptTests {
    /// Raises the interruption so many times before the exchange of that number.
    private static func interrupt(
        _ interruption: Interruption, times: Int, atExchange number: Int
    ) -> Rig.BeforeExchange {
        let count = Counter()
        return { _ in
            guard count.next() == number else { return }
            for _ in 0..<times { await interruption.raise() }
        }
    }

    private static func exchanges() async -> Int {
        let rig = Rig()
        _ = await rig.process()
        return rig.deployment.exchanges.count
    }

    @Test func onceWhileStepsRunFinishesThemAndStartsNothingNew() async throws {
        let rig = Rig()
        let interruption = Interruption()
        let isFirst = Counter()
        let end = await rig.process(
            interruption: interruption,
            beforeExchange: { script in
                if script.key.hasPrefix("fence"), isFirst.next() == 0 { await interruption.raise() }
            })
        #expect(end == .ended(.halted(reason: "the operator interrupted the run")), "\(rig.story)")
        let state = try rig.state()
        for step in rig.file.plan.steps where step.group == "fence" {
            #expect(state.hasSucceeded(step.id), "\(step.id)")
        }
        #expect(state.progress(of: "confirm") == .pending)
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [])
    }

    @Test func onceAtAnyExchangeTheRunHaltsAndGoesOnAsIfNothingHadHappened() async throws {
        for number in stride(from: 0, to: await Self.exchanges(), by: Thoroughness.isThorough ? 1 : 5) {
            let rig = Rig()
            let interruption = Interruption()
            let end = await rig.process(
                interruption: interruption,
                beforeExchange: Self.interrupt(interruption, times: 1, atExchange: number))
            #expect(end == .ended(.halted(reason: "the operator interrupted the run")), "\(number)\n\(rig.story)")
            #expect(await rig.process() == .ended(.finished), "\(number)\n\(rig.story)")
            #expect(rig.faults == [] && rig.gaps == [], "\(number): \(rig.faults)\n\(rig.story)")
            #expect(rig.promotions.values.allSatisfy { $0 == 1 }, "\(number)")
        }
    }

    @Test func twiceAtAnyExchangeLeavesItInDoubtAndResumeFindsItUnderItsKey() async throws {
        for number in stride(from: 0, to: await Self.exchanges(), by: Thoroughness.isThorough ? 1 : 3) {
            let rig = Rig()
            let interruption = Interruption()
            let end = await rig.process(
                interruption: interruption,
                beforeExchange: Self.interrupt(interruption, times: 2, atExchange: number))
            #expect(end == .ended(.halted(reason: "the operator stopped waiting")), "\(number)\n\(rig.story)")
            #expect(await rig.process() == .ended(.finished), "\(number)\n\(rig.story)")
            #expect(rig.faults == [] && rig.gaps == [], "\(number): \(rig.faults)\n\(rig.story)")
            #expect(rig.promotions.values.allSatisfy { $0 == 1 }, "\(number)\n\(rig.story)")
        }
    }

    @Test func twiceInTheMiddleOfThePromotionNeverStartsItTwice() async throws {
        let rig = Rig()
        let interruption = Interruption()
        let count = Counter()
        _ = await rig.process(
            interruption: interruption,
            beforeExchange: { script in
                guard script.key == "promote-database~1~2", count.next() == 2 else { return }
                #expect(rig.deployment.withState { $0["seoul-pg-1"].runningJob?.key } == script.key)
                await interruption.raise()
                await interruption.raise()
            })
        guard case .inDoubt(1, _) = try rig.state().progress(of: "promote-database") else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.promotions["seoul-pg-1"] == 1)
        #expect(try rig.state().progress(of: "promote-database") == .succeeded(attempt: 1, how: .performed))
        #expect(rig.faults == [])
    }

    /// Raises before the caller goes on: in virtual time half an hour passes while another thread is not given a turn.
    private static func raiseNow(_ interruption: Interruption) {
        let raised = DispatchSemaphore(value: 0)
        Task.detached {
            await interruption.raise()
            raised.signal()
        }
        raised.wait()
    }

    @Test func oneInterruptEndsAStepThatOnlyWaits() async throws {
        let rig = Rig()
        let interruption = Interruption()
        let isFirst = Counter()
        // The queues never drain: the wait would go on for half an hour.
        let end = await rig.process(
            interruption: interruption,
            watching: { event in
                if case .waiting("drain-queues", _) = event, isFirst.next() == 0 { Self.raiseNow(interruption) }
                if case .recorded(let record) = event, case .stepStarted("drain-queues", _) = record.entry {
                    rig.deployment.withState { $0.queued = 1_000_000 }
                }
            })
        guard case .ended(.halted) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        guard case .inDoubt = try rig.state().progress(of: "drain-queues") else {
            Issue.record("\(rig.story)")
            return
        }
        rig.deployment.withState { $0.queued = 0 }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && rig.gaps == [])
    }

    @Test func aWaitThatIsInterruptedEndsAndIsTakenUpAgain() async throws {
        let rig = Rig()
        let interruption = Interruption()
        let isFirst = Counter()
        rig.deployment.withState { $0.pendingItems = 90 }
        let end = await rig.process(
            interruption: interruption,
            watching: { event in
                guard case .waiting("wait-for-replication", _) = event else { return }
                if isFirst.next() == 0 { Self.raiseNow(interruption) }
            })
        // The wait may have come to its end before the interruption was seen.
        if end != .ended(.finished) { #expect(await rig.process() == .ended(.finished), "\(rig.story)") }
        #expect(rig.faults == [])
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)
    /// 0, 1, 2 and so on.
    func next() -> Int {
        count.withLock { value in
            defer { value += 1 }
            return value
        }
    }
}
