import FoundationEssentials
import GeoCore
import GeoRuntime

/// The other runs that this machine knows of.
extension RunSession {
    /// Runs of this person on this machine that ``refuseBesideUnfinishedRun()`` let pass: finished, or nothing changed.
    var ownRuns: Set<RunID> {
        get throws {
            guard FileManager.default.fileExists(atPath: directory.parent) else { return [] }
            return Set(try FileManager.default.contentsOfDirectory(atPath: directory.parent).map { RunID($0) })
        }
    }

    /// Reads what sites have in common, for commands that put it on another node.
    func nodeFile(_ live: Live) -> @Sendable (NodeFile) async -> Result<[UInt8], Unreadable> {
        let keeper = JobKeeper(keeper: live.keeper, boundary: Live.boundary, holder: Settings.actor)
        let inventory = file.plan.inventory
        return { file in
            guard let node = inventory.node(file.node) else {
                return .failure(Unreadable("the inventory has no node \(file.node)"))
            }
            return await keeper.content(of: file, on: node)
        }
    }

    /// Two runs that change the same sites would each undo the other's proofs.
    func refuseBesideUnfinishedRun() throws {
        let parent = directory.parent
        guard FileManager.default.fileExists(atPath: parent) else { return }
        for name in try FileManager.default.contentsOfDirectory(atPath: parent).sorted() {
            let other = RunDirectory(run: RunID(name), under: parent)
            guard FileManager.default.fileExists(atPath: other.planPath), let lock = try other.lock() else {
                if FileManager.default.fileExists(atPath: other.planPath) {
                    throw CommandFailure(
                        "\(name) is being executed on this machine\n  geo-failover status \(name)", .heldByAnother)
                }
                continue
            }
            defer { withExtendedLifetime(lock) {} }
            let plan = try other.readPlan()
            var state = RunState(plan: plan.plan)
            for record in try other.readJournal().records { try state.apply(record.entry, at: record.at) }
            let sites = Set([plan.plan.from, plan.plan.to])
            let isSame =
                plan.plan.inventory.deployment == file.plan.inventory.deployment
                && !sites.isDisjoint(with: [file.plan.from, file.plan.to])
            guard isSame, !state.isOver, !state.acted.isEmpty, name != undoing?.run.run.rawValue else { continue }
            throw CommandFailure(
                "\(name) has changed these sites and is not finished\n  go on with it: geo-failover resume \(name)",
                .heldByAnother)
        }
    }
}
