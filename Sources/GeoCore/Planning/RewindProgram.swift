/// What tries `pg_rewind` on the node of a former primary before the whole database is copied
/// ([0022](../../../docs/decisions/0022-a-rewind-may-do-instead-of-a-copy.md)). What it promises stands at
/// ``StandbyProgram``; where it fails, the copy goes on from there. Where the server streams already it changes nothing.
package struct RewindProgram: Sendable, Hashable {
    package let standby: StandbyTarget
    /// Before every path of the node; empty but in tests.
    package let root: String

    package init(_ standby: StandbyTarget, root: String = "") {
        self.standby = standby
        self.root = root
    }

    package func arguments(
        timeLimit: Int, streamsWithin: Int = StandbyProgram.streamsWithinSeconds
    ) -> [String] {
        StandbyProgram.arguments(
            Self.text, Self.name, root: root, standby, timeLimit: timeLimit, streamsWithin: streamsWithin)
    }

    /// Its own limit ends before that of the job, so that its end is its own: expiry of a job is no failure, but not known.
    package func command(timeLimit: Int, password: SecretReference) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments(timeLimit: timeLimit),
            timeLimitSeconds: timeLimit + StandbyProgram.streamsWithinSeconds + 600, exitStatus: .isOnlyAClaim,
            quietSeconds: 600, input: password)
    }

    /// Its `$0`, by which it is told from other commands.
    package static let name = "geo-failover-rewind"

    package static let shown = "\"$(geo-failover runbook program)\""

    package static let text = [
        "WAY=rewind NOT='NOT REWOUND'", StandbyProgram.opening, looking, StandbyProgram.reserving, rewinding,
        StandbyProgram.settling, StandbyProgram.proving,
    ].joined(separator: "\n")

    /// What would make the copy another database than the one that was planned for, or more than what is in the directory.
    private static let looking = #"""
        rm -rf "$work" || refuse "$work, which an earlier attempt has left, cannot be removed"
        if ! is_down; then
        if follows; then say "PostgreSQL streams from $HOST already"; exit 0; fi
        refuse "PostgreSQL runs here"
        fi
        control=$("$BIN/pg_controldata" "$data" 2>&1) || refuse "pg_controldata: $control"
        state=$(printf '%s\n' "$control" | sed -n 's/^Database cluster state: *//p')
        system=$(printf '%s\n' "$control" | sed -n 's/^Database system identifier: *//p')
        case $state in 'shut down'|'shut down in recovery') ;; *) refuse "the database here is: $state" ;; esac
        [ "$system" = "$SYSTEM" ] || refuse "here lies the database $system, and not $SYSTEM"
        is_empty "$data/pg_tblspc" && [ ! -L "$data/pg_wal" ] || refuse "the database lies in more than one place"
        size=$(du -sk "$data" | cut -f 1)
        has_room "$size"
        """#

    private static let rewinding = #"""
        say "copying $size KiB to $work"
        timeout "$(left)" cp -a --reflink=auto "$data" "$work" || give_up "$data cannot be copied"
        say "rewinding it by $HOST, on timeline $timeline"
        as_owner timeout "$(left)" "$BIN/pg_rewind" --target-pgdata="$work" --no-ensure-shutdown --progress \
        --source-server="$conninfo dbname=gitlabhq_production" 2>&1 || give_up "pg_rewind failed"
        """#
}
