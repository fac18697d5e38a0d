/// What tries `pg_rewind` on the node of a former primary before the whole database is copied: a POSIX `sh` program with its
/// arguments, one command of a job ([0022](../../../docs/decisions/0022-a-rewind-may-do-instead-of-a-copy.md)).
///
/// It rewinds a copy of the data directory, and puts that in its place only when it is whole: the former one is kept as
/// `data.EPOCH`, as `gitlab-ctl replicate-geo-database` keeps it. It exits with 0 only when the server was seen to stream from
/// the source, on the source's timeline and through its own slot. Otherwise the node is as it was before, with PostgreSQL
/// down, and the copy goes on from there. Run again it begins anew; where the server streams already it changes nothing.
package struct RewindProgram: Sendable, Hashable {
    package let source: String
    package let slot: String
    package let sslMode: String
    package let systemIdentifier: String
    /// Before every path of the node; empty but in tests.
    package let root: String

    package init(source: String, slot: String, sslMode: String, systemIdentifier: String, root: String = "") {
        self.source = source
        self.slot = slot
        self.sslMode = sslMode
        self.systemIdentifier = systemIdentifier
        self.root = root
    }

    /// How long a server that was started may take until it streams: first it replays from the last common checkpoint on.
    package static let streamsWithinSeconds = 900

    package func arguments(timeLimit: Int, streamsWithin: Int = streamsWithinSeconds) -> [String] {
        ["sh", "-c", Self.text, Self.name, root, source, slot, sslMode, systemIdentifier, "\(timeLimit)"]
            + ["\(streamsWithin)"]
    }

    /// Its own limit ends before that of the job, so that its end is its own: expiry of a job is no failure, but not known.
    package func command(timeLimit: Int, password: SecretReference) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments(timeLimit: timeLimit),
            timeLimitSeconds: timeLimit + Self.streamsWithinSeconds + 600, exitStatus: .isOnlyAClaim,
            quietSeconds: 600, input: password)
    }

    /// Its `$0`, by which it is told from other commands.
    package static let name = "geo-failover-rewind"

    package static let shown = "\"$(geo-failover runbook program)\""

    package static let text = [opening, looking, rewinding, proving].joined(separator: "\n")

    /// The password comes on standard input, and is in no argument and in no environment: libpq reads it from a file that
    /// is gone at the end (PostgreSQL documentation, libpq, the password file).
    private static let opening = #"""
        ROOT=$1 HOST=$2 SLOT=$3 SSLMODE=$4 SYSTEM=$5 LIMIT=$6 WAIT=$7
        set -u
        umask 077
        LC_ALL=C.UTF-8 TZ=UTC PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
        export LC_ALL TZ PATH
        BIN=$ROOT/opt/gitlab/embedded/bin
        CTL=$ROOT/opt/gitlab/bin/gitlab-ctl
        place=$ROOT/var/opt/gitlab/postgresql
        data=$place/data
        work=$place/data-rewind
        pass=$place/.pgpass-rewind
        end=$(($(date +%s) + LIMIT))
        say() { printf '%s\n' "$*"; }
        refuse() { say "NOT REWOUND: $*"; exit 1; }
        left() { [ "$(date +%s)" -lt "$end" ] && echo $((end - $(date +%s))) || echo 1; }
        PASSWORD=
        IFS= read -r PASSWORD || [ -n "$PASSWORD" ] || refuse "nobody gave the password of gitlab_replicator"
        exec </dev/null
        cd / || exit 1
        [ -d "$data" ] && [ ! -L "$data" ] || refuse "$data is no directory"
        owner=$(stat -c %U:%G "$data") || exit 1
        trap 'rm -f "$pass"' EXIT
        trap 'exit 1' HUP INT TERM
        rm -f "$pass"
        printf '*:*:*:gitlab_replicator:%s\n' "$(printf %s "$PASSWORD" | sed 's/[\\:]/\\&/g')" >"$pass" &&
        chown "$owner" "$pass" || refuse "$pass cannot be written"
        conninfo="host=$HOST port=5432 user=gitlab_replicator sslmode=$SSLMODE connect_timeout=15"
        as_owner() { HOME=$place PGPASSFILE=$pass "$BIN/chpst" -u "$owner" "$@"; }
        ask() { as_owner timeout 60 "$BIN/psql" -d "$conninfo $1" -XAtqc "$2"; }
        own() { timeout 20 "$ROOT/opt/gitlab/bin/gitlab-psql" -XAtqc "$1" 2>&1; }
        is_down() {
        case $("$CTL" status postgresql 2>&1) in down:*) ;; *) return 1 ;; esac
        pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null) || return 0
        ! kill -0 "$pid" 2>/dev/null
        }
        follows() {
        seen=$(own "SELECT pg_is_in_recovery() || ' ' || coalesce((SELECT concat_ws(' ', status, sender_host, slot_name, received_tli)
        FROM pg_stat_wal_receiver), 'no WAL receiver')")
        [ "$seen" = "true streaming $HOST $SLOT $timeline" ]
        }
        """#

    /// What would make the copy another database than the one that was planned for, or more than what is in the directory.
    private static let looking = #"""
        rm -rf "$work" || refuse "$work, which an earlier attempt has left, cannot be removed"
        answer=$(ask replication=true IDENTIFY_SYSTEM 2>&1) || refuse "$HOST: $answer"
        timeline=$(printf '%s' "$answer" | cut -d '|' -f 2)
        [ "${answer%%|*}" = "$SYSTEM" ] || refuse "$HOST has the database ${answer%%|*}, and not $SYSTEM"
        if ! is_down; then
        if follows; then say "PostgreSQL streams from $HOST already"; exit 0; fi
        refuse "PostgreSQL runs here"
        fi
        control=$("$BIN/pg_controldata" "$data" 2>&1) || refuse "pg_controldata: $control"
        state=$(printf '%s\n' "$control" | sed -n 's/^Database cluster state: *//p')
        system=$(printf '%s\n' "$control" | sed -n 's/^Database system identifier: *//p')
        case $state in 'shut down'|'shut down in recovery') ;; *) refuse "the database here is: $state" ;; esac
        [ "$system" = "$SYSTEM" ] || refuse "here lies the database $system, and not $SYSTEM"
        [ -z "$(ls -A "$data/pg_tblspc")" ] && [ ! -L "$data/pg_wal" ] || refuse "the database lies in more than one place"
        size=$(du -sk "$data" | cut -f 1)
        free=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
        [ $((size + size / 10)) -lt "$free" ] || refuse "a second copy needs $size KiB and a tenth of it, and $free are free"
        """#

    /// The slot first: from then on the source keeps the WAL that the standby goes on with. What the rewind brings of the
    /// source's configuration (PostgreSQL documentation, pg_rewind, how it works) goes back to the node's own; the node's
    /// slots were for standbys of its own, and would hold back its WAL for nobody. `gitlab-geo.conf` is what
    /// `gitlab-ctl replicate-geo-database` writes (omnibus-gitlab `geo/replication.rb`), with quotes where it has none.
    private static let rewinding = #"""
        slots=$(ask dbname=gitlabhq_production "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$SLOT'" 2>&1) ||
        refuse "$HOST: $slots"
        if [ "$slots" = 0 ]; then
        answer=$(ask dbname=gitlabhq_production "SELECT pg_create_physical_replication_slot('$SLOT', true)" 2>&1) || refuse "$HOST: $answer"
        fi
        give_up() { rm -rf "$work"; refuse "$*"; }
        say "copying $size KiB to $work"
        timeout "$(left)" cp -a --reflink=auto "$data" "$work" || give_up "$data cannot be copied"
        say "rewinding it by $HOST, on timeline $timeline"
        as_owner timeout "$(left)" "$BIN/pg_rewind" --target-pgdata="$work" --no-ensure-shutdown --progress \
        --source-server="$conninfo dbname=gitlabhq_production" 2>&1 || give_up "pg_rewind failed"
        for file in postgresql.conf runtime.conf pg_hba.conf pg_ident.conf server.crt server.key; do
        rm -f "$work/$file" && if [ -e "$data/$file" ]; then cp -p "$data/$file" "$work/$file"; fi || give_up "$work/$file cannot be written"
        done
        rm -rf "$work/geo-pitr-file" "$work/recovery.signal" "$work/pg_replslot"/* || give_up "$work cannot be written"
        quoted=$(printf %s "$PASSWORD" | sed "s/[\\\\']/\\\\&/g" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")
        rm -f "$work/gitlab-geo.conf" && : >"$work/standby.signal" && printf '%s\n' "recovery_target_timeline = 'latest'" \
        "primary_conninfo = 'host=$HOST port=5432 user=gitlab_replicator password=''$quoted'' sslmode=$SSLMODE sslcompression=0'" \
        "primary_slot_name = '$SLOT'" >"$work/gitlab-geo.conf" && chmod 640 "$work/gitlab-geo.conf" &&
        chown "$owner" "$work/gitlab-geo.conf" "$work/standby.signal" && sync || give_up "$work cannot be written"
        """#

    /// A server that does not stream goes as it came: it was started as a standby, and has nothing that others have not.
    private static let proving = #"""
        is_down || give_up "PostgreSQL was started meanwhile"
        now=$(date +%s)
        while [ -e "$data.$now" ]; do now=$((now + 1)); done
        say "keeping the former database as $data.$now"
        mv -T "$data" "$data.$now" || give_up "$data cannot be moved"
        mv -T "$work" "$data" || { mv -T "$data.$now" "$data"; refuse "$work cannot be moved"; }
        sync
        "$CTL" start postgresql
        until=$(($(date +%s) + WAIT)) seen=
        while [ "$(date +%s)" -lt "$until" ]; do
        if follows; then say "PostgreSQL streams from $HOST on timeline $timeline, through slot $SLOT"; exit 0; fi
        sleep 1
        done
        "$CTL" stop postgresql
        is_down || refuse "PostgreSQL did not stream within $WAIT s ($seen), and does not stop"
        mv -T "$data" "$work" && mv -T "$data.$now" "$data" || refuse "it did not stream ($seen), and $data.$now cannot be moved back"
        rm -rf "$work"
        refuse "PostgreSQL did not stream within $WAIT s: $seen"
        """#
}
