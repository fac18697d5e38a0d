/// Turns one visit's output into the facts of its node. Pure; every byte may be anything.
package struct ProbeReader: Sendable {
    private let script: ProbeScript
    private let answer: ProbeAnswer
    private let node: NodeID
    private let startedAt: Timestamp
    private let elapsedMilliseconds: Int

    /// `startedAt` is when the visit began, by the operator's clock.
    package static func facts(
        output: [UInt8], script: ProbeScript, node: NodeID, startedAt: Timestamp, elapsedMilliseconds: Int
    ) -> NodeFacts {
        let reader = ProbeReader(
            script: script, answer: ProbeAnswer(output: output, script: script), node: node, startedAt: startedAt,
            elapsedMilliseconds: elapsedMilliseconds)
        var facts = NodeFacts()
        // Nothing was measured where the visit waited for sudo.
        facts.connection =
            reader.answer.isSudoHung
            ? .unknown(reason: reader.missing.reason)
            : .known(value: elapsedMilliseconds, at: startedAt, from: "operator")
        facts.contact = .known(value: .answered, at: startedAt, from: "operator")
        for probe in script.probes { reader.read(probe, into: &facts) }
        return facts
    }

    private func read(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .privileges, .identity, .hostKeys, .disks, .ports: readMachine(probe, into: &facts)
        case .version, .services, .boot, .attributes, .clusterFile, .changesRunning, .secrets:
            readInstallation(probe, into: &facts)
        case .database, .pointInTimeFile, .controlData, .geo, .tracking: readDatabases(probe, into: &facts)
        case .patroni: readPatroni(into: &facts)
        case .server, .application, .projects, .registryDetails, .projectRegistry: readDetails(probe, into: &facts)
        case .machine, .configuration, .certificate, .trackingSchema: readSurroundings(probe, into: &facts)
        case .geoSettings:
            facts.geoSettings = fact { () throws(Unreadable) in
                try ReseedReadings.geoSettings(frame("geo-settings"))
            }
        case .configurationFiles:
            facts.configurationFiles = fact { () throws(Unreadable) in
                try ReseedReadings.configurationFiles(frame("configuration-files"))
            }
        case .appliedSettings:
            facts.appliedSettings = fact { () throws(Unreadable) in
                try ReseedReadings.appliedSettings(frame("applied-settings"))
            }
        case .replicationTrust:
            facts.replicationTrust = fact { () throws(Unreadable) in
                TrustFacts(
                    server: try ReseedReadings.digest(frame("server-certificate")),
                    root: try ReseedReadings.digest(frame("root-certificate")))
            }
        case .patroniScope:
            facts.patroniScope = fact { () throws(Unreadable) in
                try ReseedReadings.patroniScope(frame("patroni-scope"))
            }
        case .dataSize:
            facts.dataDirectoryBytes = fact { () throws(Unreadable) in
                try ReseedReadings.dataSize(frame("data-size"))
            }
        case .consul, .trustedCertificates, .backups, .cronStates: readOperations(probe, into: &facts)
        case .settings, .accessRules, .baseBackups, .rewindRights, .schemaFiles, .keyLookup, .passwords:
            readSettings(probe, into: &facts)
        case .timelines, .divergence: readDivergence(probe, into: &facts)
        case .views:
            facts.views = fact { () throws(Unreadable) in
                try PeerReadings.views(frame("views"), script.looks, at: startedAt, from: node)
            }
        case .queues, .readiness, .railsConfiguration, .railsRole, .cronJobs: readApplication(probe, into: &facts)
        }
    }

    private func readMachine(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .privileges:
            facts.privileges = fact { () throws(Unreadable) in
                try MachineReadings.privileges(frame("privileges"))
            }
        case .identity:
            facts.identity = fact { () throws(Unreadable) in try MachineReadings.identity(frame("identity")) }
            facts.clockOffset = fact { () throws(Unreadable) in try clockOffset() }
        case .hostKeys:
            facts.hostKeys = fact { () throws(Unreadable) in try MachineReadings.hostKeys(frame("host-keys")) }
        case .disks: facts.disks = fact { () throws(Unreadable) in try MachineReadings.disks(frame("disks")) }
        case .ports:
            facts.listeningPorts = fact { () throws(Unreadable) in
                if let fallback = try optionalFrame("ports-proc") { return try MachineReadings.portsFromProc(fallback) }
                return try MachineReadings.ports(frame("ports"))
            }
        default: break
        }
    }

    private func readInstallation(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .version:
            facts.gitlabVersion = fact { () throws(Unreadable) in try InstallationReadings.version(frame("version")) }
        case .services:
            facts.services = fact { () throws(Unreadable) in try InstallationReadings.services(frame("services")) }
        case .boot:
            let boot = fact { () throws(Unreadable) in try InstallationReadings.boot(frame("boot")) }
            facts.startsAtBoot = boot.map { $0 == .enabled }
            facts.isBootMasked = boot.map { $0 == .masked }
        case .attributes:
            facts.attributeFile = fact { () throws(Unreadable) in
                try InstallationReadings.attributeFile(
                    counts: frame("attributes"), times: frame("configuration-times"), name: frame("identity"))
            }
        case .clusterFile:
            facts.clusterFile = fact { () throws(Unreadable) in
                try InstallationReadings.clusterFile(frame("cluster-file"))
            }
        case .changesRunning:
            facts.changesRunning = fact { () throws(Unreadable) in
                try InstallationReadings.changesRunning(frame("changes-running"))
            }
        case .secrets:
            facts.secretsDigest = fact { () throws(Unreadable) in
                try InstallationReadings.secretsDigest(
                    canonical: frame("secrets"), bytes: optionalFrame("secrets-bytes"))
            }
        default: break
        }
    }

    private func readDatabases(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .database:
            facts.database = fact { () throws(Unreadable) in
                try DatabaseReadings.replication(json(of: .replication, in: "sql-main"))
            }
        case .geo:
            facts.geo = fact { () throws(Unreadable) in try DatabaseReadings.geo(json(of: .geo, in: "sql-main")) }
        case .tracking:
            facts.tracking = fact { () throws(Unreadable) in
                try DatabaseReadings.tracking(json(of: .tracking, in: "sql-tracking"))
            }
        case .pointInTimeFile:
            facts.pointInTimeFile = fact { () throws(Unreadable) in
                try ApplicationReadings.pointInTimeFile(
                    file: frame("point-in-time-file"), key: optionalFrame("point-in-time-key"))
            }
        case .controlData:
            facts.controlData = fact { () throws(Unreadable) in
                try ApplicationReadings.controlData(frame("control-data"))
            }
        default: break
        }
    }

    private func readApplication(_ probe: Probe, into facts: inout NodeFacts) {
        switch probe {
        case .queues: facts.queues = fact { () throws(Unreadable) in try ApplicationReadings.queues(frame("queues")) }
        case .readiness:
            facts.readiness = fact { () throws(Unreadable) in
                try ApplicationReadings.readiness([frame("readiness"), frame("readiness-workhorse")])
            }
        case .railsConfiguration:
            facts.hasTrackingDatabaseConfigured = fact { () throws(Unreadable) in
                try ApplicationReadings.hasTrackingDatabase(frame("rails-configuration"))
            }
        case .railsRole:
            facts.railsRole = fact { () throws(Unreadable) in
                try ApplicationReadings.railsRole(frame("rails-role"), old: optionalFrame("rails-role-old"))
            }
        case .cronJobs:
            facts.cronJobs = fact { () throws(Unreadable) in try ApplicationReadings.cronJobs(frame("cron-jobs")) }
        default: break
        }
    }

    func fact<Value>(_ read: () throws(Unreadable) -> Value) -> Observed<Value> {
        do throws(Unreadable) {
            return .known(value: try read(), at: startedAt, from: node.rawValue)
        } catch {
            return .unknown(reason: error.reason)
        }
    }

    func frame(_ name: String) throws(Unreadable) -> ProbeFrame {
        guard let frame = try optionalFrame(name) else { throw .cutOff }
        return frame
    }

    /// `nil` only when the node said that it skipped the command.
    func optionalFrame(_ name: String) throws(Unreadable) -> ProbeFrame? {
        switch answer.parts[name] {
        case .answered(let frame): frame
        case .skipped: nil
        case nil: throw answer.isWhole ? Unreadable("the answer was garbled") : missing
        }
    }

    /// Why an answer lacks what was asked for.
    private var missing: Unreadable {
        answer.isSudoHung
            ? Unreadable("its sudo did not come back within \(ProbeScript.sudoLimitSeconds) s") : .cutOff
    }

    func json(of query: DatabaseQuery, in name: String) throws(Unreadable) -> [UInt8] {
        try PsqlAnswer.json(of: query, in: frame(name), boundary: script.boundary)
    }

    /// The node's clock minus the operator's. The script's first line was printed after the visit began, and at least
    /// the script's own duration before it ended; the middle of that span is wrong by at most half of it.
    private func clockOffset() throws(Unreadable) -> Int {
        guard answer.isWhole else { throw missing }
        guard let began = answer.began, let ended = answer.ended else {
            throw Unreadable("the node's date command tells no fractions of a second")
        }
        let onNode = ended.milliseconds - began.milliseconds
        guard onNode >= 0, onNode <= Int64(elapsedMilliseconds) + 1000 else {
            throw Unreadable("the node's clock was set while it was asked")
        }
        let latest = max(0, Int64(elapsedMilliseconds) - onNode)
        return Int(began.milliseconds - (startedAt.milliseconds + latest / 2))
    }
}
