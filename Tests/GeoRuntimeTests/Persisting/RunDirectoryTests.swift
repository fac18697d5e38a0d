import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The folder of a run on a real file system.
@Suite struct RunDirectoryTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "geo-failover-runs-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: parent) }
        try body(parent)
    }

    private static func plan() throws -> PlanFile {
        try PlanFile(
            Plan(
                createdAt: Fixtures.moment(), createdBy: "anna", toolVersion: "1", scenario: .planned, title: "Test",
                from: "tokyo", to: "seoul", inventory: Fixtures.inventory(),
                runbook: DocumentReference(path: "x.yaml", digest: Digest(of: [1])), runbookName: "x",
                objectives: Objectives(), basis: Fixtures.healthy(), findings: [], waivers: [], steps: [], omitted: []))
    }

    @Test func aNewRunHasItsPlanAndNobodyElseMayReadIt() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent + "/deeper")
            let file = try Self.plan()
            try directory.create(plan: file)
            #expect(try directory.readPlan().bytes == file.bytes)
            #expect(try directory.readJournal().records.isEmpty)
            for path in [directory.path, directory.path + "/transcripts"] {
                let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
                #expect(mode == 0o700)
            }
            let mode = try FileManager.default.attributesOfItem(atPath: directory.planPath)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test func aRunThatExistsIsNeverOverwritten() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent)
            try directory.create(plan: try Self.plan())
            #expect(throws: RunDirectoryError.self) { try directory.create(plan: try Self.plan()) }
        }
    }

    @Test func aFolderThatWasCopiedUnderAnotherNameIsNotAnotherRun() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent)
            try directory.create(plan: try Self.plan())
            let record = JournalRecord(
                sequence: 0, at: Fixtures.moment(), run: "one", previous: nil, entry: .runHalted(reason: "test"))
            let store = try directory.openStore(wholeBytes: 0)
            try store.append(try JournalLine.encode(record) + [UInt8(ascii: "\n")])
            #expect(try directory.readJournal().records == [record])
            let copy = RunDirectory(run: "two", under: parent)
            try FileManager.default.copyItem(atPath: directory.path, toPath: copy.path)
            let refusal = #expect(throws: RunDirectoryError.self) { try copy.readJournal() }
            #expect(
                refusal?.description
                    == "\(copy.path) holds the journal of one, so it was copied or renamed; give the folder that name again, or move it out of the way"
            )
        }
    }

    @Test func theLockIsHeldByOneAtATime() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent)
            try directory.create(plan: try Self.plan())
            do {
                let lock = try #require(try directory.lock())
                #expect(try directory.lock() == nil)
                withExtendedLifetime(lock) {}
            }
            #expect(try directory.lock() != nil)
        }
    }

    @Test func aLockOfAnotherProcessIsSeenAndEndsWithIt() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent)
            try directory.create(plan: try Self.plan())
            // Another process takes the lock, and tells when it has it and when it is gone.
            let text = """
                cd '\(directory.path)'
                setsid flock lock sh -c 'echo $$ >holder.new; mv holder.new holder; exec sleep 600' &
                n=0
                while [ ! -e holder ] && [ "$n" -lt 500 ]; do sleep 0.02; n=$((n + 1)); done
                """
            _ = try LocalNode.sh(text)
            #expect(try directory.lock() == nil)
            let end =
                "kill -9 -$(ps -o pgid= -p $(cat '\(directory.path)/holder') | tr -d ' '); flock -w 10 '\(directory.lockPath)' true"
            _ = try LocalNode.sh(end)
            #expect(try directory.lock() != nil)
        }
    }

    @Test func aFileIsReplacedWholeOrNotAtAll() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "one", under: parent)
            try directory.create(plan: try Self.plan())
            let target = directory.path + "/transcripts/a.txt"
            try directory.writeAtomically(Array("old".utf8), to: target)
            try directory.writeAtomically(Array("newer".utf8), to: target)
            #expect(try RunDirectory.read(target) == Array("newer".utf8))
            // Where the new file cannot be made, the old one stays.
            try FileManager.default.createDirectory(atPath: target + ".new", withIntermediateDirectories: false)
            #expect(throws: RunDirectoryError.self) { try directory.writeAtomically(Array("lost".utf8), to: target) }
            #expect(try RunDirectory.read(target) == Array("newer".utf8))
        }
    }

    @Test func whatIsNotThereIsAnErrorAndNotEmptiness() throws {
        try Self.inFolder { parent in
            let directory = RunDirectory(run: "none", under: parent)
            #expect(throws: RunDirectoryError.self) { try directory.readPlan() }
            #expect(throws: RunDirectoryError.self) { try directory.openStore(wholeBytes: 0) }
            #expect(throws: RunDirectoryError.self) { try directory.lock() }
        }
    }
}
