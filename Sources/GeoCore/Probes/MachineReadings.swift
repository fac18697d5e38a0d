/// Readers of what any Linux node says of itself. Each takes whole frames and gives a fact or the reason for none.
package enum MachineReadings {
    /// Whether the privileged commands run as root; a refusal of sudo is an answer here.
    package static func privileges(_ frame: ProbeFrame) throws(Unreadable) -> Bool {
        if frame.refusal != nil { return false }
        let text = try frame.text()
        guard let user = Int(text.trimmed) else { throw .unexpected("id -u", frame.output) }
        return user == 0
    }

    /// Host name, machine id, boot id: one line each.
    package static func identity(_ frame: ProbeFrame) throws(Unreadable) -> NodeIdentity {
        let lines = try frame.text().nonemptyLines.map(\.trimmed)
        guard lines.count == 3, !lines[0].contains(" "), lines[1].utf8.count == 32, lines[1].allSatisfy(\.isHexDigit),
            lines[2].utf8.count == 36, lines[2].allSatisfy({ $0.isHexDigit || $0 == "-" })
        else { throw .unexpected("the node's names cannot be read", frame.output) }
        return NodeIdentity(hostName: lines[0], machineID: lines[1], bootID: lines[2])
    }

    /// `256 SHA256:... comment (ED25519)` per key, of which `SHA256:... ED25519` is kept.
    package static func hostKeys(_ frame: ProbeFrame) throws(Unreadable) -> [String] {
        var keys: Set<String> = []
        for line in try frame.text().nonemptyLines {
            let words = line.split(separator: " ")
            // 43 base64 characters: SHA-256 without padding.
            guard words.count >= 3, Int(words[0]) != nil, words[1].hasPrefix("SHA256:"), words[1].utf8.count == 50
            else {
                throw .unexpected("ssh-keygen -l", line.utf8)
            }
            let kind = words.last.flatMap { $0.hasPrefix("(") && $0.hasSuffix(")") ? $0.dropFirst().dropLast() : nil }
            keys.insert(kind.map { "\(words[1]) \($0)" } ?? String(words[1]))
        }
        guard !keys.isEmpty else { throw Unreadable("the node has no SSH host keys in /etc/ssh") }
        return keys.sorted()
    }

    /// Lines `path P`, then `df -Pk` of them all, a line each. `/` counts only on nodes without GitLab's directories.
    package static func disks(_ frame: ProbeFrame) throws(Unreadable) -> [DiskSpace] {
        let lines = try frame.text().nonemptyLines
        let paths = lines.prefix { $0.hasPrefix("path /") }.map { $0.dropFirst("path ".count).trimmed }
        let figures = lines.dropFirst(paths.count + 1)
        guard !paths.isEmpty, paths.count < lines.count, lines[paths.count].hasPrefix("Filesystem"),
            figures.count == paths.count
        else { throw .unexpected("df", frame.output) }
        var disks: [DiskSpace] = []
        for (path, line) in zip(paths, figures) {
            // A file system's name may hold spaces; the figures are found from the capacity, the only word with `%`.
            let words = line.split(separator: " ")
            guard let percent = words.lastIndex(where: { $0.hasSuffix("%") || $0 == "-" }), percent >= 4,
                let total = Int(words[percent - 3]), let free = Int(words[percent - 1]), total >= 0,
                free <= total, total < 1 << 50
            else { throw .unexpected("df", line.utf8) }
            disks.append(DiskSpace(path: path, freeBytes: max(0, free) << 10, totalBytes: total << 10))
        }
        return disks.count > 1 ? disks.filter { $0.path != "/" } : disks
    }

    /// Lines of `ss -Hltn`: state, two queues, local address, peer.
    package static func ports(_ frame: ProbeFrame) throws(Unreadable) -> [Int] {
        var ports: Set<Int> = []
        for line in try frame.text().nonemptyLines {
            let words = line.split(separator: " ")
            guard words.count >= 5, words[0] == "LISTEN", let colon = words[3].lastIndex(of: ":"),
                let port = Int(words[3][words[3].index(after: colon)...]), (1...65535).contains(port)
            else { throw .unexpected("ss -Hltn", line.utf8) }
            if !isLoopback(words[3][..<colon]) { ports.insert(port) }
        }
        return ports.sorted()
    }

    private static func isLoopback(_ address: Substring) -> Bool {
        let bare = address.hasPrefix("[") ? address.dropFirst() : address
        return bare.hasPrefix("127.") || bare.hasPrefix("::1]") || bare.hasPrefix("::ffff:127.")
    }

    /// Lines `proc HEXADDRESS:HEXPORT`, from `/proc/net/tcp` and `tcp6`.
    package static func portsFromProc(_ frame: ProbeFrame) throws(Unreadable) -> [Int] {
        var ports: Set<Int> = []
        for line in try frame.text().nonemptyLines {
            let words = line.split(separator: " ")
            let halves = words.last?.split(separator: ":") ?? []
            guard words.count == 2, words[0] == "proc", halves.count == 2,
                halves[0].utf8.count == 8 || halves[0].utf8.count == 32, halves[0].allSatisfy(\.isHexDigit),
                halves[1].utf8.count == 4, let port = Int(halves[1], radix: 16), port > 0
            else { throw .unexpected("/proc/net/tcp", line.utf8) }
            if !loopbackInHexadecimal(halves[0]) { ports.insert(port) }
        }
        return ports.sorted()
    }

    /// The kernel prints each 32-bit word in host order: little-endian on every platform GitLab ships for.
    private static func loopbackInHexadecimal(_ address: Substring) -> Bool {
        if address.utf8.count == 8 { return address.hasSuffix("7F") }
        return address == "00000000000000000000000001000000"
            || address.hasPrefix("0000000000000000FFFF0000") && address.hasSuffix("7F")
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        guard let start = firstIndex(where: { !$0.isWhitespace }), let end = lastIndex(where: { !$0.isWhitespace })
        else {
            return ""
        }
        return String(self[start...end])
    }
}
