package import GeoCore

/// Words about a group of steps that both forms of the plan use.
struct GroupText {
    let plan: Plan
    let position: Int
    let id: StepID
    let steps: [Step]

    static func all(_ plan: Plan) -> [GroupText] {
        plan.groups.enumerated().map { GroupText(plan: plan, position: $0 + 1, id: $1.id, steps: $1.steps) }
    }

    var first: Step { steps[0] }
    var nodes: [NodeID] { steps.compactMap(\.node) }

    /// `tokyo`, `tokyo -> seoul`, `run`: where it happens.
    var place: String {
        var sites: [String] = []
        for step in steps {
            let site = step.node.flatMap { plan.inventory.site(of: $0)?.id.rawValue } ?? SubjectText.of(step.subject)
            if !sites.contains(site) { sites.append(site) }
        }
        return sites.joined(separator: ", ")
    }

    /// From the first start to the last end, with as many rounds as `atOnce` makes.
    var expectedSeconds: Int {
        let slowest = steps.map(\.expectedSeconds).max() ?? 0
        let atOnce = max(1, first.atOnce ?? steps.count)
        return (steps.count + atOnce - 1) / atOnce * slowest
    }

    /// `3 nodes`, `3 nodes, one at a time`; empty when no node is acted on.
    var reach: String {
        guard !nodes.isEmpty else { return "" }
        let count = CountText.of(nodes.count, "node")
        guard let atOnce = first.atOnce, atOnce < nodes.count else { return count }
        return count + (atOnce == 1 ? ", one at a time" : ", \(atOnce) at a time")
    }

    /// The group above it on the page.
    var previous: StepID? { position > 1 ? plan.groups[position - 2].id : nil }

    /// The groups that it waits for.
    var waitsFor: [StepID] {
        let groups = Dictionary(plan.steps.map { ($0.id, $0.group) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<StepID> = [id]
        return steps.flatMap(\.after).compactMap { groups[$0] }.filter { seen.insert($0).inserted }
    }

    /// Steps with the same work, in order: printed once, with all their nodes.
    var alike: [[Step]] {
        var keys: [[RemoteCommand]] = []
        var members: [[Step]] = []
        for step in steps {
            let commands = step.commands
            if let index = keys.firstIndex(of: commands) {
                members[index].append(step)
            } else {
                keys.append(commands)
                members.append([step])
            }
        }
        return members
    }

    /// `nil` where the author gave no reason and the planner repeats what the action does.
    var why: String? {
        [first.title, ActionCatalog.action(first.action).summary].contains(first.why) ? nil : first.why
    }

    var isPointOfNoReturn: Bool { plan.pointOfNoReturn == id }

    /// Why it cannot be taken back, each reason once.
    var irreversible: [String] {
        var seen: Set<String> = []
        return steps.compactMap { step in
            guard case .irreversible(let because) = step.reversibility, seen.insert(because).inserted else {
                return nil
            }
            return because
        }
    }

    /// Undo commands with the nodes that they run on; steps whose undo is the same share an entry.
    var undo: [(nodes: [NodeID], commands: [RemoteCommand])] {
        var found: [(nodes: [NodeID], commands: [RemoteCommand])] = []
        for step in steps {
            guard case .reversible(let commands) = step.reversibility, let node = step.node else { continue }
            if let index = found.firstIndex(where: { $0.commands == commands }) {
                found[index].nodes.append(node)
            } else {
                found.append(([node], commands))
            }
        }
        return found
    }

    /// `node.stopped within 10m`, each check once.
    var proofs: [String] {
        var seen: Set<String> = []
        return steps.compactMap { step in
            guard let until = step.until else { return nil }
            let about = step.node.map { until.check.subject == .node(id: $0) } ?? false
            let subject = about ? "" : " (\(SubjectText.of(until.check.subject)))"
            let limits = LimitText.brackets(until.check.limits, of: until.check.check)
            let text = "\(until.check.check)\(subject)\(limits) within \(DurationText.of(until.withinSeconds))"
            return seen.insert(text).inserted ? text : nil
        }
    }

    var requirements: [String] {
        var seen: Set<String> = []
        return steps.flatMap(\.requires).compactMap { requirement in
            let check = requirement.check
            let when = requirement.when == .untilStarted ? ", until it has started" : ""
            let text =
                "\(check.check) of \(SubjectText.of(check.subject))\(LimitText.brackets(check.limits, of: check.check))\(when)"
            return seen.insert(text).inserted ? text : nil
        }
    }

    /// `OUTAGE on tokyo: nobody can use the site`; `nil` when users notice nothing.
    var blast: String? {
        guard let worst = steps.map(\.blastRadius).max(by: { $0.effect < $1.effect }), worst.effect != .none else {
            return nil
        }
        return "\(Self.word(worst.effect))\(worst.site.map { " on \($0)" } ?? ""): \(worst.text)"
    }

    var onFailure: String? {
        switch first.onFailure {
        case .halt: nil
        case .ask: "asks whether to go on without it"
        case .continue: "the run goes on, and the report says so"
        }
    }

    static func word(_ effect: BlastRadius.Effect) -> String {
        switch effect {
        case .none: "nothing"
        case .degraded: "DEGRADED"
        case .readOnly: "READ-ONLY"
        case .outage: "OUTAGE"
        }
    }
}

extension Step {
    /// What runs on a node; empty for steps that act elsewhere or not at all.
    package var commands: [RemoteCommand] {
        if case .commands(let commands, _, _) = operation { commands } else { [] }
    }
}

extension Plan {
    /// The groups that take effect before the point of no return; all when there is none.
    var undoable: [GroupText] {
        let groups = GroupText.all(self)
        return Array(groups.prefix { !$0.isPointOfNoReturn })
    }

    /// Findings that the operator should know of though they did not prevent the plan.
    var remarkableFindings: [Finding] { findings.filter { $0.verdict != .pass && acceptance(of: $0) == nil } }

    /// Why a finding does not stand in the way of what the plan is for, and how many there are of each kind.
    var acceptedFindings: [(reason: String, checks: [CheckID])] {
        var order: [String] = []
        var checks: [String: [CheckID]] = [:]
        for finding in findings {
            guard let reason = acceptance(of: finding) else { continue }
            if checks[reason] == nil { order.append(reason) }
            if checks[reason]?.contains(finding.check) != true { checks[reason, default: []].append(finding.check) }
        }
        return order.map { ($0, checks[$0] ?? []) }
    }

    private func acceptance(of finding: Finding) -> String? {
        guard finding.verdict > .warn, waiver(of: finding) == nil else { return nil }
        if repairs.contains(finding.check) { return "a step of this plan mends it" }
        return scenario.profile.acceptance(
            of: finding, limits: limits[finding.check] ?? .init(), in: inventory, from: from, to: to, basis)
    }

    func waiver(of finding: Finding) -> Waiver? {
        Assessment(subject: .failover(from: from, to: to), findings: findings, waivers: waivers).waiver(of: finding)
    }
}

/// What becomes of a secondary that a failover passes by; where to say it is the page's business.
enum RemainingText {
    static func fate(of site: Site, _ plan: Plan) -> String {
        "follows nobody once \(plan.to) is promoted, and serves what it has then, read-only. It keeps its row in Geo's tables."
            + " Its database has to be copied from \(plan.to) afterwards; until then it is no candidate:"
    }
}
