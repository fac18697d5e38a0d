/// The script of one visit: the read-only probes that one node is asked, framed so that a cut or garbled answer shows.
///
/// Only this file makes one, and only from ``Probe`` values by way of ``ProbeCatalog``; that is how `check` is read-only
/// by type. For `sh -s` on standard input; POSIX, leaves nothing on the node. The answer (``ProbeAnswer`` reads it), in
/// which the line `B exit` is missing where the output was cut at its limit:
///
///     B visit SECONDS.NANOSECONDS
///     B begin NAME
///     what the command printed, or so much of it that it is over its limit
///     B exit STATUS
///     B said NAME
///     the end of what it printed to standard error
///     B end NAME
///     B skip NAME
///     B trailer SECONDS.NANOSECONDS
///
/// Where sudo does not come back (LDAP or a name server behind it is down), `B hung` is the line after the first, and the
/// last: nothing behind sudo could end it, and each question would wait for it again.
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

    /// Bytes kept of what each command prints to standard error: the last ones, and so many that with nearly all commands
    /// they are all.
    package static let complaintLimitBytes = 8000

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
        let questions = commands.indices.map { index in
            let next = commands.index(after: index)
            let hasFallback = next < commands.endIndex && commands[next].condition == .previousFailed
            return lines(for: commands[index], hasFallback: hasFallback, become: become, boundary: boundary)
        }
        let needsSudo = become == .sudo && commands.contains { $0.privilege == .root }
        return ([preamble(boundary)] + (needsSudo ? [sudoAnswers] : []) + questions + [closing]).joined(separator: "\n")
    }

    /// How long sudo may take for a command that does nothing, before a node is asked no more. It runs in the background,
    /// without a descriptor of the visit, since an unprivileged `timeout` cannot end a root process: what hangs is left
    /// behind, and the visit ends.
    static let sudoLimitSeconds = 10

    private static let sudoAnswers = """
        _geo_root=$( { { sudo -n /usr/bin/timeout -k 2 \(sudoLimitSeconds) /usr/bin/id -u >/dev/null; echo ended; } 2>/dev/null 3>&- 4>&- &
        } | timeout -s KILL \(sudoLimitSeconds) head -n 1 )
        if [ "$_geo_root" != ended ]; then
        printf '\\n%s hung\\n' "$_geo_b"
        return
        fi
        """

    /// Shell functions. Everything stands in functions that the last word calls, so half a script does nothing.
    ///
    /// In `_geo_ask`, fd 3 is the script's output. Two processes beside the command bound what it says: `head`, behind which
    /// a command that says too much is ended by SIGPIPE, and `tail`, which reads standard error to its end, so that none is
    /// ended for its warnings, and prints when `head` is done. The exit status travels behind the output, and in `_geo_try`,
    /// for a command that has a fallback, also through fd 4 to the script.
    private static func preamble(_ boundary: String) -> String {
        """
        _geo_ask() {
        _geo_name=$1
        _geo_limit=$2
        shift 2
        printf '\\n%s begin %s\\n' "$_geo_b" "$_geo_name" >&3
        { { "$@" 3>&- 4>&-; _geo_status=$?; printf %s "$_geo_status" >&4
        printf '\\n%s exit %s\\n' "$_geo_b" "$_geo_status"; } | head -c "$_geo_limit" >&3
        printf '\\n%s said %s\\n' "$_geo_b" "$_geo_name" >&3; } 2>&1 | tail -c \(complaintLimitBytes) >&3
        printf '\\n%s end %s\\n' "$_geo_b" "$_geo_name" >&3
        }
        _geo_try() {
        _geo_status=$( _geo_ask "$@" 4>&1 )
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
        3>&1 4>/dev/null </dev/null _geo_visit

        """

    private static func lines(
        for command: ProbeCommand, hasFallback: Bool, become: NodeAccess.Become, boundary: String
    ) -> String {
        var words = command.commandLine(become: become)
        if !command.queries.isEmpty {
            words = ["_geo_feed", DatabaseQueries.psqlInput(command.queries, boundary: boundary)] + words
        }
        // One byte more than the limit is let through, since its presence shows that there was more, and then the longest
        // exit line: where that one is cut, the output was over its limit.
        let limit = command.outputLimitBytes + 1 + "\n\(boundary) exit 255\n".utf8.count
        words = [hasFallback ? "_geo_try" : "_geo_ask", command.name, String(limit)] + words
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
