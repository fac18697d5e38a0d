import Foundation
import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

@testable import GeoCommands

/// Two people, with the real `ssh-keygen`: whose signatures let a plan run, and whose do not.
@Suite struct ApprovalTests {
    /// Keys of three people, and a file that allows two of them.
    private final class People {
        let folder: String
        let signers: String

        init() throws {
            folder = URL(filePath: NSTemporaryDirectory()).appending(path: "approvals-\(UUID().uuidString)").path
            signers = folder + "/allowed_signers"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func key(_ name: String) -> String { folder + "/" + name }

        func make(_ names: String...) async throws {
            for name in names {
                let made = try await LocalProcess.programs.run(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key(name)], [:], 60)
                try #require(made.status == 0, "\(String(decoding: made.output, as: UTF8.self))")
            }
        }

        func allow(_ lines: [(principal: String, key: String)], options: String = "") throws {
            let text = try lines.map { line in
                let data = try #require(FileManager.default.contents(atPath: key(line.key) + ".pub"))
                return "\(line.principal) \(options)\(String(decoding: data, as: UTF8.self))"
            }.joined()
            try Data(text.utf8).write(to: URL(filePath: signers))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: signers)
        }
    }

    private static let now = Fixtures.moment()

    /// A plan that has to be approved; `created` makes two of them different.
    private static func plan(_ people: People, asksFor count: Int = 2, created: Double = 0) throws -> PlanFile {
        var inventory = Fixtures.inventory()
        inventory.approvals = ApprovalRule(people: count, allowedSigners: people.signers)
        return try PlanFile(
            Plan(
                createdAt: Fixtures.moment(created), createdBy: "t", toolVersion: "t", scenario: .planned, title: "t",
                from: "tokyo", to: "seoul", inventory: inventory, runbook: inventory.source, runbookName: "r",
                objectives: .init(), basis: Fixtures.healthy(), findings: [], waivers: [], steps: [], omitted: []))
    }

    private static let signatures = Signatures(programs: LocalProcess.programs)

    private static func approval(
        _ plan: PlanFile, by name: String, key: String, hours: Double = 12
    ) async throws -> Approval {
        let until = now.adding(seconds: hours * 3600)
        let statement = Approval.statement(plan: plan.digest, by: name, at: now, until: until)
        let signature = try await signatures.sign(statement, key: key)
        return Approval(plan: plan.digest, by: name, at: now, until: until, signature: signature)
    }

    private static func refusal(
        _ plan: PlanFile, _ approvals: [Approval], after hours: Double = 0, isStart: Bool = true
    ) async throws -> String? {
        do {
            let gate = ApprovalGate(plan: plan, signatures: signatures, now: now.adding(seconds: hours * 3600))
            #expect(try await gate.check(approvals, isStart: isStart).count >= 2)
            return nil
        } catch let failure as CommandFailure {
            #expect(failure.status == .refused)
            return failure.message
        }
    }

    @Test func twoPeopleWithTheirOwnKeysLetAPlanRunAndTheirKeysAreNamed() async throws {
        let people = try People()
        try await people.make("anna", "ben")
        try people.allow([("anna", "anna"), ("ben", "ben")], options: "namespaces=\"geo-failover\" ")
        let plan = try Self.plan(people)
        let both = [
            try await Self.approval(plan, by: "anna", key: people.key("anna")),
            try await Self.approval(plan, by: "ben", key: people.key("ben")),
        ]
        let gate = ApprovalGate(plan: plan, signatures: Self.signatures, now: Self.now)
        let verified = try await gate.check(both, isStart: true)
        #expect(verified.map(\.approval) == both)
        #expect(Set(verified.map(\.key)).count == 2 && verified.allSatisfy { $0.key.hasPrefix("SHA256:") })
        // As a file that was carried from one machine to another.
        let path = ApprovalFile.path(of: people.folder + "/move.geoplan", by: "anna")
        try ApprovalFile.write(both[0], to: path)
        #expect(try ApprovalFile.beside(people.folder + "/move.geoplan").map(ApprovalFile.read) == [both[0]])
        #expect(try await Self.refusal(plan, [both[0]])?.contains("2 people have to approve it, and anna did") == true)
        #expect(try await Self.refusal(plan, [])?.contains("and nobody did") == true)
    }

    @Test func onePersonIsOneWhateverTheyCallThemselvesAndHoweverManyKeysTheyHave() async throws {
        let people = try People()
        try await people.make("anna", "second")
        try people.allow([("anna", "anna"), ("anna", "second"), ("ben", "anna")])
        let plan = try Self.plan(people)
        let first = try await Self.approval(plan, by: "anna", key: people.key("anna"))
        let again = try await Self.approval(plan, by: "anna", key: people.key("second"))
        let other = try await Self.approval(plan, by: "ben", key: people.key("anna"))
        #expect(try await Self.refusal(plan, [first, first])?.contains("and anna did") == true)
        #expect(
            try await Self.refusal(plan, [first, again])?.contains("anna approved twice, and is one person") == true)
        #expect(try await Self.refusal(plan, [first, other])?.contains("that is one person") == true)
    }

    @Test func aKeyThatIsNotInTheFileASignatureOfSomethingElseAndAChangedStatementCountForNothing() async throws {
        let people = try People()
        try await people.make("anna", "ben", "carl")
        try people.allow([("anna", "anna"), ("ben", "ben")])
        let (plan, another) = (try Self.plan(people), try Self.plan(people, created: 60))
        let anna = try await Self.approval(plan, by: "anna", key: people.key("anna"))
        let stranger = try await Self.approval(plan, by: "ben", key: people.key("carl"))
        #expect(try await Self.refusal(plan, [anna, stranger])?.contains("is not signed for this plan") == true)
        let elsewhere = try await Self.approval(another, by: "ben", key: people.key("ben"))
        #expect(
            try await Self.refusal(plan, [anna, elsewhere])?.contains(
                "ben approved plan \(another.digest.short), and this is \(plan.digest.short)") == true)
        var moved = elsewhere
        moved.plan = plan.digest
        #expect(try await Self.refusal(plan, [anna, moved])?.contains("is not signed for this plan") == true)
        var renamed = try await Self.approval(plan, by: "ben", key: people.key("ben"))
        renamed.until = renamed.until.adding(seconds: 3600)
        #expect(try await Self.refusal(plan, [anna, renamed])?.contains("is not signed for this plan") == true)
        renamed.by = "*"
        #expect(try await Self.refusal(plan, [anna, renamed])?.contains("names its signer") == true)
    }

    @Test func anApprovalEndsForARunThatBeginsAndNotForOneThatGoesOn() async throws {
        let people = try People()
        try await people.make("anna", "ben")
        try people.allow([("anna", "anna"), ("ben", "ben")])
        let plan = try Self.plan(people)
        let both = [
            try await Self.approval(plan, by: "anna", key: people.key("anna"), hours: 1),
            try await Self.approval(plan, by: "ben", key: people.key("ben")),
        ]
        #expect(try await Self.refusal(plan, both) == nil)
        #expect(try await Self.refusal(plan, both, after: 2)?.contains("the approval of anna ended at") == true)
        #expect(try await Self.refusal(plan, both, after: 2, isStart: false) == nil)
        #expect(try await Self.refusal(plan, both, after: -2)?.contains("which is to come") == true)
    }

    @Test func aFileThatOthersCanWriteToSaysNothing() async throws {
        let people = try People()
        try await people.make("anna", "ben")
        try people.allow([("anna", "anna"), ("ben", "ben")])
        let plan = try Self.plan(people)
        let both = [
            try await Self.approval(plan, by: "anna", key: people.key("anna")),
            try await Self.approval(plan, by: "ben", key: people.key("ben")),
        ]
        for mode in [0o666, 0o620] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: people.signers)
            #expect(try await Self.refusal(plan, both)?.contains("can be written to by others") == true)
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: people.signers)
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: people.folder)
        #expect(try await Self.refusal(plan, both)?.contains("can be written to by others") == true)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: people.folder)
        #expect(try await Self.refusal(plan, both) == nil)
        try FileManager.default.removeItem(atPath: people.signers)
        #expect(try await Self.refusal(plan, both)?.contains("is not there") == true)
    }

    @Test func withoutSshKeygenNothingRunsAndItIsSaidWhatToInstall() async throws {
        let people = try People()
        try await people.make("anna")
        try people.allow([("anna", "anna")])
        let plan = try Self.plan(people, asksFor: 1)
        let one = try await Self.approval(plan, by: "anna", key: people.key("anna"))
        let missing = Signatures(
            programs: LocalPrograms { _, _, _ in .init(status: 127, output: [], isTimedOut: false) })
        await #expect(throws: CommandFailure.self) {
            try await ApprovalGate(plan: plan, signatures: missing, now: Self.now).check([one], isStart: true)
        }
        await #expect(throws: CommandFailure.self) { try await missing.sign("x", key: people.key("anna")) }
    }

    /// What both signed was a failover that loses nothing; one of them alone cannot make another of it.
    @Test func whatIsGivenUpInTheMiddleNeedsTheSignaturesOfBothForExactlyThat() async throws {
        let people = try People()
        try await people.make("anna", "ben")
        try people.allow([("anna", "anna"), ("ben", "ben")])
        let plan = try Self.plan(people)
        let words = try #require(Approval.words(givingUp: "the hall\n burned", attesting: ["tokyo-pg-1=plug pulled"]))
        #expect(words == "unplanned: the hall burned; attest: tokyo-pg-1=plug pulled")
        #expect(Approval.words(givingUp: nil, attesting: []) == nil)
        func signed(_ name: String, _ words: String?) async throws -> Approval {
            let until = Self.now.adding(seconds: 3600)
            let statement = Approval.statement(plan: plan.digest, by: name, at: Self.now, until: until, words: words)
            let signature = try await Self.signatures.sign(statement, key: people.key(name))
            return Approval(
                plan: plan.digest, by: name, at: Self.now, until: until, signature: signature, words: words)
        }
        let plain = [try await signed("anna", nil), try await signed("ben", nil)]
        let gate = ApprovalGate(plan: plan, signatures: Self.signatures, now: Self.now)
        let failure = await #expect(throws: CommandFailure.self) {
            try await gate.check(plain, isStart: true, words: words)
        }
        #expect(failure?.message.contains("and nobody did") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("--words 'unplanned: the hall burned; attest:") == true)
        let other = plain + [try await signed("anna", words), try await signed("ben", words + ".")]
        await #expect(throws: CommandFailure.self) { try await gate.check(other, isStart: true, words: words) }
        let both = other + [try await signed("ben", words)]
        #expect(try await gate.check(both, isStart: true, words: words).map(\.approval.by) == ["anna", "ben"])
        // Nor do words stand for the plan.
        let only = both.filter { $0.words != nil }
        await #expect(throws: CommandFailure.self) { try await gate.check(only, isStart: true) }
        var moved = plain[0]
        moved.words = words
        await #expect(throws: CommandFailure.self) {
            try await gate.check([moved, both.last ?? moved], isStart: true, words: words)
        }
        #expect(ApprovalFile.path(of: "p", by: "anna") != ApprovalFile.path(of: "p", by: "anna", words: words))
    }

    @Test func theWayBackNeedsNobody() throws {
        let people = try People()
        let plan = try Self.plan(people)
        #expect(AbortPlanner.inventory(plan.plan).approvals == nil)
    }
}
