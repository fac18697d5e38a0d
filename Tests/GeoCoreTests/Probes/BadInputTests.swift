import Foundation
import GeoCore
import Testing

/// What real nodes print around, before and instead of answers. Each has a defined outcome, with real shells.
@Suite struct BadInputTests {
    private func facts(_ node: FakeNode, _ probes: Set<Probe>, shell: [String] = ["/bin/sh", "-s"]) throws -> NodeFacts
    {
        let script = RecordedAnswer.script(probes)
        return RecordedAnswer.facts(try node.run(script.text, shell: shell), script, elapsedMilliseconds: 60_000)
    }

    /// The account's own locale would put commas into numbers and other words into errors.
    @Test(arguments: FakeNode.shells) func everyCommandSpeaksTheSameLanguage(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("bin/systemctl", "[ \"$LC_ALL\" = C.UTF-8 ] && echo enabled")
        let script = RecordedAnswer.script([.boot])
        let text = "LC_ALL=de_DE.UTF-8 LANG=fr_FR LC_NUMERIC=tr_TR; export LC_ALL LANG LC_NUMERIC\n" + script.text
        let facts = RecordedAnswer.facts(try node.run(text, shell: shell), script, elapsedMilliseconds: 60_000)
        #expect(facts.startsAtBoot.value == true)
    }

    /// 100 MB, of which a little more than the limit is kept; every other answer is whole.
    @Test(arguments: FakeNode.shells) func aFloodIsDroppedOnTheNodeAndIsUnknown(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("root/bin/cat", "head -c 100000000 /dev/zero | tr '\\000' x")
        try node.install("bin/systemctl", "head -c 100000000 /dev/zero | tr '\\000' x >&2; echo enabled")
        let script = RecordedAnswer.script([.clusterFile, .boot])
        let bytes = try node.run(script.text, shell: shell)
        #expect(bytes.count < 100_000)
        let facts = RecordedAnswer.facts(bytes, script, elapsedMilliseconds: 60_000)
        #expect(facts.clusterFile == .unknown(reason: "cluster-file answered with more than 16384 bytes"))
        #expect(facts.startsAtBoot.value == true)
    }

    /// A banner, a message of the day, and a log-in shell that talks before and after.
    @Test func whatALoginShellPrintsAroundTheAnswerIsNoPartOfIt() {
        let script = RecordedAnswer.script()
        let bytes = RecordedAnswer.whole.bytes(script)
        let before =
            Array("\r\n*** AUTHORISED USE ONLY ***\r\n\u{1B}[2J\u{7}stty: standard input\n\u{0}\n".utf8) + [
                0xFF, 0xC3, 0x0A,
            ]
        let after = Array("\nlogout\r\n\u{1B}[0m0123456789abcde end services 0\n".utf8)
        #expect(RecordedAnswer.facts(before + bytes + after, script) == RecordedAnswer.facts(bytes, script))
    }

    @Test(arguments: [
        ("sudo: sorry, you must have a tty to run sudo", 1, "requiretty off"),
        ("sudo: a password is required", 1, "NOPASSWD"),
        (
            "We trust you have received the usual lecture from the local System\nAdministrator.\n\n"
                + "sudo: a password is required", 1, "NOPASSWD"
        ),
        ("geo-ops is not in the sudoers file.  This incident will be reported.", 1, "add it to sudoers"),
        ("Sorry, user geo-ops is not allowed to execute '/bin/cat x' as root on y.", 1, "does not allow this command"),
        ("sudo: unable to resolve host x: Name or service not known\nsudo: a password is required", 1, "NOPASSWD"),
    ])
    func aRefusalOfSudoSaysWhatToChange(complaint: String, status: Int, words: String) {
        let saying = RecordedAnswer.Saying(output: "", complaint: complaint, status: status)
        let facts = RecordedAnswer.facts(.clusterFile, ["cluster-file": saying])
        #expect(facts.clusterFile.reason?.contains(words) == true, "\(facts.clusterFile)")
        #expect(RecordedAnswer.facts(.privileges, ["privileges": saying]).privileges.value == false)
    }

    /// sudo's lecture and its complaint about the host's name come before commands that work.
    @Test func whatSudoSaysBesideAnAnswerDoesNotSpoilIt() {
        let complaint =
            "\nWe trust you have received the usual lecture from the local System\nAdministrator. It usually boils down"
            + " to these three things:\n\nsudo: unable to resolve host seoul-all-1: Name or service not known\n"
        let saying = RecordedAnswer.Saying(output: "{\"geo_secondary\":{}}", complaint: complaint)
        #expect(
            RecordedAnswer.facts(.clusterFile, ["cluster-file": saying]).clusterFile.value
                == .valid(text: "{\"geo_secondary\":{}}"))
        let root = RecordedAnswer.Saying(output: "0\n", complaint: complaint)
        #expect(RecordedAnswer.facts(.privileges, ["privileges": root]).privileges.value == true)
    }

    /// Lines may end like those of a terminal; anything else that no text has makes an answer unknown.
    @Test(arguments: [
        ("run: puma: (pid 1) 2s\r\nrun: sidekiq: (pid 3) 4s\r\n", true),
        ("\u{1B}[32mrun\u{1B}[0m: puma: (pid 1) 2s\n", false),
        ("run: puma: (pid 1) 2s\u{0}\n", false), ("run: pu\u{8}ma: (pid 1) 2s\n", false),
        ("run: p\u{fc}ma: (pid 1) 2s\n", false), ("run: puma\u{202E}: (pid 1) 2s\n", false),
    ])
    func whatNoServiceIsCalledIsNoAnswer(output: String, isText: Bool) {
        let facts = RecordedAnswer.facts(.services, ["services": .init(output: output)])
        #expect((facts.services.value != nil) == isText, "\(facts.services)")
    }

    @Test func bytesThatAreNoUTF8AreNoAnswer() throws {
        let node = try FakeNode()
        try node.install("bin/systemctl", "printf 'enabled\\377\\n'")
        #expect(try facts(node, [.boot]).startsAtBoot.reason?.contains("did not answer with text") == true)
    }
}

extension DatabaseQueriesLiveTests {
    /// Tables of another release, or of a database that is only half there.
    @Test func emptyMissingAndRenamedTablesAreUnknownAndSpoilNothingElse() throws {
        let live = try LivePostgreSQL()
        defer { live.stop() }
        let script = RecordedAnswer.script([.database, .geo, .tracking])
        func look() throws -> NodeFacts {
            RecordedAnswer.facts(try live.run(script, port: 5433), script, elapsedMilliseconds: 60_000)
        }
        try live.sql("ALTER TABLE geo_nodes RENAME COLUMN enabled TO is_enabled", port: 5433)
        let renamed = try look()
        #expect(renamed.geo.reason?.contains("column n.enabled does not exist") == true, "\(renamed.geo)")
        #expect(renamed.database.value != nil && renamed.tracking.value != nil)

        // A column that some releases lack is read as NULL, and NULL is not a number or a switch.
        try live.sql("ALTER TABLE geo_nodes RENAME COLUMN is_enabled TO enabled", port: 5433)
        try live.sql("ALTER TABLE geo_nodes DROP COLUMN sync_object_storage", port: 5433)
        #expect(try look().geo.reason?.contains("syncs_object_storage") == true)

        try live.sql("ALTER TABLE geo_nodes ADD sync_object_storage bool DEFAULT true", port: 5433)
        try live.sql("DELETE FROM application_settings", port: 5433)
        #expect(try look().geo.reason?.contains("maintenance_mode") == true)

        try live.sql("INSERT INTO application_settings (maintenance_mode) VALUES (false)", port: 5433)
        try live.sql("DELETE FROM geo_node_statuses", port: 5433)
        try live.sql("DELETE FROM geo_nodes", port: 5433)
        #expect(try look().geo.value?.nodes == [])

        // Zero of zero is a count; no table to count in is not.
        try live.sql("DELETE FROM project_repository_registry", port: 5433, database: "gitlabhq_geo_production")
        #expect(try look().tracking.value?.registries["project_repositories"]?.total == 0)
        try live.sql(
            "DROP TABLE project_repository_registry, container_repository_registry, file_registry", port: 5433,
            database: "gitlabhq_geo_production")
        #expect(try look().tracking.reason?.contains("no registry tables") == true)
    }
}
