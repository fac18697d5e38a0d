/// Readers of what PostgreSQL's files, Redis, NGINX and Rails say on their nodes.
package enum ApplicationReadings {
    /// Lines `Name:   value` of `pg_controldata`.
    package static func controlData(_ frame: ProbeFrame) throws(Unreadable) -> ControlData {
        let text = try frame.text()
        guard !text.contains("WARNING") else { throw .unexpected("pg_controldata warns", text.utf8) }
        var values: [String: String] = [:]
        for line in text.nonemptyLines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[String(line[..<colon])] = line[line.index(after: colon)...].trimmed
        }
        guard let state = values["Database cluster state"], states.contains(state),
            let identifier = values["Database system identifier"], UInt64(identifier) != nil,
            let checkpoint = values["Latest checkpoint location"].flatMap({ LogPosition($0) }),
            let timeline = values["Latest checkpoint's TimeLineID"].flatMap({ Int($0) }), timeline > 0
        else { throw .unexpected("pg_controldata", frame.output) }
        return ControlData(
            clusterState: state, systemIdentifier: identifier, latestCheckpoint: checkpoint, timeline: timeline,
            segmentBytes: values["Bytes per WAL segment"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil },
            rewinding: rewinding(values))
    }

    /// `nil` when a line of it is missing, or says something else than a program of PostgreSQL prints.
    private static func rewinding(_ values: [String: String]) -> ControlData.Rewinding? {
        func isOn(_ name: String) -> Bool? { ["on": true, "off": false][values[name] ?? ""] }
        guard let checksums = values["Data page checksum version"].flatMap({ Int($0) }),
            let logsHints = isOn("wal_log_hints setting"),
            let writesFullPages = isOn("Latest checkpoint's full_page_writes"),
            let catalog = values["Catalog version number"], Int(catalog) != nil
        else { return nil }
        return ControlData.Rewinding(
            hasChecksums: checksums != 0, logsHints: logsHints, writesFullPages: writesFullPages,
            catalogVersion: catalog)
    }

    /// All that PostgreSQL's `pg_controldata.c` prints, save for "unrecognized status code".
    private static let states: Set = [
        "starting up", "shut down", "shut down in recovery", "shutting down", "in crash recovery",
        "in archive recovery",
        "in production",
    ]

    /// The file, after the data directory's `PG_VERSION`; on nodes with Consul also its key, which wins there.
    package static func pointInTimeFile(file: ProbeFrame, key: ProbeFrame?) throws(Unreadable) -> PointInTimeFile {
        let lines = String(decoding: file.output, as: UTF8.self).split(separator: "\n", maxSplits: 1)
        guard let version = lines.first, Double(version) != nil else {
            if file.complains("PG_VERSION: No such file or directory") {
                throw Unreadable("there is no PostgreSQL data directory in \(ProbeCatalog.dataDirectory)")
            }
            _ = try file.text()
            throw .unexpected("PG_VERSION", file.output)
        }
        let isAbsent =
            file.status == 1 && lines.count == 1 && file.complains("geo-pitr-file: No such file or directory")
        if !isAbsent {
            let text = try file.text().dropFirst(version.count).trimmed
            return .present(text: Excerpt.of(text.utf8))
        }
        guard let key else { return .absent }
        if key.status == 1, key.complains("No key exists at") { return .absent }
        return .present(text: Excerpt.of(try key.text().utf8))
    }

    /// A JSON object of integers, made by the Lua of ``ProbeCatalog``; Lua writes an empty one as `{}` or `[]`.
    package static func queues(_ frame: ProbeFrame) throws(Unreadable) -> [String: Int] {
        let text = try frame.text().trimmed
        guard text != "[]" else { return [:] }
        guard case .object(let members)? = JSONValue(text.utf8) else {
            throw .unexpected("Redis did not list the queues", text.utf8)
        }
        var queues: [String: Int] = [:]
        for (name, value) in members {
            guard case .integer(let length) = value, length >= 0 else { throw .unexpected("the queues", text.utf8) }
            queues[name] = length
        }
        return queues
    }

    /// Lines `STATUS URL`. 200 and 503 are `/-/readiness` speaking; redirects lead to another of the addresses asked, and
    /// anything else counts only when none of them gave either.
    package static func readiness(_ frames: [ProbeFrame]) throws(Unreadable) -> Int {
        var statuses: [Int] = []
        var refusal: Unreadable?
        for frame in frames {
            if let refused = frame.refusal {
                refusal = refused
                continue
            }
            // curl's exit status is that of its last transfer only: the lines say more.
            guard frame.output.count <= frame.command.outputLimitBytes else { throw .unexpected("curl", frame.output) }
            for line in String(decoding: frame.output, as: UTF8.self).nonemptyLines {
                let words = line.split(separator: " ")
                guard words.count == 2, words[0].utf8.count == 3, let status = Int(words[0]) else {
                    throw .unexpected("curl", line.utf8)
                }
                statuses.append(status)
            }
        }
        let spoken = statuses.first { $0 == 200 || $0 == 503 } ?? statuses.first { $0 >= 400 }
        if let spoken { return spoken }
        if let refusal { throw refusal }
        guard !statuses.isEmpty else {
            throw frames.first?.failure ?? Unreadable("/-/readiness was not asked")
        }
        throw Unreadable("nothing on the node answers /-/readiness: are puma and gitlab-workhorse running?")
    }

    /// The lines `production:` and `  geo:` of `database.yml`.
    package static func hasTrackingDatabase(_ frame: ProbeFrame) throws(Unreadable) -> Bool {
        if frame.status == 2, frame.refusal == nil, frame.complains("No such file or directory") {
            throw Unreadable("Rails is not configured on the node: no database.yml")
        }
        let lines = try frame.text().nonemptyLines.map(\.trimmed)
        guard lines.first == "production:", lines.dropFirst().allSatisfy({ $0 == "geo:" }) else {
            throw .unexpected("database.yml", frame.output)
        }
        return lines.count > 1
    }

    /// The last line of the rake task; Rails may print deprecations before it. `misconfigured` comes with status 1.
    package static func railsRole(_ frame: ProbeFrame, old: ProbeFrame?) throws(Unreadable) -> String {
        if let role = role(in: frame) { return role }
        guard let old,
            frame.complains(unknownTask) || String(decoding: frame.output, as: UTF8.self).contains(unknownTask)
        else {
            _ = try frame.text()
            throw .unexpected("the role of the site", frame.output)
        }
        if let role = role(in: old) { return role }
        _ = try old.text()
        throw .unexpected("the role of the site", old.output)
    }

    private static let unknownTask = "Don't know how to build task"

    private static func role(in frame: ProbeFrame) -> String? {
        // A frame that is no text names no role; the caller says so, with what was printed.
        guard
            case .success(let text) = Result(catching: { () throws(Unreadable) in try frame.text(accepting: [0, 1]) }),
            let last = text.nonemptyLines.last?.trimmed
        else { return nil }
        switch (last, frame.status) {
        case ("primary", 0), ("secondary", 0), ("org migration target cell", 0), ("misconfigured", _): return last
        default: return nil
        }
    }

    /// The last line: a JSON object of strings.
    package static func cronJobs(_ frame: ProbeFrame) throws(Unreadable) -> [String: String] {
        let line = try frame.text().nonemptyLines.last ?? ""
        guard case .object(let members)? = JSONValue(line.utf8) else { throw .unexpected("the cron jobs", line.utf8) }
        var jobs: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let status) = value, status == "enabled" || status == "disabled" else {
                throw .unexpected("the state of a cron job", line.utf8)
            }
            jobs[name] = status
        }
        return jobs
    }
}
