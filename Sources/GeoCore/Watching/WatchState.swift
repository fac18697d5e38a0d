/// What a watch has made of all its looks so far. Pure: a diagnosis goes in, what there is to say comes out.
///
/// A disaster is *called* only after it was seen, by a quorum of vantage points, in ``disasterLooks`` looks after each
/// other; until then it is a suspicion, and the state stays what it was. Any other state counts after two looks, so that
/// one lost packet is no change. Nothing here starts a failover.
package struct WatchState: Sendable, Hashable {
    package enum Event: Sendable, Hashable {
        /// A state that has settled and is no disaster; `from` is `nil` for the first one.
        case changed(from: Diagnosis.Kind?, to: Diagnosis)
        /// A disaster that is not called: seen in `looks` of `needed` looks. 0 looks: no quorum says it, and it never
        /// will be called on that evidence.
        case suspected(diagnosis: Diagnosis, looks: Int, needed: Int)
        /// A suspicion that the next look did not bear out.
        case dismissed(suspicion: Diagnosis.Kind, now: Diagnosis)
        /// `from`: what had settled before; `nil` when nothing had.
        case called(from: Diagnosis.Kind?, diagnosis: Diagnosis)
    }

    private struct Pending: Sendable, Hashable {
        var kind: Diagnosis.Kind
        var looks: Int
        var since: Timestamp
    }

    package let disasterLooks: Int
    /// What has settled; `nil` before the first look, and while the first looks suspect a disaster.
    package private(set) var settled: Diagnosis?
    /// When the settled state began: the first of the looks that led to it.
    package private(set) var since: Timestamp?
    package private(set) var looks = 0
    /// The last look itself, settled or not.
    package private(set) var latest: Diagnosis?
    /// When all was last seen to be well.
    package private(set) var lastHealthy: Timestamp?
    /// Peers that saw nothing of the primary when all was last well: that they see nothing says nothing.
    package private(set) var blindPeers: Set<NodeID> = []
    private var suspicion: Pending?
    private var pending: Pending?

    package init(disasterLooks: Int = 3) {
        precondition(disasterLooks > 0, "at least one look")
        self.disasterLooks = disasterLooks
    }

    /// Whether a disaster is called and has not ended.
    package var isDisaster: Bool { settled?.kind.isDisaster == true }

    /// Takes the next look and says what it changes; at most two events.
    package mutating func take(_ look: Diagnosis) -> [Event] {
        let look = look.discounting(blindPeers)
        looks += 1
        latest = look
        if look.kind == .healthy {
            lastHealthy = look.at
            blindPeers = Set(look.peers.filter { !$0.value }.keys)
        }
        return look.kind.isDisaster ? suspect(look) : settle(look)
    }

    /// Disasters go over into each other: a site that dies node by node is one disaster, and its looks count together.
    private mutating func suspect(_ look: Diagnosis) -> [Event] {
        pending = nil
        let needed = look.kind == .twoWritableSites ? 1 : disasterLooks
        guard look.hasQuorum else {
            let isNew = suspicion.map { $0.kind != look.kind || $0.looks > 0 } ?? true
            suspicion = Pending(kind: look.kind, looks: 0, since: look.at)
            return isNew && !isDisaster ? [.suspected(diagnosis: look, looks: 0, needed: needed)] : []
        }
        let before = suspicion.flatMap { $0.looks > 0 ? $0 : nil }
        let streak = Pending(kind: look.kind, looks: (before?.looks ?? 0) + 1, since: before?.since ?? look.at)
        suspicion = streak
        if isDisaster {
            let before = settled?.kind
            settled = look
            return before == look.kind ? [] : [.called(from: before, diagnosis: look)]
        }
        guard streak.looks >= needed else {
            return [.suspected(diagnosis: look, looks: streak.looks, needed: needed)]
        }
        let former = settled?.kind
        settled = look
        since = streak.since
        return [.called(from: former, diagnosis: look)]
    }

    private mutating func settle(_ look: Diagnosis) -> [Event] {
        var events: [Event] = []
        if let suspicion, !isDisaster { events.append(.dismissed(suspicion: suspicion.kind, now: look)) }
        suspicion = nil
        guard let settled else {
            self.settled = look
            since = look.at
            return events + [.changed(from: nil, to: look)]
        }
        guard settled.kind != look.kind else {
            self.settled = look
            pending = nil
            return events
        }
        let before = pending.flatMap { $0.kind == look.kind ? $0 : nil }
        let streak = Pending(kind: look.kind, looks: (before?.looks ?? 0) + 1, since: before?.since ?? look.at)
        guard streak.looks >= min(2, disasterLooks) else {
            pending = streak
            return events
        }
        pending = nil
        self.settled = look
        since = streak.since
        return events + [.changed(from: settled.kind, to: look)]
    }
}
