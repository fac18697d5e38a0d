import GeoCore

/// gitlab.rb of a simulated node: the line with `external_url`, those that make it a secondary's, the copies beside it, and
/// what was applied last.
package struct SimulatedURL: Sendable {
    /// The first is that of `external_url`.
    package private(set) var lines: [String]
    /// What somebody had written there before any run.
    package let original: [String]
    private var next: [String]?
    /// Files beside it that were it once, by name.
    private var copies: [String: [String]] = [:]
    package private(set) var applied: String
    /// What was applied last of the other lines.
    package private(set) var appliedSettings: [String]
    private var changedAt = Fixtures.moment(-86_400)
    private var reconfiguredAt = Fixtures.moment(-86_000)

    init(of site: SiteID, settings: [String]) {
        guard case .text(let url) = Fixtures.configuration(of: site).externalURL else {
            preconditionFailure("the fixtures have a URL for \(site)")
        }
        self.applied = url
        self.lines = ["external_url '\(url)'"] + settings
        self.original = lines
        self.appliedSettings = settings
    }

    /// Nothing is gone that somebody else had written.
    package var isOriginalKept: Bool { lines == original || copies.values.contains(original) }

    package var line: String { lines[0] }
    /// The line of `external_url` in the copies of the file, the oldest first.
    package var backup: String? { copies.keys.min().flatMap { copies[$0]?.first } }
    package var settings: [String] { Array(lines.dropFirst()) }

    package var value: String { String(line.split(separator: "'").dropFirst().first ?? "") }

    mutating func apply(_ now: Timestamp) {
        applied = value
        appliedSettings = settings
        reconfiguredAt = now
    }

    mutating func touch(_ now: Timestamp) { changedAt = now }

    func configuration(of site: SiteID) -> ConfigurationFacts {
        var facts = Fixtures.configuration(of: site)
        facts.changedAt = changedAt
        facts.reconfiguredAt = reconfiguredAt
        facts.externalURL = .text(value: value)
        facts.urlLines = [line]
        return facts
    }

    /// How long such a command takes; `nil` for all others.
    static func seconds(of arguments: [String]) -> Double? {
        switch arguments.first {
        case "grep", "cp", "sed", "ln", "test": 0.1
        case "mv" where arguments.last == ConfigurationEdit.file: 0.1
        case "gitlab-rake" where arguments.last?.hasSuffix("geo:update_primary_node_url") == true: 20
        default: nil
        }
    }

    /// As coreutils and sed do it; the exit status, or `nil` for arguments that are not of an edit.
    mutating func obey(_ arguments: [String], at now: Timestamp) -> Int? {
        let file = ConfigurationEdit.file
        switch arguments.first {
        case "grep": return lines.contains { arguments == ["grep", "-cxF", "-e", $0, file] } ? 0 : 1
        case "cp" where arguments.count == 4 && arguments[2] == file: next = lines
        case "sed" where arguments.count > 4 && arguments[1] == "-i":
            for script in arguments.dropFirst(2).dropLast() where script != "-e" {
                let parts = script.split(separator: "|", omittingEmptySubsequences: false)
                guard parts.count == 4, parts[0] == "s", next != nil else { return 1 }
                let (old, new) = (Self.plain(parts[1].dropFirst().dropLast()), Self.plain(parts[2]))
                next = next?.map { $0 == old ? new : $0 }
            }
        case "ln" where arguments.count == 3 && arguments[1] == file:
            guard copies[arguments[2]] == nil else { return 1 }
            copies[arguments[2]] = lines
        case "test":
            let isThere = arguments.last.flatMap { copies[$0] } != nil
            return isThere == (arguments[1] != "!") ? 0 : 1
        case "mv" where arguments.count == 4 && arguments[3] == file:
            let kept = copies[arguments[2]]
            guard let made = kept ?? next else { return 1 }
            if kept == nil { next = nil } else { copies[arguments[2]] = nil }
            lines = made
            changedAt = now
        default: return nil
        }
        return 0
    }

    private static func plain(_ text: Substring) -> String {
        String(text.filter { $0 != "\\" })
    }
}

extension SimulatedState {
    /// The exit status. The rake task writes what its node was reconfigured with.
    mutating func changeURL(_ arguments: [String], _ index: Int) -> Int {
        let site = nodes[index].site
        if arguments.first == "gitlab-rake" {
            guard isWritable(site), database(of: site).rows.primary == site, let url = nodes[index].url else {
                return 1
            }
            nodes[databaseIndex(of: site)].database?.rows.urls[site] = url.applied
            return 0
        }
        guard let status = nodes[index].url?.obey(arguments, at: now) else {
            violations.append("\(nodes[index].node.id): nobody knows the command \(arguments)")
            return 127
        }
        if nodes[index].url?.isOriginalKept == false {
            violations.append("\(nodes[index].node.id): gitlab.rb as it was is gone")
        }
        return status
    }
}
