import Foundation
import GeoCore
import Testing

/// The program that moves a data directory aside, run by a real shell.
@Suite struct SetAsideProgramTests {
    private struct Place {
        let root = FileManager.default.temporaryDirectory.appending(path: "geo-failover-aside-\(UUID().uuidString)")
        var place: URL { root.appending(path: "var/opt/gitlab/postgresql") }
        var data: URL { place.appending(path: "data") }

        init() throws { try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true) }

        func fill(_ text: String) throws {
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: data.appending(path: "PG_VERSION"))
        }

        func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: place.path).sorted() }

        /// What it prints, and its exit status as the last word.
        func run() throws -> String {
            let program = RemoteCommand.quoted(ActionCommands.setAsideProgram)
            let text = "sh -c \(program) geo-failover-set-aside \(RemoteCommand.quoted(root.path)); echo status $?"
            return String(decoding: try LocalNode.sh(text), as: UTF8.self)
        }
    }

    @Test func whatWasThereIsKeptUnderANameThatPurgeKnows() throws {
        let place = try Place()
        defer { try? FileManager.default.removeItem(at: place.root) }
        #expect(try place.run().hasSuffix("status 0\n"))
        #expect(try place.names() == [])
        try place.fill("15")
        #expect(try place.run().hasSuffix("status 0\n"))
        let kept = try place.names()
        #expect(kept.count == 1 && SetAside.isFormerDatabase("/var/opt/gitlab/postgresql/" + (kept.first ?? "")))
        let version = place.place.appending(path: kept.first ?? "").appending(path: "PG_VERSION")
        #expect(try Data(contentsOf: version) == Data("15".utf8))
        // Run again there is nothing to move, and an empty directory stays.
        #expect(try place.run().hasSuffix("status 0\n"))
        try FileManager.default.createDirectory(at: place.data, withIntermediateDirectories: true)
        #expect(try place.run().contains("nothing in"))
        #expect(try place.names() == ["data"] + kept)
    }

    @Test func aLinkAServerAndATakenNameAreLeftAlone() throws {
        let place = try Place()
        defer { try? FileManager.default.removeItem(at: place.root) }
        let elsewhere = place.root.appending(path: "elsewhere")
        try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(at: place.data, withDestinationURL: elsewhere)
        #expect(try place.run().contains("is a symbolic link\nstatus 1"))
        try FileManager.default.removeItem(at: place.data)
        try place.fill("15")
        // A process whose directory it is, as the postmaster's.
        let path = RemoteCommand.quoted(place.data.path)
        let program = RemoteCommand.quoted(ActionCommands.setAsideProgram)
        let text = """
            cd \(path); echo $$ >postmaster.pid
            sh -c \(program) geo-failover-set-aside \(RemoteCommand.quoted(place.root.path)); echo status $?

            """
        let said = String(decoding: try LocalNode.sh(text), as: UTF8.self)
        #expect(said.contains("PostgreSQL runs on") && said.hasSuffix("status 1\n"), "\(said)")
        #expect(try place.names() == ["data"])
    }
}
