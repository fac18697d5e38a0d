import GeoCore
import GeoTestSupport
import Testing

/// What a plan shows of files that hold passwords, and what it makes of files that operators keep ready.
@Suite struct ConfigurationChangeTests {
    @Test(arguments: [
        ("gitlab_rails['db_password'] = 'hunter2'", "gitlab_rails['db_password'] = [hidden]"),
        ("gitlab_rails['smtp_password']='hunter2' # hunter2", "gitlab_rails['smtp_password'] = [hidden]"),
        ("# the old one was hunter2", "# [hidden]"), ("    password: 'hunter2'", "[hidden]"),
        ("geo_secondary['db_host'] = '10.1.0.51'", "geo_secondary['db_host'] = '10.1.0.51'"),
        ("geo_secondary['db_host'] = '10.1.0.51' # hunter2!", "geo_secondary['db_host'] = [hidden]"),
        ("geo_secondary[\"enable\"] = true", "geo_secondary[\"enable\"] = true"),
        ("puma['worker_processes'] = 4", "puma['worker_processes'] = 4"),
        ("gitlab_rails['redis_host'] = 'redis://:hunter2@10.1.0.41'", "gitlab_rails['redis_host'] = [hidden]"),
        (
            "gitlab_rails['object_store']['connection'] = { 'aws_secret_access_key' => 'hunter2' }",
            "gitlab_rails['object_store']['connection'] = [hidden]"
        ),
        ("gitlab_rails['ldap_servers'] = YAML.load <<-'EOS'", "gitlab_rails['ldap_servers'] = [hidden]"),
        ("gitlab_rails['otp_key_base'] = 12345", "gitlab_rails['otp_key_base'] = [hidden]"),
        ("external_url 'https://user:hunter2@example.com'", "external_url [hidden]"),
        ("external_url 'https://example.com' # hunter2", "external_url [hidden]"),
        ("roles ['a'] # hunter2", "roles [hidden]"),
        ("gitlab_rails['smtp_pass'] = 12345", "gitlab_rails['smtp_pass'] = [hidden]"),
        ("gitlab_rails['DB_PASSWORD'] = 12345", "gitlab_rails['DB_PASSWORD'] = [hidden]"),
        ("external_url 'https://example.com'", "external_url 'https://example.com'"),
        ("from_file '/etc/gitlab/geo.rb'", "from_file '/etc/gitlab/geo.rb'"), ("hunter2", "[hidden]"),
        ("x['a' + hunter2] = true", "[hidden]"), ("x['host'] == 'hunter2'", "[hidden]"), ("", ""),
        (
            "gitlab_rails['db_host'] = 'a'; gitlab_rails['db_password'] = 'hunter2'",
            "gitlab_rails['db_host'] = [hidden]"
        ),
    ])
    func onlyWhatIsKnownToBeHarmlessIsShown(line: String, shown: String) {
        #expect(ConfigurationText.hidden(line) == shown)
    }

    private static func change(_ old: String?, _ new: String) -> [String] {
        ConfigurationChange(node: "a", path: .main, from: old.map { Array($0.utf8) }, to: Array(new.utf8)).lines
    }

    @Test func aDifferenceHasEachLineInItsPlaceAndTellsThatASecretChanged() {
        let old = "puma['port'] = 1\ngitlab_rails['db_password'] = 'a'\nroles ['x']\n"
        let new = "puma['port'] = 2\ngitlab_rails['db_password'] = 'b'\nroles ['x']\npuma['enable'] = true\n"
        #expect(
            Self.change(old, new) == [
                "- puma['port'] = 1", "- gitlab_rails['db_password'] = [hidden]", "+ puma['port'] = 2",
                "+ gitlab_rails['db_password'] = [hidden]", "+ puma['enable'] = true",
            ])
        #expect(Self.change(nil, "roles ['x']\n") == ["+ roles ['x']"])
        #expect(Self.change("roles ['x']", "roles ['x']\n") == [])
    }

    @Test(arguments: [
        ("from_file '/etc/gitlab/geo.rb'", true), ("  from_file \"/etc/gitlab/geo.rb\" # ours", true),
        ("Dir['/etc/gitlab/*.rb'].each { |f| from_file f }", true), ("# from_file '/etc/gitlab/geo.rb'", false),
        ("from_file '/etc/gitlab/geo.rb.old'", false), ("from_file '/etc/gitlab/other.rb'", false),
    ])
    func aFileCountsOnlyWhereGitlabRbLoadsIt(line: String, isLoaded: Bool) throws {
        let path = try #require(ConfigurationPath("/etc/gitlab/geo.rb"))
        let digest = Digest(of: [1])
        let observation = Self.observation([line], files: [path.text: digest])
        #expect(
            (Self.verdict("node.secondary-configured", observation, path, digest) == .pass) == isLoaded)
    }

    private static func observation(
        _ lines: [String], files: [String: Digest], isOn: Bool = true
    ) -> Observation {
        var observation = Fixtures.returned()
        observation.put(\.geoSettings, lines, on: "seoul-geo-1")
        observation.put(\.configurationFiles, files, on: "seoul-geo-1")
        observation.put(\.appliedSettings, Fixtures.appliedSettings(isOn: isOn), on: "seoul-geo-1")
        return observation
    }

    private static func verdict(
        _ check: CheckID, _ observation: Observation, _ path: ConfigurationPath?, _ digest: Digest?,
        trouble: String? = nil
    ) -> Verdict {
        var inventory = Fixtures.inventory()
        let source: ConfigurationSource =
            path.map {
                .file(ConfigurationFile(content: .file(path: "geo.rb"), path: $0, digest: digest, trouble: trouble))
            } ?? .managed
        inventory.sites[1].secondaryConfiguration = [ComponentConfiguration(component: .trackingDB, source: source)]
        let context = CheckContext(
            inventory: inventory, subject: .node(id: "seoul-geo-1"), from: Fixtures.tokyo, to: Fixtures.seoul)
        return CheckCatalog.check(check)?.findings(context, observation).worst ?? .unknown
    }

    @Test func whatIsNotTheFileOfTheInventoryIsNoSecondarysConfiguration() throws {
        let path = try #require(ConfigurationPath("/etc/gitlab/geo.rb"))
        let digest = Digest(of: [1])
        let lines = ["from_file '/etc/gitlab/geo.rb'"]
        let (editable, configured): (CheckID, CheckID) = ("node.secondary-editable", "node.secondary-configured")
        for files in [[:], [path.text: Digest(of: [2])]] {
            let observation = Self.observation(lines, files: files)
            #expect(Self.verdict(configured, observation, path, digest) == .fail)
            #expect(Self.verdict(editable, observation, path, digest) == .pass)
        }
        let there = Self.observation(lines, files: [path.text: digest])
        #expect(Self.verdict(configured, there, path, digest) == .pass)
        // What cannot be read here is found out before anything is touched.
        #expect(Self.verdict(editable, there, path, nil, trouble: "no such file") == .fail)
        #expect(Self.verdict(editable, there, path, nil) == .fail)
        // gitlab.rb itself needs nobody to load it.
        let whole = Self.observation([], files: [ConfigurationPath.main.text: digest])
        #expect(Self.verdict(configured, whole, .main, digest) == .pass)
        var silent = there
        silent.change("seoul-geo-1") { $0.configurationFiles = .unknown(reason: "sudo") }
        #expect(Self.verdict(configured, silent, path, digest) == .unknown)
    }

    /// Whoever wrote it: what the last reconfigure was told shows whether it is in force.
    @Test func whatConfigurationManagementWritesIsProvedByTheReconfigure() {
        let (configured, applied): (CheckID, CheckID) = ("node.secondary-configured", "node.secondary-applied")
        #expect(
            Self.verdict(configured, Self.observation(["geo_postgresql['enable'] = false"], files: [:]), nil, nil)
                == .fail)
        #expect(
            Self.verdict(configured, Self.observation(["roles ['geo_primary_role']"], files: [:]), nil, nil) == .fail)
        #expect(Self.verdict(configured, Self.observation([], files: [:]), nil, nil) == .pass)
        #expect(Self.verdict(applied, Self.observation([], files: [:]), nil, nil) == .pass)
        #expect(Self.verdict(applied, Self.observation([], files: [:], isOn: false), nil, nil) == .fail)
    }

    @Test(arguments: [
        ([UInt8]("a\n\n \n".utf8), "a\n" as String?), (Array("a".utf8), "a\n"), ([], nil), (Array(" \n".utf8), nil),
        ([0xff, 0x41], nil), ([0x41, 0], nil), ([UInt8](repeating: 0x41, count: 300 << 10), nil),
    ])
    func whatIsPutInPlaceIsTextWithOneEnd(bytes: [UInt8], expected: String?) {
        let text: [UInt8]? = if case .success(let text) = ConfigurationFile.text(of: bytes) { text } else { nil }
        #expect(text == expected.map { Array($0.utf8) })
    }
}
