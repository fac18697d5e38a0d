extension ProbeCatalog {
    /// Looks at ports and URLs, all at once, and says of each how far it came. Reads nothing and sends nothing but the
    /// one HTTP request per URL: PostgreSQL and Redis write down what they do not understand.
    ///
    /// bash is on every node of GitLab's package, since `gitlab-ctl` is a bash script, and its `/dev/tcp` says what the
    /// kernel said. A name is looked up first: a resolver that does not answer must not pass for a silent machine.
    static func views(_ looks: PeerLooks) -> ProbeCommand {
        let ports = looks.ports.enumerated().flatMap { ["tcp", "\($0)", $1.address, "\($1.port)"] }
        let urls = looks.urls.enumerated().flatMap { ["url", "\($0)", "\($1.url)/-/readiness"] }
        return ProbeCommand(
            "views", ["sh", "-c", viewer, "look"] + ports + urls, as: .operatorAccount, timeLimitSeconds: 12,
            outputLimitBytes: 256 << 10, usualSeconds: 4)
    }

    /// At most 3 s for a name and 3 s for a connection, 8 s for a URL; everything in the background and awaited.
    private static let viewer = """
        tell() { printf '%s %s %s\\n' "$1" "$2" "$3"; }
        see() {
        address=$2
        case $2 in
        *:*) ;;
        *[!0-9.]*) if command -v getent >/dev/null 2>&1; then
        address=$(timeout 3 getent ahosts "$2")
        address=${address%% *}
        fi ;;
        esac
        if [ -z "$address" ]; then tell tcp "$1" unresolved; return; fi
        said=$(timeout 3 bash -c 'exec 3<>"/dev/tcp/$1/$2"' look "$address" "$3" 2>&1)
        case $?:$said in
        0:*) tell tcp "$1" answered ;;
        124:* | 143:* | *'timed out'*) tell tcp "$1" silent ;;
        *refused*) tell tcp "$1" refused ;;
        *'No route'* | *unreachable* | *'is down'*) tell tcp "$1" no-route ;;
        *) tell tcp "$1" failed ;;
        esac
        }
        ask() {
        curl=/opt/gitlab/embedded/bin/curl
        [ -x "$curl" ] || curl=curl
        code=$("$curl" -sk --noproxy '*' --connect-timeout 3 -m 8 -o /dev/null -w '%{http_code}' "$2" 2>/dev/null)
        tell url "$1" "${code:-none} $?"
        }
        while [ $# -gt 0 ]; do
        case $1 in
        tcp) see "$2" "$3" "$4" & shift 4 ;;
        url) ask "$2" "$3" & shift 3 ;;
        *) exit 64 ;;
        esac
        done
        wait
        """
}

/// Reads what a node saw of others.
enum PeerReadings {
    /// Lines `tcp NUMBER WORD` and `url NUMBER CODE STATUS`, in any order; every look has exactly one.
    static func views(
        _ frame: ProbeFrame, _ looks: PeerLooks, at: Timestamp, from: NodeID
    ) throws(Unreadable) -> PeerViews {
        guard !looks.ports.isEmpty || !looks.urls.isEmpty else { throw Unreadable("there was nothing to look at") }
        var sights: [Int: Sight] = [:]
        var codes: [Int: Observed<Int>] = [:]
        var silent: Set<SiteID> = []
        for line in try frame.text().nonemptyLines {
            let words = line.split(separator: " ")
            guard words.count >= 3, let number = Int(words[1]) else { throw .unexpected("a look at a peer", line.utf8) }
            switch (words[0], words.count) {
            case ("tcp", 3):
                guard let sight = Sight(rawValue: String(words[2])), looks.ports.indices.contains(number),
                    sights.updateValue(sight, forKey: number) == nil
                else { throw .unexpected("a look at a peer", line.utf8) }
            case ("url", 4):
                guard looks.urls.indices.contains(number), let status = Int(words[3]),
                    codes.updateValue(code(words[2], status, at, from), forKey: number) == nil
                else { throw .unexpected("a look at a peer", line.utf8) }
                if codes[number]?.value == nil, unanswered.contains(status) { silent.insert(looks.urls[number].site) }
            default: throw .unexpected("a look at a peer", line.utf8)
            }
        }
        guard sights.count == looks.ports.count, codes.count == looks.urls.count else { throw .cutOff }
        var views = PeerViews()
        for (number, look) in looks.ports.enumerated() {
            guard let sight = sights[number] else { throw .cutOff }
            views.nodes[look.node, default: []].append(
                PeerViews.Port(port: look.port, service: look.service, sight: sight))
        }
        for (number, look) in looks.urls.enumerated() { views.readiness[look.site] = codes[number] }
        views.silentSites = silent.sorted()
        return views
    }

    /// curl's words for: no such name, no connection, no answer in time, an empty answer, a connection that broke.
    private static let unanswered: Set<Int> = [6, 7, 28, 52, 56]

    /// curl prints 000 when no answer came; 6, 7 and 28 say why.
    private static func code(_ word: Substring, _ status: Int, _ at: Timestamp, _ from: NodeID) -> Observed<Int> {
        if let code = Int(word), (100...599).contains(code) { return .known(value: code, at: at, from: from.rawValue) }
        return switch status {
        case 6: .unknown(reason: "\(from) does not know the name")
        case 7: .unknown(reason: "\(from) could not connect")
        case 28: .unknown(reason: "\(from) had no answer in time")
        case 126, 127: .unknown(reason: "\(from) has no curl")
        default: .unknown(reason: "curl on \(from) ended with status \(status)")
        }
    }
}
