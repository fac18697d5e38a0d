import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@testable import GeoCommands

/// Files that are put in place on a node, with the real programs, Ruby among them.
@Suite struct PlacedConfigurationTests {
    private static let before = "external_url 'https://a.example.com'\n"
    private static let new = "external_url 'https://b.example.com'\npassword = 'hunter2'\n"

    private final class Node {
        let folder: String

        init() throws {
            folder = URL(filePath: NSTemporaryDirectory()).appending(path: "placed-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: folder + "/nodes", withIntermediateDirectories: true)
        }
        deinit {
            do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record("\(folder): \(error)") }
        }

        func write(_ text: String, to name: String) throws {
            try Data(text.utf8).write(to: URL(filePath: folder + "/" + name))
        }
        func text(_ name: String) -> String? {
            FileManager.default.contents(atPath: folder + "/" + name).map { String(decoding: $0, as: UTF8.self) }
        }

        /// `/dev/stdin` is the file `given`; nobody here may give files to root.
        func run(_ arguments: [String]) async throws -> LocalPrograms.Result {
            var arguments = arguments.map { argument -> String in
                if argument == "/dev/stdin" { return folder + "/given" }
                if argument == "/opt/gitlab/embedded/bin/ruby" { return "ruby" }
                if argument == ProbeCatalog.attributeDirectory { return folder + "/nodes" }
                return argument.hasPrefix("/etc/gitlab/") ? folder + argument.dropFirst("/etc/gitlab".count) : argument
            }
            if arguments.first == "install" { arguments.removeSubrange(2..<6) }
            return try await LocalProcess.programs.run(arguments, [:], 60)
        }

        /// The exit statuses, up to the first that ends a step.
        func run(_ commands: [RemoteCommand]) async throws -> [Int] {
            var statuses: [Int] = []
            for command in commands {
                let status = try await run(command.arguments).status ?? -1
                statuses.append(status)
                if status != 0, command.exitStatus == .mustBeZero { break }
            }
            return statuses
        }
    }

    private static func steps(_ path: ConfigurationPath, replaces: Bool) -> (
        commands: [RemoteCommand], undo: [RemoteCommand]
    ) {
        var reseeding = Reseeding.example
        reseeding.edit = nil
        reseeding.files = [
            PlacedConfiguration(
                file: ConfigurationFile(content: .file(path: "given"), path: path, digest: Digest(of: Array(new.utf8))),
                replaces: replaces)
        ]
        // The first sets gitlab-cluster.json aside, the last of the way back puts it there again.
        let commands = ActionCommands.commands(
            .configureSecondary, on: Fixtures.inventory().nodes[0], message: "", timeLimit: 60, reseeding: reseeding)
        guard
            case .reversible(let undo) = ActionCommands.undo(
                .configureSecondary, on: Fixtures.inventory().nodes[0], reseeding: reseeding)
        else {
            return (Array(commands.dropFirst()), [])
        }
        return (Array(commands.dropFirst()), Array(undo.dropLast()))
    }

    @Test func theFileBeforeIsKeptTwiceIsOnceAndTheWayBackBringsIt() async throws {
        let node = try Node()
        try node.write(Self.before, to: "gitlab.rb")
        try node.write(Self.new, to: "given")
        let (commands, undo) = Self.steps(.main, replaces: true)
        #expect(try await node.run(commands) == [0, 0, 0, 0, 0, 0])
        let kept = "gitlab.rb.before-\(Reseeding.example.stamp)"
        #expect(node.text("gitlab.rb") == Self.new && node.text(kept) == Self.before)
        let mode = try FileManager.default.attributesOfItem(atPath: node.folder + "/gitlab.rb")[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try await node.run(commands) == [0, 0, 1, 0, 0, 0])
        #expect(node.text("gitlab.rb") == Self.new && node.text(kept) == Self.before)
        #expect(try await node.run(undo) == [0, 0, 0])
        #expect(node.text("gitlab.rb") == Self.before)
        // Where it came to nothing there is nothing to take back.
        #expect(try await node.run(undo) == [1, 0, 0])
        #expect(node.text("gitlab.rb") == Self.before)
        // What cannot go back is seen, whatever is claimed of it.
        try node.write(Self.before, to: kept)
        #expect(try await node.run(Array(undo.dropFirst())) == [1])
    }

    @Test func aFileThatWasNotThereIsGoneAfterTheWayBackAndItsFolderIsMade() async throws {
        let node = try Node()
        try node.write(Self.new, to: "given")
        let path = try #require(ConfigurationPath("/etc/gitlab/conf.d/geo.rb"))
        let (commands, undo) = Self.steps(path, replaces: false)
        #expect(try await node.run(commands) == [0, 0, 0, 0])
        #expect(node.text("conf.d/geo.rb") == Self.new)
        #expect(try await node.run(undo) == [0, 0, 0])
        #expect(node.text("conf.d/geo.rb") == nil)
    }

    @Test func whatIsNoRubyTakesNoPlaceAndIsNotPrinted() async throws {
        let node = try Node()
        try node.write(Self.before, to: "gitlab.rb")
        try node.write("a = 1\ngitlab_rails['db_password'] = 'hunter2\n", to: "given")
        let (commands, _) = Self.steps(.main, replaces: true)
        #expect(try await node.run(commands) == [0, 1])
        #expect(node.text("gitlab.rb") == Self.before)
        let said = String(decoding: try await node.run(commands[1].arguments).output, as: UTF8.self)
        #expect(said.contains("this is no Ruby: line 2") && !said.contains("hunter2"), "\(said)")
    }

    /// Attributes as releases have named them.
    @Test(arguments: [
        #"{"gitlab":{"geo-secondary":{"enable":true},"geo-logcursor":{"enable":false}},"patroni":{"standby_cluster":{"enable":true}}}"#,
        #"{"gitlab":{"geo_secondary":{"enable":true}},"geo_logcursor":{},"patroni":{"standby-cluster":{"enable":true}}}"#,
    ])
    func realRubyTellsWhatTheLastReconfigureWasTold(normal: String) async throws {
        let node = try Node()
        let program = try #require(ProbeCatalog.commands(for: .appliedSettings).first).arguments
        #expect(try await node.run(program).status == 1)
        try node.write("{\"name\":\"a\"}", to: "nodes/a.json")
        #expect(try await node.run(program).status == 1)
        try node.write("{\"normal\":\(normal)}", to: "nodes/a.json")
        let output = try await node.run(program).output
        let found = try JSONDecoder().decode([String: Bool].self, from: Data(output))
        #expect(
            found == [
                "geo_secondary": true, "geo_logcursor": false, "geo_postgresql": false,
                "patroni['standby_cluster']": true,
            ])
    }
}
