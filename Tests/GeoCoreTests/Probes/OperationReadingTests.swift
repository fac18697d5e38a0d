import Foundation
import GeoCore
import Testing

/// Consul's members, trusted certificates, backups and cron jobs: known texts, odd ones, and real shells.
@Suite struct OperationReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    @Test func membersOfConsulAreReadByTheirHeadings() throws {
        let facts = try #require(
            RecordedAnswer.facts(.consul, ["consul": .init(output: RecordedAnswer.consulMembers)]).consul.value)
        #expect(facts.members.count == 4 && facts.servers.map(\.status) == ["alive", "failed", "alive"])
        // Consul 1.6, which GitLab 14 has, knows no partitions.
        let old = """
            Node      Address         Status  Type    Build  Protocol  DC             Segment
            consul-1  10.0.0.1:8301   alive   server  1.6.10  2         gitlab_consul  <all>
            consul-2  10.0.0.2:8301   left    server  1.6.10  2         gitlab_consul  <all>

            """
        let found = RecordedAnswer.facts(.consul, ["consul": .init(output: old)]).consul.value
        #expect(found?.members.count == 2 && found?.servers.map(\.name) == ["consul-1"])
    }

    @Test(arguments: [
        ("", 0, "consul members"), ("Node Address Status Type\n", 0, "nobody is a member"),
        ("Node Address Status Type\nx 1:2 alive king\n", 0, "consul members"),
        ("Node Address Status Type\nx 1:2 asleep server\n", 0, "consul members"),
        ("Node Address Status Type\nx\n", 0, "consul members"),
        ("Error retrieving members: connection refused\n", 1, "consul"),
    ])
    func oddMembersAreUnknown(output: String, status: Int, reason: String) {
        let found = RecordedAnswer.facts(.consul, ["consul": .init(output: output, status: status)]).consul
        #expect(found.reason?.contains(reason) == true, "\(found)")
    }

    @Test(arguments: [
        ("none\n", [String]?.some([])), ("all\n", []), ("other README\nall\n", []), ("", nil), ("none\nall\n", nil),
        ("SHA256 Fingerprint=A1\nall\n", nil), ("\(String(repeating: "A1:", count: 31))A1\nall\n", nil),
        ("sha256 Fingerprint=\(String(repeating: "A1:", count: 31))A1\nall\n", [String(repeating: "a1", count: 32)]),
        ("sha256 Fingerprint=\(String(repeating: "A1:", count: 31))A1\n", nil),
    ])
    func certificatesAreTrustedOnlyWhereTheListIsWhole(output: String, expected: [String]?) {
        let found = RecordedAnswer.facts(.trustedCertificates, ["trusted-certificates": .init(output: output)])
        #expect(found.trustedCertificates.value == expected, "\(found.trustedCertificates)")
    }

    @Test func backupsAreArchivesByTheirNames() throws {
        let facts = RecordedAnswer.facts(.backups, ["backups": .init(output: RecordedAnswer.backups)]).backups.value
        #expect(facts == BackupFacts(count: 2, newestAt: Timestamp(milliseconds: 1_795_100_000_000)))
        let missing = Saying(
            output: "", complaint: "/bin/ls: cannot access '/var/opt/gitlab/backups': No such file or directory\n",
            status: 2)
        #expect(RecordedAnswer.facts(.backups, ["backups": missing]).backups.value?.count == 0)
        for odd in ["-rw------- 1 0 0 1 soon x_gitlab_backup.tar\n", "nonsense\n"] {
            #expect(RecordedAnswer.facts(.backups, ["backups": .init(output: odd)]).backups.value == nil)
        }
        let refused = Saying(output: "", complaint: "sudo: a password is required\n", status: 1)
        #expect(RecordedAnswer.facts(.backups, ["backups": refused]).backups.reason?.contains("sudo") == true)
    }

    @Test(arguments: [
        ("{}\n", [String: String]?.some([:])), ("{\"a\":\"enabled\"}\n", ["a": "enabled"]),
        ("{\"a\":false}\n", nil), ("{\"a\":\"asleep\"}\n", nil), ("(error) NOAUTH\n", nil), ("", nil),
    ])
    func aCronJobWithoutAStateIsUnknown(output: String, expected: [String: String]?) {
        #expect(RecordedAnswer.facts(.cronStates, ["cron-states": .init(output: output)]).cronStates.value == expected)
    }

    @Test func aChainThatIsNotTrustedSaysSoInOpenSSLsWords() {
        func read(_ line: String) -> Observed<ServedCertificate> {
            let text = RecordedAnswer.certificate.replacing("Verify return code: 0 (ok)", with: line)
            return RecordedAnswer.facts(.certificate, ["certificate": .init(output: text)]).certificate
        }
        #expect(read("Verify return code: 0 (ok)").value?.mistrust == nil)
        let words = "21 (unable to verify the first certificate)"
        #expect(read("    Verify return code: \(words)").value?.mistrust == words)
        #expect(read("").value == nil)
    }

    /// The real programs, where they are: a self-signed certificate that somebody trusts, and a file that is none.
    @Test(arguments: FakeNode.shells) func theShellTellsTrustedCertificates(shell: [String]) throws {
        let node = try FakeNode()
        let etc = node.directory.path + "/etc"
        let script = RecordedAnswer.script([.trustedCertificates])
        func look() throws -> Observed<[String]> {
            let text = script.text.replacing("/etc/gitlab", with: etc)
            return RecordedAnswer.facts(try node.run(text, shell: shell), script, elapsedMilliseconds: 60_000)
                .trustedCertificates
        }
        #expect(try look().value == nil, "GitLab's directory is not there")
        _ = try node.run("mkdir '\(etc)'", shell: shell)
        #expect(try look().value == [])
        _ = try node.run(
            """
            mkdir '\(etc)/trusted-certs' && cd '\(etc)/trusted-certs' && echo hello >README && \
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -out own.crt \
            -subj /CN=own 2>/dev/null
            """, shell: shell)
        #expect(try look().value?.count == 1)
    }
}
