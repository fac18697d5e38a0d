package import GeoCore

/// Asks PostgreSQL over its own protocol (libpq), where the inventory gives `tunnel` or `direct`. Asks what
/// ``DatabaseQueries`` holds, the session's settings first, and so brings the same JSON as `gitlab-psql` does.
package struct DatabaseReader: Sendable {
    /// The JSON text of each query, in their order, from one connection to that database of the node; or why there is
    /// none. Bounded in time by the implementation, read-only by the session's settings.
    package var ask:
        @Sendable (
            _ queries: [DatabaseQuery], _ database: DatabaseQuery.Database, _ node: Node, _ access: DatabaseAccess
        )
            async -> [Result<[UInt8], NodeFailure>]

    package init(
        ask:
            @escaping @Sendable (
                _ queries: [DatabaseQuery], _ database: DatabaseQuery.Database, _ node: Node, _ access: DatabaseAccess
            ) async -> [Result<[UInt8], NodeFailure>]
    ) {
        self.ask = ask
    }

    /// What one database probe learned.
    struct Answer: Sendable {
        var probe: Probe
        var json: Result<[UInt8], NodeFailure>
        var node: NodeID
        var at: Timestamp

        func write(to facts: inout NodeFacts) {
            switch json {
            case .failure(let failure): facts.markUnknown(probe, reason: failure.text)
            case .success(let json):
                switch probe {
                case .database:
                    facts.database = fact { () throws(Unreadable) in try DatabaseReadings.replication(json) }
                case .geo: facts.geo = fact { () throws(Unreadable) in try DatabaseReadings.geo(json) }
                case .tracking: facts.tracking = fact { () throws(Unreadable) in try DatabaseReadings.tracking(json) }
                case .server: facts.server = fact { () throws(Unreadable) in try DetailReadings.server(json) }
                case .application:
                    facts.application = fact { () throws(Unreadable) in try DetailReadings.application(json) }
                case .projects: facts.projects = fact { () throws(Unreadable) in try DetailReadings.projects(json) }
                case .settings: facts.settings = fact { () throws(Unreadable) in try SettingReadings.settings(json) }
                case .accessRules:
                    facts.accessRules = fact { () throws(Unreadable) in try SettingReadings.accessRules(json) }
                case .baseBackups:
                    facts.baseBackups = fact { () throws(Unreadable) in try BaseBackupReadings.copies(json) }
                case .rewindRights:
                    facts.rewindRights = fact { () throws(Unreadable) in try RewindReadings.rights(json) }
                case .registryDetails:
                    facts.registryDetails = fact { () throws(Unreadable) in try DetailReadings.registries(json) }
                case .projectRegistry:
                    facts.projectRegistry = fact { () throws(Unreadable) in try DetailReadings.projectRegistry(json) }
                default: break
                }
            }
        }

        private func fact<Value>(_ read: () throws(Unreadable) -> Value) -> Observed<Value> {
            do throws(Unreadable) {
                return .known(value: try read(), at: at, from: node.rawValue)
            } catch {
                return .unknown(reason: error.reason)
            }
        }
    }

    /// At most two connections to a node: its main and its tracking database.
    func answers(to probes: Set<Probe>, on node: Node, access: DatabaseAccess, clock: WallClock) async -> [Answer] {
        var answers: [Answer] = []
        for database in [DatabaseQuery.Database.main, .tracking] {
            let asked = Probe.allCases.filter {
                probes.contains($0) && DatabaseQueries.query(for: $0)?.database == database
            }
            guard !asked.isEmpty else { continue }
            let at = clock.now()
            let found = await ask(asked.compactMap(DatabaseQueries.query(for:)), database, node, access)
            for (index, probe) in asked.enumerated() {
                // An answer too few is as good as none: it must not shift onto another question.
                let json: Result<[UInt8], NodeFailure> =
                    found.count == asked.count
                    ? found[index]
                    : .failure(NodeFailure(kind: .other, text: "the database did not answer every question"))
                answers.append(Answer(probe: probe, json: json, node: node.id, at: at))
            }
        }
        return answers
    }
}
