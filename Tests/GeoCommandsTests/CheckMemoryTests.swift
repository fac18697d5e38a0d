import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@testable import GeoCommands

/// What is kept between looks, by whom.
@Suite struct CheckMemoryTests {
    private static func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "geo-failover-memory-\(UUID().uuidString)")
            .path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// A plan may be the last look that the primary answers; it is no check of everything, and is not taken for one.
    @Test func aPlanKeepsWhatThePrimarySaysAndIsNoCheck() throws {
        try Self.inFolder { folder in
            let memory = CheckMemory(stateDirectory: folder, deployment: "lab")
            memory.learn(from: Fixtures.healthy(), of: Fixtures.inventory())
            #expect(memory.load()?.primaries["tokyo"]?.database.value?.primary?.current == Fixtures.current)
            #expect(!FileManager.default.fileExists(atPath: LastCheck.path(in: folder)))
            memory.remember(Fixtures.healthy(), of: Fixtures.inventory())
            #expect(FileManager.default.fileExists(atPath: LastCheck.path(in: folder)))
        }
    }
}
