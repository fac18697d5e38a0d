/// The way of a Patroni node to a member of a standby cluster (GitLab documentation, Geo database setup; docs/decisions/0020).
extension ActionCatalog {
    static var seedStandbyLeader: Action {
        Action(
            name: .seedStandbyLeader, reach: .node,
            summary:
                "Moves the node's database aside, removes the stopped cluster from Patroni's store, and starts Patroni,"
                + " which copies the primary's.",
            source: cite(.databaseSetup, .bringPrimaryBack, .patroniList, .patroniStandby), components: [.patroni],
            part: .to, effect: .none, effectText: "the primary sends its whole database over the network",
            expectedSeconds: 1800, timeLimitSeconds: 1800)
    }

    static var seedReplica: Action {
        Action(
            name: .seedReplica, reach: .node,
            summary:
                "Moves the database of another member aside and starts Patroni, which copies the standby leader's.",
            source: cite(.databaseSetup, .patroniList, .patroniCookbook), components: [.patroni], part: .to,
            effect: .none, effectText: "the standby leader sends its whole database over the network",
            expectedSeconds: 1800, timeLimitSeconds: 1800)
    }
}

extension ActionCommands {
    private static let patronictl = [
        "/opt/gitlab/embedded/bin/patronictl", "-c", "/var/opt/gitlab/patroni/patroni.yaml",
    ]

    /// Moves the data directory beside itself as `data.SECOND`, the name that `gitlab-ctl replicate-geo-database` gives and
    /// `purge` knows, and never onto or into anything. Nothing is there to move after an attempt that moved it; what a
    /// copy that was cut off has left is moved like any other. `$1` is before every path; empty but in tests.
    package static let setAsideProgram = [
        "data=$1\(ProbeCatalog.dataDirectory)", "fail() { echo \"NOT MOVED: $*\"; exit 1; }",
        "[ ! -L \"$data\" ] || fail \"$data is a symbolic link\"",
        "[ -e \"$data\" ] || { echo \"there is no $data\"; exit 0; }",
        "inside=$(ls -A \"$data\") || fail \"$data cannot be read\"",
        "[ -n \"$inside\" ] || { echo \"there is nothing in $data\"; exit 0; }",
        "pid=$(head -n 1 \"$data/postmaster.pid\" 2>/dev/null)",
        "[ -z \"$pid\" ] || [ \"$(readlink \"/proc/$pid/cwd\")\" != \"$(readlink -f \"$data\")\" ]"
            + " || fail \"PostgreSQL runs on $data, process $pid\"",
        "kept=$data.$(date +%s)", "[ ! -e \"$kept\" ] || fail \"$kept is there already\"",
        "mv -nT \"$data\" \"$kept\" && [ -e \"$kept\" ] && [ ! -e \"$data\" ] || fail \"it cannot be moved to $kept\"",
        "sync", "echo \"moved to $kept\"",
    ].joined(separator: "; ")

    /// `nil` for actions that have nothing to do with Patroni.
    static func seeding(_ name: ActionName, _ reseeding: Reseeding, _ timeLimit: Int) -> [RemoteCommand]? {
        switch name {
        case .seedStandbyLeader:
            stoppedAndSetAside() + [removal(of: reseeding.scope)] + started(timeLimit)
        case .seedReplica: stoppedAndSetAside() + started(timeLimit)
        default: nil
        }
    }

    static func undoOfSeeding(_ name: ActionName) -> Reversibility? {
        switch name {
        case .seedStandbyLeader:
            .irreversible(
                because: "the site's own database is moved aside on its node, and the primary's copied in its place")
        case .seedReplica:
            .irreversible(
                because: "the member's own database is moved aside, and the standby leader's copied in its place")
        default: nil
        }
    }

    private static func stoppedAndSetAside() -> [RemoteCommand] {
        // A node that went down in the middle of the last reconfigure has no attributes for gitlab-ctl to read.
        var unfinished = plain(["gitlab-ctl", "reconfigure"], 1800, quiet: 240)
        unfinished.condition = .attributeFileIsStub
        return [unfinished] + stop("patroni", 600) + [
            RemoteCommand(
                arguments: ["sh", "-c", setAsideProgram, "geo-failover-set-aside", ""], timeLimitSeconds: 600,
                exitStatus: .mustBeZero, quietSeconds: 60)
        ]
    }

    /// Two of its three prompts are answered. It asks the third, for the leader's name, only where one leads (patroni
    /// `ctl.py`, `remove`): a member that this run has not stopped. Then standard input is at its end, and it removes nothing
    /// and exits with 1. A cluster that the store knows no more it removes once more, with 0.
    private static func removal(of scope: String) -> RemoteCommand {
        RemoteCommand(
            arguments: patronictl + ["remove", scope], timeLimitSeconds: 120, exitStatus: .mustBeZero,
            quietSeconds: 30, answers: [scope, "Yes I am aware"])
    }

    /// The reconfigure makes the data directory, and the configuration that a new cluster begins with.
    private static func started(_ timeLimit: Int) -> [RemoteCommand] {
        [
            plain(["gitlab-ctl", "reconfigure"], timeLimit, quiet: 240),
            RemoteCommand(arguments: ["gitlab-ctl", "start", "patroni"], timeLimitSeconds: 120),
        ]
    }
}
