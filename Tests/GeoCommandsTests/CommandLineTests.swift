import ArgumentParser
import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@testable import GeoCommands

@Suite struct CommandLineTests {
    @Test(arguments: [
        ["check", "-i", "inventory.yaml", "--from", "tokyo", "--to", "seoul", "--output", "json"],
        ["plan", "planned-failover", "--out", "x.geoplan", "--waive", "node.clock@a=chrony is down, ticket 7"],
        ["execute", "x.geoplan", "--approve", "0123456789ab"], ["resume"], ["resume", "run-1"],
        ["status", "--short"], ["report", "--output", "json"], ["inventory", "check", "i.yaml"], ["inventory", "show"],
        ["runbook", "list"], ["runbook", "lint", "x"], ["runbook", "show", "x"],
        ["runbook", "explain", "promote-node"], ["sudoers", "--user", "ops"], ["check", "--list"],
        ["watch", "--interval", "2m", "--looks", "5", "--on-change", "./page"], ["watch", "--once", "-o", "json"],
        ["watch", "--until-disaster"],
        ["sudoers", "--for", "execute"], ["check", "--output", "junit"], ["check", "-o", "nagios", "--to", "seoul"],
        ["check", "--output", "markdown"], ["check", "--watch", "--every", "60"], ["check", "--save", "monday.json"],
        ["check", "--diff", "monday.json", "-o", "json"],
        ["plan", "change-url", "--from", "tokyo", "--to", "seoul", "--url", "https://gitlab.example.com"],
        ["purge", "list", "-o", "json"],
        ["purge", "remove", "--from", "seoul", "--to", "tokyo", "--confirm", "tokyo-pg-1"],
        ["divergence", "list"], ["divergence", "commands", "--from", "tokyo", "--to", "seoul", "--node", "tokyo-pg-1"],
        ["approve", "x.geoplan", "--as", "anna@example.com", "--key", "k.pub"], ["execute", "x", "--approval", "a"],
    ])
    func documentedCommandLinesParse(arguments: [String]) throws {
        _ = try GeoFailover.parseAsRoot(arguments)
    }

    @Test(arguments: [
        ["execute"], ["check", "--form", "tokyo"], ["plan", "--dry-run"], ["execute", "x", "--force"],
        ["watch", "--interval", "30"], ["watch", "--interval", "0s"], ["watch", "--looks", "0"],
        ["check", "--output", "xml"], ["frobnicate"], ["check", "--watch", "--every", "1"],
        ["check", "--watch", "--output", "junit"], ["check", "--watch", "--save", "x"],
        ["approve", "x"], ["approve", "x", "--as", "a b", "--key", "k"],
        ["check", "--diff", "x", "--output", "nagios"], ["sudoers", "--for", "everything"],
    ])
    func unknownWordsAreNeverIgnored(arguments: [String]) {
        #expect(throws: (any Error).self) { _ = try GeoFailover.parseAsRoot(arguments) }
    }

    @Test func usageErrorsExitWith64() {
        do {
            _ = try GeoFailover.parseAsRoot(["check", "--form", "tokyo"])
            Issue.record("it was accepted")
        } catch {
            #expect(GeoFailover.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func digestsAreAcceptedFromTwelveDigitsAndOnlyIfTheyMatch() throws {
        let digest = Digest(of: [1, 2, 3])
        let digits = String(digest.text.dropFirst("sha256:".count))
        for good in [digest.text, digits, String(digits.prefix(12)), digits.uppercased()] {
            #expect(try approval(good).isGiven(for: digest))
        }
        for bad in [String(digits.prefix(11)), "f" + digits.dropFirst(), "yes", ""] {
            #expect(throws: CommandFailure.self) { _ = try approval(bad).isGiven(for: digest) }
        }
        #expect(try ApprovalOptions.parse([]).isGiven(for: digest) == false)
    }

    private func approval(_ text: String) throws -> ApprovalOptions { try ApprovalOptions.parse(["--approve", text]) }

    @Test(arguments: ["resume", "abort"])
    func aRunOfAnotherDeploymentIsRefusedWhereAnInventoryIsNamed(command: String) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "geo-failover-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let inventory = Fixtures.inventory()
        let directory = RunDirectory(run: "one", under: folder + "/runs")
        try directory.create(
            plan: try PlanFile(
                Plan(
                    createdAt: Fixtures.moment(), createdBy: "anna", toolVersion: "1", scenario: .planned,
                    title: "Test", from: "tokyo", to: "seoul", inventory: inventory,
                    runbook: DocumentReference(path: "x.yaml", digest: Digest(of: [1])), runbookName: "x",
                    objectives: Objectives(), basis: Fixtures.healthy(), findings: [], waivers: [], steps: [],
                    omitted: [])))
        func refusal(_ deployment: String) throws -> CommandFailure? {
            let path = folder + "/inventory.yaml"
            try directory.writeAtomically(
                Array(
                    """
                    schema: 1
                    deployment: \(deployment)
                    ssh: { user: ops, identity: ~/.ssh/ops, known_hosts: known_hosts }
                    sites:
                      osaka: { url: https://osaka.example, nodes: { osaka-1: { address: 192.0.2.1, components: [rails, postgresql] } } }

                    """.utf8), to: path)
            let options = try InventoryOptions.parse(["--inventory", path])
            do {
                try options.refuseOtherDeployment(try directory.readPlan().plan, of: directory.run)
                return nil
            } catch let failure as CommandFailure {
                return failure
            }
        }
        #expect(try refusal(inventory.deployment) == nil)
        let failure = try #require(try refusal("another"))
        #expect(failure.status == .refused)
        #expect(failure.message.contains("one is a run on the deployment \(inventory.deployment)"))
        #expect(failure.message.contains("is of another.\nNothing was done."))
        // Both commands ask.
        _ = try GeoFailover.parseAsRoot([command, "--inventory", "x"] + (command == "abort" ? ["--reason", "x"] : []))
    }

    @Test func runsAreNamedByTheirTimeSoThatTheySort() {
        let early = Timestamp(milliseconds: 1_795_230_000_000)
        #expect(RunSession.stamp(early) == "20261121-030000")
        #expect(RunSession.stamp(early) < RunSession.stamp(early.adding(seconds: 1)))
    }
}
