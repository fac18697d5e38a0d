/// The sudoers lines that let one account run the probes as root: exact command lines from ``ProbeCatalog``, so that the
/// list and the script cannot part.
package enum SudoersDocument {
    /// For a file in `/etc/sudoers.d`. Assumes that `env_reset` is on, as it is unless somebody turned it off.
    package static func text(user: String, probes: Set<Probe>) -> String {
        let lines = commandLines(probes: probes).map { "Cmnd_Alias GEO_FAILOVER_\($0.alias) = \($0.command)" }
        let names = commandLines(probes: probes).map { "GEO_FAILOVER_\($0.alias)" }
        return """
            # What geo-failover reads on a node as root: one exact command a line, and none changes anything, but
            # gitlab-psql and gitlab-geo-psql read their SQL from standard input, so who may run them may run any SQL.
            # Where that is too much, leave SQL_MAIN and SQL_TRACKING out and let the inventory's database be asked
            # directly, by a role with pg_monitor, SELECT, and EXECUTE on pg_hba_file_rules().
            # Install with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/geo-failover
            \(lines.joined(separator: "\n"))
            Defaults:\(user) !requiretty
            \(user) ALL=(root) NOPASSWD: \(names.joined(separator: ", "))

            """
    }

    /// What a run executes as root on a node: everything that changes one goes through this, as a script on standard input.
    package static let executeCommand = ["sh", "-s"]

    /// What `execute`, `resume` and `abort` need beyond looking. It is root, and says so: a list of the commands that are
    /// run through it would look like less and be none (docs/decisions/0003).
    ///
    /// Both paths of `sh`: sudo finds it by its own `secure_path`, and which of the two comes first is the node's affair.
    package static func executeText(user: String) -> String {
        let arguments = executeCommand.dropFirst().joined(separator: " ")
        let commands = ["/bin/sh", "/usr/bin/sh"].map { "\($0) \(arguments)" }.joined(separator: ", ")
        return """
            # What geo-failover execute, resume and abort need on a node, beside the list for check. THIS IS ROOT: a shell
            # as root that reads its script from standard input. A shorter list would be no less, since gitlab-psql and
            # gitlab-rails runner, which a promotion needs, are root on a GitLab node already. What comes through it:
            #   jobs      the commands that `geo-failover plan` prints, each started once in a session of its own, that
            #             outlives SSH (setsid, timeout, flock), with output and exit status in /var/lib/geo-failover/jobs
            #   lease     who holds the node, the epoch below which it refuses commands, and the journal's copies, in
            #             /var/lib/geo-failover
            # Put it in place for the hours of a change, or give it to an account of its own whose key is kept sealed; and
            # let sudo log it: `Defaults:\(user) log_input` keeps every script.
            # Install with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/geo-failover-execute
            Cmnd_Alias GEO_FAILOVER_EXECUTE = \(commands)
            Defaults:\(user) !requiretty
            \(user) ALL=(root) NOPASSWD: GEO_FAILOVER_EXECUTE

            """
    }

    /// Each command once, in the order of the probes, in sudoers' spelling.
    private static func commandLines(probes: Set<Probe>) -> [(alias: String, command: String)] {
        var seen: Set<String> = []
        var lines: [(alias: String, command: String)] = []
        for command in Probe.allCases.filter(probes.contains).flatMap(ProbeCatalog.commands(for:))
        where command.privilege == .root && seen.insert(command.name).inserted {
            let alias = command.name.uppercased().map { $0 == "-" ? "_" : $0 }
            lines.append((String(alias), command.bounded.map(escaped).joined(separator: " ")))
        }
        return lines
    }

    /// Sudoers' own special characters, and those of the shell patterns that it matches arguments with (sudoers(5)). No
    /// argument may hold a backslash: its spelling differs between versions of sudo.
    package static func escaped(_ word: String) -> String {
        precondition(!word.contains("\\"), "an argument without backslashes")
        return word.map { ",:=#*?[]!".contains($0) ? "\\\($0)" : String($0) }.joined()
    }
}
