import GeoCore
import GeoRuntime
import GeoViews

/// Removes former databases of a site, where the copy that took their place has proved itself.
struct Purging {
    let live: Live
    let from: SiteID
    let to: SiteID
    /// Nodes that were named on the command line.
    let confirmed: [NodeID]

    /// What has to hold now: what is set aside is the way back for a copy that was not good.
    private static let needed: [CheckID] = [
        "deployment.one-primary", "replication.streaming", "replication.slot", "geo.complete", "geo.verified",
    ]

    private var inventory: Inventory { live.inventory }

    func run() async throws -> ExitStatus {
        let nodes = inventory.site(to)?.databaseNodes ?? []
        let kept = PurgeCommand.keptSeconds(inventory)
        let found = await live.jobs.setAside(on: nodes, at: LiveClock.now())
        Console.result(SetAsideView.text(found, keptSeconds: kept, style: Console.style(forResult: true)))
        let ripe = found.compactMap { entry -> (node: Node, paths: [String])? in
            let paths = (entry.known.value ?? []).filter {
                $0.kind == .database && $0.ageSeconds.map { $0 >= kept } == true
            }
            guard !paths.isEmpty, let node = inventory.node(entry.node) else { return nil }
            return (node, paths.map(\.name))
        }
        guard !ripe.isEmpty else {
            Console.result("nothing to remove")
            return found.allSatisfy { $0.known.value != nil } ? .done : .notReady
        }
        let against = await blocking()
        guard against.isEmpty else {
            let assessment = Assessment(subject: .failover(from: from, to: to), findings: against)
            Console.say(FindingsView.text([assessment], now: LiveClock.now(), style: Console.style(forResult: false)))
            throw CommandFailure("nothing was removed: the copy that took their place has not proved itself", .notReady)
        }
        var status = ExitStatus.done
        for (node, paths) in ripe {
            try await confirm(node.id, paths)
            for path in paths {
                if let reason = await live.jobs.removeSetAside(path, olderThanSeconds: kept, from: node) {
                    Console.say("kept: \(path) on \(node.id), \(reason)")
                    status = .halted
                } else {
                    Console.result("is being removed: \(path) on \(node.id)")
                }
            }
        }
        return status
    }

    private func blocking() async -> [Finding] {
        var scope = ObservationScope()
        let asked = Self.needed.map { id in
            guard let check = CheckCatalog.check(id) else { preconditionFailure("there is no check \(id)") }
            let subject: Subject = check.scope == .deployment ? .deployment : .failover(from: from, to: to)
            return (check, CheckContext(inventory: inventory, subject: subject, from: from, to: to))
        }
        for (check, context) in asked { scope.formUnion(check.needs(context)) }
        let observation = await live.observe(scope)
        return asked.flatMap { check, context in check.findings(context, observation) }.filter { $0.verdict > .warn }
    }

    private func confirm(_ node: NodeID, _ paths: [String]) async throws {
        guard !confirmed.contains(node) else { return }
        let question = OperatorPrompt.Question(
            step: "purge",
            text: "\(paths.joined(separator: ", ")) of \(node): nothing brings them back. Type the name of the node.",
            expected: node.rawValue)
        guard await Prompt.ask(question)?.text == node.rawValue else {
            throw CommandFailure(
                "declined; nothing of \(node) was removed (without a terminal: --confirm \(node))", .declined)
        }
    }
}
