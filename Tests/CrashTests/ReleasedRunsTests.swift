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
            #expect(state.phase == .finished, "\(directory.run)")
            #expect(state.isPastPointOfNoReturn, "\(directory.run)")
            for step in state.plan.steps {
                guard case .succeeded = state.progress(of: step.id) else {
                    Issue.record("\(directory.run) \(step.id): \(state.progress(of: step.id))")
                    continue
                }
            }
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
