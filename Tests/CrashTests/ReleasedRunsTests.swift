import FoundationEssentials
import GeoCore
import GeoDocuments
import GeoRuntime
import Testing

/// Runs that released versions recorded, in `ReleasedRuns/VERSION-NAME`: a run that was begun with one version is gone on
/// with by the next, at the worst of times. `CONTRIBUTING.md` says how one is recorded.
@Suite struct ReleasedRunsTests {
    private static let folder =
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "ReleasedRuns").path

    private static var recorded: [RunDirectory] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
                .filter { $0.first?.isNumber == true }
                .map { RunDirectory(run: RunID($0), under: folder) }
        }
    }

    @Test func aPlanOfAnEarlierVersionIsReadAndStillHasItsDigest() throws {
        let recorded = try Self.recorded
        #expect(!recorded.isEmpty)
        for directory in recorded {
            let plan = try directory.readPlan()
            #expect(plan.bytes == (try RunDirectory.read(directory.planPath)), "\(directory.run)")
            #expect(PlanInvariants.violations(of: plan.plan) == [], "\(directory.run)")
        }
    }

    @Test func aJournalOfAnEarlierVersionReplaysToTheSameEnd() throws {
        for directory in try Self.recorded {
            let contents = try JournalLine.decode(try RunDirectory.read(directory.journalPath))
            #expect(contents.tornBytes == 0)
            var machine = ExecutionStateMachine(state: RunState(plan: try directory.readPlan().plan))
            for record in contents.records { try machine.apply(record.entry, at: record.at) }
            let state = machine.state
            #expect(state.isOver && machine.next() == nil, "\(directory.run)")
            guard state.phase == .finished else { continue }
            #expect(state.isPastPointOfNoReturn == (state.plan.pointOfNoReturn != nil), "\(directory.run)")
            for step in state.plan.steps {
                #expect(state.isOver(step.id), "\(directory.run) \(step.id): \(state.progress(of: step.id))")
            }
        }
    }

    /// What a record is called in a journal, by which it is read again. A new kind has to be recorded before a release.
    private static func kind(_ entry: JournalEntry) -> String {
        switch entry {
        case .runStarted: "runStarted"
        case .runResumed: "runResumed"
        case .approved: "approved"
        case .signed: "signed"
        case .leaseTaken: "leaseTaken"
        case .driftChecked: "driftChecked"
        case .stepStarted: "stepStarted"
        case .commandSkipped: "commandSkipped"
        case .commandStarted: "commandStarted"
        case .commandFinished: "commandFinished"
        case .commandCancelled: "commandCancelled"
        case .answered: "answered"
        case .stepSkipped: "stepSkipped"
        case .stepPassed: "stepPassed"
        case .siteGivenUp: "siteGivenUp"
        case .lossSeen: "lossSeen"
        case .nodeAttested: "nodeAttested"
        case .nodeReturned: "nodeReturned"
        case .nodeFencedAgain: "nodeFencedAgain"
        case .stepSucceeded: "stepSucceeded"
        case .stepFailed: "stepFailed"
        case .stepLeftInDoubt: "stepLeftInDoubt"
        case .runHalted: "runHalted"
        case .runAbandoned: "runAbandoned"
        case .runFinished: "runFinished"
        }
    }

    @Test func everyKindOfRecordIsInAJournalOfAnEarlierVersion() throws {
        var kinds: Set<String> = []
        for directory in try Self.recorded {
            for record in try JournalLine.decode(try RunDirectory.read(directory.journalPath)).records {
                kinds.insert(Self.kind(record.entry))
            }
        }
        #expect(kinds.count == 25, "\(kinds.sorted())")
    }

    // MARK: Recording

    private static let target = ProcessInfo.processInfo.environment["GEO_FAILOVER_RECORD"]

    /// `GEO_FAILOVER_RECORD=VERSION` writes those of ``RecordedRuns`` beside the others.
    @Test(.enabled(if: target != nil)) func theRunsOfThisVersionAreRecorded() async throws {
        let version = try #require(Self.target)
        for (name, make) in RecordedRuns.all {
            let rig = try await make()
            #expect(try rig.state().isOver, "\(name)\n\(rig.story)")
            let directory = RunDirectory(run: RunID("\(version)-\(name)"), under: Self.folder)
            try directory.create(plan: rig.file)
            try directory.writeAtomically(rig.disk.bytes, to: directory.journalPath)
        }
    }

    /// The chain of digests goes over the lines as they were written: going on needs the same bytes.
    @Test func everyRecordOfAnEarlierVersionIsWrittenAgainByteForByte() throws {
        for directory in try Self.recorded {
            let bytes = try RunDirectory.read(directory.journalPath)
            let lines = bytes.split(separator: UInt8(ascii: "\n"))
            for (record, line) in zip(try JournalLine.decode(bytes).records, lines) {
                #expect(try JournalLine.encode(record) == Array(line), "\(directory.run) record \(record.sequence)")
            }
        }
    }
}
