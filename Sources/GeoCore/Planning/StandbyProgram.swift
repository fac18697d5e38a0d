/// What the two programs that make a standby of a former primary's node have in common: ``RewindProgram`` and
/// ``LimitedCopyProgram``, each a POSIX `sh` program with its arguments, one command of a job.
///
/// Both make the new database beside `data`, and put it in its place only when it is whole; what was there is kept as
/// `data.EPOCH`, as `gitlab-ctl replicate-geo-database` keeps it. They exit with 0 only when the server was seen to stream from
/// the source, on the source's timeline and through its own slot. Otherwise the node is as it was before, with PostgreSQL
/// down. Run again they begin anew, also after an attempt that was killed at any instant: what it left is removed, and what
/// of it still runs is ended.
package enum StandbyProgram {
    /// Seconds that a server which was started may take until it streams: first it replays what it needs to be consistent.
    package static let streamsWithinSeconds = 900

    /// Before each program come `WAY`, by which its files are called, and `NOT`, what its last line says when it gives up.
    ///
    /// The password comes on standard input, and is in no argument and in no environment: libpq reads it from a file that
    /// is gone at the end (PostgreSQL documentation, libpq, the password file). Whatever belongs to an attempt has the
    /// folder open, locked, as 9: that finds what outlived its program, and holds the source's slot (flock(2); whose lock it is
    /// says proc(5), so that nobody else who has the folder open is ended). The node's
    /// own configuration and the owner of its files are in `settled`, which is `data` but after a kill between its two renames.
    ///
    /// A receiver calls itself `streaming` from its start on, also where the source then refuses it (PostgreSQL,
    /// `walreceiver.c`): only the source tells that its slot is in use.
    static let opening = #"""
        ROOT=$1 HOST=$2 SLOT=$3 SSLMODE=$4 SYSTEM=$5 LIMIT=$6 WAIT=$7 RATE=${8-}
        set -u
        umask 077
        LC_ALL=C.UTF-8 TZ=UTC PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
        export LC_ALL TZ PATH
        BIN=$ROOT/opt/gitlab/embedded/bin
        CTL=$ROOT/opt/gitlab/bin/gitlab-ctl
        place=$ROOT/var/opt/gitlab/postgresql
        data=$place/data
        work=$place/data-$WAY
        pass=$place/.pgpass-$WAY
        end=$(($(date +%s) + LIMIT))
        say() { printf '%s\n' "$*"; }
        refuse() { say "$NOT: $*"; exit 1; }
        give_up() { rm -rf "$work"; refuse "$*"; }
        left() { [ "$(date +%s)" -lt "$end" ] && echo $((end - $(date +%s))) || echo 1; }
        PASSWORD=
        IFS= read -r PASSWORD || [ -n "$PASSWORD" ] || refuse "nobody gave the password of gitlab_replicator"
        exec </dev/null
        cd / || exit 1
        [ -d "$data" ] && [ ! -L "$data" ] || refuse "$data is no directory"
        exec 9<"$place"
        if ! flock -n 9; then
        for fd in /proc/[0-9]*/fd/9; do
        pid=${fd#/proc/}
        pid=${pid%/fd/9}
        if [ "$pid" = $$ ] || ! [ "$fd" -ef "$place" ] || ! grep -q '^lock:.*FLOCK' "/proc/$pid/fdinfo/9"; then continue; fi
        if tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qx 'geo-failover-[a-z]*'; then refuse "an earlier attempt is still at it, process $pid"; fi
        say "ending process $pid of an earlier attempt"
        kill -9 "$pid"
        done
        flock -w 30 9 || refuse "something of an earlier attempt does not end"
        fi 2>/dev/null
        settled=$data
        if [ ! -e "$data/global/pg_control" ]; then
        for one in "$data".[0-9]*; do if [ -e "$one/global/pg_control" ] && [ -e "$one/postgresql.conf" ]; then settled=$one; fi; done
        fi
        [ -e "$settled/postgresql.conf" ] || refuse "neither $data nor a former database beside it has the node's postgresql.conf"
        owner=$(stat -c %U:%G "$settled") || exit 1
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
        [ "$seen" = "true streaming $HOST $SLOT $timeline" ] || return 1
        [ "$(ask dbname=gitlabhq_production "SELECT active FROM pg_replication_slots WHERE slot_name = '$SLOT'")" = t ] && return 0
        seen="$seen, and slot $SLOT of $HOST is not in use"
        return 1
        }
        comes_to_follow() {
        until=$(($(date +%s) + WAIT))
        until follows; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 1
        done
        say "PostgreSQL streams from $HOST on timeline $timeline, through slot $SLOT"
        }
        is_empty() { [ -z "$(ls -A "$1")" ]; }
        answer=$(ask replication=true IDENTIFY_SYSTEM 2>&1) || refuse "$HOST: $answer"
        timeline=$(printf '%s' "$answer" | cut -d '|' -f 2)
        [ "${answer%%|*}" = "$SYSTEM" ] || refuse "$HOST has the database ${answer%%|*}, and not $SYSTEM"
        quoted=$(printf %s "$PASSWORD" | sed "s/[\\\\']/\\\\&/g" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")
        settings="recovery_target_timeline = 'latest'
        primary_conninfo = 'host=$HOST port=5432 user=gitlab_replicator password=''$quoted'' sslmode=$SSLMODE sslcompression=0'
        primary_slot_name = '$SLOT'"
        has_room() {
        free=$(df -Pk "$place" | awk 'NR == 2 { print $4 }')
        [ $(($1 + $1 / 10)) -lt "$free" ] || refuse "a second copy needs $1 KiB and a tenth of it, and $free are free"
        }
        """#

    /// The slot: from then on the source keeps the WAL that the standby goes on with.
    static let reserving = #"""
        slots=$(ask dbname=gitlabhq_production "SELECT count(*) FROM pg_replication_slots WHERE slot_name = '$SLOT'" 2>&1) ||
        refuse "$HOST: $slots"
        if [ "$slots" = 0 ]; then
        answer=$(ask dbname=gitlabhq_production "SELECT pg_create_physical_replication_slot('$SLOT', true)" 2>&1) || refuse "$HOST: $answer"
        fi
        """#

    /// What came of the source's configuration goes back to the node's own (PostgreSQL documentation, pg_rewind, how it works;
    /// pg_basebackup brings all of it); the node's slots were for standbys of its own, and would hold back its WAL for nobody.
    /// `gitlab-geo.conf` is what `gitlab-ctl replicate-geo-database` writes (omnibus-gitlab `geo/replication.rb`), with quotes
    /// where it has none.
    static let settling = #"""
        for file in postgresql.conf runtime.conf pg_hba.conf pg_ident.conf server.crt server.key; do
        rm -f "$work/$file" && if [ -e "$settled/$file" ]; then cp -p "$settled/$file" "$work/$file"; fi || give_up "$work/$file cannot be written"
        done
        rm -rf "$work/geo-pitr-file" "$work/recovery.signal" "$work/pg_replslot"/* || give_up "$work cannot be written"
        rm -f "$work/gitlab-geo.conf" && : >"$work/standby.signal" && printf '%s\n' "$settings" >"$work/gitlab-geo.conf" &&
        chmod 640 "$work/gitlab-geo.conf" && chown "$owner" "$work/gitlab-geo.conf" "$work/standby.signal" && sync ||
        give_up "$work cannot be written"
        """#

    /// A server that does not stream goes as it came: it was started as a standby, and has nothing that others have not. An
    /// empty directory is what a kill between the two renames leaves: the former database is kept already.
    static let proving = #"""
        is_down || give_up "PostgreSQL was started meanwhile"
        kept=
        if is_empty "$data"; then rmdir "$data" || give_up "$data cannot be removed"
        else
        now=$(date +%s)
        while [ -e "$data.$now" ]; do now=$((now + 1)); done
        kept=$data.$now
        say "keeping the former database as $kept"
        mv -T "$data" "$kept" || give_up "$data cannot be moved"
        fi
        put_back() { if [ -n "$kept" ]; then mv -T "$kept" "$data"; else mkdir "$data"; fi; }
        mv -T "$work" "$data" || { put_back; refuse "$work cannot be moved"; }
        sync
        "$CTL" start postgresql 9<&-
        if comes_to_follow; then exit 0; fi
        "$CTL" stop postgresql
        is_down || refuse "PostgreSQL did not stream within $WAIT s ($seen), and does not stop"
        mv -T "$data" "$work" && put_back || refuse "it did not stream ($seen), and $kept cannot be moved back"
        rm -rf "$work"
        refuse "PostgreSQL did not stream within $WAIT s: $seen"
        """#

    /// Programs by the word that `geo-failover runbook program` knows them by.
    package static let all = ["rewind": RewindProgram.text, "copy": LimitedCopyProgram.text]

    static func arguments(
        _ text: String, _ name: String, root: String, _ standby: StandbyTarget, timeLimit: Int, streamsWithin: Int
    ) -> [String] {
        ["sh", "-c", text, name, root, standby.source, standby.slot, standby.sslMode, standby.systemIdentifier]
            + ["\(timeLimit)", "\(streamsWithin)"]
    }
}

/// From where a standby is made, and how it is to follow.
package struct StandbyTarget: Sendable, Hashable {
    /// Address of the source's database.
    package let source: String
    package let slot: String
    package let sslMode: String
    package let systemIdentifier: String

    package init(source: String, slot: String, sslMode: String, systemIdentifier: String) {
        self.source = source
        self.slot = slot
        self.sslMode = sslMode
        self.systemIdentifier = systemIdentifier
    }
}
