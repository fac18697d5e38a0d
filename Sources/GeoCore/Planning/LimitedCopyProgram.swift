/// What copies the primary's database at no more than a rate, where the inventory has one: `pg_basebackup --max-rate`, since
/// `gitlab-ctl replicate-geo-database` passes none on ([0024](../../../docs/decisions/0024-a-copy-with-a-rate.md)). What it
/// promises stands at ``StandbyProgram``. It copies beside a database that need not be shut down cleanly.
///
/// An attempt that was killed after the new database was put in its place is not copied again: one that is a standby by the
/// very settings that this program writes is started, and is the end of it where it streams.
package struct LimitedCopyProgram: Sendable, Hashable {
    package let standby: StandbyTarget
    package let rate: CopyRate
    /// Before every path of the node; empty but in tests.
    package let root: String

    package init(_ standby: StandbyTarget, rate: CopyRate, root: String = "") {
        self.standby = standby
        self.rate = rate
        self.root = root
    }

    package func arguments(
        timeLimit: Int, streamsWithin: Int = StandbyProgram.streamsWithinSeconds
    ) -> [String] {
        StandbyProgram.arguments(
            Self.text, Self.name, root: root, standby, timeLimit: timeLimit, streamsWithin: streamsWithin)
            + [rate.argument]
    }

    /// Nothing comes after it that could do instead: it fails its step where it fails. Its own limits end before that of the
    /// job: for what an earlier attempt has left to stream, for the copy, and for that to stream.
    package func command(timeLimit: Int, password: SecretReference) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments(timeLimit: timeLimit),
            timeLimitSeconds: timeLimit + 2 * StandbyProgram.streamsWithinSeconds + 600,
            // A line of progress a second, and the reason of a failure after them.
            outputLimitBytes: max(4 << 20, timeLimit * 96), exitStatus: .mustBeZero,
            // The checkpoint of the primary, which it waits for.
            quietSeconds: 300, input: password)
    }

    /// Its `$0`, by which it is told from other commands.
    package static let name = "geo-failover-copy"

    package static let shown = "\"$(geo-failover runbook program copy)\""

    package static let text = [
        "WAY=copy NOT='NOT COPIED'", StandbyProgram.opening, looking, StandbyProgram.reserving, copying,
        StandbyProgram.settling, StandbyProgram.proving,
    ].joined(separator: "\n")

    /// What an earlier attempt has made whole is used; the rest of it goes. Of the source the size is asked, and whether all
    /// of it lies in one directory: tablespaces would be written to the source's paths on this node (PostgreSQL
    /// documentation, pg_basebackup, `--tablespace-mapping`).
    private static let looking = #"""
        is_ours() { [ -e "$1/standby.signal" ] && [ "$(cat "$1/gitlab-geo.conf" 2>/dev/null)" = "$settings" ]; }
        if is_empty "$data" && is_ours "$work"; then
        say "an earlier attempt has made $work, and was about to put it in its place"
        rmdir "$data" && mv -T "$work" "$data" || refuse "$work cannot be moved"
        fi
        system=$("$BIN/pg_controldata" "$data" 2>/dev/null | sed -n 's/^Database system identifier: *//p')
        [ -z "$system" ] || [ "$system" = "$SYSTEM" ] || refuse "here lies the database $system, and not $SYSTEM"
        if [ -n "$system" ] && is_ours "$data"; then
        say "here is a standby of $HOST, which an earlier attempt may have made"
        if is_down; then "$CTL" start postgresql 9<&-; fi
        if comes_to_follow; then exit 0; fi
        say "it does not stream: $seen"
        case $seen in false*) refuse "PostgreSQL runs here, and is no standby" ;; esac
        "$CTL" stop postgresql
        fi
        if ! is_down; then
        if follows; then say "PostgreSQL streams from $HOST already"; exit 0; fi
        refuse "PostgreSQL runs here; where it may be replaced, sudo gitlab-ctl stop postgresql"
        fi
        rm -rf "$work" || refuse "$work, which an earlier attempt has left, cannot be removed"
        spaces=$(ask dbname=gitlabhq_production "SELECT string_agg(spcname, ' ') FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')" 2>&1) ||
        refuse "$HOST: $spaces"
        [ -z "$spaces" ] || refuse "the database of $HOST has tablespaces, which would be written to its paths here: $spaces"
        size=$(ask dbname=gitlabhq_production 'SELECT ceil(sum(pg_database_size(oid)) / 1024) FROM pg_database' 2>&1) || refuse "$HOST: $size"
        has_room "$size"
        """#

    /// As `gitlab-ctl replicate-geo-database` does it (omnibus-gitlab `geo/replication.rb`), and with a rate; `--verbose` would
    /// add a name to each line of progress. It begins after a checkpoint that the source spreads as it always does. A slot
    /// that an attempt held is free once the source has noticed its end: `wal_sender_timeout`, a minute, after a node died.
    private static let copying = #"""
        tries=0
        while busy=$(ask dbname=gitlabhq_production "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$SLOT' AND active" 2>&1) ||
        refuse "$HOST: $busy"; do
        [ "$busy" != 0 ] || break
        tries=$((tries + 1))
        [ "$tries" -lt 90 ] || refuse "slot $SLOT of $HOST is in use, and not by this node's database"
        sleep 1
        done
        say "copying $size KiB from $HOST to $work, at most ${RATE}B a second"
        mkdir "$work" && chown "$owner" "$work" || give_up "$work cannot be made"
        as_owner timeout "$(left)" "$BIN/pg_basebackup" --dbname="$conninfo" --pgdata="$work" --max-rate="$RATE" \
        --wal-method=stream --slot="$SLOT" --progress 2>&1 || give_up "pg_basebackup failed"
        """#
}
