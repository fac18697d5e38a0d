import GeoCore
import Testing

/// Readers of what Geo takes for granted.
@Suite struct SettingReadingTests {
    private typealias Saying = RecordedAnswer.Saying

    @Test func recordedSettingsAreReadWhole() throws {
        let facts = RecordedAnswer.whole.facts(RecordedAnswer.script())
        let settings = try #require(facts.settings.value, "\(facts.settings)")
        #expect(settings.hasLicense && settings.hashesNewProjects == true && settings.legacyProjects == 3)
        #expect(settings.gitAccess == nil && settings.migrations.last == "20260803114027")
        let copies = try #require(facts.baseBackups.value, "\(facts.baseBackups)")
        #expect(copies.map(\.client) == ["10.77.1.21", nil] && copies.map(\.totalBytes) == [83_152_896, nil])
        #expect(copies[0].measure == Measure(.bytes, done: 12_058_624, of: 83_152_896))
        #expect(copies[1].measure.phase?.contains("checkpoint") == true)
        let rules = try #require(facts.accessRules.value, "\(facts.accessRules)")
        #expect(rules.map(\.method) == ["md5", ""] && rules.last?.error?.contains("invalid connection type") == true)
        #expect(facts.schemaFiles.value == ["20260712081533", "20260803114027"])
        #expect(facts.keyLookup.value?.hasSuffix("gitlab-shell-authorized-keys-check git %u %k") == true)
        #expect(facts.passwords.value?.keys.sorted() == ["gitlab_rails.db_password"])
    }

    @Test(arguments: [
        ("\"has_license\" : true", "\"has_license\" : null"), ("\"legacy_projects\" : 3", "\"legacy_projects\" : -3"),
        ("\"20260712081533\"", "\"yesterday\""), ("\"writes_authorized_keys\" : false", "\"writes\" : false"),
        ("\"hashes_new_projects\" : true", "\"hashes_new_projects\" : 1"), ("[\"2026", "7, [\"2026"),
    ])
    func oddSettingsAreUnknown(text: String, other: String) {
        let json = RecordedAnswer.settingsJSON.replacing(text, with: other)
        let facts = RecordedAnswer.facts(
            .settings, ["sql-main": Saying(output: RecordedAnswer.psql([("settings", json)]))])
        #expect(facts.settings.value == nil)
    }

    @Test(arguments: [("", "", 0), ("README\n", "", 0), ("", "sh: cd: can't cd to /opt/gitlab\n", 2)])
    func aPackageWithoutMigrationsIsUnknown(output: String, complaint: String, status: Int) {
        let saying = Saying(output: output, complaint: complaint, status: status)
        let found = RecordedAnswer.facts(.schemaFiles, ["schema-files": saying]).schemaFiles
        #expect(found.value == nil && found.reason?.isEmpty == false, "\(found)")
    }

    @Test(arguments: [
        ("authorizedkeyscommand none\n", "none" as String?), ("port 22\n", nil), ("", nil),
        ("authorizedkeyscommanduser git\nauthorizedkeyscommand /a b %u\n", "/a b %u"),
    ])
    func onlySSHDsOwnWordSaysHowKeysAreLookedUp(output: String, expected: String?) {
        let found = RecordedAnswer.facts(.keyLookup, ["key-lookup": Saying(output: output)]).keyLookup
        #expect(found.value == expected, "\(found)")
    }

    @Test func recordedFilesAndFlagsAreReadWhole() throws {
        let facts = RecordedAnswer.whole.facts(RecordedAnswer.script())
        #expect(facts.configurationFiles.value?.keys.sorted() == ["/etc/gitlab/geo.rb", "/etc/gitlab/gitlab.rb"])
        #expect(facts.appliedSettings.value?.filter(\.value).keys.sorted() == ["geo_secondary"])
    }

    @Test(arguments: [
        ("", "", 0, true), ("sha256sum: x\n", "", 0, false), ("", "find: '/etc/gitlab': Permission denied\n", 1, false),
        ("\(String(repeating: "a", count: 64))  /etc/gitlab/a b.rb\n", "", 0, true),
        ("\\\(String(repeating: "a", count: 64))  /etc/gitlab/a\\nb.rb\n", "", 0, true),
        ("\(String(repeating: "a", count: 63))  /etc/gitlab/geo.rb\n", "", 0, false),
        ("\(String(repeating: "g", count: 64))  /etc/gitlab/geo.rb\n", "", 0, false),
    ])
    func onlyWholeDigestsTellWhichFilesThereAre(output: String, complaint: String, status: Int, isKnown: Bool) {
        let saying = Saying(output: output, complaint: complaint, status: status)
        let found = RecordedAnswer.facts(.configurationFiles, ["configuration-files": saying]).configurationFiles
        #expect((found.value != nil) == isKnown, "\(found)")
        #expect(found.value?["/etc/gitlab/geo.rb"] == nil)
    }

    @Test(arguments: ["", "[]", "{\"geo_secondary\":1}", "{\"geo_secondary\":null}", "the node was never reconfigured"])
    func whatIsNoFlagIsNoAnswer(output: String) {
        let found = RecordedAnswer.facts(.appliedSettings, ["applied-settings": Saying(output: output)]).appliedSettings
        #expect(found.value == nil && found.reason?.isEmpty == false, "\(found)")
    }

    /// A program that printed a password instead of its digest is not believed, and not repeated.
    @Test(arguments: ["{\"gitlab_rails.db_password\":\"hunter2\"}", "hunter2", "[]", "{\"a\":1}"])
    func whatIsNoDigestIsNoAnswer(output: String) {
        let found = RecordedAnswer.facts(.passwords, ["passwords": Saying(output: output)]).passwords
        #expect(found.value == nil)
        #expect(found.reason?.contains("hunter2") == false, "\(found)")
    }
}
