/// Reader of what `patronictl` of Patroni 2.1 to 4 prints.
package enum PatroniReadings {
    /// `list -f json`: an array of rows under the table's headings; `show-config`: YAML, of which only the names at the
    /// beginning of a line are read.
    package static func cluster(members: ProbeFrame, configuration: ProbeFrame) throws(Unreadable) -> PatroniFacts {
        let list = try members.text()
        // Read as a member of an object: the one reader of foreign JSON takes objects.
        let object = try JSONMembers(Array("{\"members\":\(list)}".utf8), of: "patronictl list")
        var found: [PatroniFacts.Member] = []
        for row in try object.items("members") {
            found.append(
                PatroniFacts.Member(
                    name: try row.string("Member"), host: try row.string("Host"),
                    role: try row.string("Role").lowercased(), state: try row.string("State"),
                    timeline: try timeline(row), isRestartPending: try isRestartPending(row)))
        }
        if found.isEmpty, try isEmpty(configuration) {
            return PatroniFacts(members: [], isPaused: false, isStandbyCluster: false)
        }
        let lines = try configuration.text().nonemptyLines
        // Every configuration has it; without it this is something else.
        guard lines.contains(where: { $0.hasPrefix("postgresql:") }) else {
            throw .unexpected("patronictl show-config", configuration.output)
        }
        let pauses = lines.filter { $0.hasPrefix("pause:") }.map { $0.dropFirst("pause:".count).trimmed }
        guard pauses.allSatisfy({ ["true", "false"].contains($0) }) else {
            throw .unexpected("patronictl show-config", configuration.output)
        }
        // A cluster that was promoted has no such part, or an empty one.
        let standby = lines.filter { $0.hasPrefix("standby_cluster:") }
            .map { $0.dropFirst("standby_cluster:".count).trimmed }
        return PatroniFacts(
            members: found, isPaused: pauses.contains("true"),
            isStandbyCluster: standby.contains { !["null", "{}", "~"].contains($0) })
    }

    /// Of a cluster that the store does not know, or knows no more, there is nothing to show; Patroni before 3.1 trips over
    /// that (patroni `ctl.py`, `show_config`).
    private static func isEmpty(_ configuration: ProbeFrame) throws(Unreadable) -> Bool {
        if configuration.status == 1, configuration.complains("'NoneType' object has no attribute") { return true }
        return try configuration.text().nonemptyLines.isEmpty
    }

    /// A number, or an empty text for a member that does not run.
    private static func timeline(_ row: JSONMembers) throws(Unreadable) -> Int? {
        switch row.values["TL"] {
        case nil, .null, .string(""): return nil
        default: return try row.integer("TL")
        }
    }

    /// The column is there only while a restart is pending somewhere; a star where it is.
    private static func isRestartPending(_ row: JSONMembers) throws(Unreadable) -> Bool {
        switch row.values["Pending restart"] {
        case nil, .null, .string(""): return false
        case .string("*"): return true
        default: throw Unreadable("patronictl list: \"Pending restart\" is not a star")
        }
    }
}

extension ProbeReader {
    func readPatroni(into facts: inout NodeFacts) {
        facts.patroni = fact { () throws(Unreadable) in
            try PatroniReadings.cluster(members: frame("patroni-members"), configuration: frame("patroni-config"))
        }
    }
}
