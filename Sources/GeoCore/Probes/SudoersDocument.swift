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
            # directly, by a role with pg_monitor and SELECT.
            # Install with: visudo -cf FILE && install -m 0440 FILE /etc/sudoers.d/geo-failover
            \(lines.joined(separator: "\n"))
            Defaults:\(user) !requiretty
            \(user) ALL=(root) NOPASSWD: \(names.joined(separator: ", "))

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
