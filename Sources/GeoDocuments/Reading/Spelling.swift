/// Guesses what an author meant.
enum Spelling {
    /// The candidate that `word` was probably meant to be; `nil` when none is near enough to be worth saying.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let candidates = Array(candidates)
        let plain = normalised(word)
        guard !plain.isEmpty, plain.utf8.count <= 64 else { return nil }
        if let meant = synonyms[plain]?.first(where: candidates.contains) { return meant }
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let distance = distance(Array(plain.utf8), Array(normalised(candidate).utf8))
            let allowed = max(1, min(plain.utf8.count, candidate.utf8.count) / 3)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        // A part of a long name ("stop-and-disable" for "stop-and-disable-gitlab") is near as well.
        return best?.candidate
            ?? candidates.filter {
                $0.utf8.count >= 4 && (plain.hasPrefix($0) || ($0.hasPrefix(plain) && plain.utf8.count >= 4))
            }
            .max { $0.utf8.count < $1.utf8.count }
    }

    /// Words that people bring along from other tools.
    private static let synonyms: [String: [String]] = [
        "host": ["address"], "hostname": ["address"], "ip": ["address"], "name": ["geo-node-name", "geo_node_name"],
        "roles": ["components", "component"], "role": ["components", "component"], "services": ["components"],
        "key": ["identity"], "identity-file": ["identity"], "private-key": ["identity"], "username": ["user"],
        "bastion": ["jump"], "proxy-jump": ["jump"], "sudo": ["become"], "hosts": ["nodes"], "servers": ["nodes"],
        "timeout": ["time_limit", "connect_time_limit", "within"], "command": ["run"], "cmd": ["run"], "exec": ["run"],
        "action": ["do"], "needs": ["after"], "depends-on": ["after"], "requires": ["after"], "verify": ["until"],
        "because": ["why"], "reason": ["why"], "parallel": ["at_once"], "on-error": ["on_failure"],
        "description": ["why", "title"], "message": ["text"], "question": ["ask"], "version": ["schema"],
        "postgres": ["postgresql"], "pg": ["postgresql"], "puma": ["rails"], "web": ["rails"],
        "haproxy": ["load-balancer"],
        "lb": ["load-balancer"], "geo-postgresql": ["tracking-db"], "geo-logcursor": ["logcursor"],
        "ssh": ["openssh"], "root": ["sudo"], "abort": ["halt"], "stop": ["halt"], "ignore": ["continue"],
        "source": ["from"], "target": ["to"], "primary": ["from"], "secondary": ["to"], "first": ["one"],
        "others": ["rest"],
    ]

    private static func normalised(_ word: String) -> String {
        String(decoding: word.lowercased().utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
    }

    /// Insertions, deletions, changes and swaps of neighbours between two words.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row] + beforeLast.dropFirst()
            for column in 1...right.count {
                let change = last[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
                current[column] = min(last[column] + 1, current[column - 1] + 1, change)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    current[column] = min(current[column], beforeLast[column - 2] + 1)
                }
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}

/// `text` in quotes for a message: one line, no control characters, not longer than a person reads.
func quoted(_ text: String) -> String {
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(60) {
        let isVisible = scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
        shown.append(isVisible ? scalar : "\u{FFFD}")
    }
    let isCut = text.unicodeScalars.count > 60
    return "'\(String(shown))\(isCut ? "..." : "")'"
}

/// `a, b or c`.
func listed(_ words: some Sequence<String>) -> String {
    let words = Array(words)
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return "\(words.dropLast().joined(separator: ", ")) or \(last)"
}
