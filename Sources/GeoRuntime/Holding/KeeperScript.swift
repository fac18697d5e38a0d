import FoundationEssentials
package import GeoCore

/// What the tool keeps on a node for itself below `/var/lib/geo-failover`: the lease, and copies of a run's plan and
/// journal. Changes nothing of GitLab's, so it needs no journal receipt; what does is ``JobScript``. Of GitLab's files it
/// reads those of ``SharedFile``, whole.
package struct KeeperScript: Sendable, Hashable {
    package enum Operation: Sendable, Hashable {
        case look
        /// Takes the lease for the script's run and holder; of a foreign one only with `takingOver`.
        case take(takingOver: Bool)
        /// Says that the holder lives.
        case beat
        case release
        /// Adds bytes to a copy that has to be `offset` long; offset 0 begins it anew.
        case write(file: CopiedFile, offset: Int, bytes: [UInt8])
        case read(file: CopiedFile, offset: Int)
        /// The runs that the node has copies of, with the length of their journals.
        case listRuns
        /// Every job directory; see ``NodeJob``.
        case listJobs
        /// Removes the run's job directories and copies, when none of its jobs is alive, nobody holds the node for it,
        /// and nothing in them is younger than that.
        case removeRun(olderThanSeconds: Int)
        /// Ends the command of a job of this run with all its processes, and waits a little for its exit status.
        case cancel(key: String)
        /// A file of the archive of a divergence, from there on.
        case readArchive(name: String, file: ArchivedFile, offset: Int)
        /// A file that sites have in common, from there on.
        case readShared(file: SharedFile, offset: Int)
        /// A file of settings as a whole.
        case readConfiguration(path: ConfigurationPath, offset: Int)
        /// What was set aside of GitLab's own; see ``SetAside``.
        case listSetAside
        /// Removes a former database that was set aside longer ago, and is not the one that runs.
        case removeSetAside(path: String, olderThanSeconds: Int)
        /// Which of these objects, by repository, the node's repositories do not have.
        case missing(objects: [String: [String]])
    }

    /// Of an archive: its refs, and the projects of its repositories.
    package enum ArchivedFile: String, Sendable, Hashable {
        case refs = "repositories/refs.tsv", projects = "database/projects.tsv"
    }

    package enum CopiedFile: String, Sendable, Hashable { case plan = "plan.geoplan", journal = "journal.jsonl" }

    /// Most bytes of a file in one exchange.
    package static let chunkBytes = 256 << 10
    package static let timeLimitSeconds = 15

    package let operation: Operation
    package let run: RunID
    package let holder: Actor
    package let epoch: Int
    package let boundary: String
    private let base: String
    /// Before every path of GitLab's own; not empty only in tests.
    private let root: String

    package init(
        _ operation: Operation, run: RunID, holder: Actor, epoch: Int, boundary: String, base: String = JobScript.base,
        root: String = ""
    ) {
        self.operation = operation
        self.run = run
        self.holder = holder
        self.epoch = epoch
        self.boundary = boundary
        self.base = base
        self.root = root
    }

    /// The text for `sh -s`, in a function that the last line calls, so that half a script does nothing.
    package var text: String {
        let quoted = RemoteCommand.quoted
        return """
            geo_failover_keep() {
            base=\(quoted(base)) B=\(quoted(boundary)) ROOT=\(quoted(root))
            EPOCH=\(epoch) RUN=\(quoted(run.rawValue)) HOLDER=\(quoted(holder.token))
            \(Self.prologue)
            \(body)
            }
            geo_failover_keep

            """
    }

    private var body: String {
        switch operation {
        case .look: "look\n\(Self.refuseDamaged)\ntell shown"
        case .take(let takingOver): "TAKE=\(takingOver ? "yes" : "no")\n" + Self.lock + Self.take
        case .beat: Self.lock + Self.beat
        case .release: Self.lock + Self.release
        case .write(let file, let offset, let bytes):
            """
            OFFSET=\(offset) FILE=\(file.rawValue)
            \(Self.lock)\(Self.write)
            base64 -d >>"$copy" <<'\(boundary)'
            \(Data(bytes).base64EncodedString())
            \(boundary)
            [ $? = 0 ] || { say "refused $copy cannot be written"; return; }
            say "wrote $(wc -c <"$copy")"
            say end
            """
        case .read(let file, let offset):
            """
            OFFSET=\(offset) FILE=\(file.rawValue) CHUNK=\(Self.chunkBytes)
            \(Self.read)
            """
        case .listRuns: Self.listRuns
        case .listJobs: Self.jobState + Self.listJobs
        case .removeRun(let seconds): "OLDER=\(seconds)\n" + Self.lockOnly + Self.jobState + Self.removeRun
        case .cancel(let key):
            "KEY=\(RemoteCommand.quoted(key))\n" + Self.lock + Self.jobState + Self.cancel
        case .readArchive(let name, let file, let offset):
            """
            OFFSET=\(offset) CHUNK=\(Self.chunkBytes)
            copy=\(RemoteCommand.quoted("\(DivergenceArchive.base)/\(name)/\(file.rawValue)"))
            \(Self.send)
            """
        case .readShared(let file, let offset):
            """
            OFFSET=\(offset) CHUNK=\(Self.chunkBytes)
            copy="$ROOT"\(RemoteCommand.quoted(file.rawValue))
            \(Self.send)
            """
        case .readConfiguration(let path, let offset):
            """
            OFFSET=\(offset) CHUNK=\(Self.chunkBytes)
            copy="$ROOT"\(RemoteCommand.quoted(path.text))
            \(Self.send)
            """
        case .missing(let objects): missing(objects)
        case .listSetAside: Self.listSetAside
        case .removeSetAside(let path, let seconds):
            "OLDER=\(seconds) FORMER=\(RemoteCommand.quoted(path))\n" + Self.lockOnly + Self.removeSetAside
        }
    }

    /// `first FILE` sets `word` to its line, with the second behind it where there is one; to nothing where none can be read.
    /// Without a process: a node is visited several times a second while a run is under way.
    ///
    /// `newest` sets `have` to the newest epoch that the node has seen: 0 only where nobody wrote one. A file that is there and
    /// says nothing, as after a power cut, is damaged and not 0, which every former run could go on beside.
    static let functions = """
        say() { printf '%s %s\\n' "$B" "$*"; }
        first() {
        word= more=
        { { read -r word; read -r more; } <"$1"; } 2>/dev/null
        word=$word${more:+ $more}
        }
        newest() {
        have=0
        if [ -e "$base/epoch" ]; then first "$base/epoch"; have=${word:-nothing}; fi
        }
        """

    /// Returns where `newest` found no number.
    static let refuseDamaged = """
        case $have in
        *[!0-9]*)
        say "refused $base/epoch is damaged: it has to be one number, not less than the one on the other nodes"
        return
        ;;
        esac
        """

    /// `tell` answers with the newest epoch that the node has seen, its clock, and the lease as it is now.
    private static let prologue = """
        \(functions)
        umask 077
        look() {
        newest
        lease=$(head -c 1000 "$base/lease" 2>/dev/null)
        }
        tell() { look; say "$1 $have $(date +%s) ${lease:--}"; say end; }
        """

    /// Makes a directory below `$base` and the lock, or refuses with the node's own words: no room, read-only.
    static func makePlace(_ directory: String) -> String {
        """
        if ! why=$({ { [ -d "\(directory)" ] || mkdir -p "\(directory)"; } && : >>"$base/lock"; } 2>&1); then
        say "refused $base cannot be written on this node: $(printf %s "$why" | tr '\\n' ' ' | tail -c 200)"
        return
        fi
        """
    }

    private static let lockOnly = """
        \(makePlace("$base"))
        exec 8>>"$base/lock"
        flock -w 10 8 || return
        look

        """

    private static let lock =
        lockOnly + """
            \(refuseDamaged)
            if [ "$have" -gt "$EPOCH" ]; then tell newer; return; fi
            set -f
            set -- $lease
            set +f

            """

    /// The lease is `EPOCH RUN USER@HOST BEAT`. A lease that cannot be read is somebody's.
    private static let take = """
        if [ -n "$lease" ] && [ "$TAKE" = no ] && { [ "$2" != "$RUN" ] || [ "$3" != "$HOLDER" ]; }; then
        tell held
        return
        fi
        if ! printf '%s\\n' "$EPOCH" >"$base/epoch.new" || ! mv -f "$base/epoch.new" "$base/epoch" \\
        || ! printf '%s %s %s %s\\n' "$EPOCH" "$RUN" "$HOLDER" "$(date +%s)" >"$base/lease.new" \\
        || ! mv -f "$base/lease.new" "$base/lease"; then say "refused $base cannot be written on this node"; return; fi
        tell taken
        """

    private static let beat = """
        if [ "$1" != "$EPOCH" ] || [ "$2" != "$RUN" ]; then tell lost; return; fi
        if ! printf '%s %s %s %s\\n' "$EPOCH" "$RUN" "$HOLDER" "$(date +%s)" >"$base/lease.new" \\
        || ! mv -f "$base/lease.new" "$base/lease"; then say "refused $base cannot be written on this node"; return; fi
        tell taken
        """

    private static let release = """
        if [ "$1" = "$EPOCH" ] && [ "$2" = "$RUN" ]; then
        rm -f "$base/lease" || { say "refused $base/lease cannot be removed"; return; }
        fi
        tell released
        """

    private static let write = """
        copy=$base/runs/$RUN/$FILE
        if [ ! -d "$base/runs/$RUN" ] && ! mkdir -p "$base/runs/$RUN"; then
        say "refused $base/runs cannot be written on this node"
        return
        fi
        if [ "$OFFSET" = 0 ]; then : >"$copy" || { say "refused $copy cannot be written"; return; }; fi
        size=$(wc -c <"$copy" 2>/dev/null || echo 0)
        if [ "$size" != "$OFFSET" ]; then say "wrote $((size))"; say end; return; fi
        """

    private static let read = "copy=$base/runs/$RUN/$FILE\n" + send

    private static let send = """
        if [ ! -e "$copy" ]; then say absent; say end; return; fi
        size=$(wc -c <"$copy")
        count=$((size - OFFSET))
        if [ "$count" -lt 0 ]; then count=0; fi
        if [ "$count" -gt "$CHUNK" ]; then count=$CHUNK; fi
        say "content $((count)) $((size))"
        if [ "$count" -gt 0 ]; then tail -c "+$((OFFSET + 1))" "$copy" | head -c "$count"; fi
        printf '\\n'
        say end
        """

    private static let listRuns = """
        for one in "$base"/runs/*/journal.jsonl; do
        if [ -e "$one" ]; then size=$(wc -c <"$one"); one=${one%/journal.jsonl}; say "run ${one##*/} $((size))"; fi
        done
        say end
        """
}
