extension ActionCatalog {
    /// What a re-seed does first where it was asked to (`plan --repair`), and what keeps a primary's disk from filling.
    static func preparing(_ name: ActionName) -> Action {
        switch name {
        case .preparePrimary:
            Action(
                name: name, reach: .node,
                summary: "Lets the primary's PostgreSQL serve one standby more: gitlab.rb, kept beside; reconfigure.",
                source: cite(.databaseSetup, .bringPrimaryBack, .postgresqlSettings), components: [.postgresql],
                part: .from, effect: .degraded,
                effectText: "where max_wal_senders or max_replication_slots changes, the primary's PostgreSQL restarts",
                expectedSeconds: 150, timeLimitSeconds: 1800)
        case .copySecrets:
            Action(
                name: name, reach: .node,
                summary:
                    "Copies gitlab-secrets.json of a Rails node of the primary, past logs and disks; the former is kept.",
                source: cite(.configuration, .bringPrimaryBack), part: .to, effect: .none,
                effectText: "nothing changes before the node is reconfigured", expectedSeconds: 5, timeLimitSeconds: 60)
        case .copyHostKeys:
            Action(
                name: name, reach: .node,
                summary: "Copies the SSH host keys of a Rails node of the primary; the former are kept. Reloads sshd.",
                source: cite(.configuration, .bringPrimaryBack), components: [.rails], part: .to, effect: .none,
                effectText: "the node shows itself with the primary's host keys, to the operator's ssh as well",
                expectedSeconds: 5, timeLimitSeconds: 60)
        case .trustPrimary:
            Action(
                name: name, reach: .node,
                summary: "Copies the certificate of the primary's PostgreSQL to where the standby looks for it.",
                source: cite(.databaseSetup, .bringPrimaryBack), components: [.postgresql, .patroni], part: .to,
                effect: .none, effectText: "nothing", expectedSeconds: 5, timeLimitSeconds: 60)
        default:
            Action(
                name: name, reach: .node,
                summary: "Drops replication slots of the primary that nobody uses; one that is in use is left alone.",
                source: cite(.slots, .troubleshootingPostgreSQL), components: [.postgresql, .patroni], part: .from,
                effect: .none,
                effectText: "WAL that they held back is removed; who used them needs a whole copy to come back",
                expectedSeconds: 5, timeLimitSeconds: 60)
        }
    }
}

extension ActionCommands {
    /// `nil` for other actions. Files come on standard input: see ``NodeFile``.
    static func preparing(
        _ name: ActionName, _ reseeding: Reseeding, edit: ConfigurationEdit?, timeLimit: Int
    ) -> [RemoteCommand] {
        switch name {
        case .preparePrimary:
            guard let edit else { return [] }
            return edit.commands(timeLimit: 60) + applied(edit, timeLimit)
        case .copySecrets: return copy([(.secrets, "0600")], reseeding)
        case .copyHostKeys:
            let halves = reseeding.hostKeyKinds.compactMap(SharedFile.hostKey).flatMap {
                [($0.secret, "0600"), ($0.shown, "0644")]
            }
            // Debian and Ubuntu call the unit ssh, all others sshd.
            return copy(halves, reseeding) + [
                quick(["systemctl", "reload", "ssh"], .isOnlyAClaim),
                quick(["systemctl", "reload", "sshd"], when: .previousFailed),
            ]
        case .trustPrimary:
            return [
                quick(
                    [
                        "mv", "-n", ProbeCatalog.rootCertificate,
                        "\(ProbeCatalog.rootCertificate).before-\(reseeding.stamp)",
                    ], .isOnlyAClaim),
                quick(
                    [
                        "install", "-D", "-o", "gitlab-psql", "-g", "gitlab-psql", "-m", "0400", "/dev/stdin",
                        ProbeCatalog.rootCertificate,
                    ], from: NodeFile(node: reseeding.sourceNode, file: .serverCertificate)),
            ]
        default: return []
        }
    }

    static func undoPreparing(_ name: ActionName, _ reseeding: Reseeding) -> Reversibility {
        switch name {
        // A primary that may serve one standby more, and a certificate more to trust, are no state to come back from.
        case .preparePrimary, .trustPrimary: .changesNothing
        case .copySecrets: .reversible(undo: putBack(.secrets, reseeding))
        case .copyHostKeys:
            .reversible(
                undo: reseeding.hostKeyKinds.compactMap(SharedFile.hostKey).flatMap {
                    putBack($0.secret, reseeding) + putBack($0.shown, reseeding)
                } + [
                    quick(["systemctl", "reload", "ssh"], .isOnlyAClaim),
                    quick(["systemctl", "reload", "sshd"], .isOnlyAClaim, when: .previousFailed),
                ])
        default: .irreversible(because: "WAL that a dropped slot held back is gone")
        }
    }

    /// Names are those of ``Slots/isName(_:)``. The server itself refuses to drop one that is in use.
    static func drop(_ slots: [String], timeLimit: Int) -> [RemoteCommand] {
        slots.map { slot in
            let sql =
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                + " WHERE slot_name = '\(slot)' AND NOT active"
            return RemoteCommand(
                arguments: ["gitlab-psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", sql], timeLimitSeconds: timeLimit,
                exitStatus: .mustBeZero, quietSeconds: 5)
        }
    }

    /// pg_hba.conf is read again by the reconfigure; the number of senders and slots only by a server that starts.
    private static func applied(_ edit: ConfigurationEdit, _ timeLimit: Int) -> [RemoteCommand] {
        let reconfigure = RemoteCommand(
            arguments: ["gitlab-ctl", "reconfigure"], timeLimitSeconds: timeLimit, exitStatus: .mustBeZero,
            quietSeconds: 240)
        guard PrimarySettings.needsRestart(edit) else { return [reconfigure] }
        return [
            reconfigure,
            RemoteCommand(
                arguments: ["gitlab-ctl", "restart", "postgresql"], timeLimitSeconds: 300, exitStatus: .mustBeZero),
        ]
    }

    /// All are brought before the first takes its place: keys whose halves do not fit would keep sshd from starting. Each is a
    /// file beside the old one first: whoever reads it meanwhile never finds half of it, and a full disk shows here.
    private static func copy(_ files: [(file: SharedFile, mode: String)], _ reseeding: Reseeding) -> [RemoteCommand] {
        func next(_ file: SharedFile) -> String { "\(file.rawValue).next-\(reseeding.stamp)" }
        return files.map { file, mode in
            quick(
                ["install", "-o", "root", "-g", "root", "-m", mode, "/dev/stdin", next(file)],
                from: NodeFile(node: reseeding.sharedFrom, file: file))
        }
            + files.flatMap { file, _ in
                [
                    // There may be none yet, and of several attempts the first copy is the one to keep.
                    quick(["ln", file.rawValue, before(file, reseeding)], .isOnlyAClaim),
                    quick(["mv", "-f", next(file), file.rawValue]),
                ]
            }
    }

    private static func putBack(_ file: SharedFile, _ reseeding: Reseeding) -> [RemoteCommand] {
        putBack(file.rawValue, from: before(file, reseeding))
    }

    /// A file goes back to where it was before a step, and is seen to have gone. Where there was none, or the step had not come
    /// so far, nothing is kept.
    static func putBack(_ path: String, from kept: String) -> [RemoteCommand] {
        [quick(["mv", "-f", kept, path], .isOnlyAClaim), quick(["test", "!", "-e", kept])]
    }

    private static func before(_ file: SharedFile, _ reseeding: Reseeding) -> String {
        "\(file.rawValue).before-\(reseeding.stamp)"
    }

    static func quick(
        _ arguments: [String], _ status: RemoteCommand.ExitStatus = .mustBeZero, from file: NodeFile? = nil,
        when condition: RemoteCommand.Condition = .always
    ) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments, timeLimitSeconds: 60, condition: condition, exitStatus: status, quietSeconds: 5,
            inputFile: file)
    }
}
