extension Diagnostician {
    // MARK: The operator reaches nothing of the primary

    func unreachable(_ primary: Site, _ sighting: SiteSighting) -> Diagnosis {
        let votes = [operatorVote(sighting)] + peerVotes(sighting) + replicaVotes(of: primary)
        let against = votes.filter { $0.agrees == false }
        let peers = votes.filter { $0.vantage.kind == .peer }
        let here = "the operator reaches no node of \(primary.id)"
        if !against.isEmpty {
            let names = Quantity.list(against.map(\.vantage.description))
            return Diagnosis(
                .unreachableFromHere, primary: primary.id,
                reasons: ["\(here), and it is seen by \(names): it may be serving its users"]
                    + against.prefix(4).map { "\($0.vantage): \($0.text)" },
                votes: votes, peers: self.peers(sighting), at: observation.endedAt)
        }
        guard peers.contains(where: { $0.agrees == true }) else {
            return Diagnosis(
                .unreachableFromHere, primary: primary.id,
                reasons: ["\(here), and no node of another site could look"]
                    + peers.prefix(3).map { "\($0.vantage): \($0.text)" },
                votes: votes, at: observation.endedAt)
        }
        let silent = votes.filter { $0.agrees == true }.map(\.vantage.description)
        return Diagnosis(
            .unreachableFromEverywhere, primary: primary.id,
            reasons: ["nothing of \(primary.id) is seen from any place that could look: \(Quantity.list(silent))"],
            votes: votes, peers: self.peers(sighting), at: observation.endedAt)
    }

    /// The operator is the one place whose not reaching is the question; a machine that refuses it is there all the same.
    private func operatorVote(_ sighting: SiteSighting) -> Diagnosis.Vote {
        let reports = sighting.nodes.compactMap(\.reports.first)
        if let seen = reports.first(where: { $0.sees == true }) {
            return .init(.operatorMachine, agrees: false, seen.text, at: seen.at)
        }
        if let page = sighting.pages.first(where: { $0.vantage == .operatorMachine && $0.sees == true }) {
            return .init(.operatorMachine, agrees: false, page.text, at: page.at)
        }
        return .init(
            .operatorMachine, agrees: true, reports.first?.text ?? "not visited", at: observation.endedAt)
    }

    private func peerVotes(_ sighting: SiteSighting) -> [Diagnosis.Vote] {
        let seen = peers(sighting)
        return inventory.vantagePoints(at: sighting.site).map { peer in
            let vantage = VantagePoint.peer(id: peer.id)
            let reports = sighting.nodes.flatMap(\.reports).filter { $0.vantage == vantage }
            let page = sighting.pages.first { $0.vantage == vantage && $0.sees == true }
            if let page, seen[peer.id] != true { return .init(vantage, agrees: false, page.text, at: page.at) }
            switch seen[peer.id] {
            case true?:
                let nodes = sighting.nodes.filter { $0.witnesses.contains(vantage) }.map(\.node.rawValue)
                return .init(vantage, agrees: false, "it sees \(Quantity.list(nodes))", at: reports.first?.at)
            case false?:
                return .init(vantage, agrees: true, "it sees nothing of \(sighting.site)", at: reports.first?.at)
            case nil: return .init(vantage, agrees: nil, reports.first?.text ?? "did not look")
            }
        }
    }

    /// Standbys of other sites. One whose database cannot be asked has no vote, and counts as one that could not look.
    private func replicaVotes(of primary: Site) -> [Diagnosis.Vote] {
        inventory.sites.filter { $0.id != primary.id }.flatMap(\.databaseNodes).map { node in
            let vantage = VantagePoint.replica(id: node.id)
            let fact = fresh(observation[node.id].database)
            guard let standby = fact.value?.standby else {
                return .init(vantage, agrees: nil, fact.reason ?? "it is no standby")
            }
            let hearing = Hearing(standby)
            return .init(vantage, agrees: hearing.hears.map(!), hearing.text, at: fact.at)
        }
    }

    // MARK: The operator reaches machines of the primary, and no writable database

    func withoutDatabase(_ primary: Site, _ sighting: SiteSighting) -> Diagnosis {
        let votes =
            [operatorVoteOnDatabase(primary)] + peerVotesOnDatabase(primary, peers(sighting))
            + replicaVotes(of: primary)
        let agreeing = votes.count { $0.agrees == true }
        let against = votes.filter { $0.agrees == false }
        let how = primary.databaseNodes.map { node in
            let fact = fresh(observation[node.id].database)
            return "\(node.id): \(fact.reason ?? (fact.value?.isInRecovery == true ? "in recovery" : "answers"))"
        }
        if !primary.databaseNodes.isEmpty, primary.databaseNodes.allSatisfy({ database($0) != nil }) {
            // They answer; who could be writable instead was not seen.
            return Diagnosis(
                .unknown, primary: primary.id,
                reasons: ["every database of \(primary.id) is in recovery, and not every other one could be asked"]
                    + how,
                at: observation.endedAt)
        }
        let reasons = ["no writable database of \(primary.id) answers"] + how
        guard agreeing > against.count else {
            let names = Quantity.list(against.map(\.vantage.description))
            return Diagnosis(
                .degraded, primary: primary.id,
                reasons: [
                    "the operator cannot ask the database of \(primary.id)"
                        + (against.isEmpty ? ", and nobody else could look" : ", which \(names) can tell to be up")
                ] + how, votes: votes, peers: peers(sighting), at: observation.endedAt)
        }
        return Diagnosis(
            .databaseDown, primary: primary.id, reasons: reasons, votes: votes, peers: peers(sighting),
            at: observation.endedAt)
    }

    /// On a node that answers, a database that does not is down for all that the operator can see; a refusal of sudo says
    /// nothing about it. A node that does not answer is down only if nobody sees it either, which the peers say.
    private func operatorVoteOnDatabase(_ primary: Site) -> Diagnosis.Vote {
        var agrees: Bool?
        var text = "\(primary.id) has no database node in the inventory"
        for node in primary.databaseNodes {
            let facts = observation[node.id]
            let fact = fresh(facts.database)
            if fact.value != nil {
                // In recovery, or the site would be writable.
                (agrees, text) = (agrees ?? true, "\(node.id) is in recovery")
            } else if fresh(facts.connection).value != nil {
                let reason = fact.reason ?? ""
                let isRefusal = reason.hasPrefix("sudo ")
                (agrees, text) = (isRefusal ? nil : true, "\(node.id): \(reason)")
                if isRefusal { break }
            } else {
                let contact = fresh(facts.contact).value?.seesMachine
                (agrees, text) = (contact == false ? agrees ?? true : nil, "\(node.id) is not reached")
                if agrees == nil { break }
            }
        }
        return .init(.operatorMachine, agrees: agrees, text, at: observation.endedAt)
    }

    /// A peer that sees nothing at all of a site whose machines answer the operator is cut off itself.
    private func peerVotesOnDatabase(_ primary: Site, _ seen: [NodeID: Bool]) -> [Diagnosis.Vote] {
        inventory.vantagePoints(at: primary.id).map { peer in
            let vantage = VantagePoint.peer(id: peer.id)
            let fact = fresh(observation[peer.id].views)
            guard let views = fact.value else { return .init(vantage, agrees: nil, fact.reason ?? "did not look") }
            if seen[peer.id] == false {
                return .init(vantage, agrees: nil, "it sees nothing of \(primary.id) at all", at: fact.at)
            }
            // A follower that answers says nothing of its leader.
            let leaders = primary.databaseNodes.filter { database($0)?.isInRecovery != true }
            let ports = leaders.flatMap { node in
                (views.nodes[node.id] ?? []).filter { $0.service == "postgresql" || $0.service == "patroni" }
            }
            let sights = ports.map(\.sight)
            let agrees: Bool? =
                sights.contains(.answered)
                ? false : sights.contains { $0.seesMachine != nil } ? true : nil
            let text = sights.isEmpty ? "did not look" : "PostgreSQL " + sights.map(\.word).joined(separator: ", ")
            return .init(vantage, agrees: agrees, text, at: fact.at)
        }
    }
}
