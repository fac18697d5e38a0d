package import GeoCore

/// What must never be true of a deployment, judged by what is, not by what was observed.
extension SimulatedState {
    mutating func checkPromises() {
        if isWritable(from), isWritable(to) { break_("TWO WRITABLE DATABASES: \(from) and \(to)") }
        // Once the former primary's database is copied from the other, its site may serve as a secondary.
        if database(of: to).isPrimary, database(of: from).isPrimary {
            // Patroni's store serves nobody.
            for node in nodes(of: from) where node.services.contains(where: { $0.isRunning && $0.name != "consul" }) {
                break_("\(to) is promoted and \(node.node.id) of \(from) serves")
            }
        }
    }

    private mutating func break_(_ text: String) {
        if violations.last?.hasSuffix(text) != true { violations.append("\(now.clockTime) \(text)") }
    }

    mutating func judgePromotion(of node: SimulatedNode) {
        promotions[node.node.id, default: 0] += 1
        if node.site != to { break_("\(node.node.id) of the site being left is promoted") }
        for other in nodes(of: from) where !other.isFenced {
            break_("\(node.node.id) is promoted before \(other.node.id) is fenced")
        }
        if node.database == nil, !isWritable(to) { break_("\(node.node.id) is promoted before the database") }
    }

    /// Why a step that was recorded as done is not, by the truth; `nil` when it is.
    package func whyNotTrue(_ reference: CheckReference) -> String? {
        let holds: Bool
        switch (reference.check, reference.subject) {
        case ("site.read-only", .site(let site)): holds = database(of: site).rows.isInMaintenanceMode
        case ("site.maintenance-off", .site(let site)): holds = !database(of: site).rows.isInMaintenanceMode
        case ("site.silent", .site(let site)): holds = database(of: site).rows.isSilent
        case ("cron.geo-only", .site(let site)): holds = runsOrdinaryCronJobs[site] == false
        case ("cron.running", .site(let site)): holds = runsOrdinaryCronJobs[site] == true
        case ("sidekiq.drained", _): holds = queued < 1
        case ("replication.complete", _):
            holds = pendingItems < 1 && cursor >= database(of: from).rows.lastEvent && hasCaughtUp
        // What it received it replays at once, here.
        case ("replication.all-replayed", .site(let site)): holds = databaseNode(of: site).isDatabaseUp
        case ("replication.caught-up", _), ("database.zero-loss", _): holds = hasCaughtUp
        case ("node.application-stopped", .node(let id)):
            holds = !["puma", "gitlab-workhorse", "nginx", "sidekiq"].contains(where: self[id].isRunning)
        case ("database.stopped-cleanly", .node(let id)):
            holds = !self[id].isDatabaseUp && self[id].database?.isCleanlyStopped == true
        case ("node.fenced", .node(let id)): holds = self[id].isFenced
        case ("node.in-service", .node(let id)):
            holds = self[id].startsAtBoot && !self[id].isBootMasked && self[id].services.allSatisfy(\.isRunning)
        case ("deployment.one-primary", _): holds = [from, to].count(where: isWritable) == 1
        case ("candidate.not-promoted", _): holds = !isWritable(to)
        case ("node.promoted", .node(let id)):
            let node = self[id]
            holds =
                node.isPromoted && node.attributes == .good && node.runningJob == nil
                && node.database?.isPrimary != false
                && node.services.allSatisfy(\.isRunning)
        case ("site.is-primary", .site(let site)): holds = isWritable(site) && database(of: site).rows.primary == site
        case ("site.rails-ready", .site(let site)): holds = railsNodes(site).allSatisfy(isReady)
        case ("site.ready", .site(let site)): holds = railsNodes(site).contains(where: isReady)
        case ("node.external-url", .node(let id)): holds = self[id].url?.value == wantedURL
        case ("node.url-applied", .node(let id)):
            holds =
                self[id].url?.applied == wantedURL && self[id].attributes == .good
                && self[id].services.allSatisfy(\.isRunning)
        case ("geo.site-url", .site(let site)): holds = writtenURL(of: site) == wantedURL
        case ("database.accepts-writes", .node(let id)): holds = self[id].isWritable
        case ("divergence.saved", .node(let id)): holds = self[id].archives.contains { $0.completedAt != nil }
        case ("node.secondary-configured", .node), ("node.secondary-applied", .node), ("node.held-down", .node),
            ("node.returned", .node), ("database.reseeded", _), ("tracking.fresh", _), ("cron.geo-running", _),
            ("site.role", _), ("geo.site-registered", _), ("geo.complete", _), ("geo.verified", _),
            ("geo.log-cursor", _), ("node.secrets-shared", .node), ("node.host-keys-shared", .node),
            ("database.trusts-primary", _), ("patroni.store-at-rest", _), ("patroni.leader-caught-up", _),
            ("patroni.replica-follows", _), ("database.rewind-permitted", _), ("database.rewind-forbidden", _):
            guard let isTrue = hasReturned(reference) else {
                return "the simulation knows no truth about \(reference.check) of \(reference.subject)"
            }
            holds = isTrue
        default: return "the simulation knows no truth about \(reference.check) of \(reference.subject)"
        }
        return holds ? nil : "\(reference.check) of \(reference.subject) does not hold"
    }

    /// By whichever of the two is the standby.
    var hasCaughtUp: Bool {
        database(of: from).isPrimary
            ? database(of: to).position >= database(of: from).position
            : database(of: from).position >= database(of: to).position
    }

    private func railsNodes(_ site: SiteID) -> [SimulatedNode] {
        nodes(of: site).filter { $0.node.runs(.rails) }
    }

    func isReady(_ node: SimulatedNode) -> Bool { node.isRunning("puma") && databaseNode(of: node.site).isDatabaseUp }

    // MARK: How a finished run leaves the deployment

    /// What is not as a finished run of that plan leaves it.
    package func gaps(after plan: Plan) -> [String] {
        switch plan.scenario {
        case .planned, .unplanned, .reseed:
            gapsOfFailover
                + (plan.isDrill && !database(of: to).rows.isSilent ? ["\(to) is not silent in a drill"] : [])
        case .abort: gapsOfWayBack
        case .changeURL: gapsOfURL
        case .dropSlots, .failback: []
        }
    }

    private var gapsOfFailover: [String] {
        var found: [String] = []
        if !isWritable(to) { found.append("the database of \(to) is not writable") }
        if database(of: to).rows.primary != to { found.append("Geo's tables do not name \(to)") }
        if database(of: to).rows.isInMaintenanceMode { found.append("\(to) is in maintenance mode") }
        if runsOrdinaryCronJobs[to] != true { found.append("\(to) runs no cron jobs") }
        for node in nodes(of: from) where !node.isFenced { found.append("\(node.node.id) is not fenced") }
        for node in nodes(of: to) where node.services.contains(where: { !$0.isRunning }) {
            found.append("\(node.node.id) has a stopped service")
        }
        for node in nodes(of: to) where node.node.components.contains(where: \.isPromoted) && !node.isPromoted {
            found.append("\(node.node.id) is not promoted")
        }
        for node in nodes(of: to) where node.attributes != .good { found.append("\(node.node.id) has a stub") }
        if let job = nodes.compactMap(\.runningJob).first { found.append("\(job.key) still runs") }
        return found
    }

    /// The site that was to be left serves as it did.
    private var gapsOfWayBack: [String] {
        var found: [String] = []
        if !isWritable(from) { found.append("the primary's database is not writable") }
        if isWritable(to) { found.append("the candidate is writable") }
        if database(of: from).rows.isInMaintenanceMode { found.append("maintenance mode is on") }
        if runsOrdinaryCronJobs[from] != true { found.append("cron jobs are off") }
        for node in nodes(of: from) {
            if !node.startsAtBoot || node.isBootMasked { found.append("\(node.node.id) does not start at boot") }
            if node.services.contains(where: { !$0.isRunning }) { found.append("\(node.node.id) has services down") }
        }
        return found
    }

    private var gapsOfURL: [String] {
        var found: [String] = []
        for node in nodes(of: to) {
            guard let own = node.url else { continue }
            if own.value != wantedURL || own.applied != wantedURL { found.append("\(node.node.id) has \(own.applied)") }
            if !own.isOriginalKept { found.append("\(node.node.id) kept no copy") }
            if node.services.contains(where: { !$0.isRunning }) { found.append("\(node.node.id) has services down") }
        }
        for node in nodes(of: from) where node.url.map({ $0.lines != $0.original }) == true {
            found.append("\(node.node.id) was edited")
        }
        if writtenURL(of: to) != wantedURL { found.append("geo_nodes was not written") }
        return found
    }

    /// In `geo_nodes`.
    private func writtenURL(of site: SiteID) -> String {
        database(of: site).rows.urls[site] ?? SimulatedURL(of: site, settings: []).value
    }
}
