import Foundation
import GeoCore
import GeoRuntime
import Testing

@testable import GeoCommands

@Suite struct ProgramTests {
    @Test func outputAndStatusOfAProgramComeBack() async throws {
        let result = try await LocalProcess.programs.run(
            ["sh", "-c", "echo out; echo err >&2; echo $GEO_FAILOVER_TO; exit 3"], ["GEO_FAILOVER_TO": "seoul"], 30)
        #expect(result.status == 3)
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n").sorted()
        #expect(lines == ["err", "out", "seoul"])
    }

    @Test func aProgramThatNeverEndsIsEndedWithAllItStarted() async throws {
        let began = ContinuousClock.now
        let result = try await LocalProcess.programs.run(["sh", "-c", "sleep 600 & sleep 600"], [:], 1)
        #expect(result.isTimedOut)
        #expect(ContinuousClock.now - began < .seconds(60))
    }

    @Test func aProgramThatDoesNotExistIsAFailureAndSaysItsName() async throws {
        let result = try await LocalProcess.programs.run(["/no/such/program"], [:], 30)
        #expect(result.status == 127)
        #expect(String(decoding: result.output, as: UTF8.self).contains("/no/such/program"))
    }

    @Test func secretsAreReadByReferenceAndMissingOnesSayWhere() throws {
        #expect(try Secrets.read(.command(arguments: ["printf", "%s\\n", "s3cret word"])) == Array("s3cret word".utf8))
        #expect(throws: Secrets.Missing.self) { _ = try Secrets.read(.environment(name: "GEO_FAILOVER_NOT_SET")) }
        #expect(throws: Secrets.Missing.self) { _ = try Secrets.read(.file(path: "/no/such/file")) }
        #expect(throws: Secrets.Missing.self) { _ = try Secrets.read(.command(arguments: ["false"])) }
    }

    @Test func boundariesAreNeverTheSame() {
        let many = (0..<1000).map { _ in Live.boundary() }
        #expect(Set(many).count == many.count)
        #expect(many.allSatisfy { $0.count >= 16 })
    }

    @Test func systemSSHSharesAConnectionInADirectoryThatEndsWithTheTool() async throws {
        let access = NodeAccess(
            address: "192.0.2.1", user: "ops", identity: Identity(), knownHosts: "/kh", transport: .openssh)
        let sockets = ControlSockets()
        let options = sockets.options(for: Node(id: "n", components: [.rails], access: access))
        #expect(options.contains("ControlMaster=auto"))
        let path = try #require(options.first { $0.hasPrefix("ControlPath=") }).dropFirst("ControlPath=".count)
        // ssh writes 40 digits for %C, and 17 characters more while it makes the socket; a socket's path has 107.
        #expect(path.utf8.count + 38 + 17 < 107)
        let directory = String(path.dropLast("/%C".count))
        let mode = try FileManager.default.attributesOfItem(atPath: directory)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        await sockets.close()
        #expect(!FileManager.default.fileExists(atPath: directory))
    }

    @Test func systemSSHAlwaysChecksHostKeysAndNeverAsks() {
        let access = NodeAccess(
            address: "10.0.0.1", port: 2222, user: "ops", identity: Identity(file: "/k"), knownHosts: "/kh",
            jump: [JumpHost(address: "bastion", user: "ops")], transport: .openssh)
        let arguments = OpenSSH.arguments(Node(id: "n", components: [.rails], access: access))
        for wanted in ["BatchMode=yes", "StrictHostKeyChecking=yes", "UserKnownHostsFile=/kh", "-J", "ops@bastion:22"] {
            #expect(arguments.contains(wanted))
        }
        #expect(arguments.last == "ops@10.0.0.1")
    }
}
