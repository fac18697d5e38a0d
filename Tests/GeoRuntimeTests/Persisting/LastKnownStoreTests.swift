import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The file of what the primaries said last, on a real file system.
@Suite struct LastKnownStoreTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let parent = FileManager.default.temporaryDirectory.appending(path: "geo-failover-known-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: parent) }
        try body(parent)
    }

    private static func learn(_ store: LastKnownStore, _ observation: Observation = Fixtures.healthy()) throws
        -> String?
    {
        try store.learn(from: observation, of: Fixtures.inventory())
    }

    @Test func whatWasLearntIsReadBackByTheNextProcessAndByNobodyElse() throws {
        try Self.inFolder { parent in
            let store = LastKnownStore(under: parent, deployment: "lab")
            #expect(try store.load() == nil)
            #expect(try Self.learn(store) == nil)
            let known = try #require(try LastKnownStore(under: parent, deployment: "lab").load())
            #expect(known.primaries["tokyo"]?.database.value?.primary?.current == Fixtures.current)
            let mode = try FileManager.default.attributesOfItem(atPath: store.path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: parent + "/last-known").sorted() == [
                    "lab.json", "lab.lock",
                ])
        }
    }

    @Test func aLookThatSawNoPrimaryTakesNothingAway() throws {
        try Self.inFolder { parent in
            let store = LastKnownStore(under: parent, deployment: "lab")
            _ = try Self.learn(store)
            let before = try Data(contentsOf: URL(filePath: store.path))
            _ = try Self.learn(store, Fixtures.healthy().losing("tokyo-pg-1"))
            #expect(try Data(contentsOf: URL(filePath: store.path)) == before)
        }
    }

    @Test(arguments: [
        "", "{", #"{"deployment":"other","primaries":{},"schema":1}"#,
        #"{"deployment":"lab","primaries":{},"schema":9}"#,
    ])
    func whatCannotBeReadIsSetAsideAndNeverWrittenOver(text: String) throws {
        try Self.inFolder { parent in
            let store = LastKnownStore(under: parent, deployment: "lab")
            _ = try Self.learn(store)
            try Data(text.utf8).write(to: URL(filePath: store.path))
            #expect(throws: (any Error).self) { _ = try store.load() }
            let aside = try #require(try Self.learn(store))
            #expect(try String(contentsOfFile: aside, encoding: .utf8) == text)
            #expect(try store.load()?.primaries["tokyo"] != nil)
        }
    }

    @Test func aReplacedFileIsOldOrNewAndLeavesNothingBehind() throws {
        try Self.inFolder { parent in
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            let path = parent + "/file"
            try DurableFile.replace(path, with: Array("one".utf8))
            try DurableFile.replace(path, with: Array("two".utf8))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "two")
            #expect(throws: RunDirectoryError.self) { try DurableFile.replace(parent + "/no/where", with: []) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["file"])
        }
    }

    @Test func whoeverHoldsTheLockIsAlone() throws {
        try Self.inFolder { parent in
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            let path = parent + "/lock"
            // The inner one waits for its limit and says so; the outer one is not disturbed.
            let value = try DurableFile.locked(path) {
                #expect(throws: RunDirectoryError.self) { try DurableFile.locked(path, { 1 }) }
                return 2
            }
            #expect(value == 2)
            #expect(try DurableFile.locked(path, { 3 }) == 3)
        }
    }
}
