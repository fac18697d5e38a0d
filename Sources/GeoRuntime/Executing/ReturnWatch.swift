package import GeoCore

/// Watches the nodes of the site to leave that were given up, and fences whichever answers again: a former primary that
/// comes back beside a promoted one is a second writable site for as long as nobody looks (promise 1).
package struct ReturnWatch: Sendable {
    private let ports: ExecutionPorts
    private let journal: Journal
    /// Between two looks; a look at silent nodes takes as long as their connect limit.
    private let pause: Duration

    package init(ports: ExecutionPorts, journal: Journal, pause: Duration = .seconds(2)) {
        self.ports = ports
        self.journal = journal
        self.pause = pause
    }

    /// A node that answered, seen or not seen to be fenced, and the commands that fence it, recorded before they are sent.
    package struct Contact: Sendable {
        var node: Node
        var expected: NodeIdentity
        package var record: JournalEntry
        package var id: NodeID { node.id }
        var attempt: Int
        var keys: [String]
        var commands: [RemoteCommand]
    }

    /// Looks until the node answers; `nil` when cancelled. Each node is watched on its own: a site whose power comes
    /// back comes back at once.
    package func next(_ id: NodeID, _ state: RunState) async -> Contact? {
        guard let node = state.plan.inventory.node(id) else { return nil }
        var told: Set<String> = []
        while !Task.isCancelled {
            var scope = needs(node, state)
            scope.ask([.identity, .configuration], of: [node])
            // What programs and other places say was asked already; here only the node itself counts.
            scope.isolation = []
            scope.probes = scope.probes.filter { $0.key == id }
            let now = await ports.observe(scope)
            guard !Task.isCancelled else { return nil }
            if now[id].connection.value != nil {
                switch identity(of: node, state, now) {
                case .success(let identity):
                    let seen = findings(node, state, now)
                    let worst = seen.first { $0.verdict == seen.worst }?.summary ?? "nothing was seen of its services"
                    return contact(node, identity, state, worst)
                case .failure(let doubt):
                    if told.insert(doubt.text).inserted { ports.announce(.notice(text: doubt.text)) }
                }
            }
            await ports.clock.sleep(pause)
        }
        return nil
    }

    /// Stops and disables the node, and says what is seen of its fence afterwards. Only after the contact's record.
    package func fence(_ contact: Contact, _ state: RunState) async throws -> JournalEntry {
        let performer = EffectPerformer(ports: ports, journal: journal, interruption: Interruption(), state: state)
        var hasLastFailed = false
        for (key, command) in zip(contact.keys, contact.commands) {
            if command.condition == .previousFailed, !hasLastFailed { continue }
            let script = JobScript(
                key: key, run: journal.run, epoch: state.epoch, command: command, node: contact.node.id,
                expected: contact.expected, marks: state.plan.marks(of: contact.node.id),
                receipt: try await journal.receipt(forCommand: key))
            let (outcome, output) = await performer.follow(script, StepID("return@\(contact.node.id)"), contact.node)
            if case .refused(let reason) = outcome {
                ports.announce(.notice(text: "\(contact.node.id) is NOT fenced, the node refused: \(reason)"))
            }
            if case .exited(0, _)? = outcome { hasLastFailed = false } else { hasLastFailed = true }
            _ = try ports.keepTranscript(key, Redactor.redact(output))
        }
        let now = await ports.observe(needs(contact.node, state))
        let seen = findings(contact.node, state, now)
        return .nodeFencedAgain(node: contact.node.id, attempt: contact.attempt, findings: seen)
    }

    private func contact(_ node: Node, _ identity: NodeIdentity, _ state: RunState, _ seen: String) -> Contact {
        let attempt = (state.returned[node.id]?.attempt ?? 0) + 1
        // The database first: it is what takes writes beside the new primary.
        let database =
            node.runs(.postgresql) ? ActionCommands.commands(.stopDatabase, on: node, message: "", timeLimit: 60) : []
        let commands = database + ActionCommands.commands(.stopAndDisable, on: node, message: "", timeLimit: 600)
        let keys = commands.indices.map { "return@\(node.id).\(attempt).\($0)" }
        return Contact(
            node: node, expected: identity,
            record: .nodeReturned(node: node.id, attempt: attempt, seen: seen, keys: keys), attempt: attempt,
            keys: keys, commands: commands)
    }

    private struct Doubt: Error { var text: String }

    /// The plan may never have seen the node. Then it has to be none of the machines that it did see.
    private func identity(of node: Node, _ state: RunState, _ now: Observation) -> Result<NodeIdentity, Doubt> {
        guard let found = now[node.id].identity.value else {
            return .failure(Doubt(text: "\(node.id) answers, and does not say which machine it is"))
        }
        if case .text(let name)? = now[node.id].configuration.value?.nodeName,
            let other = state.plan.inventory.sites.first(where: { $0.geoNodeName == name }),
            other.id != state.plan.inventory.site(of: node.id)?.id
        {
            return .failure(
                Doubt(text: "behind \(node.id) answers \(found.hostName), which says it is of \(other.id): left alone"))
        }
        if let planned = state.plan.basis[node.id].identity.value {
            return planned.isSameMachine(as: found)
                ? .success(found)
                : .failure(
                    Doubt(text: "behind \(node.id) answers \(found.hostName), which is another machine than before"))
        }
        for (other, facts) in state.plan.basis.nodes where other != node.id {
            if let seen = facts.identity.value, seen.machineID == found.machineID || seen.hostName == found.hostName {
                return .failure(Doubt(text: "the address of \(node.id) leads to \(other), which is left alone"))
            }
        }
        return .success(found)
    }

    private func context(_ node: Node, _ state: RunState) -> CheckContext {
        CheckContext(
            inventory: state.plan.inventory, subject: .node(id: node.id), from: state.plan.from, to: state.plan.to)
    }

    private func needs(_ node: Node, _ state: RunState) -> ObservationScope {
        CheckCatalog.check("node.fenced")?.needs(context(node, state)) ?? ObservationScope()
    }

    private func findings(_ node: Node, _ state: RunState, _ now: Observation) -> [Finding] {
        CheckCatalog.check("node.fenced")?.findings(context(node, state), now) ?? []
    }
}
