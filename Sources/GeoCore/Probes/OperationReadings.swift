/// Readers of what keeps a site going beside its services.
package enum OperationReadings {
    /// The table of `consul members`, whose columns are found by their headings: releases add some at the end.
    package static func consul(_ frame: ProbeFrame) throws(Unreadable) -> ConsulFacts {
        var lines = try frame.text().nonemptyLines
        let heading = lines.isEmpty ? [] : lines.removeFirst().split(separator: " ")
        guard let name = heading.firstIndex(of: "Node"), let status = heading.firstIndex(of: "Status"),
            let type = heading.firstIndex(of: "Type")
        else { throw .unexpected("consul members", frame.output) }
        var members: [ConsulFacts.Member] = []
        for line in lines {
            let words = line.split(separator: " ")
            guard words.count > max(name, status, type), ["server", "client"].contains(words[type]),
                ["alive", "failed", "left", "leaving"].contains(words[status])
            else { throw .unexpected("consul members", line.utf8) }
            members.append(
                ConsulFacts.Member(
                    name: String(words[name]), status: String(words[status]), isServer: words[type] == "server"))
        }
        guard !members.isEmpty else { throw Unreadable("consul members: nobody is a member") }
        return ConsulFacts(members: members)
    }

    /// Lines `sha256 Fingerprint=AB:CD...` and `other NAME`, ended by `all`; or `none`.
    package static func trustedCertificates(_ frame: ProbeFrame) throws(Unreadable) -> [String] {
        var lines = try frame.text().nonemptyLines
        if lines == ["none"] { return [] }
        guard lines.popLast() == "all" else { throw .unexpected("the list of trusted certificates", frame.output) }
        var found: Set<String> = []
        for line in lines where !line.hasPrefix("other ") {
            guard let equals = line.firstIndex(of: "=") else { throw .unexpected("a fingerprint", line.utf8) }
            let digits = line[line.index(after: equals)...].filter { $0 != ":" }
            guard digits.utf8.count == 64, digits.allSatisfy(\.isHexDigit) else {
                throw .unexpected("a fingerprint", line.utf8)
            }
            found.insert(digits.lowercased())
        }
        return found.sorted()
    }

    /// Long lines of `ls -ln --time-style=+%s`.
    package static func backups(_ frame: ProbeFrame) throws(Unreadable) -> BackupFacts {
        if frame.status == 2, frame.complains("No such file or directory") {
            return BackupFacts(count: 0, newestAt: nil)
        }
        var newest: Timestamp?
        var count = 0
        for line in try frame.text().nonemptyLines where !line.hasPrefix("total ") {
            let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true)
            guard words.count == 7, let seconds = Int64(words[5]), (0..<4_102_444_800).contains(seconds) else {
                throw .unexpected("ls -ln", line.utf8)
            }
            // One that is being written has another name until it is whole.
            guard words[6].hasSuffix("_gitlab_backup.tar"), words[0].hasPrefix("-") else { continue }
            let at = Timestamp(milliseconds: seconds * 1000)
            newest = max(newest ?? at, at)
            count += 1
        }
        return BackupFacts(count: count, newestAt: newest)
    }
}

extension ProbeReader {
    func readOperations(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .consul:
            facts.consul = fact { () throws(Unreadable) in try OperationReadings.consul(frame("consul")) }
        case .trustedCertificates:
            facts.trustedCertificates = fact { () throws(Unreadable) in
                try OperationReadings.trustedCertificates(frame("trusted-certificates"))
            }
        case .backups:
            facts.backups = fact { () throws(Unreadable) in try OperationReadings.backups(frame("backups")) }
        case .cronStates:
            facts.cronStates = fact { () throws(Unreadable) in
                try ApplicationReadings.cronJobs(frame("cron-states"))
            }
        default: break
        }
    }
}
