/// A site of Patroni's that comes back as a secondary: one member is seeded from the primary, the others from that one.
extension Planner {
    /// A runbook that does not fit what the site runs, with the name of the one that does.
    static func runbookProblems(_ request: PlanRequest) -> [String] {
        guard let site = request.inventory.site(request.to) else { return [] }
        let actions = Set(request.runbook.steps.map(\.action))
        let isForPatroni = actions.contains(.seedStandbyLeader)
        guard site.runsPatroni else {
            return isForPatroni
                ? [
                    "\(site.id) has a single PostgreSQL node: plan reseed-secondary --from \(request.from) --to \(site.id)"
                ]
                : []
        }
        guard isForPatroni, !actions.contains(.replicateDatabase) else {
            return [
                "\(site.id) runs Patroni, whose leader is seeded otherwise: plan reseed-patroni --from \(request.from)"
                    + " --to \(site.id)"
            ]
        }
        let single = site.nodes.filter { $0.runs(.postgresql) && !$0.runs(.patroni) }
        return single.map {
            "\($0.id) has a main database of its own beside Patroni's: which of the two it is, nobody can say"
        }
            + scopeProblems(site, request.observation)
    }

    /// The name goes into the command that removes the cluster, and all members have to mean the same one.
    private static func scopeProblems(_ site: Site, _ observation: Observation) -> [String] {
        let members = site.nodes(running: .patroni)
        let names = Set(members.compactMap { observation[$0.id].patroniScope.value })
        let unknown = members.compactMap { node in
            observation[node.id].patroniScope.reason.map {
                "the name of the Patroni cluster of \(node.id) is not known: \($0); look at `scope` in"
                    + " /var/opt/gitlab/patroni/patroni.yaml there"
            }
        }
        guard names.count > 1 else { return unknown }
        return unknown + [
            "the Patroni nodes of \(site.id) name \(names.count) clusters (\(names.sorted().joined(separator: ", "))):"
                + " make patroni['scope'] in gitlab.rb of all the same"
        ]
    }
}

extension Expansion {
    /// The primary's database: with several, the one that can be written to.
    var sourceNode: Node? {
        let nodes = fromSite?.databaseNodes ?? []
        return nodes.first(where: isWritable) ?? nodes.first
    }

    /// Whose database is replaced by the primary's. Any member can lead: the first that a step for one node would take.
    var replacedNode: Node? {
        guard let site = toSite, site.runsPatroni else { return toSite?.databaseNodes.first }
        let members = site.nodes(running: .patroni)
        return members.first(where: isObserved) ?? members.first
    }

    private func isWritable(_ node: Node) -> Bool {
        request.observation[node.id].database.value.map { !$0.isInRecovery } ?? false
    }

    /// Of nodes that are alike the first that could be observed; a write only the database can take that leads.
    func first(of nodes: [Node], for action: Action) -> Node? {
        let writable = action.name == .writeProbe ? nodes.first(where: isWritable) : nil
        return writable ?? nodes.first(where: isObserved) ?? nodes.first
    }

    /// What must not start by itself on a node of the site that comes back. Nodes of the store hold everything else down, too.
    func held(_ services: [String], on node: Node, of site: Site) -> [String] {
        let store = site.storeServices(on: node)
        guard site.databaseNodes.contains(node) || !store.isEmpty else { return [] }
        return services.filter { !store.contains($0) }
    }

    /// A member that followed another one of its site when both stopped has nothing that the other lacks.
    mutating func saving(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        let followers = toSite?.followers(in: request.observation) ?? []
        let idle = nodes.filter { followers.contains($0) && DivergenceProgram.Part.of($0) == [.database] }
        guard !idle.isEmpty else { return nodes }
        return leaving(step, idle, of: nodes) { "\($0) followed another member, and has nothing that it lacks" }
    }

    func otherMembers(than node: Node) -> String {
        let others = toSite?.nodes(running: .patroni).filter { $0.id != node.id } ?? []
        guard node.runs(.patroni), !others.isEmpty else { return "" }
        return
            " Then the data of the other members (\(others.map(\.id.rawValue).joined(separator: ", "))) is moved aside,"
            + " and copied from it."
    }

    /// In the seconds before a member's data is moved aside the standby leader has to stream: then this is no primary.
    func replicaRequirements(_ node: Node) -> [Requirement] {
        let pair = Subject.failover(from: request.from, to: request.to)
        return [
            Requirement(check: CheckReference(check: "database.reseeded", subject: pair), when: .always),
            Requirement(
                check: CheckReference(check: "patroni.replica-replaceable", subject: .node(id: node.id)),
                when: .untilStarted),
        ]
    }
}
