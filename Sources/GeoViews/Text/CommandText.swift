package import GeoCore

/// Commands as an operator copies them, and what the plan says about each.
enum CommandText {
    /// Exactly what runs. An argument with control characters is written so that the shell makes them (`$'\n'`).
    static func shell(_ command: RemoteCommand) -> String {
        command.inputText + shell((command.asRoot ? ["sudo", "-n"] : []) + command.arguments)
    }

    static func shell(_ arguments: [String]) -> String {
        arguments.map { argument in
            RemoteCommand.shownProgram(argument)
                ?? (argument.unicodeScalars.allSatisfy(Plain.isHarmless)
                    ? RemoteCommand.quoted(argument) : escaped(argument))
        }.joined(separator: " ")
    }

    private static func escaped(_ argument: String) -> String {
        let text = argument.utf8.reduce(into: "") { result, byte in
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\\"): result += "\\" + String(UnicodeScalar(byte))
            case 0x20..<0x7F: result += String(UnicodeScalar(byte))
            default:
                let octal = String(byte, radix: 8)
                result += "\\" + String(repeating: "0", count: 3 - octal.count) + octal
            }
        }
        return "$'\(text)'"
    }

    /// When it runs at all; `nil` for always.
    static func condition(_ command: RemoteCommand) -> String? {
        switch command.condition {
        case .always: nil
        case .attributeFileIsStub: "only if an earlier reconfigure did not end (the node's attribute file is a stub)"
        case .previousSaysNotOK: "only if the command before it printed NOT OK"
        case .previousFailed:
            "only if the command before it did not exit with 0"
                + (command.arguments.contains("graceful-kill") ? ": something ignores TERM" : "")
                + (command.judgesTheOneBefore ? ": whether that one has done its work all the same" : "")
        case .clusterFileIsEmpty: "only if /etc/gitlab/gitlab-cluster.json has zero bytes"
        }
    }

    /// What to expect of it, as a shell comment without its `#`.
    static func remark(_ command: RemoteCommand) -> String {
        let quiet =
            command.quietSeconds >= 60 ? ", quiet is normal for up to \(DurationText.of(command.quietSeconds))" : ""
        let exit = command.exitStatus == .mustBeZero ? ", must exit with 0" : ""
        return [condition(command), "at most \(DurationText.of(command.timeLimitSeconds))\(quiet)\(exit)"]
            .compactMap(\.self).joined(separator: "; ")
    }

    /// Whether a remedy is to be copied, and therefore not to be wrapped.
    static func isCommand(_ text: String) -> Bool {
        guard let word = text.split(separator: " ").first else { return false }
        return programs.contains(String(word)) || word.hasPrefix("gitlab-") || word.hasPrefix("/")
    }

    /// What the remedies of the catalogue begin with.
    private static let programs: Set<String> = [
        "sudo", "ssh", "geo-failover", "psql", "systemctl", "curl", "chronyc", "timedatectl", "scp", "pgrep", "ls",
        "df",
    ]

    /// `ssh`, from the operator's machine, by the inventory alone.
    static func ssh(_ access: NodeAccess) -> String {
        var words = ["ssh"]
        if access.port != 22 { words += ["-p", "\(access.port)"] }
        if let file = access.identity.file { words += ["-i", file] }
        if !access.jump.isEmpty { words += ["-J", access.jump.map(target).joined(separator: ",")] }
        return (words + ["\(access.user)@\(access.address)"]).map(quotedPath).joined(separator: " ")
    }

    /// `user@address`, with `:port` where it is not 22.
    static func target(_ jump: JumpHost) -> String {
        "\(jump.user)@\(jump.address)" + (jump.port == 22 ? "" : ":\(jump.port)")
    }

    /// `~` at the start must stay outside of quotes to mean the home directory.
    private static func quotedPath(_ word: String) -> String {
        word.hasPrefix("~/") ? "~/" + RemoteCommand.quoted(String(word.dropFirst(2))) : shell([word])
    }
}

/// The tool's own commands as the views suggest them; the only place that spells them.
package enum NextCommand {
    package static func status(_ run: RunID) -> String { "geo-failover status \(run)" }
    package static func resume(_ run: RunID) -> String { "geo-failover resume \(run)" }
    package static func abort(_ run: RunID) -> String { "geo-failover abort \(run) --reason TEXT" }
    package static func undo(_ run: RunID) -> String { "geo-failover status \(run) --undo" }
    package static func report(_ run: RunID) -> String { "geo-failover report \(run)" }
    package static func check(from: SiteID, to: SiteID) -> String { "geo-failover check --from \(from) --to \(to)" }
    package static func checkUnplanned(from: SiteID, to: SiteID) -> String {
        "geo-failover check --for unplanned --from \(from) --to \(to)"
    }
    package static func plan(runbook: String, from: SiteID, to: SiteID) -> String {
        "geo-failover plan \(RemoteCommand.quoted(runbook)) --from \(from) --to \(to)"
    }
    package static func reseed(from: SiteID, to: SiteID, runsPatroni: Bool) -> String {
        plan(runbook: runsPatroni ? "reseed-patroni" : "reseed-secondary", from: from, to: to)
    }
    package static func execute(_ path: String) -> String { "geo-failover execute \(RemoteCommand.quoted(path))" }
    package static func execute(_ path: String, approving digest: Digest) -> String {
        "\(execute(path)) --approve \(digest.text)"
    }
}
