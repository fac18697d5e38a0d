/// Why there is no plan: each reason is a sentence that says what to do.
package struct PlanRefusal: Error, Sendable, Hashable {
    package var reasons: [String]
    package init(reasons: [String]) { self.reasons = reasons }
}

/// Turns a runbook, an inventory and an observation into the steps that would run. Pure.
package enum Planner {
    package static func plan(_ request: PlanRequest) throws(PlanRefusal) -> Plan {
        // Said first and alone: every other complaint about such a site would only follow from it.
        let unsupported = PlanInvariants.unsupportedNodes(
            in: request.inventory, from: request.from, to: request.to, request.runbook.scenario)
        guard unsupported.isEmpty else { throw PlanRefusal(reasons: unsupported.map(\.description)) }
        var request = request
        // A secondary keeps its ordinary jobs off by itself.
        if request.runbook.scenario != .abort, request.runbook.scenario != .reseed {
            request.cronJobsLeftOff = CronJobs.switchedOff(
                on: request.inventory.site(request.from), in: request.observation)
        }
        let noDrill = drillProblems(request)
        guard noDrill.isEmpty else { throw PlanRefusal(reasons: noDrill) }
        guard request.runbook.stages.isEmpty else {
            throw PlanRefusal(reasons: ["\(request.runbook.name) has stages, each of which has a plan of its own"])
        }
        let noReseed = reseedProblems(request) + rewindProblems(request) + slotProblems(request)
        guard noReseed.isEmpty else { throw PlanRefusal(reasons: noReseed) }
        var expansion = Expansion(request: request)
        for (index, step) in request.runbook.steps.enumerated() {
            expansion.add(step, at: index)
        }
        guard expansion.problems.isEmpty else { throw PlanRefusal(reasons: expansion.problems) }
        let plan = Plan(
            createdAt: request.createdAt, createdBy: request.createdBy, toolVersion: request.toolVersion,
            scenario: request.runbook.scenario, title: (request.isDrill ? "DRILL: " : "") + request.runbook.title,
            from: request.from, to: request.to,
            inventory: request.inventory, runbook: request.runbook.source, runbookName: request.runbook.name,
            objectives: Objectives(
                // What this deployment owes its users outranks what the procedure was written for.
                rtoSeconds: request.inventory.objectives.rtoSeconds ?? request.runbook.objectives.rtoSeconds,
                rpoSeconds: request.inventory.objectives.rpoSeconds ?? request.runbook.objectives.rpoSeconds),
            basis: request.observation, lastKnown: request.lastKnown, findings: request.findings,
            limits: Dictionary(
                request.runbook.preflight.map { ($0.check, $0.limits) }, uniquingKeysWith: { first, _ in first }),
            waivers: request.waivers, attestations: request.attestations,
            repairs: request.repairs,
            steps: expansion.steps, omitted: expansion.omitted,
            cronJobsLeftOff: request.cronJobsLeftOff.isEmpty ? nil : request.cronJobsLeftOff,
            isDrill: request.isDrill, stage: request.stage,
            configurationChanges: request.configurationChanges.isEmpty ? nil : request.configurationChanges)
        let broken = PlanInvariants.violations(of: plan)
        guard broken.isEmpty else { throw PlanRefusal(reasons: broken.map(\.description)) }
        return plan
    }
}

/// The steps made so far, and what the next ones hang on.
struct Expansion {
    let request: PlanRequest
    var steps: [Step] = []
    var omitted: [OmittedStep] = []
    var problems: [String] = []
    /// Runbook step -> plan steps that a follower waits for; for an omitted step, those of its own predecessors.
    private var tails: [StepID: [StepID]] = [:]
    private var previous: StepID?

    init(request: PlanRequest) { self.request = request }

    mutating func add(_ step: RunbookStep, at index: Int) {
        let predecessors = step.after.isEmpty ? previous.map { [$0] } ?? [] : step.after
        var seen: Set<StepID> = []
        let after = predecessors.flatMap { tails[$0] ?? [] }.filter { seen.insert($0).inserted }
        let action = ActionCatalog.action(step.action)
        let made: [Step]
        switch action.reach {
        case .node: made = nodeSteps(step, action, after)
        case .run: made = runStep(step, action, after)
        }
        tails[step.id] = made.isEmpty ? after : made.map(\.id)
        steps += made
        previous = step.id
    }

    private func siteID(_ part: Part) -> SiteID { part == .from ? request.from : request.to }

    private mutating func nodeSteps(_ step: RunbookStep, _ action: Action, _ after: [StepID]) -> [Step] {
        guard let target = step.target else {
            problems.append("step \(step.id): \(step.action.rawValue) needs `on:` to say where")
            return []
        }
        if let part = action.part(in: request.runbook.scenario), part != target.part {
            problems.append(
                "step \(step.id): \(step.action.rawValue) belongs to the site called `\(part.rawValue)`, not `\(target.part.rawValue)`"
            )
            return []
        }
        var nodes = chosen(target, action).filter { !isPromotedElsewhere($0, step) }
        switch step.action {
        case .isolateNode: return isolation(step, action, nodes, after)
        case .resumeReplay where !request.repairs.contains("replication.not-paused"):
            omitted.append(
                OmittedStep(id: step.id, reason: "nobody asked for it (plan --repair replication.not-paused)"))
            return []
        default: break
        }
        var divergence: Divergence?
        if step.action == .saveDivergence {
            divergence = self.divergence(of: step, target)
            if divergence == nil { return [] }
        }
        if isGivenUp(target.part) {
            let silent = nodes.filter { !isObserved($0) }
            omitted += silent.map {
                OmittedStep(id: StepID("\(step.id)@\($0.id)"), reason: "\($0.id) does not answer; \(instead(of: $0))")
            }
            nodes.removeAll { !isObserved($0) }
            if nodes.isEmpty, !silent.isEmpty { return [] }
        }
        if step.action == .setExternalURL || step.action == .reconfigure && isRenaming {
            nodes = renamed(step, nodes)
            if nodes.isEmpty { return [] }
        }
        if request.runbook.scenario == .reseed, !nodes.isEmpty {
            nodes = reseedable(step, nodes)
            if nodes.isEmpty { return [] }
        }
        if step.action == .restoreNode { nodes.removeAll { request.undo[$0.id] == nil } }
        guard !nodes.isEmpty else {
            return omit(step, "no node of \(siteID(target.part)) runs \(Component.words(target.components))")
        }
        return nodes.compactMap { node in
            guard let identity = request.observation[node.id].identity.value else {
                problems.append(
                    "step \(step.id): \(node.id) was not observed (\(request.observation[node.id].identity.reason ?? "no reason")), so it cannot be told from another machine"
                )
                return nil
            }
            let timeLimit = step.timeLimitSeconds ?? action.timeLimitSeconds
            let message = "GitLab is moving from \(request.from) to \(request.to)."
            let edit = self.edit(step.action, of: node)
            var reseeding = self.reseeding(of: node)
            if step.action == .dropSlots { reseeding.slotsToDrop = request.slots }
            var commands = ActionCommands.commands(
                step.action, on: node, message: message, timeLimit: timeLimit, edit: edit,
                leavingOff: request.cronJobsLeftOff, divergence: divergence, isDrill: request.isDrill,
                reseeding: reseeding)
            if step.action == .updatePrimaryURL { commands = [writingURL(on: node, timeLimit)] }
            var made = base(step, action, id: nodes.count > 1 ? "\(step.id)@\(node.id)" : step.id.rawValue, after)
            made.title = step.title ?? action.summary
            made.subject = .node(id: node.id)
            made.operation = .commands(commands: commands, node: node.id, expected: identity)
            made.until = verification(step, node: node)
            if isBackInService(step, node) { made.until?.check.check = "node.in-service" }
            made.requires = requirements(step.action, node)
            made.reversibility = ActionCommands.undo(
                step.action, on: node, edit: edit, leavingOff: request.cronJobsLeftOff, reseeding: reseeding)
            made.expectedSeconds = request.history(step.action, node.id) ?? action.expectedSeconds
            keepRate(&made, of: node, timeLimit)
            return made
        }
    }

    private mutating func runStep(_ step: RunbookStep, _ action: Action, _ after: [StepID]) -> [Step] {
        var made = base(step, action, id: step.id.rawValue, after)
        switch step.action {
        case .confirm:
            if let question = wipeQuestion(step) ?? slotQuestion(step) {
                made.operation = question
                break
            }
            made.operation = .confirmation(
                question: (request.isDrill ? "This is a DRILL, and the failover is a real one. " : "")
                    + lossToAcknowledge + (step.text ?? "Type the name of the site to promote."),
                answer: request.to.rawValue)
        case .hook:
            guard let name = step.hook, let hook = request.inventory.hooks[name] else {
                return omit(step, "the inventory registers no hook named \(step.hook ?? "?")")
            }
            let url = request.inventory.site(request.to)?.url ?? ""
            made.operation = .hook(
                name: name, arguments: hook.run.map { fill($0, url) }, timeLimitSeconds: hook.timeLimitSeconds)
        case .pushCanary:
            guard let canary = request.inventory.canary, let site = request.inventory.site(request.to) else {
                return omit(step, "the inventory names no canary repository")
            }
            made.operation = .pushCanary(
                repository: fill(canary.repository, site.url), timeLimitSeconds: action.timeLimitSeconds)
        case .manual:
            made.operation = .manual(instructions: step.text ?? step.why ?? step.id.rawValue)
        case .wait where step.until?.check == "reseed.window" && request.inventory.replication?.window == nil:
            return omit(step, "the inventory names no time of day for a copy (replication: { window })")
        default:
            let silent = silentNodes(neededBy: step)
            guard silent.isEmpty else {
                return omit(step, "\(silent.map(\.rawValue).joined(separator: ", ")) did not answer")
            }
            made.operation = .wait
        }
        made.until = verification(step, node: nil)
        return [made]
    }

    mutating func omit(_ step: RunbookStep, _ reason: String) -> [Step] {
        if step.isOptional {
            omitted.append(OmittedStep(id: step.id, reason: reason))
        } else {
            problems.append("step \(step.id): \(reason); mark the step `optional: true` if that is intended")
        }
        return []
    }

    func base(_ step: RunbookStep, _ action: Action, id: String, _ after: [StepID]) -> Step {
        let part = step.target?.part ?? step.until?.on ?? action.part ?? .to
        return Step(
            id: StepID(id), group: step.id, title: step.title ?? action.summary, why: step.why ?? action.summary,
            action: step.action, subject: .site(id: siteID(part)), after: after, atOnce: step.target?.atOnce,
            operation: .wait, repeatability: action.repeatability, reversibility: .changesNothing,
            blastRadius: BlastRadius(
                effect: action.effect, site: action.effect == .none ? nil : siteID(part), text: action.effectText),
            onFailure: step.onFailure, expectedSeconds: action.expectedSeconds)
    }

    /// Nodes in the inventory's order. `one` is the first that could be observed, so that a dead Rails node does not
    /// stop what any other can do; `rest` is all but that one.
    private func chosen(_ target: RunbookStep.Target, _ action: Action) -> [Node] {
        guard let site = request.inventory.site(siteID(target.part)) else { return [] }
        let matching = site.nodes.filter { node in
            node.isManagedByOmnibus && action.fits(node)
                && (target.components.isEmpty || target.components.contains(where: node.runs))
        }
        let first = first(of: matching, for: action)
        switch target.nodes {
        case .all: return matching
        case .one: return first.map { [$0] } ?? []
        case .rest: return matching.filter { $0.id != first?.id }
        }
    }

    /// A node is promoted once, with the last tier that it belongs to: one that runs Rails beside Sidekiq goes with
    /// the Rails nodes, unless it holds the database.
    private func isPromotedElsewhere(_ node: Node, _ step: RunbookStep) -> Bool {
        guard step.action == .promoteNode else { return false }
        if steps.contains(where: { $0.action == .promoteNode && $0.node == node.id }) { return true }
        let holdsDatabase = node.runs(.postgresql) || node.runs(.patroni)
        return node.runs(.rails) && !holdsDatabase && step.target?.components.contains(.rails) == false
    }

    func verification(_ step: RunbookStep, node: Node?) -> Verification? {
        guard let until = step.until, let check = CheckCatalog.check(until.check) else { return nil }
        let part = until.on ?? step.target?.part ?? .to
        let subject: Subject
        switch check.scope {
        case .deployment: subject = .deployment
        case .site: subject = .site(id: siteID(part))
        case .failover: subject = .failover(from: request.from, to: request.to)
        case .node:
            guard let node else { return nil }
            subject = .node(id: node.id)
        }
        let names = step.action == .dropSlots ? request.slots : nil
        return Verification(
            check: CheckReference(check: until.check, subject: subject, limits: until.limits, names: names),
            withinSeconds: until.withinSeconds)
    }

    /// What must hold again, by a fresh look, in the seconds before the database is promoted: from then on there are
    /// two histories (promises 1 and 6).
    private func requirements(_ action: ActionName, _ node: Node) -> [Requirement] {
        let unpromoted = CheckReference(
            check: "candidate.not-promoted", subject: .failover(from: request.from, to: request.to))
        if request.runbook.scenario == .abort { return [Requirement(check: unpromoted, when: .always)] }
        if request.isDrill, action == .disableMaintenanceMode {
            let silent = CheckReference(check: "site.silent", subject: .site(id: request.to))
            return [Requirement(check: silent, when: .always)]
        }
        if action == .saveDivergence {
            let fenced = CheckReference(check: "node.fenced", subject: .node(id: node.id))
            return [Requirement(check: fenced, when: .always)]
        }
        if let own = wipeRequirements(action, node) { return own }
        if action == .dropSlots {
            let free = CheckReference(
                check: "replication.slots-abandoned", subject: .failover(from: request.from, to: request.to),
                names: request.slots)
            return [Requirement(check: free, when: .always)]
        }
        guard action == .promoteNode, node.runs(.postgresql) || node.runs(.patroni) else { return [] }
        let fenced = CheckReference(check: "site.fenced", subject: .site(id: request.from))
        let lossless = CheckReference(
            check: "database.zero-loss", subject: .failover(from: request.from, to: request.to))
        guard request.runbook.scenario == .unplanned else {
            return [Requirement(check: fenced, when: .always), Requirement(check: lossless, when: .untilStarted)]
        }
        // Whoever repairs the candidate meanwhile, or sees the primary alive, is heard once more.
        let reach = CheckReference(
            check: "primary.not-out-of-reach", subject: .failover(from: request.from, to: request.to))
        let replayed = CheckReference(check: "replication.all-replayed", subject: .site(id: request.to))
        return [
            Requirement(check: fenced, when: .always), Requirement(check: reach, when: .untilStarted),
            Requirement(check: replayed, when: .untilStarted),
        ]
    }

    private func fill(_ text: String, _ url: String) -> String {
        let host = url.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first.map(String.init) ?? url
        return text.replacingOccurrences([
            "{site}": request.to.rawValue, "{url}": url, "{url_host}": host, "{from}": request.from.rawValue,
        ])
    }

}
