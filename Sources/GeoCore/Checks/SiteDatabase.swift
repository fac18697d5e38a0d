/// A site's main database seen as one: the node that leads it, and what that node said.
struct SiteDatabase {
    var node: Node
    var facts: DatabaseFacts
    var at: Timestamp
}

/// What the main database of a site says about Geo, and when it said so.
struct SiteGeo {
    var node: Node
    var facts: GeoFacts
    var at: Timestamp
}

extension ObservationScope {
    /// What ``Examination/geo(of:)`` reads: with several database nodes also which of them leads.
    mutating func askGeo(of site: Site) {
        ask(site.databaseNodes.count > 1 ? [.geo, .database] : [.geo], of: site.databaseNodes)
    }
}

extension Examination {
    /// The database that leads a site; `nil`, with a remark, when that cannot be told.
    mutating func database(of site: Site) -> SiteDatabase? {
        guard !site.databaseNodes.isEmpty else {
            unknown(
                "\(site.id) has no node with the component postgresql or patroni, so its database is not known",
                remedy: "add the site's database nodes to \(context.inventory.source.path)")
            return nil
        }
        var seen: [SiteDatabase] = []
        for node in site.databaseNodes {
            guard let facts = readDatabase(of: node), let at = observation[node.id].database.at else { continue }
            seen.append(SiteDatabase(node: node, facts: facts, at: at))
        }
        let writable = seen.filter { !$0.facts.isInRecovery }
        if writable.count > 1 {
            fail(
                "\(Quantity.count(writable.count, "database")) of \(site.id) are writable at once:"
                    + " \(Quantity.list(writable.map(\.node.id.rawValue)))",
                remedy: "sudo gitlab-ctl patroni members  # on each; stop the one that is not the leader")
            return nil
        }
        // One writable database leads, whatever the others are; among standbys an unseen one could be the leader.
        if let leader = writable.first { return leader }
        return seen.count == site.databaseNodes.count ? leadingStandby(seen, of: site) : nil
    }

    mutating func readDatabase(of node: Node) -> DatabaseFacts? {
        readRows(\.database, "database", of: node) { $0.evidenceText }
    }

    /// The standby that is fed from outside the site; replicas follow it. With a single standby, that one.
    private func leadingStandby(_ standbys: [SiteDatabase], of site: Site) -> SiteDatabase? {
        let own = Set(site.nodes.map(\.access.address))
            .union(site.nodes.compactMap { observation[$0.id].identity.value?.hostName })
        let fedFromOutside = standbys.filter { standby in
            guard let receiver = standby.facts.standby?.receiver else { return false }
            return receiver.senderHost.map { !own.contains($0) } ?? true
        }
        // The one furthest behind, when several remain: every other choice could hide lag.
        let candidates = fedFromOutside.isEmpty ? standbys : fedFromOutside
        return candidates.min { left, right in
            (left.facts.standby?.replayed.bytes ?? 0) < (right.facts.standby?.replayed.bytes ?? 0)
        }
    }

    /// Geo's tables in the site's own database; `nil`, with a remark, when they are not known.
    mutating func geo(of site: Site) -> SiteGeo? {
        let node: Node
        if site.databaseNodes.count == 1 {
            node = site.databaseNodes[0]
        } else {
            guard let leader = database(of: site) else { return nil }
            node = leader.node
        }
        guard let facts = readRows(\.geo, "Geo tables", of: node, as: { $0.evidenceText }),
            let at = observation[node.id].geo.at
        else { return nil }
        return SiteGeo(node: node, facts: facts, at: at)
    }

    /// How Geo is set to replicate to the candidate, by the primary. Where the primary is silent, by the candidate's own
    /// copy: the setting is replicated like any row.
    mutating func settingsRow(of pair: SitePair) -> GeoNodeRow? {
        settingsSource(of: pair).flatMap { row(of: pair.to, in: $0) }
    }

    mutating func settingsSource(of pair: SitePair) -> SiteGeo? { geo(of: tells(pair.from) ? pair.from : pair.to) }

    /// The copy is as old as replication was. That all is well by it is taken only when nobody else can say more.
    mutating func requirePrimarysWord(_ pair: SitePair) {
        if !tells(pair.from), context.lostSite == nil { _ = geo(of: pair.from) }
    }

    private func tells(_ site: Site) -> Bool {
        site.databaseNodes.contains { observation[$0.id].geo.value != nil }
    }

    /// A site's own row in `geo_nodes` as another database holds it; `nil`, with a remark, when there is none.
    mutating func row(of site: Site, in geo: SiteGeo) -> GeoNodeRow? {
        if let row = geo.facts.node(named: site.geoNodeName) { return row }
        fail(
            "geo_nodes in the database of \(geo.node.id) has no row named \(site.geoNodeName)"
                + " (it has \(Quantity.list(geo.facts.nodes.map(\.name))))",
            remedy: "make geo_node_name in the inventory, gitlab_rails['geo_node_name'] in /etc/gitlab/gitlab.rb"
                + " and the name in Admin > Geo > Sites the same for \(site.id)")
        return nil
    }

    /// A site's status row if it is young enough to be believed; otherwise `nil` with a remark.
    mutating func freshStatus(of site: Site, in geo: SiteGeo, asVerdict verdict: Verdict = .unknown) -> GeoStatus? {
        guard let row = row(of: site, in: geo) else { return nil }
        let remedy = "sudo gitlab-rails runner 'Geo::MetricsUpdateWorker.new.perform'  # on a Rails node of \(site.id)"
        func remark(_ sentence: String) {
            if verdict == .fail { fail(sentence, remedy: remedy) } else { unknown(sentence, remedy: remedy) }
        }
        guard let status = row.status else {
            remark("\(site.id) never reported a status to \(geo.node.id)")
            return nil
        }
        let age = status.ageSeconds + seconds(since: geo.at)
        note(
            Evidence(
                "status of \(site.id) is \(Quantity.seconds(age)) old", from: geo.node.id.rawValue, at: geo.at))
        guard age >= -60, age <= Double(limit("status_age")) else {
            remark(
                "the status of \(site.id) is \(Quantity.seconds(age)) old, at most \(limit("status_age")) s counts")
            return nil
        }
        return status
    }

    static let statusAge = LimitDefault(
        name: "status_age", value: 600, unit: .seconds,
        meaning: "age of a row of geo_node_statuses up to which it is believed; a cron job writes it every minute")
}

extension DatabaseFacts {
    var evidenceText: String {
        let common = "system \(systemIdentifier), timeline \(timeline), version \(serverVersion)"
        switch role {
        case .primary(let state):
            return "primary at \(state.current), \(Quantity.count(state.senders.count, "sender")),"
                + " \(Quantity.count(state.slots.count, "slot")), \(common)"
        case .standby(let state):
            let receiver = state.receiver.map { "receiver \($0.status)" } ?? "no receiver"
            return "standby, replayed \(state.replayed), \(receiver),"
                + " replay \(state.isReplayPaused ? "paused" : "running"), \(common)"
        }
    }
}

extension GeoFacts {
    var evidenceText: String {
        let rows = nodes.map {
            "\($0.name)=\($0.isPrimary ? "primary" : "secondary")\($0.isEnabled ? "" : " disabled")"
        }
        return "\(rows.joined(separator: ", ")); maintenance mode \(isInMaintenanceMode ? "on" : "off");"
            + " last event \(lastEventID.map(String.init) ?? "none")"
    }
}
