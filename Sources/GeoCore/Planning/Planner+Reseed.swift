/// A site that comes back as a secondary: what its commands are made from, and the question before its database is replaced.
extension Planner {
    /// Why there is no re-seed of this; each with what to do.
    static func reseedProblems(_ request: PlanRequest) -> [String] {
        guard request.runbook.scenario == .reseed, request.runbook.name != AbortPlanner.name else { return [] }
        let wrongRunbook = runbookProblems(request)
        guard wrongRunbook.isEmpty else { return wrongRunbook }
        // Patroni's own settings have what it needs.
        guard request.inventory.replication != nil || request.inventory.site(request.to)?.runsPatroni == true else {
            return [
                "\(request.inventory.source.path) says nothing of replication: add"
                    + " replication: { password: 'file:PATH' }, the password of gitlab_replicator, and plan again"
            ]
        }
        guard let site = request.inventory.site(request.to) else { return [] }
        var problems: [String] = []
        for part in [request.from, request.to] {
            let count = request.inventory.site(part)?.databaseNodes.count ?? 0
            if count != 1, request.inventory.site(part)?.runsPatroni != true {
                problems.append(
                    "\(part) has \(count) nodes with the main database: this release re-seeds from and to a single one")
            }
        }
        // Where the database is a standby, what the copy starts beside it finds one, before and after.
        guard !site.followsNobody(in: request.observation) else { return problems }
        let application: [Component] = [.rails, .sidekiq, .logcursor]
        problems += site.nodes.filter { node in
            (node.runs(.postgresql) || node.runs(.patroni) || node.runs(.trackingDB))
                && application.contains(where: node.runs)
        }.map {
            "\($0.id) runs a database beside the application, which would start before the database is a standby;"
                + " this release brings former primaries back whose databases have nodes of their own"
        }
        return problems
    }
}

extension Site {
    /// Its database runs as a standby that nothing streams to from outside: that of a secondary whose primary is gone.
    package func followsNobody(in observation: Observation) -> Bool {
        !databaseNodes.isEmpty
            && databaseNodes.allSatisfy { node in
                guard let database = observation[node.id].database.value else { return false }
                return database.isInRecovery && streamsFromOutside(database, in: observation) == false
            }
    }

    /// A replica of the site's own cluster follows whatever the leader is. `nil`: a sender without a name may be anybody, and
    /// so may one with a name while those of the site's own members are not known.
    func streamsFromOutside(_ database: DatabaseFacts, in observation: Observation) -> Bool? {
        guard let receiver = database.standby?.receiver, receiver.status == "streaming" else { return false }
        guard runsPatroni else { return true }
        guard let sender = receiver.senderHost else { return nil }
        if ownNames(in: observation).contains(sender) { return false }
        return databaseNodes.allSatisfy { observation[$0.id].identity.value != nil } ? true : nil
    }
}

extension Expansion {
    var fromSite: Site? { request.inventory.site(request.from) }
    var toSite: Site? { request.inventory.site(request.to) }

    func reseeding(of node: Node) -> Reseeding {
        guard request.runbook.scenario == .reseed, let site = toSite else { return .example }
        let version = (request.observation[node.id].gitlabVersion.value ?? "").split(separator: ".").map { Int($0) }
        // 14.6 renamed the tasks; where the version is not known, today's names.
        let isOld = version.count > 1 && (version[0] ?? .max, version[1] ?? .max) < (14, 6)
        let services = (request.observation[node.id].services.value ?? []).map(\.name).filter(Self.isName)
        return Reseeding(
            source: sourceNode?.access.address ?? "", sourceNode: sourceNode?.id ?? "", sharedFrom: sharedFrom ?? "",
            hostKeyKinds: hostKeyKinds ?? [],
            slot: Reseeding.slot(of: site),
            access: request.inventory.replication ?? Reseeding.example.access, siteName: site.geoNodeName,
            url: site.url, capacity: request.inventory.replication?.backfill,
            services: services, held: held(services, on: node, of: site),
            stamp: ConfigurationEdit.stamp(request.createdAt), hasOldTasks: isOld,
            edit: site.configuration(of: node).isSwitched
                ? ConfigurationEdit(
                    secondary: node, in: request.observation[node.id].geoSettings.value, madeAt: request.createdAt)
                : nil,
            files: files(for: node, of: site),
            rewind: site.databaseNodes.contains(node) ? rewind(to: site) : nil,
            limitedCopy: site.databaseNodes.contains(node) ? limitedCopy(to: site) : nil,
            undo: request.undo[node.id] ?? [], started: site.storeServices(on: node),
            scope: request.observation[node.id].patroniScope.value ?? "")
    }

    /// Goes into a path.
    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    /// Those that a step of a re-seed has something to do on; why the others are left out stands in the plan.
    mutating func reseedable(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        switch step.action {
        case .configureSecondary: return configurable(step, nodes)
        case .preparePrimary, .copySecrets, .copyHostKeys, .trustPrimary: return preparable(step, nodes)
        case .saveDivergence: return saving(step, nodes)
        case .permitRewind, .forbidRewind: return rewindable(step, nodes)
        case .stopAndDisable:
            let site = request.to
            return leaving(step, nodes.filter(isFenced), of: nodes) { "\($0) of \(site) is fenced already" }
        case .bringNodeBack:
            // One that has more than one part of a site comes back with the first.
            let back = Set(steps.filter { $0.action == .bringNodeBack }.compactMap(\.node))
            return leaving(step, nodes.filter { back.contains($0.id) }, of: nodes) { "\($0) comes back before it" }
        default: return nodes
        }
    }

    /// All but those, of which one line is enough when they are all.
    mutating func leaving(
        _ step: RunbookStep, _ done: [Node], of nodes: [Node], _ reason: (String) -> String
    ) -> [Node] {
        if done.count == nodes.count {
            let names = nodes.count == 1 ? nodes[0].id.rawValue : "each of the \(nodes.count) nodes"
            omitted.append(OmittedStep(id: step.id, reason: reason(names)))
            return []
        }
        omitted += done.map { OmittedStep(id: StepID("\(step.id)@\($0.id)"), reason: reason($0.id.rawValue)) }
        let gone = Set(done.map(\.id))
        return nodes.filter { !gone.contains($0.id) }
    }

    private func isFenced(_ node: Node) -> Bool {
        let context = CheckContext(
            inventory: request.inventory, subject: .node(id: node.id), from: request.from, to: request.to)
        return FenceChecks.nodeFenced.findings(context, request.observation).worst <= .warn
    }

    /// What a way back ends with tells how the node was: started again, or fenced.
    func isBackInService(_ step: RunbookStep, _ node: Node) -> Bool {
        step.action == .restoreNode && request.undo[node.id]?.last?.arguments == ["gitlab-ctl", "start"]
    }

    /// Those of the inventory that the node does not have yet.
    private func files(for node: Node, of site: Site) -> [PlacedConfiguration] {
        guard let found = request.observation[node.id].configurationFiles.value else { return [] }
        return site.configuration(of: node).files.filter { !$0.isInPlace(found) }.map {
            PlacedConfiguration(file: $0, replaces: found[$0.path.text] != nil)
        }
    }

    private mutating func configurable(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        nodes.filter { node in
            let configuration = toSite?.configuration(of: node) ?? .switched
            let facts = request.observation[node.id]
            guard let lines = facts.geoSettings.value, let file = facts.clusterFile.value else {
                let reason = facts.geoSettings.reason ?? facts.clusterFile.reason ?? "not asked"
                problems.append("step \(step.id): /etc/gitlab of \(node.id) was not read: \(reason)")
                return false
            }
            if let reason = configuration.files.isEmpty ? nil : facts.configurationFiles.reason {
                problems.append("step \(step.id): files below /etc/gitlab of \(node.id) were not read: \(reason)")
                return false
            }
            let objections = SecondarySettings.objections(node, configuration, lines)
            guard objections.isEmpty else {
                problems += objections.map { "step \(step.id): \($0)" }
                return false
            }
            let reseeding = reseeding(of: node)
            let pending = configuration.isSwitched ? SecondarySettings.pending(node, lines) : []
            if !pending.isEmpty, reseeding.edit == nil {
                problems.append(
                    "step \(step.id): gitlab.rb of \(node.id) has lines that are not plain text; write"
                        + " \(SecondarySettings.names(of: node).map { "\($0)['enable'] = true" }.joined(separator: " and "))"
                        + " by hand, and plan again")
                return false
            }
            guard pending.isEmpty, reseeding.files.isEmpty, file == .absent else { return true }
            let state =
                switch configuration {
                case .switched: "gitlab.rb of \(node.id) is that of a secondary"
                case .managed: "\(node.id) is left to configuration management"
                case .files: "\(node.id) has the files of the inventory"
                }
            omitted.append(
                OmittedStep(
                    id: StepID("\(step.id)@\(node.id)"), reason: "\(state), and no gitlab-cluster.json is there"))
            return false
        }
    }

    // MARK: Before the database is replaced

    /// Asked for the node whose database is replaced, by the node's name: one site's name is as quickly typed as another's.
    /// `nil` outside of a re-seed.
    func wipeQuestion(_ step: RunbookStep) -> Operation? {
        guard request.runbook.scenario == .reseed, let node = replacedNode, let source = sourceNode else { return nil }
        let text =
            "\(lineage(of: node)) \(lineage(of: source)) The first is moved aside, and the second copied in its place."
            + otherMembers(than: node)
            + (request.rewinds ? " Before, a rewind of a copy of the first is tried." : "")
            + (limit(of: node).map { " " + $0.text } ?? "")
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

    /// What must hold again, by a fresh look, in the seconds before a database is replaced; `nil` for actions that replace
    /// none. Whose the data directory is can be seen only as long as it is there.
    func wipeRequirements(_ action: ActionName, _ node: Node) -> [Requirement]? {
        let pair = Subject.failover(from: request.from, to: request.to)
        if action == .seedReplica { return replicaRequirements(node) }
        guard action == .replicateDatabase || action == .seedStandbyLeader else { return nil }
        // What the plan accepts because a step of it mends it has to be seen mended. Secrets come before passwords, which
        // cannot be compared without them.
        let mended = request.repairs.subtracting(["database.seed-source"]).sorted(by: >)
        let before = (request.inventory.replication?.window == nil ? [] : ["reseed.window"]) + mended
        return before.map {
            Requirement(check: CheckReference(check: $0, subject: pair), when: .beforeStart)
        } + [
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
