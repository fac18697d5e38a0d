/// Readers of what a Linux package installation of GitLab says: version, services, the files that promotion needs.
package enum InstallationReadings {
    /// First line of the manifest: `gitlab-ee 19.3.0-ee.0`.
    package static func version(_ frame: ProbeFrame) throws(Unreadable) -> String {
        let words = try missingFile(frame, "GitLab is not installed: no /opt/gitlab/version-manifest.txt").split(
            whereSeparator: \.isWhitespace)
        guard words.count == 2, words[0].hasPrefix("gitlab-"), words[1].first?.isNumber == true else {
            throw .unexpected("not a version manifest", frame.output)
        }
        if words[0] == "gitlab-ce" { throw Unreadable("this is GitLab CE \(words[1]), which has no Geo") }
        return String(words[1])
    }

    private static func missingFile(_ frame: ProbeFrame, _ reason: String) throws(Unreadable) -> String {
        if frame.status == 1, frame.refusal == nil, frame.complains("No such file or directory") {
            throw Unreadable(reason)
        }
        return try frame.text()
    }

    /// Lines of `gitlab-ctl status` (sv(8)). The exit status is a sum over services and says less.
    package static func services(_ frame: ProbeFrame) throws(Unreadable) -> [ServiceState] {
        var services: [ServiceState] = []
        let text = try frame.text(accepting: Set(0...123))
        for line in text.nonemptyLines {
            if line.contains("access denied") {
                throw Unreadable("gitlab-ctl status needs root: \"\(Excerpt.of(line.utf8))\"")
            }
            guard let service = service(line) else { throw .unexpected("gitlab-ctl status", line.utf8) }
            guard !services.contains(where: { $0.name == service.name }) else {
                throw Unreadable("gitlab-ctl status names \(service.name) twice")
            }
            services.append(service)
        }
        guard !services.isEmpty else { throw .unexpected("gitlab-ctl status listed no service", frame.complaint) }
        let isAllUp = services.allSatisfy { $0.state == .running }
        guard isAllUp || frame.status != 0 else { throw Unreadable("gitlab-ctl status contradicts its exit status 0") }
        return services
    }

    /// `run: puma: (pid 129) 9s, want down, got TERM; run: log: (pid 38) 207s` and its kin; `nil` for anything else.
    private static func service(_ line: Substring) -> ServiceState? {
        let first = line.trimmed.split(separator: ";", omittingEmptySubsequences: false)[0]
        let parts = first.split(separator: ":", maxSplits: 2).map(\.trimmed)
        guard parts.count == 3, !parts[1].isEmpty, parts[1].utf8.allSatisfy(isNameByte) else { return nil }
        if parts[0] == "fail" {
            return parts[2] == "runsv not running" ? ServiceState(name: parts[1], state: .unsupervised) : nil
        }
        var details = parts[2].split(separator: ",").map(\.trimmed)
        guard !details.isEmpty else { return nil }
        var age = Substring(details.removeFirst())
        if parts[0] != "down" {
            // "(pid 129) 9s"
            guard age.hasPrefix("(pid "), let end = age.firstIndex(of: ")"),
                UInt(age.dropFirst("(pid ".count).prefix { $0 != ")" }) != nil
            else { return nil }
            age = age[age.index(after: end)...]
        }
        let word = age.trimmed
        guard word.hasSuffix("s"), let seconds = UInt32(word.dropLast()), details.allSatisfy(Self.remarks.contains)
        else {
            return nil
        }
        let isChanging = details.contains { $0.hasPrefix("want ") || $0.hasPrefix("got ") }
        switch parts[0] {
        case "run": return ServiceState(name: parts[1], state: .running, seconds: Int(seconds), isChanging: isChanging)
        case "down": return ServiceState(name: parts[1], state: .down, seconds: Int(seconds), isChanging: isChanging)
        // The service ended and its finish script runs: down in a moment.
        case "finish": return ServiceState(name: parts[1], state: .down, seconds: Int(seconds), isChanging: true)
        default: return nil
        }
    }

    /// runit's sv.c prints no others.
    private static let remarks: Set = [
        "normally up", "normally down", "want up", "want down", "got TERM", "paused", "want exit",
    ]

    private static func isNameByte(_ byte: UInt8) -> Bool {
        Character(Unicode.Scalar(byte)).isLetter || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }

    package enum Boot: String, Sendable, Hashable, Codable { case enabled, disabled, masked }

    /// `systemctl is-enabled`: the word decides; its exit status differs between versions. A mask below `/run` ends with
    /// the next boot, and hides what the unit is beneath it.
    package static func boot(_ frame: ProbeFrame) throws(Unreadable) -> Boot {
        let text = try frame.text(accepting: [0, 1, 4])
        switch text.trimmed {
        case "enabled": return .enabled
        case "disabled": return .disabled
        case "masked": return .masked
        case "masked-runtime":
            throw Unreadable("gitlab-runsvdir is masked until the next boot only, which hides whether it starts then")
        case "", "not-found": throw Unreadable("systemd does not know gitlab-runsvdir on this node")
        default: throw .unexpected("systemctl is-enabled gitlab-runsvdir", frame.output)
        }
    }

    /// The file that `geo promote` would read: the one with the node's full name, else the newest (omnibus-gitlab
    /// `gitlab_ctl/util.rb`). It needs a `normal` key, else promotion exits 3.
    package static func attributeFile(
        counts: ProbeFrame, times: ProbeFrame, name: ProbeFrame
    ) throws(Unreadable) -> AttributeFile {
        let listed = try InstallationTimes(times)
        guard listed.hasDirectory else { return .missing }
        let files = listed.directory.filter { $0.name.hasSuffix(".json") }
        // 1: the name is there, and something after it could not be read.
        let fullName = try name.text(accepting: [0, 1]).nonemptyLines.first?.trimmed ?? ""
        guard !fullName.isEmpty else { throw Unreadable("the node does not know its name") }
        guard let newest = files.first else { return .missing }
        let chosen = files.first { $0.name == fullName + ".json" } ?? newest
        // 1: no file has the key.
        for line in try counts.text(accepting: [0, 1]).nonemptyLines {
            guard let colon = line.lastIndex(of: ":"), let count = Int(line[line.index(after: colon)...]) else {
                throw .unexpected("grep -rc", line.utf8)
            }
            // Half a file may hold the key already; whole ones are far larger than 1 kB.
            if line[..<colon].hasSuffix("/" + chosen.name) { return count > 0 && chosen.size > 1024 ? .good : .stub }
        }
        throw Unreadable("\(chosen.name) vanished while it was read: a reconfigure may be running")
    }

    package static func clusterFile(_ frame: ProbeFrame) throws(Unreadable) -> ClusterFile {
        if frame.isMissingFile { return .absent }
        let text = try frame.text()
        if text.isEmpty { return .empty }
        guard case .object? = JSONValue(text.utf8) else { return .invalid(text: text) }
        return .valid(text: text)
    }

    /// Lines of `pgrep -af`: process id and command line.
    package static func changesRunning(_ frame: ProbeFrame) throws(Unreadable) -> [String] {
        var found: [String] = []
        for line in try frame.text(accepting: [0, 1]).nonemptyLines {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, UInt(words[0]) != nil else { throw .unexpected("pgrep -af", line.utf8) }
            found.append(Excerpt.of(words[1].utf8))
        }
        guard found.isEmpty == (frame.status == 1) else { throw Unreadable("pgrep contradicts its exit status") }
        return found
    }

    /// Of the sorted JSON, or of the bytes where that cannot be made. The two are not comparable, so the latter is marked.
    package static func secretsDigest(canonical: ProbeFrame, bytes: ProbeFrame?) throws(Unreadable) -> String {
        guard let bytes else {
            let digest = try canonical.text().trimmed
            guard isDigest(digest) else { throw .unexpected("the digest of gitlab-secrets.json", canonical.output) }
            return digest
        }
        if bytes.isMissingFile { throw Unreadable("/etc/gitlab/gitlab-secrets.json is missing") }
        let words = try bytes.text().split(separator: " ")
        guard let digest = words.first, isDigest(digest) else { throw .unexpected("sha256sum", bytes.output) }
        return "bytes:" + digest
    }

    private static func isDigest(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}

extension ProbeFrame {
    /// Whether standard error holds this text of the C library, in the script's English locale.
    func complains(_ text: String) -> Bool { String(decoding: complaint, as: UTF8.self).contains(text) }

    /// `cat` and its kin: the only thing wrong is that the file does not exist.
    var isMissingFile: Bool {
        status == 1 && refusal == nil && output.isEmpty && complains("No such file or directory")
    }
}
