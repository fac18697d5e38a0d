extension DivergenceProgram {
    /// The log from the fork on, and what it says: which transactions were committed, when, and in which tables.
    ///
    /// `pg_waldump` reads to the first record that is not whole, which is where crash recovery would stop too (PostgreSQL
    /// documentation, pg_waldump); it says so with an error and exit status 1, so that the status proves nothing. What it
    /// read is compared with the control file: a log that ends before the last checkpoint is damaged.
    static let database = #"""
        save_database() {
        data=$ROOT/var/opt/gitlab/postgresql/data
        out=$dir/database
        mkdir -p "$out/wal" || fail "$out cannot be made"
        control=$("$BIN/pg_controldata" "$data" 2>&1) || fail "pg_controldata: $control"
        value() { printf '%s\n' "$control" | sed -n "s/^$1: *//p" | head -n 1; }
        system=$(value 'Database system identifier') timeline=$(value "Latest checkpoint's TimeLineID")
        if [ "$system" != "$SYSTEM" ] || [ "$timeline" != "$OLD" ]; then
        fail "in $data lies the database $system on timeline $timeline, and not $SYSTEM on $OLD"
        fi
        pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
        if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$(readlink -f "$data")" ]; then
        fail "PostgreSQL runs on $data (process $pid): fence the node first"
        fi
        printf '%s\n' "$control" >"$out/pg_controldata"
        size=$(value 'Bytes per WAL segment') checkpoint=$(value 'Latest checkpoint location')
        case $size in '' | *[!0-9]*) fail "pg_controldata tells no size of WAL segments" ;; esac
        per=$((4294967296 / size))
        place() { printf '%s\n' $(((0x${1%/*} << 32) | 0x${1#*/})); }
        segment() { printf '%08X%08X%08X\n' "$OLD" $(($1 / per)) $(($1 % per)); }
        first=$(($(place "$FORK") / size))
        start=$FORK
        if [ ! -e "$data/pg_wal/$(segment "$first")" ] && [ "$(place "$checkpoint")" -ge "$(place "$FORK")" ]; then
        leave "database: the WAL right after the fork, $(segment "$first") is not there any more"
        while [ ! -e "$data/pg_wal/$(segment "$first")" ]; do
        first=$((first + 1))
        [ $((first * size)) -le "$(place "$checkpoint")" ] || fail "$data/pg_wal has no WAL of timeline $OLD after the fork"
        done
        start=$(printf '%X/%X' $((first / per)) $((first % per * size)))
        fi
        read_log
        last=$first
        [ -z "$end" ] || last=$(($(place "$end") / size))
        if [ "$(place "$checkpoint")" -ge "$(place "$FORK")" ] && [ "$(place "${end:-0/0}")" -lt "$(place "$checkpoint")" ]; then
        leave "database: the WAL cannot be read beyond ${end:-$start}, and the last checkpoint is at $checkpoint"
        fi
        # A record may go on in the next segment.
        last=$((last + 1)) n=$first wal=0
        room $(((last - first + 1) * size)) || fail "no room for the WAL from the fork on: $(((last - first + 1) * size)) bytes"
        while [ "$n" -le "$last" ]; do
        if [ -e "$data/pg_wal/$(segment "$n")" ]; then
        keep "$data/pg_wal/$(segment "$n")" "$out/wal" || fail "$(segment "$n") cannot be copied"
        wal=$((wal + 1))
        elif [ "$n" -lt "$last" ] && [ -n "$end" ]; then
        leave "database: WAL segment $(segment "$n") is not there any more"
        fi
        n=$((n + 1))
        done
        for one in "$data"/pg_wal/*.history; do
        [ ! -e "$one" ] || keep "$one" "$out/wal" || fail "$one cannot be copied"
        done
        rows=0
        [ "$commits" -eq 0 ] || save_rows
        last=$(tail -n 1 "$out/commits.tsv" | cut -f 2)
        printf '{"kind":"database","system":"%s","oldTimeline":%s,"newTimeline":%s,"fork":"%s","end":"%s","commits":%s,' \
        "$SYSTEM" "$OLD" "$NEW" "$FORK" "${end:-$FORK}" "$commits" >"$dir/database.half"
        printf '"lastCommit":"%s","rows":%s}\n' "$last" "$rows" >>"$dir/database.half"
        mv "$dir/database.half" "$dir/database.jsonl" || fail "database.jsonl cannot be written"
        part "database commits=$commits rows=$rows segments=$wal"
        }
        read_log() {
        { timeout 1200 "$BIN/pg_waldump" -p "$data/pg_wal" -t "$OLD" -s "$start" 2>"$out/pg_waldump.said"
        printf 'status: %s\n' "$?"; } | awk -v out="$out" '
        $1 == "status:" { status = $2; next }
        {
        tx = lsn = what = 0
        for (i = 1; i < NF; i++) {
        if ($i == "tx:") tx = $(i + 1) + 0
        else if ($i == "lsn:") { lsn = $(i + 1); sub(/,$/, "", lsn) }
        else if ($i == "desc:") { what = i + 1; break }
        }
        if (!what) next
        end = lsn
        if ($what ~ /^COMMIT/) {
        at = $(what + 1) " " $(what + 2)
        if ($what == "COMMIT_PREPARED") { tx = $(what + 1) + 0; at = $(what + 2) " " $(what + 3) }
        commits++
        print lsn "\t" at "\t" tx >(out "/commits.half")
        print tx >(out "/xids.half")
        for (i = what; i <= NF; i++) if ($i == "subxacts:")
        for (i++; i <= NF && $i ~ /^[0-9]+;?$/; i++) print $i + 0 >(out "/xids.half")
        } else if ($2 ~ /^Heap2?$/ && $what ~ /INSERT|UPDATE|DELETE/) {
        for (i = what; i < NF; i++) if ($i == "rel") { op = $what; sub(/\+INIT$/, "", op); seen[$(i + 1) "\t" op]++; break }
        }
        }
        END {
        for (key in seen) print key "\t" seen[key] >(out "/relations.half")
        print commits + 0, status, end >(out "/read")
        }' || fail "the log cannot be read"
        for one in commits xids relations; do
        [ -e "$out/$one.half" ] || : >"$out/$one.half"
        if [ "$one" != commits ]; then sort -u -o "$out/$one.half" "$out/$one.half"; fi &&
        mv "$out/$one.half" "$out/$one.tsv" || fail "$out/$one.tsv cannot be written"
        done
        read -r commits status end <"$out/read" || fail "pg_waldump was not read to its end"
        case $status in
        124 | 137) fail "pg_waldump did not end in 20 minutes" ;;
        126 | 127) fail "pg_waldump cannot be run: $(head -n 1 "$out/pg_waldump.said")" ;;
        esac
        [ -z "$end" ] || timeout 1200 "$BIN/pg_waldump" -p "$data/pg_wal" -t "$OLD" -s "$start" -z >"$out/summary.txt" 2>/dev/null
        return 0
        }
        """#

    /// The rows that committed transactions after the fork have left, as JSON, from a copy of the data directory: the
    /// original is never opened, since even single-user mode writes into it.
    ///
    /// The copy has settings of its own (`data_directory` too, or a server could open the original by the old file's word),
    /// no network, and an account that may not look into the archive. A data directory with symbolic links is not copied:
    /// its copy would write through them. Which tables to look into says the log, which rows their `xmin`.
    static let rows = #"""
        copy_server() {
        pid=$(head -n 1 "$copy/data/postmaster.pid" 2>/dev/null)
        [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$copy/data" ]
        }
        end_copy() {
        n=0
        while copy_server && [ "$n" -lt 300 ]; do
        if [ "$n" -lt 200 ]; then kill -INT "$pid"; else kill -QUIT "$pid"; fi
        sleep 0.2
        n=$((n + 1))
        done
        copy_server && fail "the server on $copy does not end (process $pid)"
        rm -rf -- "$copy"
        }
        ask() {
        database=$1
        shift
        PGOPTIONS='-c statement_timeout=600000' "$BIN/chpst" -u "$owner" "$BIN/psql" -h "$copy" -p 1 -U "$owner" -d "$database" -AtqX \
        -v ON_ERROR_STOP=1 -v FETCH_COUNT=1000 "$@"
        }
        save_rows() {
        owner=$(stat -c %U "$data")
        end_copy
        if [ -n "$(find "$data" -type l -print -quit)" ]; then
        leave "database: rows, since $data holds symbolic links, through which a copy would write"
        return
        fi
        need=$(($(du -sk "$data" | cut -f 1) * 1024 / 10 * 11))
        if ! room "$need"; then
        leave "database: rows, since there is no room for a copy of $need bytes"
        return
        fi
        trap end_copy EXIT
        trap 'exit 143' TERM INT HUP
        if ! start_copy || ! read_rows; then leave "database: rows, $(tail -n 1 "$copy/log" | tr -dc ' -~' | cut -c 1-300)"; fi
        trap - EXIT
        end_copy
        }
        start_copy() {
        mkdir "$copy" && cp -a --reflink=auto "$data" "$copy/data" || return
        rm -f "$copy/data/postmaster.pid" "$copy/data/standby.signal" "$copy/data/recovery.signal"
        : >"$copy/data/postgresql.auto.conf"
        : >"$copy/ident"
        echo 'local all all trust' >"$copy/hba"
        printf '%s\n' "data_directory = '$copy/data'" "hba_file = '$copy/hba'" "ident_file = '$copy/ident'" "listen_addresses = ''" \
        "unix_socket_directories = '$copy'" "port = 1" "max_connections = 10" "shared_buffers = 64MB" "autovacuum = off" \
        "fsync = off" "timezone = 'UTC'" >"$copy/postgresql.conf"
        : >"$copy/log"
        chown "$owner" "$copy" "$copy/hba" "$copy/ident" "$copy/postgresql.conf" || return
        "$BIN/chpst" -u "$owner" "$BIN/postgres" -D "$copy/data" -c config_file="$copy/postgresql.conf" >"$copy/log" 2>&1 \
        </dev/null 9>&- &
        server=$!
        n=0
        while [ "$(ask postgres -c 'SHOW data_directory' 2>/dev/null)" != "$copy/data" ]; do
        kill -0 "$server" 2>/dev/null && [ "$n" -lt 1800 ] || return
        sleep 0.5
        n=$((n + 1))
        done
        }
        read_rows() {
        mkdir -p "$out/rows"
        : >"$out/rows.half"
        for oid in $(cut -f 1 "$out/relations.tsv" | cut -d / -f 2 | sort -un); do
        [ "$oid" != 0 ] || continue
        name=$(ask postgres -c "SELECT datname FROM pg_database WHERE oid = $oid") || return
        # One that is gone again has no rows.
        [ -n "$name" ] || continue
        { echo 'CREATE TABLE geo_failover_xids (x text PRIMARY KEY); COPY geo_failover_xids FROM STDIN;'
        cat "$out/xids.tsv"
        echo '\.'
        echo 'CREATE TABLE geo_failover_relations (space oid, file oid); COPY geo_failover_relations FROM STDIN;'
        awk -F '[/\t]' -v oid="$oid" '$2 == oid { print ($1 == 1663 ? 0 : $1) "\t" $3 }' "$out/relations.tsv" | sort -u
        echo '\.'
        cat <<'SQL'
        SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
        FROM geo_failover_relations r JOIN pg_class c ON c.oid = pg_filenode_relation(r.space, r.file)
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') ORDER BY 1;
        SQL
        } | ask "$name" >"$out/tables.half" 2>>"$copy/log" || return
        while read -r table; do
        file=rows/$name.$(printf '%s' "$table" | tr '/' '_').jsonl
        ask "$name" -c "SELECT row_to_json(geo_failover_row) FROM ONLY $table geo_failover_row WHERE geo_failover_row.xmin::text IN
        (SELECT x FROM geo_failover_xids)" >"$out/rows/half" 2>>"$copy/log" </dev/null || return
        found=$(wc -l <"$out/rows/half")
        mv "$out/rows/half" "$out/$file" || return
        printf '%s\t%s\t%s\n' "$name" "$table" "$found" >>"$out/rows.half"
        rows=$((rows + found))
        done <"$out/tables.half"
        if [ -n "$(ask "$name" -c "SELECT to_regclass('project_repositories')")" ]; then
        ask "$name" -c "SELECT p.disk_path || '.git' || chr(9) || r.path FROM project_repositories p
        JOIN routes r ON r.source_id = p.project_id AND r.source_type = 'Project' ORDER BY 1" >"$out/projects.half" \
        2>>"$copy/log" && mv "$out/projects.half" "$out/projects.tsv" || return
        fi
        done
        rm -f "$out/tables.half"
        mv "$out/rows.half" "$out/rows.tsv"
        }
        """#
}
