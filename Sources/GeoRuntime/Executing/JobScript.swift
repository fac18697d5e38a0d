import FoundationEssentials
package import GeoCore

/// The POSIX `sh` script that starts a command on a node, once, detached from the SSH session, and tells how it is.
///
/// A lost session kills `gitlab-ctl geo promote` in the middle and leaves a node on which it exits 3 for ever
/// (it and Chef write to the dead pipe). So the command runs in a session of its own with its output, its pid and its
/// exit status in `/var/lib/geo-failover/jobs/RUN/KEY` on the node. `mkdir` of that directory is what makes "at most once".
package struct JobScript: Sendable {
    package let key: String
    package let command: RemoteCommand
    package let node: NodeID
    package let run: RunID
    package let epoch: Int
    package let expected: NodeIdentity
    package let marks: NodeMarks
    /// For the command's standard input. In the script, which comes on standard input itself, and nowhere else: not among
    /// arguments, in the environment or in a file.
    package let input: Input?
    private let base: String
    private let root: String

    package enum Input: Sendable, Hashable {
        /// Text without a line's end, which is added.
        case line([UInt8])
        /// These bytes and nothing else.
        case file([UInt8])
        /// Lines that everybody may read, without the last one's end.
        case answers([UInt8])

        package var bytes: [UInt8] {
            switch self {
            case .line(let bytes), .file(let bytes), .answers(let bytes): bytes
            }
        }

        /// What nobody may read.
        package var secret: [UInt8]? {
            switch self {
            case .line(let bytes), .file(let bytes): bytes
            case .answers: nil
            }
        }
    }

    /// Where jobs and the epoch are kept on a node.
    package static let base = "/var/lib/geo-failover"
    /// Longest time that one exchange waits on the node for the command to end.
    package static let waitSeconds = 2
    /// Most bytes of output in one exchange.
    package static let chunkBytes = 256 << 10

    package init(
        key: String, run: RunID, epoch: Int, command: RemoteCommand, node: NodeID, expected: NodeIdentity,
        marks: NodeMarks, input: Input? = nil, base: String = Self.base, root: String = "",
        receipt: consuming JournalReceipt
    ) {
        self.key = key
        self.run = run
        self.epoch = epoch
        self.command = command
        self.node = node
        self.expected = expected
        self.marks = marks
        self.input = input
        self.base = base
        self.root = root
        _ = consume receipt
    }

    /// Random per exchange, so that no output can imitate a frame.
    package private(set) var boundary = ""

    package func bounded(by boundary: String) -> JobScript {
        var copy = self
        copy.boundary = boundary
        return copy
    }

    /// The text for `sh -s`, wrapped in a function that the last line calls, so that half a script does nothing.
    package func text(offset: Int) -> String {
        let quoted = RemoteCommand.quoted
        let arguments = command.arguments.map(quoted).joined(separator: " ")
        let values = """
            base=\(quoted(base)) B=\(quoted(boundary))
            HOST=\(quoted(expected.hostName)) MACHINE=\(quoted(expected.machineID))
            ROOT=\(quoted(root)) DATABASE=\(quoted(marks.systemIdentifier ?? "")) SITE=\(quoted(marks.siteName ?? ""))
            EPOCH=\(epoch) RUN=\(quoted(run.rawValue)) KEY=\(quoted(key)) OFFSET=\(offset)
            LIMIT=\(command.timeLimitSeconds) KEEP=\(command.outputLimitBytes) CHUNK=\(Self.chunkBytes) WAIT=\(Self.waitSeconds)
            """
        // `printf` is a shell's own: no process has the line among its arguments.
        var (feed, isWhole) = ("", "")
        switch input {
        case .line(let bytes), .answers(let bytes):
            feed = "printf '%s\\n' \(quoted(String(decoding: bytes, as: UTF8.self))) 8>&- | "
        case .file(let bytes):
            feed = "printf %s \"$FILE\" 8>&- | base64 -d 8>&- | "
            // Seen before anything is started: of a file that is cut short nobody would hear.
            isWhole = """
                FILE='\(Data(bytes).base64EncodedString())'
                if [ ! -d "$dir" ] && [ "$(printf %s "$FILE" 8>&- | base64 -d 2>/dev/null 8>&- | wc -c)" -ne \(bytes.count) ]; then
                say "refused base64 does not work here, and what the command is to read would be cut short; nothing was started"
                return
                fi
                """
        case nil: break
        }
        let stdin = input == nil ? "</dev/null " : ""
        return """
            geo_failover_job() {
            \(values)
            dir=$base/jobs/$RUN/$KEY
            \(Self.guardText)
            \(isWhole)
            if mkdir "$dir" 2>/dev/null; then
            printf '%s\\n' \(quoted(command.shellText)) >"$dir/command"
            if ! cat /proc/sys/kernel/random/boot_id >"$dir/boot" || ! date +%s%3N >"$dir/began"; then
            say "refused $dir cannot be written"
            return
            fi
            \(feed)setsid sh -c \(quoted(Self.runner)) geo-failover-job "$dir" "$LIMIT" "$KEEP" \(arguments) >/dev/null 2>&1 \(stdin)8>&- &
            elif [ ! -d "$dir" ]; then
            say "refused $dir cannot be made"
            return
            elif [ -s "$dir/command" ] && [ "$(cat "$dir/command")" != \(quoted(command.shellText)) ]; then
            say "refused $dir is about another command than the plan's; somebody changed it, or two runs have one name"
            return
            fi
            exec 8>&-
            \(Self.reportText)
            }
            geo_failover_job

            """
    }

    /// Refuses on another machine than the plan was made for, and for an older epoch than the node has seen. The lock is
    /// held until the command is on its way: between the look at the epoch and the start nobody else can raise it.
    ///
    /// The database and the site are compared before the command starts and never again: while it runs, it may move what
    /// they are read from.
    private static let guardText = """
        \(KeeperScript.functions)
        umask 077
        host=$(hostname -f 2>/dev/null || hostname)
        first /etc/machine-id
        machine=$word
        if [ "$host" != "$HOST" ] || [ "$machine" != "$MACHINE" ]; then
        say "refused this is $host with machine id $machine, and the plan was made for $HOST with $MACHINE"
        return
        fi
        if [ ! -d "$dir" ]; then
        \(marksText)
        fi
        \(KeeperScript.makePlace("$base/jobs/$RUN"))
        exec 8>>"$base/lock"
        flock -w 10 8 || return
        newest
        \(KeeperScript.refuseDamaged)
        if [ "$have" -gt "$EPOCH" ]; then
        say "refused another run holds this node: its epoch is $have, this run has $EPOCH"
        return
        fi
        if [ "$have" -lt "$EPOCH" ]; then
        if ! printf '%s\\n' "$EPOCH" >"$base/epoch.new" || ! mv -f "$base/epoch.new" "$base/epoch"; then
        say "refused $base/epoch cannot be written"
        return
        fi
        fi
        """

    /// Refuses beside another database, and on a node that takes itself for another site's; also where neither can be read,
    /// since the plan could: then the node is not what it was. The last assignment counts, as in Ruby.
    private static let marksText = """
        again="nothing was started. Look whether this is the right node, and plan again"
        if [ -n "$DATABASE" ]; then
        data=$ROOT\(ProbeCatalog.dataDirectory)
        said=$(LC_ALL=C timeout -k 2 20 "$ROOT/opt/gitlab/embedded/bin/pg_controldata" "$data" 2>&1 </dev/null)
        found=$(printf '%s\\n' "$said" | sed -n 's/^Database system identifier: *//p' | head -n 1)
        if [ -z "$found" ]; then
        why=$(printf '%s' "$said" | tr '\\n' ' ' | head -c 200)
        say "refused which database lies in $data cannot be read ($why), and the plan was made for system identifier" \
        "$DATABASE. Put the data directory back where it was and resume, or plan again; nothing was started"
        return
        fi
        if [ "$found" != "$DATABASE" ]; then
        say "refused the database in $data is another one: its system identifier is $found, and the plan was made for" \
        "$DATABASE: $again"
        return
        fi
        fi
        if [ -n "$SITE" ]; then
        rb=$ROOT/etc/gitlab/gitlab.rb
        line=$(grep -E '^ *gitlab_rails..geo_node_name' "$rb" 2>&1 | tail -n 1)
        found=$(printf '%s\\n' "$line" | tr "'" '"' | sed -n 's/^[^=]*= *(* *"\\([^"]*\\)" *[);]* *\\(#.*\\)*$/\\1/p')
        if [ -z "$found" ]; then
        say "refused which site this node belongs to cannot be read: $rb names no geo_node_name in plain text, and the" \
        "plan was made for a node of $SITE. Put the setting back and resume, or plan again; nothing was started"
        return
        fi
        if [ "$found" != "$SITE" ]; then
        say "refused this node says that it belongs to the site $found (geo_node_name in $rb), and the plan was made for a" \
        "node of $SITE: $again"
        return
        fi
        fi
        """

    /// Runs in its own session. The lock is held until the exit status is there, so that a waiter needs no polling;
    /// the command must not inherit it, or a service that it starts would hold it for ever. `begun` is made by the
    /// runner or by the one who gives it up for lost, never by both. Output goes through a reader that keeps the first
    /// KEEP bytes and swallows the rest: a full disk must not kill a promotion. It writes what it reads at once: a
    /// service that keeps the pipe open would keep the last 4 KiB in a buffer, and `NOT OK` with them. The subshell
    /// closes 9 itself, since dash keeps a copy of what a redirection closes. Standard input is what the runner was given:
    /// nothing, or the command's one line; nothing before the command reads it.
    private static let runner = """
        dir=$1 limit=$2 keep=$3
        shift 3
        exec 9>"$dir/lock"
        flock 9
        mkdir "$dir/begun" || exit
        echo $$ >"$dir/pid.new"
        mv "$dir/pid.new" "$dir/pid"
        mkfifo "$dir/pipe"
        unbuffered=
        if command -v stdbuf >/dev/null; then unbuffered="stdbuf -o0"; fi
        (
        exec 9>&-
        $unbuffered head -c "$keep" >"$dir/output"
        cat >/dev/null
        : >"$dir/drained"
        ) <"$dir/pipe" &
        timeout -k 30 "$limit" "$@" >"$dir/pipe" 2>&1 9>&-
        status=$?
        n=0
        while [ ! -e "$dir/drained" ] && [ "$n" -lt 100 ]; do sleep 0.02; n=$((n + 1)); done
        printf '%s %s\\n' "$status" "$(date +%s%3N)" >"$dir/exit.new" && mv "$dir/exit.new" "$dir/exit"
        """

    private static let reportText = """
        n=0
        while [ ! -e "$dir/exit" ] && [ "$n" -lt 100 ]; do
        if [ -e "$dir/pid" ]; then flock -s -w "$WAIT" "$dir/lock" true; break; fi
        sleep 0.02
        n=$((n + 1))
        done
        first "$dir/boot"
        boot=$word
        first /proc/sys/kernel/random/boot_id
        state=running
        if [ -e "$dir/abandoned" ]; then
        state="lost the command was about to start and never did"
        elif [ -n "$boot" ] && [ "$boot" != "$word" ]; then
        state="lost the node was started again while the command ran"
        elif [ -e "$dir/begun" ]; then
        if flock -n -s "$dir/lock" true; then state="lost the command is gone and left no exit status"; fi
        elif [ "$(date +%s)" -gt "$(($(stat -c %Y "$dir") + 30))" ] && mkdir "$dir/begun" 2>/dev/null; then
        : >"$dir/abandoned"
        state="lost the command was about to start and never did"
        fi
        if [ -e "$dir/exit" ]; then
        status= ended= began=
        read -r status ended <"$dir/exit"
        read -r began <"$dir/began"
        state="exited $status $ended $began"
        case $status:$ended:$began in
        :* | *: | *::* | *[!0-9:]*) state="lost $dir/exit or began cannot be read: somebody changed it" ;;
        esac
        fi
        say "$state"
        size=$(wc -c <"$dir/output" 2>/dev/null || echo 0)
        count=$((size - OFFSET))
        if [ "$count" -lt 0 ]; then count=0; fi
        if [ "$count" -gt "$CHUNK" ]; then count=$CHUNK; fi
        say "output $((OFFSET)) $((count)) $((size))"
        if [ "$count" -gt 0 ]; then tail -c "+$((OFFSET + 1))" "$dir/output" | head -c "$count"; fi
        printf '\\n'
        say end
        """
}

/// What one exchange said of the job.
package struct JobAnswer: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        case running
        case exited(status: Int, milliseconds: Int)
        case lost(text: String)
        case refused(text: String)
    }
    package var state: State
    package var output: [UInt8]
    /// Whether more output is on the node than was sent so far.
    package var hasMore: Bool

    /// `nil` when the answer was cut off or is not ours: then nothing is known, and the exchange is repeated.
    package init?(_ bytes: [UInt8], boundary: String, offset: Int) {
        var rest = bytes[...]
        func line() -> String? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        func framed() -> [Substring]? {
            // Lines before the frame (a banner, a warning of sudo) are not ours.
            while let text = line() {
                if text.hasPrefix(boundary + " ") {
                    return text.dropFirst(boundary.count + 1).split(
                        separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                }
            }
            return nil
        }
        guard let first = framed(), let word = first.first else { return nil }
        let detail = first.count > 1 ? String(first[1]) : ""
        switch word {
        case "refused":
            self.state = .refused(text: detail)
            self.output = []
            self.hasMore = false
            return
        case "running": self.state = .running
        case "lost": self.state = .lost(text: detail)
        case "exited":
            let numbers = detail.split(separator: " ").map { Int($0) }
            guard numbers.count == 3, let status = numbers[0], let ended = numbers[1], let began = numbers[2] else {
                return nil
            }
            self.state = .exited(status: status, milliseconds: max(0, ended - began))
        default: return nil
        }
        guard let header = framed(), header.first == "output", header.count == 2 else { return nil }
        let numbers = header[1].split(separator: " ").map { Int($0) }
        guard numbers.count == 3, numbers[0] == offset, let count = numbers[1], let size = numbers[2],
            count >= 0, rest.count > count
        else { return nil }
        self.output = Array(rest.prefix(count))
        self.hasMore = offset + count < size
        rest = rest.dropFirst(count)
        guard framed()?.first == "end" else { return nil }
    }
}
