import GeoCore
import Testing

/// What nodes say of their machine, configuration and certificate: known texts, odd ones, and ones that say nothing.
@Suite struct SurroundingReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    private func configuration(
        times: String = RecordedAnswer.configurationTimes, complaint: String = "", status: Int = 0, names: String
    ) -> Observed<ConfigurationFacts> {
        RecordedAnswer.facts(
            .configuration,
            [
                "configuration-times": Saying(output: times, complaint: complaint, status: status),
                "configuration-names": Saying(output: names, status: names.isEmpty ? 1 : 0),
            ]
        ).configuration
    }

    @Test(
        arguments: [
            ("gitlab_rails['geo_node_name'] = 'tokyo'\n", .text(value: "tokyo")),
            ("  gitlab_rails[\"geo_node_name\"]=\"to kyo\"  # ours\n", .text(value: "to kyo")),
            ("gitlab_rails['geo_node_name'] = 'a'\ngitlab_rails['geo_node_name'] = 'b'\n", .text(value: "b")),
            ("gitlab_rails['geo_node_name'] = ENV['SITE']\n", .computed),
            ("gitlab_rails['geo_node_name'] = \"site-#{number}\"\n", .computed),
            ("gitlab_rails['geo_node_name'] = 'a' + 'b'\n", .computed),
            ("gitlab_rails['geo_node_name'] = ''\n", .computed),
            ("gitlab_rails['geo_node_name'] = 'never ends\n", .computed),
            ("", .absent),
        ] as [(String, ConfigurationFacts.Setting)])
    func aSiteNameIsReadOnlyWhereItIsPlain(names: String, expected: ConfigurationFacts.Setting) {
        #expect(configuration(names: names).value?.nodeName == expected)
    }

    @Test(arguments: ["external_url 'https://x'\n", "external_url('https://x')\n", "external_url \"https://x\";\n"])
    func anExternalURLIsReadInAllItsSpellings(names: String) {
        #expect(configuration(names: names).value?.externalURL == .text(value: "https://x"))
    }

    @Test func aNodeThatWasNeverReconfiguredHasNoTime() throws {
        let times = "-rw------- 1 0 0 2013 1795000000 /etc/gitlab/gitlab.rb\n"
        let missing = "/bin/ls: cannot access '/opt/gitlab/embedded/nodes': No such file or directory\n"
        let facts = try #require(configuration(times: times, complaint: missing, status: 2, names: "").value)
        #expect(facts.reconfiguredAt == nil && facts.secretsChangedAt == nil)
        #expect(facts.changedAt == Timestamp(milliseconds: 1_795_000_000_000))
    }

    @Test(arguments: [
        (
            "/opt/gitlab/embedded/nodes:\ntotal 0\n", 2,
            "/bin/ls: cannot access '/etc/gitlab/gitlab.rb': No such file or directory", "is missing"
        ),
        ("-rw------- 1 0 0 2013 yesterday /etc/gitlab/gitlab.rb\n", 0, "", "ls -ln"),
        ("-rw------- 1 0 0 2013 99999999999 /etc/gitlab/gitlab.rb\n", 0, "", "ls -ln"),
        ("garbage\n", 0, "", "ls -ln"), ("", 0, "", "ls -ln"), ("/opt/gitlab/embedded/nodes:\n", 0, "", "is missing"),
        ("", 1, "sudo: a password is required", "sudo asks for a password"),
    ])
    func oddTimesAreUnknown(output: String, status: Int, complaint: String, reason: String) {
        let found = configuration(times: output, complaint: complaint, status: status, names: "")
        #expect(found.reason?.contains(reason) == true, "\(found)")
    }

    @Test func aCertificateIsReadWithItsNamesAndDates() throws {
        let facts = RecordedAnswer.facts(.certificate, ["certificate": Saying(output: RecordedAnswer.certificate)])
        let certificate = try #require(facts.certificate.value)
        #expect(certificate.names == ["seoul.example.com", "*.pages.example.com", "10.77.2.10"])
        #expect(certificate.notAfter == Timestamp("2027-02-14T12:00:00Z"))
        #expect(certificate.notBefore == Timestamp("2026-11-01T00:00:00Z"))
        #expect(certificate.covers("SEOUL.example.com") && certificate.covers("docs.pages.example.com"))
        for other in ["example.com", "a.b.pages.example.com", ".pages.example.com", "pages.example.com", ""] {
            #expect(!certificate.covers(other), "\(other)")
        }
    }

    @Test(arguments: [
        ("", 1, "nothing answers TLS"), ("subject=x\n", 0, "openssl x509"),
        ("notBefore=Nov 1 00:00:00 2026 GMT\nnotAfter=Feb 30 12:00:00 2027 GMT\n", 0, "dates"),
        ("notBefore=Nov 1 00:00:00 2026 GMT\nnotAfter=Brumaire 1 12:00:00 2027 GMT\n", 0, "dates"),
        ("notBefore=\nnotAfter=\n", 0, "dates"), ("\u{0}", 0, "did not answer with text"),
    ])
    func anOddCertificateIsUnknown(output: String, status: Int, reason: String) {
        let found = RecordedAnswer.facts(.certificate, ["certificate": Saying(output: output, status: status)])
        #expect(found.certificate.reason?.contains(reason) == true, "\(found.certificate)")
    }

    @Test(arguments: [
        "", "processors 0\nmemory 1\nlibc\nsystem x\npuma 0\nsidekiq 0\n", "processors 8\nmemory 9\n",
        "processors 8\nprocessors 9\nmemory 1\nlibc\nsystem x\npuma 0\nsidekiq 0\n",
        "processors 8\nmemory 99999999999999999999\nlibc\nsystem x\npuma 0\nsidekiq 0\n",
        "processors 8\nmemory -1\nlibc\nsystem x\npuma 0\nsidekiq 0\n",
    ])
    func anOddMachineIsUnknown(output: String) {
        #expect(RecordedAnswer.facts(.machine, ["machine": Saying(output: output)]).machine.value == nil)
    }

    @Test func aMachineWithAnotherCLibraryHasNoVersionOfIt() throws {
        let output = "processors 8\nmemory 1024\nlibc \nsystem alpine 3\npuma 0\nsidekiq 0\n"
        let facts = RecordedAnswer.facts(.machine, ["machine": Saying(output: output)])
        let machine = try #require(facts.machine.value, "\(facts.machine)")
        #expect(machine.glibc == nil && machine.memoryBytes == 1 << 20 && machine.system == "alpine 3")
    }

    @Test(arguments: ["", "latest\n", "2026061809301_x.rb\n", "20260618093011a_x.rb\n"])
    func anOddMigrationIsUnknown(output: String) {
        let found = RecordedAnswer.facts(.trackingSchema, ["tracking-schema": Saying(output: output)])
        #expect(found.trackingSchema.value == nil)
    }

    @Test func whatTheServerItselfSaidIsTheReason() {
        let said =
            "psql: error: connection to server on socket \"/var/opt/gitlab/postgresql/.s.PGSQL.5432\" failed: FATAL:  "
            + "the database system is not accepting connections\nDETAIL:  Hot standby mode is disabled.\n"
        let facts = RecordedAnswer.facts(.database, ["sql-main": Saying(output: "", complaint: said, status: 2)])
        #expect(facts.database.reason?.contains("Hot standby mode is disabled") == true, "\(facts.database)")
    }
}
