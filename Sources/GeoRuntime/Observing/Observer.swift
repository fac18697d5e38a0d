package import GeoCore

/// Asks every node of a scope once, many at a time, and the sites' URLs beside them. Never throws: what could not be
/// learned is `unknown` with its reason in the observation, and one dead node blinds no other.
package struct Observer: Sendable {
    /// Told as each node's visit ends, in the order in which they end; for a live display.
    package typealias Progress = @Sendable (_ node: NodeID, _ facts: NodeFacts) async -> Void

    private let inspector: NodeInspector
    private let web: WebProbe
    private let databases: DatabaseReader?
    private let local: LocalLook
    private let clock: WallClock
    private let atOnce: Int
    private let boundary: @Sendable () -> String

    /// `databases` asks PostgreSQL where the inventory says `tunnel` or `direct`; without it, or where it says `shell`, the
    /// visit's script does. `boundary` gives letters and digits that no node can guess, anew for each visit.
    package init(
        inspector: NodeInspector, web: WebProbe, databases: DatabaseReader? = nil, local: LocalLook = .none,
        clock: WallClock, atOnce: Int = 64,
        boundary: @escaping @Sendable () -> String
    ) {
        precondition(atOnce > 0, "at least one visit at a time")
        self.inspector = inspector
        self.web = web
        self.databases = databases
        self.local = local
        self.clock = clock
        self.atOnce = atOnce
        self.boundary = boundary
    }

    package func observe(
        _ scope: ObservationScope, inventory: Inventory, progress: Progress? = nil
    ) async -> Observation {
        let startedAt = clock.now()
        async let readiness = siteReadiness(scope.siteURLs, inventory: inventory)
        async let addresses = siteAddresses(scope.siteNames, inventory: inventory)
        async let records = siteRecords(scope.siteRecords, inventory: inventory)
        async let machine = scope.asksOperator ? local.machine() : .notAsked
        let nodes = await visits(scope, inventory: inventory, progress: progress)
        let unseen = scope.isolation.filter { nodes[$0]?.services.value == nil }
        let isolation = await isolation(unseen, inventory: inventory)
        let (siteReadiness, siteAddresses, siteRecords, operatorMachine) = await (
            readiness, addresses, records, machine
        )
        return Observation(
            startedAt: startedAt, endedAt: clock.now(), nodes: nodes, siteReadiness: siteReadiness,
            siteAddresses: siteAddresses, siteRecords: siteRecords, operatorMachine: operatorMachine,
            isolation: isolation)
    }

    /// Asks the fencing programs, in order, of nodes that could not be looked at themselves: of the others nobody's word
    /// is needed, and a power supply is no thing to be asked in vain.
    private func isolation(_ asked: Set<NodeID>, inventory: Inventory) async -> [NodeID: Observed<Isolation>] {
        await withTaskGroup(of: (NodeID, Observed<Isolation>).self) { group in
            // At most a site's nodes, and each program has a limit.
            for id in asked.sorted() {
                guard let node = inventory.node(id) else { continue }
                group.addTask { (id, await isolation(of: node, inventory: inventory)) }
            }
            return await group.reduce(into: [:]) { answers, answer in answers[answer.0] = answer.1 }
        }
    }

    private func isolation(of node: Node, inventory: Inventory) async -> Observed<Isolation> {
        var reasons: [String] = []
        for program in inventory.fences(for: node) {
            switch await local.prove(program) {
            case .known(0, let at, let from): return .known(value: .proven(by: program.name), at: at, from: from)
            case .known(1, _, _): break
            case .known(let status, _, _): reasons.append("\(program.name) exited with status \(status)")
            case .unknown(let reason): reasons.append("\(program.name): \(reason)")
            }
        }
        guard reasons.isEmpty else { return .unknown(reason: reasons.joined(separator: "; ")) }
        return .known(value: .open, at: clock.now(), from: "operator")
    }

    private func visits(
        _ scope: ObservationScope, inventory: Inventory, progress: Progress?
    ) async -> [NodeID: NodeFacts] {
        var found: [NodeID: NodeFacts] = [:]
        // In the order of the inventory, so that two runs ask in the same order.
        let known = inventory.nodes.filter { scope.probes[$0.id] != nil }
        for id in scope.probes.keys where !known.contains(where: { $0.id == id }) {
            found[id] = .unreachable("\(id) is not in the inventory")
        }
        await withTaskGroup(of: (NodeID, NodeFacts).self) { group in
            var waiting = known.makeIterator()
            func startNext() {
                guard let node = waiting.next() else { return }
                let probes = scope.probes[node.id] ?? []
                let looks = PeerLooks(
                    at: scope.watched[node.id] ?? [], linkedTo: scope.linked[node.id] ?? [], in: inventory)
                group.addTask { (node.id, await look(at: node, probes: probes, looks, inventory: inventory)) }
            }
            for _ in 0..<atOnce { startNext() }
            for await (id, facts) in group {
                found[id] = facts
                startNext()
                await progress?(id, facts)
            }
        }
        return found
    }

    /// One visit for all of the node's questions, and the database's own connection beside it where there is one.
    private func look(
        at node: Node, probes: Set<Probe>, _ looks: PeerLooks, inventory: Inventory
    ) async -> NodeFacts {
        guard let databases, inventory.database.via != .shell else { return await visit(node, probes: probes, looks) }
        let queried = probes.filter { DatabaseQueries.query(for: $0) != nil }
        async let answers = databases.answers(to: queried, on: node, access: inventory.database, clock: clock)
        var facts = await visit(node, probes: probes.subtracting(queried), looks)
        for answer in await answers { answer.write(to: &facts) }
        return facts
    }

    private func visit(_ node: Node, probes: Set<Probe>, _ looks: PeerLooks) async -> NodeFacts {
        guard !probes.isEmpty else { return NodeFacts() }
        let script = ProbeScript(probes: probes, node: node, boundary: boundary(), looks: looks)
        let startedAt = clock.now()
        switch await inspector.visit(script, node) {
        case .answered(let output, let elapsedMilliseconds):
            return ProbeReader.facts(
                output: output, script: script, node: node.id, startedAt: startedAt,
                elapsedMilliseconds: elapsedMilliseconds)
        case .failed(let failure):
            var facts = NodeFacts()
            facts.connection = .unknown(reason: failure.text + (failure.hint.map { "; \($0)" } ?? ""))
            // The whole story once, with the connection; every other fact only says that this is why.
            let brief = "\(node.id) was not reached: \(failure.brief)"
            for probe in probes { facts.markUnknown(probe, reason: brief) }
            facts.contact =
                failure.contact.map { .known(value: $0, at: startedAt, from: "operator") }
                ?? .unknown(reason: failure.brief)
            return facts
        }
    }

    private func siteAddresses(
        _ sites: Set<SiteID>, inventory: Inventory
    ) async -> [SiteID: Observed<[String]>] {
        var found: [SiteID: Observed<[String]>] = [:]
        // A handful, and each bounded: one after the other, so that a resolver is not asked all at once.
        for site in sites.sorted() {
            guard let url = inventory.site(site)?.url else {
                found[site] = .unknown(reason: "\(site) is not in the inventory")
                continue
            }
            found[site] = await local.addresses(URLHost.of(url))
        }
        return found
    }

    private func siteRecords(
        _ sites: Set<SiteID>, inventory: Inventory
    ) async -> [SiteID: Observed<NameRecord>] {
        var found: [SiteID: Observed<NameRecord>] = [:]
        for site in sites.sorted() {
            guard let url = inventory.site(site)?.url else {
                found[site] = .unknown(reason: "\(site) is not in the inventory")
                continue
            }
            found[site] = await local.record(URLHost.of(url))
        }
        return found
    }

    private func siteReadiness(_ sites: Set<SiteID>, inventory: Inventory) async -> [SiteID: Observed<Int>] {
        await withTaskGroup(of: (SiteID, Observed<Int>).self) { group in
            // One task per site: an inventory has a handful.
            for site in sites.sorted() {
                guard let url = inventory.site(site)?.url else {
                    group.addTask { (site, .unknown(reason: "\(site) is not in the inventory")) }
                    continue
                }
                group.addTask { (site, await web.status(url + "/-/readiness")) }
            }
            return await group.reduce(into: [:]) { answers, answer in answers[answer.0] = answer.1 }
        }
    }
}
