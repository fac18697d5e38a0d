/// Where the histories of two sites' databases part, and which of them went on alone.
///
/// A promotion begins a new timeline and writes into its history file where it left the one before (PostgreSQL
/// documentation, continuous archiving, timelines). What the former primary wrote beyond that position nobody else has.
package struct Divergence: Sendable, Hashable {
    package var old: SiteID
    package var new: SiteID
    package var systemIdentifier: String
    package var oldTimeline: Int
    package var newTimeline: Int
    /// The last position that both have.
    package var fork: LogPosition
    /// What was changed on the former primary's disks before this moment, the new primary has had time to copy; `nil` when
    /// no moment before the fork is known, and then everything counts as new.
    package var since: Timestamp?

    package init(
        old: SiteID, new: SiteID, systemIdentifier: String, oldTimeline: Int, newTimeline: Int, fork: LogPosition,
        since: Timestamp?
    ) {
        self.old = old
        self.new = new
        self.systemIdentifier = systemIdentifier
        self.oldTimeline = oldTimeline
        self.newTimeline = newTimeline
        self.fork = fork
        self.since = since
    }

    /// Of what lies on disks Geo copies after the rows: retries are up to 4 h apart, and one transfer may take 8 h
    /// (gitlab-org/gitlab, `ee/app/models/concerns/geo/replicable_registry.rb`). Twice that.
    package static let copyingSeconds = 86_400.0

    package var archiveName: String {
        let position = fork.description.map { $0 == "/" ? "-" : String($0) }.joined()
        return "\(systemIdentifier)-\(oldTimeline)-\(position)"
    }

    package enum Outcome: Sendable, Hashable {
        case parted(Divergence)
        /// No site has what the other cannot have got.
        case together(timeline: Int)
        case unknown(reason: String)
    }

    /// What one database says of itself.
    struct Side {
        var site: SiteID
        var control: ControlData
        var timelines: TimelineFacts

        /// The newest timeline that it knows of. The control file names a new one only after its first checkpoint.
        var newest: Int { max(control.timeline, timelines.branches.map(\.timeline).max() ?? 0) }
    }

    /// Whichever way round: the side that has the later timeline left the other one's.
    static func between(_ left: Side, _ right: Side) -> Outcome {
        guard left.control.systemIdentifier == right.control.systemIdentifier else {
            return .unknown(
                reason: "\(left.site) has the database \(left.control.systemIdentifier) and \(right.site)"
                    + " \(right.control.systemIdentifier): neither comes from the other")
        }
        guard left.newest != right.newest else {
            // Two that were promoted apart have one number and two beginnings.
            let begins = [left, right].map { side in side.timelines.branches.filter { $0.timeline == side.newest } }
            if begins[0] == begins[1], left.newest == 1 || !begins[0].isEmpty {
                return .together(timeline: left.newest)
            }
            return .unknown(
                reason:
                    "\(left.site) and \(right.site) are on a timeline \(left.newest) each, and their history files do"
                    + " not say that it is the same one")
        }
        let (old, new) = left.newest < right.newest ? (left, right) : (right, left)
        let branch = new.timelines.branches.first { $0.timeline == new.newest && $0.parent == old.newest }
        guard let branch else {
            return .unknown(
                reason: "\(new.site) is on timeline \(new.newest), and no history file of it says where it left"
                    + " timeline \(old.newest) of \(old.site)")
        }
        return .parted(
            Divergence(
                old: old.site, new: new.site, systemIdentifier: old.control.systemIdentifier, oldTimeline: old.newest,
                newTimeline: new.newest, fork: branch.leftAt, since: old.lastWritten(before: branch.leftAt)))
    }
}

extension Divergence.Side {
    /// A segment was written to its end before the next was begun: the newest that surely lies before the fork was
    /// finished before it. 4 GiB a log, whatever a segment's size; the last of the log before is the next best.
    fileprivate func lastWritten(before fork: LogPosition) -> Timestamp? {
        let log = Int(fork.bytes >> 32)
        let number = control.segmentBytes.map { Int(fork.bytes & 0xFFFF_FFFF) / $0 } ?? 0
        let before = timelines.segments.filter { segment in
            segment.timeline == control.timeline && (segment.log, segment.number) < (log, number)
        }
        return before.max { ($0.log, $0.number) < ($1.log, $1.number) }?.changedAt.adding(
            seconds: -Divergence.copyingSeconds)
    }
}

extension Divergence {
    /// From the first database node of each site that said what is needed.
    package static func between(_ left: Site, _ right: Site, in observation: Observation) -> Outcome {
        var sides: [Side] = []
        for site in [left, right] {
            let all = site.databaseNodes.compactMap { node -> Side? in
                guard let control = observation[node.id].controlData.value,
                    let timelines = observation[node.id].timelines.value
                else { return nil }
                return Side(site: site.id, control: control, timelines: timelines)
            }
            guard let side = all.max(by: { $0.newest < $1.newest }) else {
                let node = site.databaseNodes.first
                let facts = node.map { observation[$0.id] }
                let reason = facts?.controlData.reason ?? facts?.timelines.reason ?? "it has no database node"
                return .unknown(reason: "timelines of \(node?.id.rawValue ?? site.id.rawValue): \(reason)")
            }
            sides.append(side)
        }
        return between(sides[0], sides[1])
    }
}

extension Expansion {
    /// What a step saves of; `nil`, with the reason among the omitted steps or the problems, when it has nothing to do.
    mutating func divergence(of step: RunbookStep, _ target: RunbookStep.Target) -> Divergence? {
        guard let from = request.inventory.site(request.from), let to = request.inventory.site(request.to) else {
            return nil
        }
        let old = target.part == .from ? from : to
        switch Divergence.between(from, to, in: request.observation) {
        case .parted(let divergence) where divergence.old == old.id: return divergence
        case .parted(let divergence):
            problems.append("step \(step.id): it is \(divergence.old) that went on alone, and not \(old.id)")
        case .together(let timeline):
            omitted.append(
                OmittedStep(id: step.id, reason: "both databases are on timeline \(timeline): neither went on alone"))
        case .unknown(let reason):
            problems.append("step \(step.id): where the histories part is not known: \(reason)")
        }
        return nil
    }
}
