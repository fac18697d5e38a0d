/// A rewind in front of a copy: when it may be tried, what it needs, and what it leaves to the copy
/// ([0022](../../../docs/decisions/0022-a-rewind-may-do-instead-of-a-copy.md)).
package enum Rewinding {
    /// Why no rewind can do instead of a copy; empty: it may. What is not known is a reason.
    package static func reasons(from primary: Site, to former: Site, in observation: Observation) -> [String] {
        guard let source = primary.databaseNodes.first, let target = former.databaseNodes.first,
            source.runs(.postgresql), target.runs(.postgresql)
        else { return ["pg_rewind is tried only between databases that no Patroni manages"] }
        guard let other = observation[source.id].controlData.value, let own = observation[target.id].controlData.value
        else {
            let silent = observation[target.id].controlData.value == nil ? target.id : source.id
            return ["pg_controldata of \(silent): \(observation[silent].controlData.reason ?? "not asked")"]
        }
        var reasons: [String] = []
        if !["shut down", "shut down in recovery"].contains(own.clusterState) {
            reasons.append("the database of \(target.id) was not shut down cleanly (\(own.clusterState))")
        }
        if own.systemIdentifier != other.systemIdentifier {
            reasons.append("the databases of \(source.id) and \(target.id) have different system identifiers")
        }
        reasons += pages(own, of: target, other, of: source)
        // `--no-ensure-shutdown` is of 13 (PostgreSQL 13, release notes, pg_rewind).
        switch observation[source.id].database.value?.serverVersion {
        case nil: reasons.append("the version of PostgreSQL on \(source.id) is not known")
        case .some(let version) where version < 130_000:
            reasons.append("PostgreSQL \(version / 10_000) of \(source.id) is older than 13")
        case .some: break
        }
        return reasons + histories(primary, former, other, in: observation)
    }

    private static func pages(
        _ own: ControlData, of target: Node, _ other: ControlData, of source: Node
    ) -> [String] {
        guard let mine = own.rewinding, let theirs = other.rewinding else {
            return ["pg_controldata does not tell whether the database of \(target.id) can be rewound"]
        }
        var reasons: [String] = []
        if !mine.hasChecksums, !mine.logsHints {
            reasons.append("the database of \(target.id) has neither data page checksums nor wal_log_hints")
        }
        if !mine.writesFullPages { reasons.append("the database of \(target.id) ran with full_page_writes off") }
        if mine.catalogVersion != theirs.catalogVersion {
            reasons.append("\(source.id) and \(target.id) have different major versions of PostgreSQL")
        }
        return reasons
    }

    private static func histories(
        _ primary: Site, _ former: Site, _ source: ControlData, in observation: Observation
    ) -> [String] {
        switch Divergence.between(primary, former, in: observation) {
        case .unknown(let reason): return ["where the histories part is not known: \(reason)"]
        case .together(let timeline): return ["both databases are on timeline \(timeline): there is nothing to rewind"]
        case .parted(let divergence) where divergence.old != former.id:
            return ["it is \(divergence.old) that went on alone, and not \(former.id)"]
        // pg_rewind goes by the control file, which names a new timeline only after the promotion's checkpoint.
        case .parted(let divergence) where source.timeline != divergence.newTimeline:
            return ["\(primary.id) has written no checkpoint on timeline \(divergence.newTimeline) yet"]
        case .parted: return []
        }
    }
}

extension Planner {
    /// Why the rewind that was asked for cannot be planned; each with what to do.
    static func rewindProblems(_ request: PlanRequest) -> [String] {
        guard request.rewinds, request.runbook.name != AbortPlanner.name,
            let from = request.inventory.site(request.from), let to = request.inventory.site(request.to)
        else { return [] }
        return Rewinding.reasons(from: from, to: to, in: request.observation).map {
            "no rewind: \($0); without --rewind the whole database is copied"
        }
    }
}

extension Expansion {
    func rewind(to site: Site) -> RewindProgram? {
        request.rewinds ? standby(of: site).map { RewindProgram($0) } : nil
    }

    /// Those on which something is permitted or forbidden; left out where nobody asked for a rewind, which says whether one
    /// could do. A way back has such a step only where something was permitted.
    mutating func rewindable(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        if request.rewinds || request.runbook.name == AbortPlanner.name { return nodes }
        var reason = "nothing is permitted for a rewind"
        if step.action == .permitRewind, let from = fromSite, let to = request.inventory.site(request.to) {
            let against = Rewinding.reasons(from: from, to: to, in: request.observation)
            reason =
                against.first.map { "no rewind can do instead of the copy: \($0)" }
                ?? "nobody asked for a rewind, which may do instead of the whole copy (plan --rewind)"
        }
        omitted.append(OmittedStep(id: step.id, reason: reason))
        return []
    }
}

extension ActionCatalog {
    /// What lets the replication user be used for a rewind, and no longer.
    static func rewinding(_ name: ActionName) -> Action {
        let permits = name == .permitRewind
        return Action(
            name: name, reach: .node,
            summary: permits
                ? "Lets \(RewindRights.user) run on the primary what pg_rewind runs there."
                : "Takes from \(RewindRights.user) what permit-rewind gave it.",
            source: cite(.rewind, .decision("0022-a-rewind-may-do-instead-of-a-copy")), components: [.postgresql],
            part: .from, effect: .none,
            effectText: permits
                ? "who has the password of \(RewindRights.user) can read the primary's files until it is taken back"
                : "nothing",
            expectedSeconds: 2, timeLimitSeconds: 60)
    }
}

extension ActionCommands {
    static func permission(_ sql: String, _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", sql], timeLimitSeconds: timeLimit,
            exitStatus: .mustBeZero, quietSeconds: 5)
    }

    /// The copy alone, with a rate or without, or behind a rewind that did not end with a standby that streams.
    static func rewindOrCopy(_ reseeding: Reseeding, _ timeLimit: Int) -> [RemoteCommand] {
        let password = reseeding.access.password
        var copy =
            reseeding.limitedCopy.map { [$0.command(timeLimit: timeLimit, password: password)] }
            ?? [replicate(reseeding, timeLimit), wholeCopy]
        guard let rewind = reseeding.rewind else { return copy }
        copy[0].condition = .previousFailed
        return [rewind.command(timeLimit: timeLimit, password: password)] + copy
    }
}

extension AbortPlanner {
    /// What a re-seed that goes back had permitted on the primary.
    static func forbiddingRewinds(_ state: RunState) -> [RunbookStep] {
        let isPermitted = state.plan.steps.contains { $0.action == .permitRewind && state.acted.contains($0.id) }
        guard isPermitted else { return [] }
        return [
            RunbookStep(
                id: "forbid-rewind", title: "Take back what was permitted for a rewind", action: .forbidRewind,
                target: .init(part: .from, components: [.postgresql]),
                until: .init(check: "database.rewind-forbidden", withinSeconds: 60),
                why: "Nobody rewinds any more, and these rights are to every file of the primary's database.")
        ]
    }
}

extension PlanInvariants {
    /// Whatever was permitted is taken back after its use, and a rewind that fails is followed by the copy.
    static func rewindViolations(
        _ wipe: Step, _ plan: Plan, _ ancestors: [StepID: Set<StepID>]
    ) -> [InvariantViolation] {
        func comes(_ step: Step, after other: Step) -> Bool { ancestors[step.id]?.contains(other.id) == true }
        let permits = plan.steps.filter { $0.action == .permitRewind }
        let forbids = plan.steps.filter { $0.action == .forbidRewind }
        var found: [InvariantViolation] = []
        for permit in permits where !forbids.contains(where: { comes($0, after: permit) && $0.node == permit.node }) {
            found.append(
                .init(
                    invariant: "permission-taken-back", step: permit.id,
                    detail: "no step takes back what it permits on \(permit.subject)"))
        }
        for forbid in forbids where !comes(forbid, after: wipe) {
            found.append(
                .init(
                    invariant: "permission-taken-back", step: forbid.id,
                    detail: "takes back what the database is yet to be rewound with"))
        }
        guard wipe.action == .replicateDatabase, case .commands(let commands, _, _) = wipe.operation else {
            return found
        }
        let rewind = commands.firstIndex { $0.arguments.contains(RewindProgram.text) }
        let copy = commands.firstIndex { $0.isUnlimitedCopy || $0.isLimitedCopy }
        let wanted: RemoteCommand.Condition = rewind == nil ? .always : .previousFailed
        if copy.map({ commands[$0].condition }) != wanted || rewind.map({ $0 + 1 != copy }) == true {
            found.append(
                .init(
                    invariant: "rewind-falls-back", step: wipe.id,
                    detail: "does not copy the database where a rewind fails, and only there"))
        }
        if rewind != nil, !permits.contains(where: { comes(wipe, after: $0) }) {
            found.append(
                .init(
                    invariant: "rewind-falls-back", step: wipe.id,
                    detail: "rewinds a database, and nothing permits that before it"))
        }
        return found
    }
}
