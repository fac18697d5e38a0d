/// The script of one visit: the read-only probes that one node is asked, framed so that a cut or garbled answer shows.
///
/// Only this file makes one, and only from ``Probe`` values by way of ``ProbeCatalog``; that is how `check` is read-only
/// by type. For `sh -s` on standard input; POSIX, leaves nothing on the node. The answer (``ProbeAnswer`` reads it):
///
///     B visit SECONDS.NANOSECONDS
///     B begin NAME
///     what the command printed, at most one byte more than its limit
///     B said NAME
///     the start of what it printed to standard error, and somewhere in it the line "B exit STATUS"
///     B end NAME STATUS
///     B skip NAME
///     B trailer SECONDS.NANOSECONDS
package struct ProbeScript: Sendable, Hashable {
    package let text: String
    package let probes: [Probe]
    package let commands: [ProbeCommand]
    /// At what the node is asked to look, where ``Probe/views`` is among the probes.
    package let looks: PeerLooks
    /// Random per visit, so that no probe's output can imitate a frame. Letters, digits and `-` only.
    package let boundary: String
    /// For the whole visit once connected, enforced by the transport. Less than the sum of all limits: room for the two
    /// slowest commands to run into theirs, with everything else as fast as usual.
    package let timeLimitSeconds: Int
    package let outputLimitBytes: Int

    package init(probes: Set<Probe>, node: Node, boundary: String, looks: PeerLooks = .none) {
        precondition(
            boundary.utf8.allSatisfy(Self.isBoundaryByte) && boundary.utf8.count >= 8, "a boundary of 8 letters")
        self.probes = Probe.allCases.filter(probes.contains)
        self.boundary = boundary
        self.looks = looks
        self.commands = Self.commands(of: self.probes, looks)
        self.text = Self.render(commands, become: node.access.become, boundary: boundary)
        let slowest = commands.map { $0.timeLimitSeconds + 2 }.sorted().suffix(2).reduce(0, +)
        self.timeLimitSeconds = 10 + slowest + commands.map(\.usualSeconds).reduce(0, +)
        self.outputLimitBytes = commands.map { $0.outputLimitBytes + Self.complaintLimitBytes + 512 }.reduce(4096, +)
    }

    /// Bytes kept of what each command prints to standard error.
    package static let complaintLimitBytes = 2000

    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Questions to one database share one `psql`; it runs where the first of them stands.
    private static func commands(of probes: [Probe], _ looks: PeerLooks) -> [ProbeCommand] {
        var commands: [ProbeCommand] = []
        let wanted = probes.flatMap { $0 == .views ? [ProbeCatalog.views(looks)] : ProbeCatalog.commands(for: $0) }
        for command in wanted {
            if let index = commands.firstIndex(where: { $0.name == command.name }) {
                commands[index].queries += command.queries
            } else {
                commands.append(command)
            }
        }
        return commands
    }

    private static func render(_ commands: [ProbeCommand], become: NodeAccess.Become, boundary: String) -> String {
        let questions = commands.map { lines(for: $0, become: become, boundary: boundary) }
        return [preamble(boundary), questions.joined(separator: "\n"), closing].joined(separator: "\n")
    }

    /// Shell functions. Everything stands in functions that the last word calls, so half a script does nothing.
    ///
    /// In `_geo_ask`, fd 3 is the script's output, fd 1 within `$( )` collects standard error and, through fd 4, the exit
    /// status, which a pipe alone would lose. `cat` drains what `head` leaves, so that a talkative command is not killed
    /// by SIGPIPE for its warnings.
    private static func preamble(_ boundary: String) -> String {
        """
        _geo_ask() {
        _geo_name=$1
        _geo_limit=$2
        shift 2
        printf '\\n%s begin %s\\n' "$_geo_b" "$_geo_name"
        _geo_said=$( { { { "$@" 3>&- 4>&-; printf '\\n%s exit %s\\n' "$_geo_b" "$?" >&4; } |
        head -c "$_geo_limit" >&3; } 2>&1 | { head -c \(complaintLimitBytes); cat >/dev/null; }; } 4>&1 )
        _geo_status=${_geo_said##*"$_geo_b exit "}
        _geo_status=${_geo_status%%[!0-9]*}
        printf '\\n%s said %s\\n%s\\n%s end %s %s\\n' \\
        "$_geo_b" "$_geo_name" "$_geo_said" "$_geo_b" "$_geo_name" "$_geo_status"
        }
        _geo_feed() {
        _geo_input=$1
        shift
        printf '%s\\n' "$_geo_input" | "$@"
        }
        _geo_skip() {
        printf '\\n%s skip %s\\n' "$_geo_b" "$1"
        }
        _geo_visit() {
        LC_ALL=C.UTF-8
        PATH=$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/opt/gitlab/embedded/bin
        export LC_ALL PATH
        _geo_b=\(boundary)
        printf '\\n%s visit %s\\n' "$_geo_b" "$(date +%s.%N)"
        """
    }

    private static let closing = """
        printf '\\n%s trailer %s\\n' "$_geo_b" "$(date +%s.%N)"
        }
        3>&1 </dev/null _geo_visit

        """

    private static func lines(
        for command: ProbeCommand, become: NodeAccess.Become, boundary: String
    ) -> String {
        var words = command.commandLine(become: become)
        if !command.queries.isEmpty {
            words = ["_geo_feed", DatabaseQueries.psqlInput(command.queries, boundary: boundary)] + words
        }
        // One byte more than the limit is asked for: its presence shows that there was more.
        words = ["_geo_ask", command.name, String(command.outputLimitBytes + 1)] + words
        let question = words.map(quoted).joined(separator: " ")
        return switch command.condition {
        case .always: question
        case .exists(let path): guarded("[ -e \(quoted(path)) ]", question, else: command.name)
        case .previousFailed: guarded("[ \"$_geo_status\" != 0 ]", question, else: command.name)
        }
    }

    private static func guarded(_ condition: String, _ question: String, else name: String) -> String {
        "if \(condition); then\n\(question)\nelse\n_geo_skip \(name)\nfi"
    }

    /// A word that the shell takes as it is.
    private static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { isBoundaryByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "_") }
        if plain && !word.isEmpty { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
