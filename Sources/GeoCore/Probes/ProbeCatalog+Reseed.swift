extension ProbeCatalog {
    /// What a site is that is to come back as a secondary.
    static func reseeding(_ probe: Probe) -> [ProbeCommand] {
        switch probe {
        case .geoSettings:
            [
                // The dots stand for brackets and quotes, which sudoers would read as patterns.
                ProbeCommand(
                    "geo-settings",
                    [
                        "/bin/grep", "-E",
                        "^ *(geo_(secondary|logcursor|postgresql)..enable|roles|"
                            + "patroni..standby_cluster....(enable|host|port|primary_slot_name)|"
                            + "postgresql..(md5_auth_cidr_addresses|max_wal_senders|max_replication_slots))|"
                            + "from_file",
                        "/etc/gitlab/gitlab.rb",
                    ],
                    as: .root)
            ]
        case .configurationFiles:
            [
                ProbeCommand(
                    "configuration-files",
                    [
                        "/usr/bin/find", "-L", "/etc/gitlab", "-maxdepth", "\(ConfigurationPath.depthAtMost)", "-name",
                        "*.rb", "-type", "f", "-exec",
                        "/usr/bin/sha256sum", "{}", "+",
                    ], as: .root, outputLimitBytes: 64 << 10)
            ]
        case .appliedSettings: [ProbeCommand("applied-settings", appliedSettings, as: .root)]
        case .replicationTrust:
            [
                ProbeCommand(
                    "server-certificate", ["/usr/bin/sha256sum", SharedFile.serverCertificate.rawValue], as: .root),
                ProbeCommand("root-certificate", ["/usr/bin/sha256sum", rootCertificate], as: .root),
            ]
        case .patroniScope:
            [
                ProbeCommand(
                    "patroni-scope", ["/bin/grep", "-E", "^scope:", "/var/opt/gitlab/patroni/patroni.yaml"], as: .root)
            ]
        case .dataSize:
            [
                ProbeCommand(
                    "data-size", ["/usr/bin/du", "-sk", dataDirectory], as: .root, timeLimitSeconds: 45, usualSeconds: 2
                )
            ]
        default: []
        }
    }

    /// Of a file that holds passwords only whether four parts are enabled. Names of attributes have had dashes and
    /// underscores, and some were under `gitlab` once.
    private static let appliedSettings = [
        "/opt/gitlab/embedded/bin/ruby", "-rjson", "-e",
        lastAttributes(in: 0)
            + "on = lambda { |*keys| keys.reduce(all) { |h, k| h.is_a?(Hash) ? h[k] || h[k.tr('_', '-')] : nil } == true }; "
            + "found = %w[geo_secondary geo_logcursor geo_postgresql].to_h { |part| [part, on[part, 'enable']] }; "
            + "found[%q(\(StandbyCluster.setting))] = on['patroni', 'standby_cluster', 'enable']; "
            + "puts JSON.generate(found)", attributeDirectory,
    ]

    /// Where libpq, as the user of PostgreSQL, looks for whom to trust (PostgreSQL documentation, libpq SSL support).
    package static let rootCertificate = "/var/opt/gitlab/postgresql/.postgresql/root.crt"
}

/// Readers of what a site is that is to come back as a secondary.
package enum ReseedReadings {
    /// Whole lines, as they are in the file; grep says with 1 that there is none.
    package static func geoSettings(_ frame: ProbeFrame) throws(Unreadable) -> [String] {
        try frame.text(accepting: [0, 1]).nonemptyLines.map(String.init)
    }

    /// Lines of `DIGEST  PATH`.
    package static func configurationFiles(_ frame: ProbeFrame) throws(Unreadable) -> [String: Digest] {
        var digests: [String: Digest] = [:]
        for line in try frame.text().nonemptyLines {
            let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            // A file's name may be anything; one that sha256sum escapes, with a backslash in front, is none that is looked for.
            guard words.count == 2, let digest = Digest("sha256:" + words[0].drop(while: { $0 == "\\" })) else {
                throw .unexpected("sha256sum", line.utf8)
            }
            digests[String(words[1].drop { $0 == " " || $0 == "*" })] = digest
        }
        return digests
    }

    /// A JSON object of flags by setting.
    package static func appliedSettings(_ frame: ProbeFrame) throws(Unreadable) -> [String: Bool] {
        guard case .object(let members)? = JSONValue(try frame.text().utf8) else {
            throw Unreadable("what the last reconfigure was told: the answer is no JSON object")
        }
        var flags: [String: Bool] = [:]
        for (name, value) in members {
            guard case .bool(let flag) = value else {
                throw Unreadable("what the last reconfigure was told: no flag for \(Excerpt.of(name.utf8))")
            }
            flags[name] = flag
        }
        return flags
    }

    /// `DIGEST PATH`; `nil`: there is no such file.
    package static func digest(_ frame: ProbeFrame) throws(Unreadable) -> String? {
        if frame.status == 1, String(decoding: frame.complaint + frame.output, as: UTF8.self).contains("No such file") {
            return nil
        }
        guard let word = try frame.text().split(whereSeparator: \.isWhitespace).first, word.utf8.count == 64 else {
            throw .unexpected("sha256sum", frame.output)
        }
        return String(word)
    }

    /// `scope: NAME` (omnibus-gitlab `patroni/templates/default/patroni.yaml.erb`). It goes into a command and its answers.
    package static func patroniScope(_ frame: ProbeFrame) throws(Unreadable) -> String {
        let lines = try frame.text().nonemptyLines
        let value = lines.first.map { $0.dropFirst("scope:".count).trimmed.filter { !"'\"".contains($0) } } ?? ""
        let isName = value.utf8.allSatisfy { byte in
            Character(Unicode.Scalar(byte)).isASCII
                && (Character(Unicode.Scalar(byte)).isLetter || Character(Unicode.Scalar(byte)).isNumber
                    || "-_.".utf8.contains(byte))
        }
        guard lines.count == 1, !value.isEmpty, isName, value.utf8.first != UInt8(ascii: "-") else {
            throw .unexpected("scope of patroni.yaml", frame.output)
        }
        return String(value)
    }

    /// `KILOBYTES PATH`; a file that goes while a running server is measured is told with 1, and the sum all the same.
    package static func dataSize(_ frame: ProbeFrame) throws(Unreadable) -> Int {
        let lines = try frame.text(accepting: [0, 1]).nonemptyLines
        guard lines.count == 1, let word = lines[0].split(whereSeparator: \.isWhitespace).first,
            let kilobytes = Int(word), (0..<1 << 50).contains(kilobytes)
        else { throw .unexpected("du -sk", frame.output) }
        return kilobytes << 10
    }
}
