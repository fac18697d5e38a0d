/// The sites that could become primary, the one to look at first on top. The operator chooses.
///
/// First those that are ready; among them the one that would lose least, and unknown is more than any number. When the
/// primary is gone nobody knows how much of its log is missing, but the candidates can still be compared with each other:
/// the one that received most loses least.
package struct CandidateRanking: Sendable, Hashable, Codable {
    /// What is known of one candidate.
    package struct Candidate: Sendable, Hashable {
        package var loss: LossStatement
        package var isReady: Bool
        /// Checks that stand in the way, in the order of the preflight.
        package var blockers: [CheckID]
        package init(loss: LossStatement, isReady: Bool, blockers: [CheckID]) {
            self.loss = loss
            self.isReady = isReady
            self.blockers = blockers
        }
    }

    package struct Place: Sendable, Hashable, Codable {
        package var site: SiteID
        package var isReady: Bool
        /// Sentences, the one that decided first.
        package var reasons: [String]
    }

    package var from: SiteID
    package var places: [Place]

    package init(from: SiteID, _ candidates: [Candidate], in inventory: Inventory, _ observation: Observation) {
        let received = candidates.map { Self.received(by: $0.loss.to, in: inventory, observation) }
        let known = received.compactMap(\.self)
        // Of the lineage that most candidates share: a stray one must not make all others incomparable.
        let furthest = known.max { left, right in
            let (own, its) = (known.count(where: left.isComparable), known.count(where: right.isComparable))
            return own != its ? own < its : left.position < right.position
        }
        // While the primary answers, each is measured against it; positions that were read at different moments are not
        // measured against each other.
        let isMeasured = candidates.indices.allSatisfy {
            candidates[$0].loss.bytesNotReplayed.value != nil || received[$0] == nil
        }
        let measured = candidates.indices.map { index in
            Measured(
                candidate: candidates[index], order: index, received: isMeasured ? nil : received[index],
                furthest: furthest)
        }
        self.from = from
        self.places = measured.sorted { $0.isBefore($1) }.map { one in
            Place(
                site: one.candidate.loss.to, isReady: one.candidate.isReady,
                reasons: one.reasons(among: candidates.count))
        }
    }

    /// How far a site's log goes: received counts, since a promotion replays all that was received.
    struct Received: Sendable, Hashable {
        var position: LogPosition
        var systemIdentifier: String
        var timeline: Int
        func isComparable(with other: Received) -> Bool {
            systemIdentifier == other.systemIdentifier && timeline == other.timeline
        }
    }

    private static func received(
        by site: SiteID, in inventory: Inventory, _ observation: Observation
    ) -> Received? {
        let nodes = inventory.site(site)?.databaseNodes ?? []
        let standbys = nodes.compactMap { node -> Received? in
            guard let facts = observation[node.id].database.value, let standby = facts.standby else { return nil }
            return Received(
                position: max(standby.received ?? standby.replayed, standby.replayed),
                systemIdentifier: facts.systemIdentifier, timeline: facts.timeline)
        }
        return standbys.max { $0.position < $1.position }
    }
}

extension CandidateRanking {
    fileprivate struct Measured {
        var candidate: Candidate
        var order: Int
        var received: Received?
        var furthest: Received?

        /// `nil` when it is not known, or not of the lineage of the candidate that received most.
        private var position: LogPosition? {
            guard let received, let furthest, received.isComparable(with: furthest) else { return nil }
            return received.position
        }

        private var loss: LossStatement { candidate.loss }

        private var items: Int? {
            guard let items = loss.items.value else { return nil }
            let missing = items.map(\.missing.value)
            guard !missing.contains(nil) else { return nil }
            return items.reduce(0) { $0 + $1.notSynced } + missing.compactMap(\.self).reduce(0, +)
        }

        func isBefore(_ other: Measured) -> Bool {
            if candidate.isReady != other.candidate.isReady { return candidate.isReady }
            if position != other.position {
                guard let own = position else { return false }
                return other.position.map { own > $0 } ?? true
            }
            let amounts: [(Double?, Double?)] = [
                (loss.bytesNotReplayed.value.map(Double.init), other.loss.bytesNotReplayed.value.map(Double.init)),
                (loss.secondsNotReplayed.value, other.loss.secondsNotReplayed.value),
                (items.map(Double.init), other.items.map(Double.init)),
                (loss.eventsBehind.value.map(Double.init), other.loss.eventsBehind.value.map(Double.init)),
            ]
            for (own, its) in amounts where own != its {
                guard let own else { return false }
                guard let its else { return true }
                return own < its
            }
            return order < other.order
        }

        func reasons(among count: Int) -> [String] {
            var reasons = [
                candidate.isReady
                    ? "ready to be promoted"
                    : "not ready: \(Quantity.list(candidate.blockers.map(\.rawValue), atMost: 3))"
            ]
            if let received, let furthest, count > 1 {
                if !received.isComparable(with: furthest) {
                    reasons.append("its database is of another lineage or timeline than that of the others")
                } else if received.position == furthest.position {
                    reasons.append("no candidate has received more of the log (\(received.position))")
                } else {
                    let missing = received.position.distance(to: furthest.position)
                    reasons.append("it has received \(Quantity.bytes(missing)) less of the log than another candidate")
                }
            }
            reasons.append(Self.text(loss.bytesNotReplayed, "bytes of the primary's log that it lacks", Quantity.bytes))
            reasons.append(Self.text(loss.secondsNotReplayed, "seconds that it lacks", Quantity.seconds))
            let lacking =
                items.map { $0 == 0 ? "no item is missing" : "\(Quantity.count($0, "item")) not copied" }
                ?? "how many items are missing is not known"
            reasons.append(lacking)
            return reasons
        }

        private static func text<Value: Comparable & ExpressibleByIntegerLiteral>(
            _ fact: Observed<Value>, _ what: String, _ format: (Value) -> String
        ) -> String {
            guard let value = fact.value else { return "\(what): not known" }
            return value == 0 ? "\(what): none" : "\(what): \(format(value))"
        }
    }
}
