/// Readers of what a node has to work with, how it is configured, and what it serves.
package enum SurroundingReadings {
    /// Lines `word value`.
    package static func machine(_ frame: ProbeFrame) throws(Unreadable) -> MachineFacts {
        // The last command of the snippet is a pgrep, which counts none with status 1.
        var values: [Substring: String] = [:]
        for line in try frame.text(accepting: [0, 1]).nonemptyLines {
            let words = line.split(separator: " ", maxSplits: 1)
            guard let name = words.first, values[name] == nil else { throw .unexpected("the machine", line.utf8) }
            values[name] = words.count > 1 ? words[1].trimmed : ""
        }
        func number(_ name: Substring, atLeast least: Int) throws(Unreadable) -> Int {
            guard let text = values[name], let number = Int(text), (least..<1 << 40).contains(number) else {
                throw .unexpected("the machine's \(name)", frame.output)
            }
            return number
        }
        guard let library = values["libc"], let system = values["system"] else {
            throw .unexpected("the machine", frame.output)
        }
        let words = library.split(separator: " ")
        return MachineFacts(
            processors: try number("processors", atLeast: 1), memoryBytes: try number("memory", atLeast: 1) << 10,
            glibc: words.count == 2 && words[0] == "glibc" ? String(words[1]) : nil, system: system,
            pumaWorkers: try number("puma", atLeast: 0), sidekiqProcesses: try number("sidekiq", atLeast: 0),
            addresses: (values["addresses"] ?? "").split(separator: " ").map(String.init))
    }

    package static func configuration(times: ProbeFrame, names: ProbeFrame) throws(Unreadable) -> ConfigurationFacts {
        let listed = try InstallationTimes(times)
        guard let changed = listed.files["/etc/gitlab/gitlab.rb"] else {
            throw Unreadable("/etc/gitlab/gitlab.rb is missing")
        }
        let whole = try names.text(accepting: [0, 1]).nonemptyLines
        let lines = whole.map(\.trimmed)
        return ConfigurationFacts(
            changedAt: changed, secretsChangedAt: listed.files[ProbeCatalog.secretsFile],
            // A reconfigure makes the file anew at its start, and writes it whole at its end.
            reconfiguredAt: listed.directory.filter { $0.name.hasSuffix(".json") }.map(\.at).max(),
            nodeName: setting("gitlab_rails", in: lines, after: "="),
            externalURL: setting("external_url", in: lines, after: " "),
            urlLines: whole.filter { $0.trimmed.hasPrefix("external_url") }.map(String.init))
    }

    /// The last assignment counts, as in Ruby.
    private static func setting(
        _ start: String, in lines: [String], after mark: Character
    ) -> ConfigurationFacts.Setting {
        guard let line = lines.last(where: { $0.hasPrefix(start) }) else { return .absent }
        // `gitlab_rails['geo_node_name'] = 'tokyo'`, `external_url "https://..."`, `external_url('https://...')`.
        let rest = line.dropFirst(start.count)
        let value: Substring =
            mark == "=" ? rest.firstIndex(of: "=").map { rest[rest.index(after: $0)...] } ?? "" : rest
        let text = value.drop { $0 == " " || $0 == "(" }
        guard let quote = text.first, quote == "'" || quote == "\"",
            let end = text.dropFirst().firstIndex(of: quote)
        else { return .computed }
        let inner = text[text.index(after: text.startIndex)..<end]
        let after = text[text.index(after: end)...].trimmed
        let isPlain = after.isEmpty || after == ")" || after.hasPrefix("#") || after == ";"
        guard isPlain, !(quote == "\"" && inner.contains("#{")), !inner.isEmpty else { return .computed }
        return .text(value: String(inner))
    }

    /// `openssl x509 -noout -subject -dates -ext subjectAltName`.
    package static func certificate(_ frame: ProbeFrame) throws(Unreadable) -> ServedCertificate {
        if frame.status == 1, frame.output.isEmpty { throw Unreadable("nothing answers TLS on port 443") }
        var subject = ""
        var dates: [String: Timestamp] = [:]
        var names: [String] = []
        var trust: String?
        for line in try frame.text().nonemptyLines.map(\.trimmed) {
            if line.hasPrefix("subject=") {
                subject = Excerpt.of(line.dropFirst("subject=".count).utf8)
            } else if line.hasPrefix("notBefore=") || line.hasPrefix("notAfter="), let equals = line.firstIndex(of: "=")
            {
                guard let at = opensslDate(line[line.index(after: equals)...]) else {
                    throw .unexpected("the certificate's dates", line.utf8)
                }
                dates[String(line[..<equals])] = at
            } else if let mark = line.firstRange(of: "Verify return code: ") {
                trust = line[mark.upperBound...].trimmed
            } else if line.hasPrefix("DNS:") || line.hasPrefix("IP Address:") {
                for part in line.split(separator: ",").map(\.trimmed) {
                    guard let colon = part.firstIndex(of: ":") else { continue }
                    names.append(part[part.index(after: colon)...].trimmed.lowercased())
                }
            }
        }
        guard let from = dates["notBefore"], let until = dates["notAfter"] else {
            throw .unexpected("openssl x509", frame.output)
        }
        guard let trust else { throw .unexpected("whether openssl trusts the certificate", frame.output) }
        return ServedCertificate(
            subject: subject, names: names, notBefore: from, notAfter: until,
            mistrust: trust == "0 (ok)" ? nil : Excerpt.of(trust.utf8))
    }

    /// `Nov 21 03:00:00 2026 GMT`, the day with or without a blank before it.
    static func opensslDate(_ text: Substring) -> Timestamp? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let words = text.split(separator: " ")
        guard words.count == 5, words[4] == "GMT", let month = months.firstIndex(of: String(words[0])),
            let day = Int(words[1]), (1...31).contains(day), words[3].utf8.count == 4
        else { return nil }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return Timestamp("\(words[3])-\(two(month + 1))-\(two(day))T\(words[2])Z")
    }

    /// `20260729140502_add_missing_on_primary.rb`.
    package static func trackingSchema(_ frame: ProbeFrame) throws(Unreadable) -> String {
        let version = try frame.text().trimmed.prefix { $0 != "_" }
        guard version.utf8.count == 14, version.allSatisfy(\.isWholeNumber) else {
            throw .unexpected("GitLab's package shows no migration of the tracking database", frame.complaint)
        }
        return String(version)
    }
}

extension ProbeReader {
    func readSurroundings(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .machine:
            facts.machine = fact { () throws(Unreadable) in try SurroundingReadings.machine(frame("machine")) }
        case .configuration:
            facts.configuration = fact { () throws(Unreadable) in
                try SurroundingReadings.configuration(
                    times: frame("configuration-times"), names: frame("configuration-names"))
            }
        case .certificate:
            facts.certificate = fact { () throws(Unreadable) in
                try SurroundingReadings.certificate(frame("certificate"))
            }
        case .trackingSchema:
            facts.trackingSchema = fact { () throws(Unreadable) in
                try SurroundingReadings.trackingSchema(frame("tracking-schema"))
            }
        default: break
        }
    }
}
