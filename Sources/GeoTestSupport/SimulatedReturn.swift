import GeoCore

/// What a former primary of a ``SimulatedDeployment`` goes through on its way to a secondary.
package enum SimulatedReturn {
    /// What a tracking database holds.
    package enum Tracking: Sendable {
        /// That of an earlier time as a secondary, or of now.
        case former
        /// Renamed: the next reconfigure makes another.
        case none
        /// Without tables.
        case empty
        case migrated
    }

    /// As the lab writes them: `enable` of what only a secondary runs.
    static func settings(of node: Node, isPrimary: Bool) -> [String] {
        var names: [String] = []
        if node.runs(.rails) || node.runs(.sidekiq) || node.runs(.logcursor) { names.append("geo_secondary") }
        if node.runs(.logcursor) { names.append("geo_logcursor") }
        if node.runs(.trackingDB) { names.append("geo_postgresql") }
        let standby = [
            "\(StandbyCluster.setting)['enable'] = \(!isPrimary)",
            "\(StandbyCluster.setting)['host'] = '\(node.id.rawValue.hasPrefix("seoul") ? "10.77.1.21" : "10.77.2.22")'",
            "\(StandbyCluster.setting)['primary_slot_name'] = 'geo_secondary'",
        ]
        return names.map { "\($0)['enable'] = \(!isPrimary)" } + (node.runs(.patroni) ? standby : [])
    }

    /// Every table, no row.
    static var newTracking: TrackingFacts {
        var facts = Fixtures.tracking(cursorEventID: nil)
        facts.registries = facts.registries.mapValues { _ in Fixtures.registry(0) }
        return facts
    }

    private static func isShared(_ arguments: [String]) -> Bool {
        arguments.last.map { last in SharedFile.allCases.contains { last.hasPrefix($0.rawValue) } } ?? false
    }

    /// What a command of a re-seed does, and when; `nil` for all others.
    static func script(
        _ command: RemoteCommand, _ node: SimulatedNode, _ job: inout SimulatedJob
    ) -> [(Double, SimulatedJob.Act)]? {
        let arguments = command.arguments
        if let digest = command.inputConfiguration?.digest {
            return [(0.3, .bring(digest: digest, path: arguments.last ?? ""))]
        }
        if SimulatedConfiguration.isMeant(by: arguments) { return [(0.1, .configure(arguments: arguments))] }
        switch arguments.first {
        case "test" where arguments == ActionCommands.wholeCopy.arguments: return [(0.1, .reseed(arguments: arguments))]
        case "touch", "gitlab-geo-psql": return [(0.2, .reseed(arguments: arguments))]
        case "rm" where arguments.count == 3 && arguments[1] == "-f": return [(0.1, .reseed(arguments: arguments))]
        case "mv" where arguments[2] == ProbeCatalog.rootCertificate: return [(0.1, .exit(status: 0))]
        case "mv" where arguments.count == 4 && arguments[1] == "-n": return [(0.1, .reseed(arguments: arguments))]
        case "install", "ln":
            if let file = command.inputFile { return [(0.3, .install(file, arguments.last ?? ""))] }
            return isShared(arguments) ? [(0.1, .reseed(arguments: arguments))] : nil
        case "systemctl" where arguments[1] == "reload": return [(0.1, .exit(status: 0))]
        case "mv" where isShared(arguments), "test" where isShared(arguments):
            return [(0.1, .reseed(arguments: arguments))]
        case "mkdir": return [(0.1, .exit(status: 0))]
        case "gitlab-psql": return [(0.5, .reseed(arguments: arguments))]
        case "sh" where arguments.contains(RewindProgram.text): return [(20, .reseed(arguments: arguments))]
        case "sh" where arguments.contains(LimitedCopyProgram.text):
            return [(command.input == nil ? 0.1 : SimulatedCopy.seconds, .reseed(arguments: arguments))]
        case "test" where arguments.last?.hasSuffix("/root.crt") == true: return [(0.1, .exit(status: 0))]
        case "sh" where arguments.count == 5 && arguments[2] == ActionCommands.setAsideProgram:
            return [(1, .reseed(arguments: arguments))]
        case "/opt/gitlab/embedded/bin/patronictl":
            guard arguments.suffix(2) == ["remove", SimulatedStore.scope],
                command.answers == [SimulatedStore.scope, "Yes I am aware"]
            else {
                job.say("Error: Cluster names specified do not match")
                return [(2, .exit(status: 1))]
            }
            return [(2, .reseed(arguments: arguments))]
        case "gitlab-rake" where arguments.last == "db:migrate:geo": return [(20, .reseed(arguments: arguments))]
        case "gitlab-ctl" where arguments.count > 1 && arguments[1] == "replicate-geo-database":
            guard command.input != nil else {
                job.say("util.rb:128:in `get_password': undefined method `strip' for nil:NilClass (NoMethodError)")
                return [(2, .exit(status: 1))]
            }
            if node.attributes != .good {
                job.say("util.rb:75:in `get_node_attributes': Attributes not found in /opt/gitlab/embedded/nodes")
                return [(2, .stop(service: nil)), (3, .exit(status: 1))]
            }
            return [
                (2, .stop(service: nil)), (4, .moveDatabaseAside), (40, .copyDatabase), (42, .start(service: nil)),
                (42, .exitAfterCopy),
            ]
        default: return nil
        }
    }
}

extension SimulatedState {
    /// The exit status.
    mutating func reseed(_ arguments: [String], _ index: Int, _ job: Int) -> Int {
        switch arguments[0] {
        case "touch" where arguments == ["touch", "-c", ConfigurationPath.main.text]:
            nodes[index].url?.touch(now)
            return 0
        case "rm" where arguments == ActionCommands.forgetPassword:
            nodes[index].copy.isWhole = false
            return 0
        case "test" where arguments == ActionCommands.wholeCopy.arguments: return nodes[index].copy.isWhole ? 0 : 1
        case "touch", "rm":
            for path in arguments.dropFirst() where path.hasSuffix("/down") {
                let name = path.split(separator: "/").dropLast().last.map(String.init) ?? ""
                if arguments[0] == "touch" {
                    nodes[index].held.insert(name)
                } else {
                    nodes[index].held.remove(name)
                }
            }
            return 0
        // Only ever whether what was kept has gone back.
        case "test" where arguments.last?.hasPrefix("/etc/ssh/") == true:
            return nodes[index].hostKeysBefore.map { $0 == nodes[index].hostKeys } ?? true ? 0 : 1
        case "test": return nodes[index].secretsBefore == nil ? 0 : 1
        case "ln" where arguments[1].hasPrefix("/etc/ssh/"):
            if nodes[index].hostKeysBefore == nil { nodes[index].hostKeysBefore = nodes[index].hostKeys }
            return 0
        case "mv" where arguments[1] == "-f" && arguments[3].hasPrefix("/etc/ssh/"):
            // Both halves of each; the last one counts.
            let isNext = arguments[2].contains(".next-")
            guard let keys = isNext ? nodes[index].nextHostKeys : nodes[index].hostKeysBefore else { return 1 }
            nodes[index].hostKeys = keys
            return 0
        case "ln":
            guard nodes[index].secretsBefore == nil else { return 1 }
            nodes[index].secretsBefore = nodes[index].secrets
            return 0
        case "mv" where arguments[1] == "-f":
            let isNext = arguments[2].contains(".next-")
            guard let file = isNext ? nodes[index].nextSecrets : nodes[index].secretsBefore else { return 1 }
            nodes[index].secrets = file
            if isNext { nodes[index].nextSecrets = nil } else { nodes[index].secretsBefore = nil }
            return 0
        case "mv":
            let isAside = arguments[2] == "/etc/gitlab/gitlab-cluster.json"
            if isAside, nodes[index].clusterFile != .absent, nodes[index].clusterFileAside == nil {
                nodes[index].clusterFileAside = (arguments[3], nodes[index].clusterFile)
                nodes[index].clusterFile = .absent
                return 0
            }
            if let kept = nodes[index].clusterFileAside, arguments[2] == kept.name, nodes[index].clusterFile == .absent
            {
                nodes[index].clusterFile = kept.file
                nodes[index].clusterFileAside = nil
                return 0
            }
            return 1
        case "sh" where arguments.contains(RewindProgram.text): return rewind(index)
        case "sh" where arguments.contains(LimitedCopyProgram.text): return copyWithRate(arguments, index)
        case "sh": return setDataAside(index, job)
        case "/opt/gitlab/embedded/bin/patronictl": return removeCluster(index, job)
        case "gitlab-psql": return permit(arguments, index)
        case "gitlab-geo-psql":
            guard nodes[index].isRunning("geo-postgresql") else { return 2 }
            // Renamed once: the second time there is a database of that name.
            if nodes[index].tracking == .former { nodes[index].tracking = .none }
            return 0
        default:
            let site = nodes[index].site
            guard let tracking = nodes.firstIndex(where: { $0.site == site && $0.node.runs(.trackingDB) }),
                nodes[tracking].isRunning("geo-postgresql"), nodes[tracking].tracking != .none,
                appliedSettings(nodes[index])["geo_secondary"] == true
            else { return 1 }
            if nodes[tracking].tracking == .empty { nodes[tracking].tracking = .migrated }
            return 0
        }
    }

    /// What came on the command's standard input is now a file of the node.
    mutating func install(_ file: NodeFile, _ path: String, _ index: Int) {
        switch file.file {
        case .secrets: nodes[index].nextSecrets = self[file.node].secrets
        case .serverCertificate: nodes[index].trusts = "cert"
        default: nodes[index].nextHostKeys = self[file.node].hostKeys
        }
    }

    mutating func moveDatabaseAside(_ index: Int) {
        if nodes[index].isWritable {
            violations.append("the database of \(nodes[index].node.id) was moved while it runs")
        }
        let source = databaseIndex(of: nodes[index].site == from ? to : from)
        if !nodes[source].isWritable { violations.append("a database was moved aside with no primary to copy") }
        if nodes[index].database?.isPrimary == false, nodes[index].database?.isWhole == true,
            isLinked(index, to: source)
        {
            violations.append("a standby that streams was replaced")
        }
        nodes[index].database?.kept += 1
        nodes[index].database?.isWhole = false
        nodes[index].copy.moveSettingsAside()
    }

    mutating func copyDatabase(_ index: Int) {
        let source = databaseIndex(of: nodes[index].site == from ? to : from)
        guard nodes[source].isWritable, var copy = nodes[source].database else { return }
        copy.isPrimary = false
        copy.kept = nodes[index].database?.kept ?? 0
        nodes[index].database = copy
        nodes[index].isPromoted = false
        nodes[index].hasLostSlot = false
        nodes[index].copy.restoreSettings()
        note("\(nodes[index].node.id) has a copy of the primary's database")
    }

    /// The truth behind the checks of a re-seed; `nil` for a subject that it knows nothing about.
    func hasReturned(_ reference: CheckReference) -> Bool? {
        if let isTrue = hasPatroniReturned(reference) { return isTrue }
        switch (reference.check, reference.subject) {
        case ("node.secondary-configured", .node(let id)): return isConfigured(self[id])
        case ("node.secondary-applied", .node(let id)):
            return isConfigured(self[id]) && self[id].attributes == .good && isApplied(self[id])
        case ("node.secrets-shared", .node(let id)):
            return nodes(of: to).contains { $0.node.runs(.rails) && $0.secrets == self[id].secrets }
        case ("node.host-keys-shared", .node(let id)):
            return nodes(of: to).contains { $0.node.runs(.rails) && $0.hostKeys == self[id].hostKeys }
        case ("database.trusts-primary", _): return databaseNode(of: from).trusts == "cert"
        case ("node.held-down", .node(let id)):
            return !self[id].services.contains { $0.isRunning && $0.name != "consul" } && self[id].startsAtBoot
                && !self[id].isBootMasked
        case ("node.returned", .node(let id)):
            return isConfigured(self[id]) && self[id].startsAtBoot && !self[id].isBootMasked
                && self[id].services.allSatisfy(\.isRunning)
        case ("database.reseeded", _):
            return !isReplicationCut && isLinked(databaseIndex(of: from), to: databaseIndex(of: to))
        case ("database.rewind-permitted", _): return database(of: to).rows.isRewindPermitted
        case ("database.rewind-forbidden", _): return !database(of: to).rows.isRewindPermitted
        case ("tracking.fresh", .site(let site)):
            return nodes(of: site).allSatisfy { !$0.node.runs(.trackingDB) || $0.tracking == .migrated }
        // Redis of the simulation never has Geo's own off.
        case ("cron.geo-running", _): return true
        case ("site.role", .site(let site)): return database(of: site).rows.primary != site
        case ("geo.site-registered", _): return database(of: to).rows.removed.isEmpty
        case ("geo.complete", _), ("geo.verified", _), ("geo.log-cursor", _):
            return nodes(of: from).contains { $0.isRunning("geo-logcursor") }
        default: return nil
        }
    }

    private func isConfigured(_ node: SimulatedNode) -> Bool {
        node.clusterFile == .absent && isSecondarys(node)
    }
}
