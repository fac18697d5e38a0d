import Foundation
import GeoCore
import Testing

/// The generated script, run by real shells against stub commands.
struct ProbeScriptTests {
    private static let boundary = "0123456789abcdef"

    private func script(_ probes: Set<Probe>, become: NodeAccess.Become = .sudo) -> ProbeScript {
        ProbeScript(probes: probes, node: RecordedAnswer.node(become: become), boundary: Self.boundary)
    }

    private func facts(_ bytes: [UInt8], _ script: ProbeScript) -> NodeFacts {
        RecordedAnswer.facts(bytes, script, elapsedMilliseconds: 60_000)
    }

    @Test(arguments: FakeNode.shells)
    func healthyStubsGiveTheirFacts(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("root/usr/bin/id", "echo 0")
        try node.install("root/opt/gitlab/bin/gitlab-ctl", "echo 'run: puma: (pid 1) 2s; run: log: (pid 3) 4s'")
        try node.install("bin/systemctl", "echo disabled; exit 1")
        try node.install("root/bin/cat", "echo '{\"geo_secondary\":{\"enable\":false}}'")
        try node.install("root/usr/bin/pgrep", "exit 1")
        try node.install("root/opt/gitlab/bin/gitlab-redis-cli", "printf '{\"default\":3}'")
        try node.install("bin/ss", "echo 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:*'")
        let script = script([.privileges, .services, .boot, .clusterFile, .changesRunning, .queues, .ports])
        let facts = facts(try node.run(script.text, shell: shell), script)
        #expect(facts.privileges.value == true)
        #expect(facts.services.value == [ServiceState(name: "puma", state: .running, seconds: 2)])
        #expect(facts.startsAtBoot.value == false)
        #expect(facts.clusterFile.value == .valid(text: "{\"geo_secondary\":{\"enable\":false}}\n"))
        #expect(facts.changesRunning.value == [])
        #expect(facts.queues.value == ["default": 3])
        #expect(facts.listeningPorts.value == [22])
    }

    @Test(arguments: FakeNode.shells)
    func badNeighboursSpoilOnlyTheirOwnFacts(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("root/opt/gitlab/bin/gitlab-ctl", "trap '' TERM; sleep 30")
        try node.shorten("/opt/gitlab/bin/gitlab-ctl")
        try node.install("root/bin/cat", "yes flood")
        try node.install("root/opt/gitlab/bin/gitlab-redis-cli", "printf 'a\\000b\\377\\033'; printf 'x\\000y' >&2")
        try node.install("root/usr/bin/pgrep", "exit 3")
        try node.install("bin/ss", "yes complaint | head -c 300000 >&2; echo 'LISTEN 0 1 *:80 *:*'")
        try node.install("bin/systemctl", "cat; echo enabled")
        let script = script([.services, .clusterFile, .queues, .changesRunning, .ports, .boot, .privileges])
        let bytes = try node.run(script.text, shell: shell)
        let facts = facts(bytes, script)
        #expect(bytes.count < script.outputLimitBytes)
        #expect(facts.services == .unknown(reason: "gitlab-ctl status did not answer within 20 s"))
        #expect(facts.clusterFile == .unknown(reason: "cluster-file answered with more than 16384 bytes"))
        #expect(facts.queues.reason?.contains("\"a?b??\"") == true, "\(facts.queues)")
        #expect(facts.changesRunning.reason?.contains("exited with status 3") == true, "\(facts.changesRunning)")
        #expect(facts.listeningPorts.value == [80])
        // It read its standard input to the end: /dev/null, not the rest of the script.
        #expect(facts.startsAtBoot.value == true)
        #expect(facts.privileges == .unknown(reason: "/usr/bin/id cannot be run on the node"))
        #expect(ProbeAnswer(output: bytes, script: script).isWhole)
    }

    @Test(arguments: FakeNode.shells)
    func refusalOfSudoReachesEveryPrivilegedFact(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("bin/sudo", "echo 'sudo: a password is required' >&2; exit 1")
        try node.install("bin/systemctl", "echo enabled")
        let script = script([.privileges, .services, .database, .geo, .clusterFile, .boot])
        let facts = facts(try node.run(script.text, shell: shell), script)
        #expect(facts.privileges.value == false)
        for reason in [facts.services.reason, facts.database.reason, facts.geo.reason, facts.clusterFile.reason] {
            #expect(reason?.hasPrefix("sudo asks for a password") == true)
        }
        #expect(facts.startsAtBoot.value == true)
    }

    /// Nothing behind a sudo that hangs could end it, and each question would wait for it again.
    @Test(arguments: FakeNode.shells)
    func aSudoThatDoesNotComeBackIsWaitedForOnce(shell: [String]) throws {
        let node = try FakeNode()
        // It ends after the script has given it up, and no later than the node: nobody waits for it.
        try node.install(
            "bin/sudo",
            """
            echo asked >>"$FAKE_NODE/asked"
            until [ -e "$FAKE_NODE/over" ] || ! [ -e "$FAKE_NODE" ]; do sleep 0.1; done
            """)
        try node.install(
            "bin/timeout",
            """
            [ "$1 $2 $3" = '-s KILL 10' ] || exit 9
            shift 3
            /usr/bin/timeout -s KILL 1 "$@"
            : >"$FAKE_NODE/over"
            """)
        try node.install("bin/systemctl", "echo enabled")
        let script = script([.privileges, .services, .boot, .identity, .database])
        let bytes = try node.run(script.text, shell: shell)
        let facts = facts(bytes, script)
        let reason = "its sudo did not come back within 10 s"
        #expect(facts.contact.value == .answered)
        #expect(facts.connection.reason == reason && facts.clockOffset.reason == reason)
        for unknown in [facts.services.reason, facts.startsAtBoot.reason, facts.identity.reason, facts.database.reason]
        {
            #expect(unknown == reason)
        }
        let asked = try String(contentsOf: node.directory.appendingPathComponent("asked"), encoding: .utf8)
        #expect(asked == "asked\n")
        // Beside an answer it is no word of the script's.
        let forged = Array("\n\(Self.boundary) hung\n".utf8) + bytes.dropLast(20)
        #expect(ProbeAnswer(output: forged, script: script).isSudoHung)
        #expect(
            !ProbeAnswer(output: forged + Array("\n\(Self.boundary) trailer 1790000000.123\n".utf8), script: script)
                .isSudoHung)
    }

    @Test(arguments: FakeNode.shells)
    func fallbackRunsOnlyAfterAFailure(shell: [String]) throws {
        let node = try FakeNode()
        try node.install(
            "root/opt/gitlab/bin/gitlab-rake",
            "case $1 in geo:*) echo secondary;; *) echo \"Don't know how to build task '$1'\" >&2; exit 1;; esac")
        let script = script([.railsRole])
        #expect(facts(try node.run(script.text, shell: shell), script).railsRole.value == "secondary")
        try node.install("root/opt/gitlab/bin/gitlab-rake", "[ $1 = gitlab:geo:site:role ] && echo primary")
        #expect(facts(try node.run(script.text, shell: shell), script).railsRole.value == "primary")
    }

    /// A node pays for every process, and a site has many nodes.
    @Test(arguments: FakeNode.shells)
    func twoHelpersBesideEachCommandAreAllThatRuns(shell: [String]) throws {
        let node = try FakeNode()
        for helper in ["head", "tail", "cat", "wc", "sed", "awk", "tr", "sleep", "mktemp"] {
            try node.install("bin/\(helper)", "echo \(helper) >>\"$FAKE_NODE/ran\"; exec /usr/bin/\(helper) \"$@\"")
        }
        try node.install("root/opt/gitlab/bin/gitlab-ctl", "echo 'run: puma: (pid 1) 2s'")
        try node.install("bin/systemctl", "echo enabled")
        let script = script([.services, .boot, .privileges])
        _ = try node.run(script.text, shell: shell)
        let ran = try String(contentsOf: node.directory.appendingPathComponent("ran"), encoding: .utf8)
        #expect(ran.split(separator: "\n").sorted() == ["head", "head", "head", "head", "tail", "tail", "tail"])
    }

    @Test(arguments: FakeNode.shells)
    func psqlGetsTheStatementsAndMayFailOneByOne(shell: [String]) throws {
        let node = try FakeNode()
        // Answers like psql: the first query with JSON, the second with an error.
        try node.install(
            "root/opt/gitlab/bin/gitlab-psql",
            """
            [ "$*" = -AtqX ] || exit 9
            input=$(cat)
            case $input in 'SET default_transaction_read_only = on;'*) ;; *) exit 8;; esac
            printf '%s\\n' '\(Self.boundary).sql answer replication' '\(RecordedAnswer.standbyJSON)' \
            '\(Self.boundary).sql answer geo' '\(Self.boundary).sql failed relation "geo_nodes" does not exist' \
            '\(Self.boundary).sql done'
            """)
        let script = script([.database, .geo])
        #expect(script.commands.count == 1)
        let facts = facts(try node.run(script.text, shell: shell), script)
        #expect(facts.database.value?.standby?.isReplayPaused == false)
        #expect(facts.geo.reason == "PostgreSQL refused the question: \"relation 'geo_nodes' does not exist\"")
    }

    @Test(arguments: FakeNode.shells)
    func halfAScriptRunsNothing(shell: [String]) throws {
        let node = try FakeNode()
        try node.install("bin/systemctl", "echo ran >> \"$FAKE_NODE/ran\"; echo enabled")
        let text = script([.boot]).text
        for length in stride(from: 1, to: text.utf8.count - 1, by: 37) {
            _ = try node.run(String(text.prefix(length)), shell: shell)
        }
        for length in (text.utf8.count - 30)..<(text.utf8.count - 1) {
            _ = try node.run(String(text.prefix(length)), shell: shell)
        }
        #expect(!FileManager.default.fileExists(atPath: node.directory.path + "/ran"))
    }

    @Test func withoutBecomeNothingGoesThroughSudo() {
        #expect(script(Set(Probe.allCases)).text.contains("sudo -n /usr/bin/timeout -k 2 20"))
        #expect(!script(Set(Probe.allCases), become: .none).text.contains("sudo"))
    }

    @Test func timeLimitAllowsForTheTwoSlowest() {
        let quick = script([.services, .boot]).timeLimitSeconds
        #expect(quick >= 22 + 12 && quick < 60)
        #expect(script(Set(Probe.allCases)).timeLimitSeconds >= 2 * 152)
    }

    /// The script names no command that could write: everything it may start, in one list that a reviewer can read.
    @Test func onlyTheseProgramsRun() {
        let programs = Set(Probe.allCases.flatMap(ProbeCatalog.commands(for:)).compactMap(\.arguments.first))
        #expect(
            programs == [
                "/usr/bin/id", "sh", "ss", "head", "/opt/gitlab/bin/gitlab-ctl", "systemctl", "/bin/grep", "/bin/ls",
                "/bin/cat", "/usr/bin/pgrep", "/usr/sbin/sshd", "/opt/gitlab/embedded/bin/ruby", "/usr/bin/sha256sum",
                "/opt/gitlab/bin/gitlab-psql", "/opt/gitlab/bin/gitlab-geo-psql", "/opt/gitlab/embedded/bin/consul",
                "/opt/gitlab/embedded/bin/pg_controldata", "/opt/gitlab/embedded/bin/patronictl",
                "/opt/gitlab/bin/gitlab-redis-cli", "curl", "/usr/bin/du", "/usr/bin/find",
                "/opt/gitlab/embedded/bin/curl", "/opt/gitlab/bin/gitlab-rake", "/opt/gitlab/bin/gitlab-rails",
            ])
        #expect(Set(Probe.allCases.flatMap(ProbeCatalog.commands(for:)).map(\.name)).count >= 27)
    }

    @Test func sudoersListsEveryPrivilegedCommandOnce() throws {
        let text = SudoersDocument.text(user: "geo-ops", probes: Set(Probe.allCases))
        #expect(text.contains("= /usr/bin/timeout -k 2 20 /opt/gitlab/bin/gitlab-ctl status\n"))
        #expect(text.contains("[\\[]c[]]") == false)
        let aliases = text.split(separator: "\n").filter { $0.hasPrefix("Cmnd_Alias") }
        #expect(aliases.count == Set(aliases.map { $0.split(separator: " ")[1] }).count)
        try Self.expectVisudoAccepts(text)
    }

    @Test func theListForExecuteIsOneShellAsRootAndSaysSo() throws {
        let text = SudoersDocument.executeText(user: "geo-ops")
        #expect(text.contains("THIS IS ROOT"))
        #expect(text.contains("= /bin/sh -s, /usr/bin/sh -s\n"))
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("geo-ops ") }.count == 1)
        try Self.expectVisudoAccepts(text)
    }

    private static func expectVisudoAccepts(_ text: String) throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/sbin/visudo") else { return }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("sudoers-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let visudo = Process()
        visudo.executableURL = URL(fileURLWithPath: "/usr/sbin/visudo")
        visudo.arguments = ["-cf", file.path]
        visudo.standardOutput = FileHandle.nullDevice
        try visudo.run()
        visudo.waitUntilExit()
        #expect(visudo.terminationStatus == 0)
    }
}
