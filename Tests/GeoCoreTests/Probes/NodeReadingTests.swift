import GeoCore
import Testing

private typealias Saying = RecordedAnswer.Saying

/// Readers of single probes, on the texts that the real programs print.
struct NodeReadingTests {
    @Test(arguments: [
        (
            "run: postgresql: (pid 39) 207s; run: log: (pid 38) 207s", 0,
            ServiceState(name: "postgresql", state: .running, seconds: 207)
        ),
        (
            "down: puma: 1s, normally up; run: log: (pid 43) 268s", 3,
            ServiceState(name: "puma", state: .down, seconds: 1)
        ),
        (
            "down: puma: 1s, normally up, want up; run: log: (pid 43) 268s", 6,
            ServiceState(name: "puma", state: .down, seconds: 1, isChanging: true)
        ),
        (
            "run: gitaly: (pid 75) 33s, want down, got TERM; run: log: (pid 3) 4s", 0,
            ServiceState(name: "gitaly", state: .running, seconds: 33, isChanging: true)
        ),
        (
            "run: geo-logcursor: (pid 75) 33s, normally down", 0,
            ServiceState(name: "geo-logcursor", state: .running, seconds: 33)
        ),
        (
            "finish: redis: (pid 75) 2s; run: log: (pid 3) 4s", 3,
            ServiceState(name: "redis", state: .down, seconds: 2, isChanging: true)
        ),
        ("fail: postgresql: runsv not running", 1, ServiceState(name: "postgresql", state: .unsupervised)),
    ])
    func statusLineIsAService(line: String, status: Int, expected: ServiceState) {
        let facts = RecordedAnswer.facts(.services, ["services": Saying(output: line + "\n", status: status)])
        #expect(facts.services.value == [expected])
    }

    @Test(arguments: [
        ("", "", 0, "gitlab-ctl status listed no service"),
        ("", "", 124, "gitlab-ctl status did not answer within 20 s"),
        ("run: puma: (pid 1) 2s", "", 137, "gitlab-ctl status did not answer within 20 s"),
        ("run: puma: (pid x) 2s", "", 0, "gitlab-ctl status: \"run: puma: (pid x) 2s\""),
        ("run: puma: (pid 1) 2s, dreaming", "", 0, "gitlab-ctl status: \"run: puma: (pid 1) 2s, dreaming\""),
        ("down: puma: 5s", "", 0, "gitlab-ctl status contradicts its exit status 0"),
        ("run: puma: (pid 1) 2s\nrun: puma: (pid 1) 2s", "", 0, "gitlab-ctl status names puma twice"),
        (
            "warning: gitlab-workhorse: unable to open supervise/ok: access denied", "", 16,
            "gitlab-ctl status needs root"
        ),
        ("", "sudo: a password is required", 1, "sudo asks for a password"),
        (
            "", "Sorry, user geo-ops is not allowed to execute '/usr/bin/timeout' as root on x.", 1,
            "sudo does not allow"
        ),
        ("", "/usr/bin/timeout: failed to run command", 127, "/opt/gitlab/bin/gitlab-ctl cannot be run on the node"),
    ])
    func oddStatusIsUnknownAndSaysWhy(output: String, complaint: String, status: Int, reason: String) {
        let facts = RecordedAnswer.facts(
            .services, ["services": Saying(output: output, complaint: complaint, status: status)])
        #expect(facts.services.reason?.hasPrefix(reason) == true, "\(facts.services)")
    }

    @Test func floodIsUnknown() {
        let flood = String(repeating: "run: puma: (pid 1) 2s\n", count: 5_000)
        let facts = RecordedAnswer.facts(.services, ["services": Saying(output: flood, status: 141)])
        #expect(facts.services == .unknown(reason: "gitlab-ctl status answered with more than 16384 bytes"))
    }

    @Test func reasonQuotesShortPrintableText() {
        let garbage = "\u{1B}[31mbad\u{0}\"quoted\"\r\n" + String(repeating: "x", count: 500)
        let reason = RecordedAnswer.facts(.version, ["version": Saying(output: garbage)]).gitlabVersion.reason ?? ""
        #expect(reason.utf8.count < 200)
        #expect(reason.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F })
    }

    @Test(arguments: [
        ("0\n", "", 0, Observed<Bool>.known(value: true, at: RecordedAnswer.visitStart, from: "seoul-all-1")),
        ("1000\n", "", 0, .known(value: false, at: RecordedAnswer.visitStart, from: "seoul-all-1")),
        (
            "", "sudo: a password is required", 1,
            .known(value: false, at: RecordedAnswer.visitStart, from: "seoul-all-1")
        ),
        ("root\n", "", 0, .unknown(reason: "id -u: \"root\"")),
    ])
    func privilegesAreWhatRan(output: String, complaint: String, status: Int, expected: Observed<Bool>) {
        let saying = Saying(output: output, complaint: complaint, status: status)
        #expect(RecordedAnswer.facts(.privileges, ["privileges": saying]).privileges == expected)
    }

    @Test(
        arguments: [
            ("gitlab-ee 19.3.0-ee.0\n", 0, "19.3.0-ee.0", nil),
            // The first line of the manifest in older packages.
            ("gitlab-ee 14.5.0-ee.0\n", 0, "14.5.0-ee.0", nil), ("gitlab-ee 15.11.13-ee.0\n", 0, "15.11.13-ee.0", nil),
            ("gitlab-ee 16.11.10-ee.0\n", 0, "16.11.10-ee.0", nil), ("gitlab-ee 17.7.7-ee.0\n", 0, "17.7.7-ee.0", nil),
            ("gitlab-ce 19.3.0-ce.0\n", 0, nil, "this is GitLab CE"),
            ("", 1, nil, "head exited"), ("gitlab-ee", 0, nil, "not a version manifest"),
        ] as [(String, Int, String?, String?)])
    func versionIsOfTheEnterpriseEdition(output: String, status: Int, version: String?, reason: String?) {
        let found = RecordedAnswer.facts(.version, ["version": Saying(output: output, status: status)]).gitlabVersion
        #expect(found.value == version)
        #expect(reason.map { found.reason?.hasPrefix($0) == true } ?? true, "\(found)")
    }

    @Test(
        arguments: [
            ("enabled\n", 0, true), ("disabled\n", 1, false), ("masked\n", 1, false), ("static\n", 0, nil),
            // Whether it starts when that mask has gone is hidden.
            ("masked-runtime\n", 1, nil), ("", 1, nil),
            ("not-found\n", 4, nil), ("enabled-runtime\n", 0, nil),
        ] as [(String, Int, Bool?)])
    func startAtBootIsWhatSystemdSays(output: String, status: Int, expected: Bool?) {
        #expect(
            RecordedAnswer.facts(.boot, ["boot": Saying(output: output, status: status)]).startsAtBoot.value == expected
        )
    }

    @Test(arguments: [("enabled\n", 0, false), ("disabled\n", 1, false), ("masked\n", 1, true), ("static\n", 0, nil)])
    func onlyAMaskThatOutlivesABootIsOne(output: String, status: Int, expected: Bool?) {
        #expect(
            RecordedAnswer.facts(.boot, ["boot": Saying(output: output, status: status)]).isBootMasked.value == expected
        )
    }

    @Test(arguments: [
        (1, 23_553, AttributeFile.good), (0, 38, .stub), (0, 23_553, .stub),
        // The key is there already, the rest is not.
        (1, 900, .stub),
    ])
    func attributeFileIsGoodOnlyWhole(count: Int, size: Int, expected: AttributeFile) {
        let facts = RecordedAnswer.facts(
            .attributes,
            [
                "attributes": Saying(
                    output: "/opt/gitlab/embedded/nodes/a.lab.json:\(count)\n", status: count > 0 ? 0 : 1),
                "configuration-times": Self.listed(["\(size) 1795100000 a.lab.json"]),
                "identity": Saying(output: "a.lab\n", status: 1),
            ])
        #expect(facts.attributeFile.value == expected)
    }

    @Test func attributeFileOfTheNodesOwnNameWinsOverTheNewest() {
        func found(_ name: String) -> AttributeFile? {
            RecordedAnswer.facts(
                .attributes,
                [
                    "attributes": Saying(
                        output: "/opt/gitlab/embedded/nodes/new.json:0\n/opt/gitlab/embedded/nodes/a.json:1\n"),
                    "configuration-times": Self.listed(["38 1795100000 new.json", "9999 1793100000 a.json"]),
                    "identity": Saying(output: name + "\n"),
                ]
            ).attributeFile.value
        }
        #expect(found("a") == .good)
        #expect(found("other") == .stub)
    }

    @Test func noAttributeFileIsMissing() {
        let gone = "/bin/ls: cannot access '/opt/gitlab/embedded/nodes': No such file or directory"
        for times in [Self.listed([]), Saying(output: "", complaint: gone, status: 2)] {
            let facts = RecordedAnswer.facts(
                .attributes,
                [
                    "attributes": Saying(output: "", status: 1), "configuration-times": times,
                    "identity": Saying(output: "a.lab\n"),
                ])
            #expect(facts.attributeFile.value == .missing)
        }
    }

    /// The directory of the attributes as `ls -lnt` lists it: size, time and name of each file, the newest first.
    private static func listed(_ files: [String]) -> Saying {
        let lines = files.map { "-rw------- 1 0 0 \($0)\n" }.joined()
        return Saying(output: "\n/opt/gitlab/embedded/nodes:\ntotal 8\n\(lines)")
    }

    @Test func aListWithoutTheDirectoryIsNoAnswer() {
        for (complaint, status) in [("", 0), ("/bin/ls: /etc/gitlab/gitlab.rb: No such file or directory", 2)] {
            let facts = RecordedAnswer.facts(
                .attributes,
                [
                    "attributes": Saying(output: "", status: 1),
                    "configuration-times": Saying(output: "", complaint: complaint, status: status),
                    "identity": Saying(output: "a.lab\n"),
                ])
            #expect(facts.attributeFile.reason?.contains("ls -lnt") == true, "\(facts.attributeFile)")
        }
    }

    @Test(
        arguments: [
            ("", "", 0, ClusterFile.empty),
            (
                "{\"geo_secondary\":{\"enable\":false}}\n", "", 0,
                .valid(text: "{\"geo_secondary\":{\"enable\":false}}\n")
            ),
            ("{\"geo_sec", "", 0, .invalid(text: "{\"geo_sec")), ("[]", "", 0, .invalid(text: "[]")),
            ("", "cat: /etc/gitlab/gitlab-cluster.json: No such file or directory", 1, .absent),
            ("", "cat: /etc/gitlab/gitlab-cluster.json: Permission denied", 1, nil),
            ("", "sudo: a password is required", 1, nil), ("", "", 1, nil),
        ] as [(String, String, Int, ClusterFile?)])
    func clusterFileIsAbsentOnlyWhenSaidSo(output: String, complaint: String, status: Int, expected: ClusterFile?) {
        let saying = Saying(output: output, complaint: complaint, status: status)
        #expect(RecordedAnswer.facts(.clusterFile, ["cluster-file": saying]).clusterFile.value == expected)
    }

    @Test(
        arguments: [
            ("", 1, []),
            (
                "812 ruby /opt/gitlab/embedded/bin/omnibus-ctl gitlab geo promote --force\n", 0,
                ["ruby /opt/gitlab/embedded/bin/omnibus-ctl gitlab geo promote --force"]
            ),
            ("", 0, nil), ("", 2, nil), ("812 cinc-client\n", 1, nil), ("cinc-client\n", 0, nil),
        ] as [(String, Int, [String]?)])
    func noChangeRunsOnlyWhenPgrepSaysSo(output: String, status: Int, expected: [String]?) {
        let saying = Saying(output: output, status: status)
        #expect(RecordedAnswer.facts(.changesRunning, ["changes-running": saying]).changesRunning.value == expected)
    }

    @Test func secretsDigestSaysWhenItIsOfBytes() {
        let digest = String(repeating: "0a", count: 32)
        let noRuby = Saying(output: "", complaint: "failed to run command", status: 127)
        let bytes = RecordedAnswer.facts(
            .secrets,
            ["secrets": noRuby, "secrets-bytes": Saying(output: digest + "  /etc/gitlab/gitlab-secrets.json\n")])
        #expect(bytes.secretsDigest.value == "bytes:" + digest)
        let missing = Saying(output: "", complaint: "sha256sum: x: No such file or directory", status: 1)
        let none = RecordedAnswer.facts(.secrets, ["secrets": noRuby, "secrets-bytes": missing])
        #expect(none.secretsDigest == .unknown(reason: "/etc/gitlab/gitlab-secrets.json is missing"))
    }

    @Test func portsComeFromTheKernelWithoutSS() {
        let listed = """
            proc 00000000:0016
            proc 0100007F:1F90
            proc 00000000000000000000000000000000:01BB
            proc 0000000000000000FFFF00000100007F:0050
            proc 00000000000000000000000001000000:0019

            """
        let facts = RecordedAnswer.facts(
            .ports, ["ports": Saying(output: "", status: 127), "ports-proc": Saying(output: listed)])
        #expect(facts.listeningPorts.value == [22, 443])
        let odd = RecordedAnswer.facts(.ports, ["ports": Saying(output: "ESTAB 0 0 1.2.3.4:5 6.7.8.9:1\n")])
        #expect(odd.listeningPorts.value == nil)
    }
}
