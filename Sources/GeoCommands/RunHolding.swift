import GeoCore
import GeoRuntime

/// Whose run the nodes are taken from. That its name has to be typed is the operator's word that it is over.
struct Takeover: Sendable {
    var run: RunID
    var reason: String
}

/// A run's hold on the nodes: taken before its first record, kept while it goes on, given back when it is finished.
///
/// A run that halts keeps it. Nobody else begins in the middle of it without saying so.
struct RunHolding: Sendable {
    let lease: LeaseKeeper
    let epoch: Int
    let entry: JournalEntry
    private let live: Live
    private let plan: Plan

    /// Refuses, with who holds the nodes, where and since when, unless the session takes over from just that run, or the
    /// run is one of `own`, which changed nothing or is finished.
    static func take(
        _ live: Live, _ session: RunSession, atLeast epoch: Int, replacing own: Set<RunID>
    ) async throws -> RunHolding {
        let plan = session.file.plan
        let lease = LeaseKeeper(
            keeper: live.keeper, clock: live.clock, boundary: Live.boundary, plan: plan, run: session.directory.run,
            holder: Settings.actor)
        var taking = await lease.take(atLeast: epoch, takingOver: false)
        var from: Lease?
        if case .held(let other, let nodes) = taking {
            let isOwn = other.holder.token == Settings.actor.token && own.contains(other.run)
            guard isOwn || session.takeover != nil else { throw refusal(other, nodes, session) }
            if let takeover = session.takeover, takeover.run != other.run {
                throw CommandFailure(
                    "--take-over names \(takeover.run), and \(nodes.count) nodes are held by \(other.sentence)",
                    .heldByAnother)
            }
            if !isOwn { from = other }
            taking = await lease.take(atLeast: max(epoch, other.epoch + 1), takingOver: true)
        }
        switch taking {
        case .taken(let epoch, let missing):
            let entry = JournalEntry.leaseTaken(
                epoch: epoch, missing: missing.keys.sorted(), from: from?.sentence,
                reason: from == nil ? nil : session.takeover?.reason)
            return RunHolding(lease: lease, epoch: epoch, entry: entry, live: live, plan: plan)
        case .held(let other, let nodes): throw refusal(other, nodes, session)
        case .notEnough(let taken, let all, let missing):
            let reasons = missing.sorted { $0.key < $1.key }.prefix(5).map { "\n  \($0.key): \($0.value)" }
            throw CommandFailure(
                "only \(taken) of \(all) nodes of \(plan.to) can be held, and more than half have to be, so that no"
                    + " other run can hold them; nothing was changed" + reasons.joined(), .refused)
        }
    }

    private static func refusal(_ other: Lease, _ nodes: [NodeID], _ session: RunSession) -> CommandFailure {
        let names = nodes.prefix(4).map(\.rawValue).joined(separator: ", ") + (nodes.count > 4 ? ", ..." : "")
        return CommandFailure(
            """
            \(nodes.count) nodes (\(names)) are held by \(other.sentence).
            Nothing was changed. Talk to that person first. If that run is surely over:
              \(session.command) --take-over \(other.run) --reason 'why it is over'
            """, .heldByAnother)
    }

    /// Whether the node answered when the nodes were taken.
    func isTaken(_ node: NodeID) -> Bool {
        if case .leaseTaken(_, let missing, _, _) = entry { !missing.contains(node) } else { true }
    }

    /// Copies live on nodes of the site that will survive; those of Rails and of the database last, they have work.
    func copies(of run: RunID, _ planBytes: [UInt8], _ tail: JournalTail) -> JournalCopies {
        let nodes = (plan.inventory.site(plan.to)?.nodes ?? []).filter(\.isManagedByOmnibus)
        func work(_ node: Node) -> Int {
            node.runs(.postgresql) || node.runs(.patroni) ? 2 : node.runs(.rails) ? 1 : 0
        }
        return JournalCopies(
            keeper: live.keeper, boundary: Live.boundary, run: run, holder: lease.holder, epoch: epoch,
            plan: planBytes, tail: tail, nodes: nodes.sorted { work($0) < work($1) })
    }

    /// Beats, and keeps the copies up to date. When another takes the lease, the run starts nothing more; what it
    /// would still send, the nodes refuse.
    ///
    /// `requestedPause` is asked twice a second; what it says halts the run.
    func upkeep(
        _ copies: JournalCopies, _ interruption: Interruption,
        requestedPause: @escaping @Sendable () throws -> String?
    ) -> Task<Void, Never> {
        let (lease, epoch, clock) = (lease, epoch, live.clock)
        return Task {
            async let copying: Void = copies.follow(clock: clock)
            async let pausing: Void = Self.waitForPause(clock, interruption, requestedPause)
            if let other = await lease.beat(epoch: epoch) {
                await interruption.raise(because: "the nodes were taken over by \(other.sentence)")
            }
            await copying
            await pausing
        }
    }

    private static func waitForPause(
        _ clock: WallClock, _ interruption: Interruption, _ requestedPause: @Sendable () throws -> String?
    ) async {
        while !Task.isCancelled {
            do {
                if let reason = try requestedPause() { return await interruption.raise(because: reason) }
            } catch {
                return await interruption.raise(because: "the request to pause cannot be read: \(error)")
            }
            await clock.sleep(.milliseconds(500))
        }
    }
}
