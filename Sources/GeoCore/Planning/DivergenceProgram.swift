/// What saves on a node of the former primary's site what only that site has: a POSIX `sh` program with its arguments, one
/// command of a job ([0019](../../../docs/decisions/0019-what-is-saved-of-a-divergence.md)).
///
/// It writes into ``DivergenceArchive/base`` and nowhere else, and deletes nothing but what it made itself: half-written
/// files and its copy of the database. The original's files are read; no server is ever started on them. Run again it
/// goes on where it was; on a finished archive it changes nothing. Its last act is the last line of `STATE`, so that
/// nothing that was interrupted can look complete.
package struct DivergenceProgram: Sendable, Hashable {
    /// What there is to save on a node, by what runs there.
    package enum Part: String, Sendable, Hashable, Codable, CaseIterable {
        case database, repositories, files

        /// Uploads, artifacts and LFS objects are on the disks of whatever runs Rails code, where they are on disks at all.
        package static func of(_ node: Node) -> [Part] {
            allCases.filter { part in
                switch part {
                case .database: node.runs(.postgresql) || node.runs(.patroni)
                case .repositories: node.runs(.gitaly)
                case .files: node.runs(.rails) || node.runs(.sidekiq)
                }
            }
        }
    }

    package let divergence: Divergence
    package let parts: [Part]
    /// Before every path of the node; empty but in tests.
    package let root: String

    package init(_ divergence: Divergence, parts: [Part], root: String = "") {
        self.divergence = divergence
        self.parts = parts
        self.root = root
    }

    /// `sh -c PROGRAM NAME ARGUMENTS`: what is read in a plan is what runs.
    package var arguments: [String] {
        let since = divergence.since.map { $0.milliseconds / 1000 } ?? 0
        var words = ["sh", "-c", Self.text, Self.name, root, divergence.archiveName, divergence.systemIdentifier]
        words += [String(divergence.oldTimeline), String(divergence.newTimeline), divergence.fork.description]
        return words + [String(since)] + parts.map(\.rawValue)
    }

    package func command(timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: arguments, timeLimitSeconds: timeLimit, exitStatus: .mustBeZero, quietSeconds: 600)
    }

    /// Its `$0`, by which it is told from other commands.
    package static let name = "geo-failover-divergence"

    package static let text = [opening, database, rows, storages, repositories, files, closing].joined(separator: "\n")

    /// Room is kept free for the node: a twentieth of the disk, at least 1 GiB.
    private static let opening = #"""
        ROOT=$1 NAME=$2 SYSTEM=$3 OLD=$4 NEW=$5 FORK=$6 SINCE=$7
        shift 7
        set -u
        umask 077
        LC_ALL=C.UTF-8 TZ=UTC HOME=/ PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
        GIT_OPTIONAL_LOCKS=0 GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
        export LC_ALL TZ HOME PATH GIT_OPTIONAL_LOCKS GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT
        BIN=$ROOT/opt/gitlab/embedded/bin
        base=$ROOT/var/opt/gitlab/geo-failover-divergence
        dir=$base/$NAME
        copy=$base/copy-$NAME
        say() { printf '%s\n' "$*"; }
        fail() { say "NOT SAVED: $*"; exit 1; }
        leave() { say "left out: $*"; printf 'left %s\n' "$*" | tr -d '\r' >>"$dir/STATE.new" || fail "cannot write"; }
        part() { say "$*"; printf 'part %s\n' "$*" >>"$dir/STATE.new" || fail "cannot write"; }
        free() {
        df -Pk "$dir" | awk 'NR == 2 { keep = $2 / 20; if (keep < 1048576) keep = 1048576; printf "%.0f\n", ($4 - keep) * 1024 }'
        }
        room() { [ "$1" -le "$(free)" ]; }
        json() { printf '%s' "$1" | tr -d '\000-\037\177' | sed 's/[\\"]/\\&/g'; }
        keep() {
        [ ! -e "$2/${1##*/}" ] || return 0
        cp --preserve=timestamps "$1" "$2/half" && mv "$2/half" "$2/${1##*/}"
        }
        [ ! -L "$base" ] && mkdir -p "$dir" && chmod 711 "$base" && chmod 700 "$dir" || fail "$dir cannot be made"
        exec 9>>"$dir/lock" || fail "$dir/lock cannot be made"
        flock -n 9 || fail "another process saves into $dir"
        case $(tail -n 1 "$dir/STATE" 2>/dev/null) in
        complete*)
        if ! grep -q '^left ' "$dir/STATE"; then say "saved before, into $dir"; exit 0; fi ;;
        esac
        printf '%s\n' "divergence 1" "system $SYSTEM" "timelines $OLD $NEW" "fork $FORK" "since $SINCE" >"$dir/STATE.new" ||
        fail "$dir cannot be written"
        [ -s "$dir/STATE" ] || { cp "$dir/STATE.new" "$dir/STATE.half" && mv "$dir/STATE.half" "$dir/STATE"; } ||
        fail "$dir cannot be written"
        """#

    /// The last line of `STATE` is what makes an archive complete; the manifest's own digest stands before it.
    private static let closing = #"""
        for one; do
        case $one in
        database) save_database ;;
        repositories) save_repositories ;;
        files) save_files ;;
        *) fail "nobody knows how to save $one" ;;
        esac
        done
        cd "$dir" || fail "$dir is gone"
        cat database.jsonl repositories.jsonl files.jsonl 2>/dev/null >divergence.jsonl.half
        mv divergence.jsonl.half divergence.jsonl || fail "divergence.jsonl cannot be written"
        find . -type f ! -name STATE ! -name STATE.new ! -name lock ! -name 'MANIFEST*' -print0 | sort -z >MANIFEST.names &&
        xargs -0 -r sha256sum -- <MANIFEST.names >MANIFEST.sums && xargs -0 -r stat -c %s -- <MANIFEST.names >MANIFEST.sizes &&
        [ "$(wc -l <MANIFEST.sums)" -eq "$(wc -l <MANIFEST.sizes)" ] &&
        paste MANIFEST.sizes MANIFEST.sums >MANIFEST.half && mv MANIFEST.half MANIFEST || fail "the manifest cannot be made"
        rm -f MANIFEST.names MANIFEST.sums MANIFEST.sizes
        bytes=$(du -sb . | cut -f 1)
        sum=$(sha256sum MANIFEST | cut -d ' ' -f 1)
        sync
        printf '%s\n' "bytes $bytes" "manifest $sum" "complete $(date +%s)" >>STATE.new && sync STATE.new &&
        mv STATE.new STATE && sync || fail "$dir/STATE cannot be written"
        say "saved into $dir, $bytes bytes"
        """#
}

extension RemoteCommand {
    /// The argument vector for people: a program of many lines is named by the command that prints it, inside double
    /// quotes, which a shell on the operator's machine puts in its place.
    package var shownText: String {
        let words = (asRoot ? ["sudo", "-n"] : []) + arguments
        return words.map { Self.shownProgram($0) ?? Self.quoted($0) }
            .joined(separator: " ")
    }

    /// What stands for an argument that is a program of many lines; `nil` for all others.
    package static func shownProgram(_ argument: String) -> String? {
        switch argument {
        case DivergenceProgram.text: DivergenceProgram.shown
        case RewindProgram.text: RewindProgram.shown
        case LimitedCopyProgram.text: LimitedCopyProgram.shown
        default: nil
        }
    }
}

extension DivergenceProgram {
    package static let shown = "\"$(geo-failover divergence program)\""
}

extension Divergence {
    /// For people who ask what the action runs, with no plan at hand.
    package static let example = Divergence(
        old: "tokyo", new: "seoul", systemIdentifier: "7389246213415879234", oldTimeline: 1, newTimeline: 2,
        fork: LogPosition(bytes: 0x16_B374_D848), since: nil)
}
