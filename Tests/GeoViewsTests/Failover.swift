import GeoCore

/// A planned failover from tokyo to seoul by hand: eighteen groups, as the shipped runbook makes them.
enum Failover {
    static let plan = Plan(
        createdAt: Deployment.at(3, 0), createdBy: "anna", toolVersion: "0.9.0", scenario: .planned,
        title: "Planned failover", from: "tokyo", to: "seoul", inventory: Deployment.inventory,
        runbook: DocumentReference(path: "runbooks/planned-failover.yaml", digest: Deployment.digest("b")),
        runbookName: "planned-failover", objectives: Deployment.inventory.objectives, basis: Deployment.observation,
        findings: Deployment.mixed.filter { $0.verdict == .warn || $0.verdict == .pass },
        waivers: [Deployment.diskWaiver], steps: steps,
        omitted: [OmittedStep(id: "switch-silent-mode-off", reason: "silent mode is not used here")])

    static let digest = Deployment.digest("c")
    static let run: RunID = "2026-11-21-0301-planned-failover"

    private struct Row {
        var id: StepID
        var action: ActionName
        var nodes: [String] = []
        var site = "seoul"
        var until: CheckID?
        var within = 600
        var why = ""
        var text = ""
    }

    private static let rows: [Row] = [
        Row(id: "announce", action: .manual, until: "announcement.seen", within: 1800,
            why: "Users should hear of it from you first.", text: "Tell the users in #gitlab and on the status page."),
        Row(id: "stop-cron-jobs", action: .stopCronJobs, nodes: ["rails-1"], site: "tokyo", until: "cron.geo-only"),
        Row(id: "maintenance-on", action: .enableMaintenanceMode, nodes: ["rails-1"], site: "tokyo", until: "maintenance.on",
            why: "No new writes, so that the secondary can catch up."),
        Row(id: "drain-queues", action: .wait, site: "tokyo", until: "queues.empty", within: 1800),
        Row(id: "wait-for-geo", action: .wait, until: "geo.caught-up", within: 3600),
        Row(id: "stop-application", action: .stopApplication, nodes: ["rails-1", "rails-2", "sidekiq-1"], site: "tokyo",
            until: "node.application-stopped"),
        Row(id: "wait-for-wal", action: .wait, until: "replication.caught-up"),
        Row(id: "stop-database", action: .stopDatabase, nodes: ["pg-1"], site: "tokyo", until: "node.database-stopped",
            why: "A clean shutdown sends its last WAL and writes the checkpoint that the proof needs."),
        Row(id: "prove-zero-loss", action: .wait, until: "database.zero-loss"),
        Row(id: "fence", action: .stopAndDisable,
            nodes: ["rails-1", "rails-2", "sidekiq-1", "pg-1", "gitaly-1", "redis-1"], site: "tokyo", until: "node.fenced",
            why: "A former primary that reboots must not serve."),
        Row(id: "confirm", action: .confirm, text: "Type the name of the site to promote."),
        Row(id: "promote-database", action: .promoteNode, nodes: ["pg-1"], until: "node.promoted", within: 900,
            why: "Data nodes first, so that Rails never serves from a read-only database."),
        Row(id: "probe-writes", action: .writeProbe, nodes: ["pg-1"], until: "database.writable"),
        Row(id: "promote-data", action: .promoteNode, nodes: ["gitaly-1", "sidekiq-1"], until: "node.promoted", within: 900),
        Row(id: "promote-first-rails", action: .promoteNode, nodes: ["rails-1"], until: "site.is-primary", within: 900,
            why: "One node alone changes the site's role; two at once can collide."),
        Row(id: "promote-rails", action: .promoteNode, nodes: ["rails-2"], until: "node.promoted", within: 900),
        Row(id: "point-dns", action: .hook, until: "site.ready"),
        Row(id: "maintenance-off", action: .disableMaintenanceMode, nodes: ["rails-1"], until: "maintenance.off"),
    ]

    private static var steps: [Step] {
        var previous: [StepID] = []
        return rows.flatMap { row -> [Step] in
            let made = row.nodes.isEmpty
                ? [step(row, node: nil, after: previous)]
                : row.nodes.map { step(row, node: NodeID("\(row.site)-\($0)"), after: previous) }
            previous = made.map(\.id)
            return made
        }
    }

    private static func step(_ row: Row, node: NodeID?, after: [StepID]) -> Step {
        let action = ActionCatalog.action(row.action)
        let subject = node.map { Subject.node(id: $0) } ?? .site(id: SiteID(row.site))
        let id = node.map { row.nodes.count > 1 ? StepID("\(row.id)@\($0)") : row.id } ?? row.id
        let checked: Subject = row.until == "database.zero-loss" ? .failover(from: "tokyo", to: "seoul") : subject
        var step = Step(
            id: id, group: row.id, title: action.summary, why: row.why.isEmpty ? action.summary : row.why,
            action: row.action, subject: subject, after: after, atOnce: row.id == "fence" ? 2 : nil,
            operation: operation(row, node),
            until: row.until.map {
                Verification(check: CheckReference(check: $0, subject: checked), withinSeconds: row.within)
            },
            repeatability: action.repeatability, reversibility: .changesNothing,
            blastRadius: BlastRadius(
                effect: action.effect, site: action.effect == .none ? nil : SiteID(row.site), text: action.effectText),
            expectedSeconds: action.expectedSeconds)
        if let node = node.flatMap(Deployment.inventory.node) {
            step.reversibility = ActionCommands.undo(row.action, on: node)
        }
        if row.id == "promote-database" {
            step.requires = [
                Requirement(check: CheckReference(check: "site.fenced", subject: .site(id: "tokyo")), when: .always),
                Requirement(
                    check: CheckReference(check: "database.zero-loss", subject: .failover(from: "tokyo", to: "seoul")),
                    when: .untilStarted),
            ]
        }
        return step
    }

    private static func operation(_ row: Row, _ node: NodeID?) -> Operation {
        if let node, let place = Deployment.inventory.node(node) {
            let commands = ActionCommands.commands(
                row.action, on: place, message: "GitLab is moving from tokyo to seoul.",
                timeLimit: ActionCatalog.action(row.action).timeLimitSeconds)
            return .commands(commands: commands, node: node, expected: Deployment.identity(node))
        }
        return switch row.action {
        case .confirm: .confirmation(question: row.text, answer: "seoul")
        case .hook: .hook(name: "point-dns-at", arguments: ["./hooks/dns", "seoul"], timeLimitSeconds: 120)
        case .manual: .manual(instructions: row.text)
        default: .wait
        }
    }
}
