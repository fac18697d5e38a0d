/// What ``KeeperScript`` says of the job directories that ``JobScript`` makes.
extension KeeperScript {
    /// `state DIR`: one word, and after `exited` the status. The lock is the runner's for as long as it lives.
    static let jobState = """
        first /proc/sys/kernel/random/boot_id
        boot=$word
        state() {
        first "$1/boot"
        if [ -e "$1/exit" ]; then read -r code rest <"$1/exit"; echo "exited:$code"
        elif [ -e "$1/abandoned" ]; then echo never-started
        elif [ "$word" != "$boot" ]; then echo rebooted
        elif [ ! -e "$1/begun" ]; then echo starting
        elif [ ! -e "$1/lock" ] || flock -n -s "$1/lock" true; then echo vanished
        else echo running
        fi
        }

        """

    static let listJobs = """
        now=$(date +%s)
        say jobs
        for one in "$base"/jobs/*/*; do
        [ -d "$one" ] || continue
        run=${one%/*}
        size=$(du -sk "$one")
        say "job ${run##*/} ${one##*/} $(state "$one") $((now - $(stat -c %Y "$one"))) ${size%%[!0-9]*}" \\
        "$(head -c 2000 "$one/command" 2>/dev/null | tr -c '[:print:]' ' ')"
        done
        say end
        """

    static let removeRun = """
        case $RUN in ''|.|..|*/*) say "refused $RUN is no name of a run"; return ;; esac
        set -f
        set -- $lease
        set +f
        if [ "$2" = "$RUN" ]; then say "refused it is held for run $RUN by $3"; return; fi
        now=$(date +%s)
        for one in "$base/jobs/$RUN"/* "$base/runs/$RUN"; do
        [ -d "$one" ] || continue
        age=$((now - $(stat -c %Y "$one")))
        if [ "$age" -lt "$OLDER" ]; then say "refused ${one##*/} was changed $age s ago"; return; fi
        case $one in "$base/runs/"*) continue ;; esac
        case $(state "$one") in
        running|starting) say "refused ${one##*/} still runs"; return ;;
        esac
        done
        if ! rm -rf "$base/jobs/$RUN" "$base/runs/$RUN"; then say "refused $base cannot be written on this node"; return; fi
        say removed
        say end
        """

    /// `timeout` ends its whole process group when it is ended itself, waits for it, and kills it after 30 s; the runner
    /// lives on and writes the exit status (coreutils, timeout.c). Its child is found by its parent in `/proc`.
    static let cancel = """
        dir=$base/jobs/$RUN/$KEY
        if [ ! -d "$dir" ]; then say "refused no job $KEY of run $RUN is on this node"; return; fi
        now=$(state "$dir")
        if [ "$now" = running ]; then
        first "$dir/pid"
        runner=$word
        for one in /proc/[0-9]*/stat; do
        { read -r line <"$one"; } 2>/dev/null || continue
        case $line in *" (timeout) "*) ;; *) continue ;; esac
        child=${line%% *}
        set -- ${line##*) }
        if [ "$2" = "$runner" ]; then kill -TERM "$child"; fi
        done
        n=0
        while [ ! -e "$dir/exit" ] && [ "$n" -lt 50 ]; do sleep 0.1; n=$((n + 1)); done
        now=$(state "$dir")
        fi
        say "cancelled $now"
        say end
        """
}
