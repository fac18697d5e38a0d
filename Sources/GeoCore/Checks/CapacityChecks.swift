/// Whether the candidate could carry what the primary carries.
enum CapacityChecks {
    static let all = [machines]

    /// Components that work for users, each kind once: a single PostgreSQL stands for a Patroni cluster and the reverse.
    private static let kinds: [(name: String, components: [Component])] = [
        ("rails", [.rails]), ("sidekiq", [.sidekiq]), ("gitaly", [.gitaly]), ("database", [.postgresql, .patroni]),
        ("redis", [.redis]),
    ]

    static let machines = Check.aboutFailover(
        "capacity.machines",
        CheckText(
            question: "Has the candidate nodes, processors, memory and workers like the primary's, for each component?",
            rationale: "A secondary serves reads for few. After the promotion everybody is there at once, and a site of"
                + " half the size is down again within minutes, or sorts out its load by timeouts.",
            source: cite(.multipleNodes, .troubleshootingPostgreSQL),
            remedy: "add nodes or resize them; sudo gitlab-ctl reconfigure sets the workers by processors and memory"),
        limits: [
            LimitDefault(
                name: "at_least_percent", value: 75, unit: .percent,
                meaning: "of the primary's processors, memory and workers per component; less warns")
        ],
        needs: { scope, pair, _ in scope.ask([.machine], of: pair.nodes.filter(Self.counts)) }
    ) { examination, pair in
        var facts: [NodeID: MachineFacts] = [:]
        for node in pair.nodes where counts(node) {
            facts[node.id] = examination.read(\.machine, "machine", of: node, as: \.evidenceText)
        }
        if facts.isEmpty {
            examination.unknown(
                "the inventory has no node that works for users",
                remedy: "add nodes to \(examination.context.inventory.source.path)")
        }
        for (name, components) in kinds {
            func nodes(of site: Site) -> [Node] {
                site.nodes.filter { $0.components.contains(where: components.contains) }
            }
            let (own, theirs) = (nodes(of: pair.from), nodes(of: pair.to))
            guard !own.isEmpty else { continue }
            guard !theirs.isEmpty else {
                examination.fail(
                    "\(pair.to.id) has no \(name) node, \(pair.from.id) has \(own.count)",
                    remedy: "add \(name) nodes to \(pair.to.id), or to \(examination.context.inventory.source.path)")
                continue
            }
            let (left, right) = (own.compactMap { facts[$0.id] }, theirs.compactMap { facts[$0.id] })
            guard left.count == own.count, right.count == theirs.count else { continue }
            examination.compare(left, right, name: name, of: pair)
        }
        return "\(pair.to.id) has at least \(examination.limit("at_least_percent")) % of the processors, memory and"
            + " workers of \(pair.from.id) for each component"
    }

    private static func counts(_ node: Node) -> Bool {
        node.components.contains { component in kinds.contains { $0.components.contains(component) } }
    }
}

extension Examination {
    fileprivate mutating func compare(
        _ left: [MachineFacts], _ right: [MachineFacts], name: String, of pair: SitePair
    ) {
        let percent = limit("at_least_percent")
        var amounts: [(what: String, of: (MachineFacts) -> Int)] = [
            ("processors", { $0.processors }), ("MiB of memory", { $0.memoryBytes >> 20 }),
        ]
        if name == "rails" { amounts.append(("Puma workers", { $0.pumaWorkers })) }
        if name == "sidekiq" { amounts.append(("Sidekiq processes", { $0.sidekiqProcesses })) }
        for (what, amount) in amounts {
            let (had, has) = (left.map(amount).reduce(0, +), right.map(amount).reduce(0, +))
            guard has * 100 < had * percent else { continue }
            warn(
                "\(name): \(has) \(what) on \(pair.to.id), \(had) on \(pair.from.id)",
                remedy: "add \(name) nodes to \(pair.to.id) or resize them, then sudo gitlab-ctl reconfigure there")
        }
    }
}
