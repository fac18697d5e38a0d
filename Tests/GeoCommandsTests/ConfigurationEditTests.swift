import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@testable import GeoCommands

/// The edit of gitlab.rb, with the real programs on a real file.
@Suite struct ConfigurationEditTests {
    private static let line = #"  external_url "https://a.example.com/x|y" # [old] $1 & \2 .*"#

    /// Runs the commands on a file in a folder of its own; the exit statuses, up to the first that ends a step.
    private static func run(_ edit: ConfigurationEdit, in folder: String, undo: Bool = false) async throws -> [Int] {
        var statuses: [Int] = []
        for command in undo ? edit.undo : edit.commands(timeLimit: 60) {
            let arguments = command.arguments.map { argument in
                argument.hasPrefix("/etc/gitlab/") ? folder + argument.dropFirst("/etc/gitlab".count) : argument
            }
            let status = try await LocalProcess.programs.run(arguments, [:], 60).status ?? -1
            statuses.append(status)
            if status != 0, command.exitStatus == .mustBeZero { break }
        }
        return statuses
    }

    private static func folder(_ text: String) throws -> String {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "edit-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: folder + "/gitlab.rb"))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/gitlab.rb")
        return folder
    }

    private static func text(_ path: String) throws -> String {
        String(decoding: try #require(FileManager.default.contents(atPath: path)), as: UTF8.self)
    }

    @Test func exactlyThatLineIsReplacedTwiceIsOnceAndTheFileBeforeIsKept() async throws {
        let edit = try #require(
            ConfigurationEdit(
                setting: "https://a.example.com/x|y", to: "https://b.example.com/&", in: Self.line,
                madeAt: Fixtures.moment()))
        let before = "# \(Self.line)\n\(Self.line)\n\(Self.line) \npassword 'x'\n"
        let folder = try Self.folder(before)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let after = before.replacing("\n\(Self.line)\n", with: "\n\(edit.lines[0].new)\n")
        #expect(try await Self.run(edit, in: folder) == [0, 0, 0, 0, 0, 0])
        #expect(try Self.text(folder + "/gitlab.rb") == after)
        let backup = folder + edit.backup.dropFirst("/etc/gitlab".count)
        #expect(try Self.text(backup) == before)
        let mode = try FileManager.default.attributesOfItem(atPath: folder + "/gitlab.rb")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        // The line is not there any more: nothing is done, and the copy stays what it was.
        #expect(try await Self.run(edit, in: folder) == [1])
        #expect(try Self.text(folder + "/gitlab.rb") == after && Self.text(backup) == before)
        #expect(try await Self.run(edit, in: folder, undo: true) == [0, 0])
        #expect(try Self.text(folder + "/gitlab.rb") == before)
        // An edit that came to nothing, or was taken back, leaves nothing to take back.
        #expect(try await Self.run(edit, in: folder, undo: true) == [1, 0])
        #expect(try Self.text(folder + "/gitlab.rb") == before)
    }

    @Test func aSecondAttemptKeepsTheFirstCopy() async throws {
        let edit = try #require(
            ConfigurationEdit(replacing: "external_url 'a'", with: "external_url 'b'", madeAt: Fixtures.moment()))
        let folder = try Self.folder("external_url 'a'\n")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let backup = folder + edit.backup.dropFirst("/etc/gitlab".count)
        try Data("the first\n".utf8).write(to: URL(filePath: backup))
        #expect(try await Self.run(edit, in: folder) == [0, 0, 0, 1, 0, 0])
        #expect(try Self.text(backup) == "the first\n")
    }

    @Test(arguments: [
        ("https://gitlab.example.com", true), ("http://10.77.1.10:8080/git_lab", true),
        ("gitlab.example.com", false), ("https://", false), ("https://a b", false), ("https://a'b", false),
        ("https://user@a", false), ("https://a/?x=1", false), ("https://a:99999", false), ("https://a\n", false),
        ("https://-a", false),
    ])
    func onlyAUrlIsTakenForOne(url: String, isOne: Bool) {
        #expect((SiteURL.whyNot(url) == nil) == isOne)
    }
}
