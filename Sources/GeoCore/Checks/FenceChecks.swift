/// The proof that a site can write nothing any more, node by node. What cannot be seen is not proven.
enum FenceChecks {
    static let all = [nodeFenced, siteFenced]

    /// Ports that GitLab's components open to other machines, 22 left out: it is the operator's way in.
    static let ports: [Int: String] = [
        80: "nginx", 443: "nginx", 2305: "praefect", 3305: "praefect", 5000: "registry", 5050: "registry",
        5431: "geo-postgresql", 5432: "postgresql", 6379: "redis", 6432: "pgbouncer", 8005: "gitlab-kas",
        8008: "patroni", 8065: "mattermost", 8075: "gitaly", 8080: "puma", 8090: "gitlab-pages", 8150: "gitlab-kas",
        8153: "gitlab-kas", 8154: "gitlab-kas", 8155: "gitlab-kas", 8181: "gitlab-workhorse", 9999: "gitaly (TLS)",
        26379: "sentinel",
    ]
    private static let probes: Set<Probe> = [.services, .boot, .ports]
    private static let byHand =
        "sudo systemctl disable gitlab-runsvdir; sudo systemctl mask gitlab-runsvdir; sudo gitlab-ctl stop"

    static let nodeFenced = Check.aboutNode(
        "node.fenced",
        CheckText(
            question: "Is the node down for GitLab, and will it stay so after a reboot?",
            rationale: "A stopped node starts everything again three seconds after a reboot;"
                + " a process that escaped its supervisor still serves. Masked is more than disabled: an upgrade of the"
                + " package enables and starts what is only disabled.",
            source: cite(.disasterRecovery, .serviceControl, .bootUnit),
            remedy: "on the node: \(Self.byHand); end what still listens"),
        needs: { scope, node, context in if node.isManagedByOmnibus { ask(of: node, &scope, context) } }
    ) { examination, node in examination.requireFence(of: node) }

    private static func ask(of node: Node, _ scope: inout ObservationScope, _ context: CheckContext) {
        scope.ask(probes, of: [node])
        let isFencedByProgram = !context.inventory.fences(for: node).isEmpty
        if isFencedByProgram { scope.isolation.insert(node.id) }
        // Where a program or a person is believed, others look whether anything contradicts them.
        if isFencedByProgram || context.attestations.contains(where: { $0.node == node.id }),
            let site = context.inventory.site(of: node.id)
        {
            scope.askViews(of: site.id, in: context.inventory)
        }
    }

    static let siteFenced = Check(
        id: "site.fenced", scope: .site,
        question: "Is every node of the site proven to be fenced?",
        rationale: "One node that still writes makes two writable sites. Unreachable is not proven.",
        source: cite(.promise(1), .disasterRecovery),
        remedy: "on every node of the site: \(byHand)",
        limits: [Examination.ageLimit],
        isInvariant: true,
        needs: { context in
            var scope = ObservationScope()
            for node in context.site?.nodes.filter(\.isManagedByOmnibus) ?? [] { ask(of: node, &scope, context) }
            // Before a site is promoted also those look who would be served beside it.
            if let site = context.site { scope.askViews(of: site.id, in: context.inventory) }
            return scope
        },
        evaluate: { context, observation in
            guard let site = context.site, !site.nodes.isEmpty else {
                var examination = Examination("site.fenced", context, observation)
                examination.unknown(
                    "\(context.subject) is no site with nodes, so that nothing is proven",
                    remedy: "ask about a site of \(context.inventory.source.path)")
                return [examination.finding(pass: "")]
            }
            return site.nodes.map { node in
                var examination = Examination("site.fenced", context, observation)
                let sentence = examination.requireFence(of: node)
                let seers = node.isManagedByOmnibus ? examination.requireNoAnswer(of: node) : 0
                let more =
                    sentence.isEmpty || seers == 0
                    ? "" : "; no port of it answers \(Quantity.count(seers, "node")) of other sites"
                return examination.finding(about: .node(id: node.id), pass: sentence + more)
            }
        })
}

extension Examination {
    /// What is seen on the node itself comes first. Where it cannot be seen, a program of the inventory may prove that
    /// the node is cut off; a person's word is only a warning, and none at all while the node answers.
    fileprivate mutating func requireFence(of node: Node) -> String {
        guard node.isManagedByOmnibus else { return node.runsNoGitLab }
        let facts = observation[node.id]
        let isSeen =
            facts.services.value != nil && facts.startsAtBoot.value != nil && facts.listeningPorts.value != nil
        if !isSeen, facts.connection.value == nil, contradicts(node) { return "" }
        if !isSeen, case .known(.proven(let program), let at, let from) = observation.isolation[node.id] {
            note(Evidence("\(node.id): isolated, says the fence \(program)", from: from, at: at))
            return "\(node.id) is isolated: proven by the fence \(program)"
        }
        if facts.connection.value == nil, let word = context.attestations.last(where: { $0.node == node.id }) {
            note("\(node.id): \(facts.connection.reason ?? "does not answer")")
            warn(
                "not proven: \(node.id) does not answer, and \(word.by) says \"\(word.words)\"",
                remedy: Self.lookAgain(at: node))
            return ""
        }
        if case .known(.open, let at, let from) = observation.isolation[node.id], facts.connection.value == nil {
            note(Evidence("\(node.id): not isolated, say the fences of the inventory", from: from, at: at))
        }
        if let services = readServices(of: node) {
            requireStopped(services.map(\.name), among: services, of: node)
        }
        if let starts = read(\.startsAtBoot, "gitlab-runsvdir enabled", of: node), starts {
            fail(
                "gitlab-runsvdir is enabled on \(node.id): everything runs again after a reboot",
                remedy: "sudo systemctl disable gitlab-runsvdir; sudo systemctl mask gitlab-runsvdir  # on \(node.id)")
        }
        let bootGuard = bootGuard(of: node)
        if let open = read(
            \.listeningPorts, "listening ports", of: node,
            as: { ports in
                ports.isEmpty ? "none" : ports.map(String.init).joined(separator: ", ")
            })
        {
            for port in open where isGitLabs(port, on: node) {
                fail(
                    "something on \(node.id) still listens on port \(port) (\(FenceChecks.ports[port] ?? ""))",
                    remedy: "sudo ss -ltnp 'sport = :\(port)'  # on \(node.id), and stop that process")
            }
        }
        return "\(node.id) is fenced: services down, \(bootGuard), no GitLab port open"
    }

    /// What other places got out of the node's ports; how many of them looked. The node's own word is not outweighed by
    /// one who could not look, but by one who was answered.
    fileprivate mutating func requireNoAnswer(of node: Node) -> Int {
        guard let site = context.inventory.site(of: node.id) else { return 0 }
        var seers = 0
        for peer in context.inventory.vantagePoints(at: site.id) {
            guard case .known(let views, let at, let from) = observation[peer.id].views,
                let ports = views.nodes[node.id]?.filter({ isGitLabs($0.port, on: node) }), !ports.isEmpty
            else { continue }
            note(
                Evidence(
                    "\(node.id): " + ports.map { "\($0.service) \($0.sight.word)" }.joined(separator: ", "), from: from,
                    at: at))
            guard observation.endedAt.seconds(since: at) <= Double(limit("fact_age")) else { continue }
            seers += 1
            for port in ports where port.sight == .answered {
                fail(
                    "port \(port.port) (\(port.service)) of \(node.id) answers \(peer.id), whatever the node says of itself",
                    remedy: "find who has the address \(node.access.address), and stop it; then check again")
            }
        }
        return seers
    }

    /// How what is down is kept from coming back. A mask may be refused, and earlier versions did not ask for one: that
    /// nothing starts at boot is what the fence takes, and this says how much more it is.
    private mutating func bootGuard(of node: Node) -> String {
        guard case .known(let isMasked, let at, let from) = observation[node.id].isBootMasked else {
            return "not started at boot"
        }
        note(Evidence("gitlab-runsvdir masked of \(node.id): \(isMasked)", from: from, at: at))
        return isMasked
            ? "masked at boot and for systemctl"
            : "not started at boot (disabled only: systemctl start, or an upgrade of the package, would start it)"
    }

    /// Whether another place sees the node alive, whatever a program or a person says of it.
    private mutating func contradicts(_ node: Node) -> Bool {
        guard var site = context.inventory.site(of: node.id) else { return false }
        site.nodes = [node]
        let sighting = SiteSighting(
            of: site, in: context.inventory, observation, factAgeSeconds: limit("fact_age"))
        let isBelieved =
            context.attestations.contains { $0.node == node.id } || observation.isolation[node.id]?.value != nil
        guard isBelieved, let seen = sighting.node(node.id), seen.state == .beyondReach else { return false }
        for report in seen.reports where report.sees == true {
            note(Evidence("\(node.id): \(report.text)", from: report.vantage.description, at: report.at))
        }
        fail(
            "\(node.id) is alive: seen by \(Quantity.list(seen.witnesses.map(\.description))), whatever is said of it",
            remedy: "switch it off, or cut it off from everybody; then check again")
        return true
    }

    /// A load balancer in front of other nodes may share the node and keep its own ports.
    private func isGitLabs(_ port: Int, on node: Node) -> Bool {
        FenceChecks.ports[port] != nil && !(node.runs(.loadBalancer) && (port == 80 || port == 443))
    }
}
