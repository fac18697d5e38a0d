/// Whether the site to leave is either within the operator's reach or silent to everybody.
enum SightingChecks {
    static let all = [notOutOfReach]

    static let notOutOfReach = Check.aboutFailover(
        "primary.not-out-of-reach",
        CheckText(
            question:
                "Is every node of the site to leave within the operator's reach, or silent to everybody else too?",
            rationale:
                "A node that only the operator cannot reach goes on serving: promoting another site beside it makes"
                + " two primaries. Silence is no proof that a node is off; being seen is proof that it is not.",
            source: cite(.promise(1), .disasterRecovery),
            remedy: "reach the node another way (a jump host, its console) and check again; then fence it"),
        needs: { scope, pair, context in
            scope.ask([.identity], of: pair.from.nodes)
            scope.askViews(of: pair.from.id, in: context.inventory)
            let others = context.inventory.sites.filter { $0.id != pair.from.id }
            for site in others { scope.ask([.database], of: site.databaseNodes) }
            scope.siteURLs.insert(pair.from.id)
            scope.siteNames.insert(pair.from.id)
        }
    ) { examination, pair in
        let sighting = SiteSighting(
            of: pair.from, in: examination.context.inventory, examination.observation,
            factAgeSeconds: examination.limit("fact_age"))
        if pair.from.nodes.isEmpty {
            examination.unknown(
                "\(pair.from.id) has no nodes in the inventory that anybody could look at",
                remedy: "add the nodes of \(pair.from.id) to \(examination.context.inventory.source.path)")
        }
        for node in sighting.nodes { examination.note(node) }
        let disobedient = examination.disobedient(sighting, of: pair.from)
        for node in disobedient { examination.warnOfIsolation(node) }
        let alive = sighting.nodes(.beyondReach).filter { !disobedient.contains($0) }
        if !alive.isEmpty { examination.failForLife(alive, of: pair.from) }
        let unseen = sighting.nodes(.notLooked)
        if !unseen.isEmpty {
            let names = Quantity.list(unseen.map(\.node.rawValue))
            examination.unknown(
                "the operator does not reach \(names), and no other place could look",
                remedy: "geo-failover check --verbose  # why no node of another site could look at \(pair.from.id)")
        }
        let silent = sighting.nodes(.silent)
        guard !silent.isEmpty || !unseen.isEmpty || !alive.isEmpty else {
            return "every node of \(pair.from.id) is within the operator's reach"
        }
        // A front that can be reached can be stopped, and explains the page that it serves.
        let fronts = pair.from.nodes(running: .rails, .loadBalancer)
        if unseen.isEmpty, alive.isEmpty, !fronts.contains(where: { sighting.node($0.id)?.state == .withinReach }) {
            examination.judge(pages: sighting.pages, of: pair.from)
        }
        let witnesses = Set(silent.flatMap(\.blindPeers)).map(\.description).sorted()
        return "\(Quantity.list(silent.map(\.node.rawValue))) of \(pair.from.id) "
            + "\(silent.count == 1 ? "is" : "are") silent to the operator and to \(Quantity.list(witnesses))"
            + (silent.count < sighting.nodes.count ? "; every other node is within reach" : "")
    }
}

extension Examination {
    /// Nodes that answer the operator and let nobody in or run nothing (sudo hangs, the login is refused), while other nodes
    /// of the site can be reached: it is the node that is broken, not the operator's way to the site. Those that a
    /// program of the inventory can isolate are isolated by the plan, and that is proved before anything is promoted.
    fileprivate func disobedient(_ sighting: SiteSighting, of site: Site) -> [SiteSighting.NodeSighting] {
        let managed = Set(site.nodes.filter(\.isManagedByOmnibus).map(\.id))
        guard sighting.nodes(.withinReach).contains(where: { managed.contains($0.node) }) else { return [] }
        return sighting.nodes(.beyondReach).filter { seen in
            let isSeenFromHere = seen.reports.contains { $0.vantage == .operatorMachine && $0.sees == true }
            let fences = context.inventory.node(seen.node).map(context.inventory.fences(for:)) ?? []
            return isSeenFromHere && !fences.isEmpty
        }
    }

    fileprivate mutating func warnOfIsolation(_ seen: SiteSighting.NodeSighting) {
        guard let node = context.inventory.node(seen.node) else { return }
        let fences = context.inventory.fences(for: node)
        warn(
            "\(seen.node) answers and cannot be commanded (\(seen.reports.first?.text ?? "no reason")): it is isolated by"
                + " \(fences.map(\.name).joined(separator: " or "))",
            remedy: Self.lookAgain(at: node))
    }

    fileprivate mutating func note(_ sighting: SiteSighting.NodeSighting) {
        // A node within reach needs no witness.
        let told = sighting.state == .withinReach ? sighting.reports.prefix(1) : sighting.reports[...]
        for report in told {
            note(Evidence("\(sighting.node): \(report.text)", from: report.vantage.description, at: report.at))
        }
    }

    fileprivate mutating func failForLife(_ alive: [SiteSighting.NodeSighting], of site: Site) {
        let told = alive.map { sighting in
            "\(sighting.node) (seen by \(Quantity.list(sighting.witnesses.map(\.description))))"
        }
        fail(
            "\(Quantity.count(alive.count, "node")) of \(site.id) \(alive.count == 1 ? "is" : "are") alive and beyond the"
                + " operator's reach: \(Quantity.list(told))",
            remedy: "reach \(alive.count == 1 ? "it" : "them") another way (a jump host, the console), or fence"
                + " \(alive.count == 1 ? "it" : "them") by a program of the inventory; promoting beside"
                + " \(alive.count == 1 ? "it" : "them") makes two primaries")
    }

    /// Users may reach a site whose nodes nobody sees, by ways that the inventory does not know.
    fileprivate mutating func judge(pages: [SiteSighting.Report], of site: Site) {
        for page in pages { note(Evidence(page.text, from: page.vantage.description, at: page.at)) }
        let serving = pages.filter { $0.sees == true }
        guard !serving.isEmpty else { return }
        let from = Quantity.list(serving.map(\.vantage.description))
        fail(
            "\(serving[0].text), asked from \(from): something serves users of \(site.id) although none of its fronts is"
                + " within reach",
            remedy: "curl -sk -o /dev/null -w '%{http_code} %{remote_ip}\\n' \(site.url)/-/readiness")
    }
}
