import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The tool dies, and another process goes on from what is on disk.
@Suite struct KillTests {
    @Test(arguments: Story.allCases, Death.Kind.allCases)
    func killedAtAnyRecordTheRunEndsAsIfNothingHadHappened(story: Story, kind: Death.Kind) async throws {
        // What a torn record does to the file is shown byte by byte in TornJournalTests.
        let share = Thoroughness.isThorough ? 1 : Self.share(story, kind)
        let first = Death.Kind.allCases.firstIndex(of: kind) ?? 0
        for record in stride(from: first % share, to: try await story.measure().records, by: share) {
            let rig = try await story.rig()
            #expect(await rig.process(dies: Death(kind: kind, record: record)) == .died)
            var end = await rig.process()
            let what = "\(story.rawValue), killed \(kind.rawValue) record \(record)"
            // The one thing that cannot be looked up: whether a program on the operator's machine did its work.
            if case .ended(.halted(let reason)) = end, reason.contains(" failed: its outcome was not recorded") {
                end = await rig.process()
            }
            #expect(end == .ended(.finished), "\(what)\n\(rig.story)")
            #expect(rig.faults == [] && rig.overdue == [], "\(what)\n\(rig.faults) \(rig.overdue)\n\(rig.story)")
            #expect(rig.gaps == [], "\(what)")
            #expect(rig.promotions.values.allSatisfy { $0 == 1 }, "\(what)\n\(rig.story)")
            guard story == .planned else { continue }
            #expect(Set(rig.localRuns.keys) == ["push-canary", "move-traffic"], "\(what)\n\(rig.story)")
            #expect(rig.promotions.count == 6, "\(what)\n\(rig.story)")
        }
    }

    /// Every so many records in the usual run.
    private static func share(_ story: Story, _ kind: Death.Kind) -> Int {
        switch (story, kind) {
        case (.planned, .afterWriting): 3
        case (.planned, _): 8
        case (.unplanned, .afterWriting): 9
        case (_, .afterWriting): 8
        case (_, _): 25
        }
    }

    /// A process needs a few records to get anywhere: to say that it resumes, that it looked, that a step starts.
    @Test(arguments: Death.Kind.allCases, [6, 8, 13])
    func processesThatLiveForAFewRecordsGetThereTogether(kind: Death.Kind, lifetime: Int) async throws {
        let rig = Rig()
        var end = Rig.End.died
        for _ in 0..<200 where end != .ended(.finished) {
            end = await rig.process(dies: Death(kind: kind, record: rig.disk.records + lifetime))
        }
        #expect(end == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [], "\(rig.story)")
        #expect(rig.gaps == [])
        #expect(rig.promotions.values.allSatisfy { $0 == 1 })
    }

    @Test func aRunThatIsFinishedStaysFinishedWhenItsLastRecordIsReadAgain() async throws {
        let rig = Rig()
        _ = await rig.process()
        let state = try rig.state()
        #expect(state.phase == .finished)
        #expect(RunStatus(run: "run", state: state).nextCommand == "geo-failover report run")
    }

    @Test func aCancelledProcessStopsWritingAndTheNextOneFinishes() async throws {
        let whole = Rig()
        _ = await whole.process()
        for record in stride(from: 3, to: whole.disk.records - 1, by: 13) {
            let rig = Rig()
            let process = Task {
                await rig.process(watching: { event in
                    if case .recorded(let seen) = event, seen.sequence == record {
                        unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                    }
                })
            }
            let end = await process.value
            // What one directive and one effect bring is written in one go; nothing is begun after it.
            #expect(end == .failed("CancellationError()"), "record \(record)")
            #expect(await rig.runToTheEnd(processes: 2) == .ended(.finished), "record \(record)\n\(rig.story)")
            #expect(rig.faults == [], "record \(record)\n\(rig.story)")
        }
    }

    /// Back by a day or ahead by a day, at any record: how long things take is not measured with it.
    @Test(arguments: [-86_400.0, 86_400])
    func aClockThatIsSetInMidRunChangesNothingButTheTimesThatAreWritten(ahead: Double) async throws {
        let whole = Rig()
        _ = await whole.process()
        let usual = try whole.disk.decoded()
        for record in stride(from: 1, to: whole.disk.records, by: Thoroughness.isThorough ? 1 : 12) {
            let rig = Rig()
            let end = await rig.process(watching: { event in
                if case .recorded(let seen) = event, seen.sequence == record { rig.setClock(ahead: ahead) }
            })
            #expect(end == .ended(.finished), "record \(record)\n\(rig.story)")
            #expect(rig.faults == [], "record \(record)\n\(rig.story)")
            let records = try rig.disk.decoded()
            #expect(records.map(\.entry).count == usual.count, "record \(record)")
            #expect(zip(records, records.dropFirst()).allSatisfy { $0.at <= $1.at }, "record \(record)")
        }
    }

    @Test func aDiskThatIsFullStopsTheRunAndNothingIsStartedAfterIt() async throws {
        let whole = Rig()
        _ = await whole.process()
        for record in stride(from: 2, to: whole.disk.records, by: 9) {
            let rig = Rig()
            _ = await rig.process(dies: Death(kind: .halfWritten, record: record))
            let started = try rig.disk.decoded().reduce(into: Set<String>()) { keys, record in
                if case .commandStarted(_, _, _, let key) = record.entry { keys.insert(key) }
            }
            let begun = rig.deployment.withState {
                Set($0.starts.keys.compactMap { $0.split(separator: "/").last.map(String.init) })
            }
            #expect(begun.isSubset(of: started), "record \(record)")
        }
    }
}
