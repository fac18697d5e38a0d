/// A site that comes back as a secondary: what its commands are made from, and the question before its database is replaced.
extension Planner {
    /// Why there is no re-seed of this; each with what to do.
    static func reseedProblems(_ request: PlanRequest) -> [String] {
        guard request.runbook.scenario == .reseed, request.runbook.name != AbortPlanner.name else { return [] }
        guard request.inventory.replication != nil else {
            return [
                "\(request.inventory.source.path) says nothing of replication: add"
                    + " replication: { password: 'file:PATH' }, the password of gitlab_replicator, and plan again"
            ]
        }
        guard let site = request.inventory.site(request.to) else { return [] }
        var problems: [String] = []
        for part in [request.from, request.to] {
            let count = request.inventory.site(part)?.databaseNodes.count ?? 0
            if count != 1 {
                problems.append(
                    "\(part) has \(count) nodes with the main database: this release re-seeds from and to a single one")
            }
        }
        let application: [Component] = [.rails, .sidekiq, .logcursor]
        problems += site.nodes.filter { node in
            (node.runs(.postgresql) || node.runs(.trackingDB)) && application.contains(where: node.runs)
        }.map {
            "\($0.id) runs a database beside the application, which would start before the database is a standby;"
                + " this release re-seeds sites whose databases have nodes of their own"
        }
        return problems
    }
}

extension Expansion {
    private var fromSite: Site? { request.inventory.site(request.from) }
    private var toSite: Site? { request.inventory.site(request.to) }

    func reseeding(of node: Node) -> Reseeding {
        guard request.runbook.scenario == .reseed, let site = toSite else { return .example }
        let version = (request.observation[node.id].gitlabVersion.value ?? "").split(separator: ".").map { Int($0) }
        // 14.6 renamed the tasks; where the version is not known, today's names.
        let isOld = version.count > 1 && (version[0] ?? .max, version[1] ?? .max) < (14, 6)
        let services = (request.observation[node.id].services.value ?? []).map(\.name).filter(Self.isName)
        return Reseeding(
            source: fromSite?.databaseNodes.first?.access.address ?? "", slot: Reseeding.slot(of: site),
            access: request.inventory.replication ?? Reseeding.example.access, siteName: site.geoNodeName,
            url: site.url,
            services: services, held: site.databaseNodes.contains(node) ? services : [],
            stamp: ConfigurationEdit.stamp(request.createdAt), hasOldTasks: isOld,
            edit: ConfigurationEdit(
                secondary: node, in: request.observation[node.id].geoSettings.value, madeAt: request.createdAt),
            undo: request.undo[node.id] ?? [])
    }

    /// Goes into a path.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// Those that the step has something to do on; why the others are left out stands in the plan.
    mutating func configurable(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        nodes.filter { node in
            let facts = request.observation[node.id]
            guard let lines = facts.geoSettings.value, let file = facts.clusterFile.value else {
                let reason = facts.geoSettings.reason ?? facts.clusterFile.reason ?? "not asked"
                problems.append("step \(step.id): /etc/gitlab of \(node.id) was not read: \(reason)")
                return false
            }
            if let reason = SecondarySettings.whyNot(node, lines) {
                problems.append("step \(step.id): \(reason)")
                return false
            }
            let pending = SecondarySettings.pending(node, lines)
            if !pending.isEmpty, reseeding(of: node).edit == nil {
                problems.append(
                    "step \(step.id): gitlab.rb of \(node.id) has lines that are not plain text; write"
                        + " \(SecondarySettings.names(of: node).map { "\($0)['enable'] = true" }.joined(separator: " and "))"
                        + " by hand, and plan again")
                return false
            }
            guard pending.isEmpty, file == .absent else { return true }
            omitted.append(
                OmittedStep(
                    id: StepID("\(step.id)@\(node.id)"),
                    reason: "gitlab.rb of \(node.id) is that of a secondary, and no gitlab-cluster.json is there"))
            return false
        }
    }

    // MARK: Before the database is replaced

    /// Asked for the node whose database is replaced, by the node's name: one site's name is as quickly typed as another's.
    /// `nil` outside of a re-seed.
    func wipeQuestion(_ step: RunbookStep) -> Operation? {
        guard request.runbook.scenario == .reseed, let node = toSite?.databaseNodes.first,
            let source = fromSite?.databaseNodes.first
        else { return nil }
        let text =
            "\(lineage(of: node)) \(lineage(of: source)) The first is moved aside, and the second copied in its place."
        return .confirmation(
            question: text + " " + (step.text ?? "Type the name of the node whose database is replaced."),
            answer: node.id.rawValue)
    }

    /// Which database it is, how far it has come, and how large it is.
    private func lineage(of node: Node) -> String {
        let facts = request.observation[node.id]
        let machine = facts.identity.value.map { "\($0.hostName), machine \($0.machineID.prefix(8))" } ?? "not seen"
        let size = facts.dataDirectoryBytes.value.map(Quantity.bytes) ?? "unknown size"
        let database: String
        if let running = facts.database.value {
            database =
                "\(running.isInRecovery ? "a standby" : "WRITABLE"), system identifier \(running.systemIdentifier),"
                + " timeline \(running.timeline)"
        } else if let lying = facts.controlData.value {
            database =
                "not running (\(lying.clusterState)), system identifier \(lying.systemIdentifier), timeline"
                + " \(lying.timeline)"
        } else {
            database = "not known: \(facts.controlData.reason ?? "not asked")"
        }
        return "\(node.id) (\(machine)): \(database), \(size)."
    }

    /// What must hold again, by a fresh look, in the seconds before a database is replaced. Whose the data directory is can be
    /// seen only as long as it is there.
    var wipeRequirements: [Requirement] {
        let pair = Subject.failover(from: request.from, to: request.to)
        return [
            Requirement(check: CheckReference(check: "reseed.direction", subject: pair), when: .always),
            Requirement(check: CheckReference(check: "reseed.own-database", subject: pair), when: .untilStarted),
            Requirement(
                check: CheckReference(check: "database.room-for-base-backup", subject: pair), when: .beforeStart),
            Requirement(check: CheckReference(check: "database.seed-source", subject: pair), when: .always),
        ]
    }
}

extension Component {
    static func words(_ components: [Component]) -> String {
        components.isEmpty ? "a service of GitLab" : components.map(\.rawValue).joined(separator: " or ")
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}
