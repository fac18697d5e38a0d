/// Whether each site reaches what it needs of the other, now and with the roles exchanged.
enum LinkChecks {
    static let all = [betweenSites]

    static let betweenSites = Check.aboutFailover(
        "network.between-sites",
        CheckText(
            question: "Do the nodes of each site reach the other site's database and URL?",
            rationale: "After a failover the roles are exchanged, and so are the connections: what a firewall has only"
                + " ever let through in one direction keeps the former primary from coming back.",
            source: cite(.databaseSetup, .multipleNodes, .bringPrimaryBack),
            remedy:
                "allow PostgreSQL (5432) between the database nodes, and HTTP(S) between the Rails nodes and the URL"
                + " of the other site, in both directions"),
        needs: { scope, pair, _ in
            scope.askLinks(from: pair.to, to: pair.from.id)
            scope.askLinks(from: pair.from, to: pair.to.id)
        }
    ) { examination, pair in
        for (site, other, isNow) in [(pair.to, pair.from, true), (pair.from, pair.to, false)] {
            if site.databaseNodes.isEmpty || site.nodes(running: .rails).isEmpty {
                examination.unknown(
                    "\(site.id) has no database node or no Rails node to try the way to \(other.id) from",
                    remedy: "add them to \(examination.context.inventory.source.path)")
            }
            let when = isNow ? "" : ", which it needs once \(other.id) is the primary"
            for node in site.linkTesters {
                guard let views = examination.read(\.views, "reach", of: node, as: { $0.evidenceText(of: other) })
                else { continue }
                if node == site.databaseNodes.first { examination.judgeDatabase(views, from: node, to: other, when) }
                if node.runs(.rails) { examination.judgeURL(views, from: node, to: other, when) }
            }
        }
        return "\(pair.from.id) and \(pair.to.id) reach each other's database and URL"
    }
}

extension Examination {
    /// One node of several is enough: which of them leads changes.
    fileprivate mutating func judgeDatabase(_ views: PeerViews, from node: Node, to other: Site, _ when: String) {
        var sights: [Sight] = []
        for peer in other.databaseNodes {
            guard let port = views.nodes[peer.id]?.first(where: { $0.port == 5432 }) else {
                unknown(
                    "\(node.id) did not tell whether it reaches PostgreSQL on \(peer.id)",
                    remedy: Self.lookAgain(at: node))
                continue
            }
            sights.append(port.sight)
        }
        guard !sights.isEmpty, !sights.contains(.answered) else { return }
        let told = Quantity.list(zip(other.databaseNodes, sights).map { "\($0.id): \($1.rawValue)" })
        let remedy =
            "timeout 3 bash -c '</dev/tcp/\(other.databaseNodes[0].access.address)/5432'  # on \(node.id);"
            + " then routes, firewalls, postgresql['listen_address']"
        if sights.allSatisfy({ $0.seesMachine == nil }) {
            unknown("\(node.id) could not try to reach PostgreSQL of \(other.id) (\(told))", remedy: remedy)
        } else {
            warn("\(node.id) does not reach PostgreSQL of \(other.id)\(when) (\(told))", remedy: remedy)
        }
    }

    /// Any status is an answer; what it means is another check's question.
    fileprivate mutating func judgeURL(_ views: PeerViews, from node: Node, to other: Site, _ when: String) {
        guard let reason = (views.readiness[other.id] ?? .notAsked).reason else { return }
        let remedy = "curl -sSk -o /dev/null -w '%{http_code}\\n' \(other.url)/-/readiness  # on \(node.id)"
        if views.silentSites.contains(other.id) {
            warn("\(node.id) does not reach \(other.url)\(when): \(reason)", remedy: remedy)
        } else {
            unknown("whether \(node.id) reaches \(other.url) is not known: \(reason)", remedy: remedy)
        }
    }
}

extension PeerViews {
    fileprivate func evidenceText(of site: Site) -> String {
        let ports = site.databaseNodes.flatMap { node in
            (nodes[node.id] ?? []).filter { $0.port == 5432 }.map { "\(node.id) 5432 \($0.sight.rawValue)" }
        }
        let page = readiness[site.id]?.value.map { "HTTP \($0)" } ?? "no answer"
        return (ports + ["\(site.url) \(page)"]).joined(separator: ", ")
    }
}
