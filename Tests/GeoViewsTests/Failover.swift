import GeoCore

/// A planned failover from tokyo to seoul by hand: twenty groups, as the shipped runbook makes them.
enum Failover {
    static let plan = Plan(
        createdAt: Deployment.at(3, 0), createdBy: "anna", toolVersion: "0.9.0", scenario: .planned,
        title: "Planned failover", from: "tokyo", to: "seoul", inventory: Deployment.inventory,
        runbook: DocumentReference(path: "runbooks/planned-failover.yaml", digest: Deployment.digest("b")),
        runbookName: "planned-failover", objectives: Deployment.inventory.objectives, basis: Deployment.observation,
        findings: Deployment.mixed.filter { $0.verdict == .warn || $0.verdict == .pass },
        waivers: [Deployment.diskWaiver], steps: steps,
        omitted: [
            OmittedStep(id: "promote-tracking", reason: "no node of seoul runs nothing but tracking-db or logcursor")
        ])

    static let digest = Deployment.digest("c")
    static let run: RunID = "2026-11-21-0301-planned-failover"

    private struct Row {
        var id: StepID
        var action: ActionName
        var title: String
        var nodes: [String] = []
        var site = "seoul"
        var until: CheckID?
        var within = 600
        var why = ""
        var text = ""
    }

    private static let rows: [Row] = [
        Row(
            id: "announce", action: .manual, title: "Tell the users", until: "site.ready", within: 1800,
            why: "Users should hear of it from you first.", text: "Tell the users in #gitlab and on the status page."),
        Row(
            id: "block-writes", action: .enableMaintenanceMode, title: "Turn Maintenance Mode on", nodes: ["rails-1"],
            site: "tokyo", until: "site.read-only", within: 120,
            why: "What is written after this moment would have to be copied before the end; users can still read."),
        Row(
            id: "stop-cron-jobs", action: .stopCronJobs, title: "Stop cron jobs except Geo's four", nodes: ["rails-1"],
            site: "tokyo", until: "cron.geo-only", within: 300),
        Row(
            id: "drain-queues", action: .wait, title: "Let background jobs finish", site: "tokyo",
            until: "sidekiq.drained", within: 1800, why: "What is still queued when the site stops is lost."),
        Row(
            id: "wait-for-replication", action: .wait, title: "Wait until everything is replicated and verified",
            until: "replication.complete", within: 3600),
        Row(
            id: "stop-application", action: .stopApplication, title: "Stop the application",
            nodes: ["rails-1", "rails-2", "sidekiq-1"], site: "tokyo", until: "node.application-stopped", within: 300),
        Row(
            id: "wait-for-last-wal", action: .wait, title: "Wait until the candidate has replayed the last write",
            until: "replication.caught-up"),
        Row(
            id: "stop-database", action: .stopDatabase, title: "Stop PostgreSQL cleanly", nodes: ["pg-1"],
            site: "tokyo",
            until: "database.stopped-cleanly", within: 300,
            why:
                "A clean stop sends the rest of the log to the candidate and writes a checkpoint that says where it ends."
        ),
        Row(
            id: "prove-zero-loss", action: .wait, title: "Prove that no write is lost", until: "database.zero-loss",
            within: 300),
        Row(
            id: "fence", action: .stopAndDisable, title: "Stop everything and keep it from starting at boot",
            nodes: ["rails-1", "rails-2", "sidekiq-1", "pg-1", "gitaly-1", "redis-1"], site: "tokyo",
            until: "node.fenced",
            within: 300, why: "Two sites that accept writes is the one thing that cannot be repaired."),
        Row(
            id: "confirm", action: .confirm, title: "Ask the operator",
            text: "Type the name of the site to promote. From here on there is no way back."),
        Row(
            id: "promote-database", action: .promoteNode, title: "Promote the database", nodes: ["pg-1"],
            until: "node.promoted", within: 900,
            why: "Rails writes to the database when it is promoted, so the database goes first."),
        Row(
            id: "promote-storage-and-jobs", action: .promoteNode, title: "Promote Gitaly and Sidekiq nodes",
            nodes: ["gitaly-1", "sidekiq-1"], until: "node.promoted", within: 900),
        Row(
            id: "promote-first-rails", action: .promoteNode, title: "Promote the first Rails node", nodes: ["rails-1"],
            until: "node.promoted", within: 900,
            why: "One node alone changes the site's role; two at once can collide."),
        Row(id: "see-the-new-primary", action: .wait, title: "See that the site is primary", until: "site.is-primary"),
        Row(
            id: "promote-other-rails", action: .promoteNode, title: "Promote the other Rails nodes", nodes: ["rails-2"],
            until: "node.promoted", within: 900),
        Row(
            id: "open-writes", action: .disableMaintenanceMode, title: "Turn Maintenance Mode off", nodes: ["rails-1"],
            until: "site.maintenance-off", within: 300),
        Row(
            id: "write-to-database", action: .writeProbe, title: "Write through the database", nodes: ["pg-1"],
            until: "database.accepts-writes", within: 60),
        Row(id: "push-canary", action: .pushCanary, title: "Push to the canary repository"),
        Row(
            id: "move-traffic", action: .hook, title: "Send users to the new primary", until: "site.ready",
            why: "Users follow the name."),
    ]

    private static var steps: [Step] {
        var previous: [StepID] = []
        return rows.flatMap { row -> [Step] in
            let made =
                row.nodes.isEmpty
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
        let scope = row.until.flatMap(CheckCatalog.check)?.scope
        let checked: Subject =
            scope == .failover
            ? .failover(from: "tokyo", to: "seoul") : scope == .site ? .site(id: SiteID(row.site)) : subject
        var step = Step(
            id: id, group: row.id, title: row.title, why: row.why.isEmpty ? action.summary : row.why,
            action: row.action, subject: subject, after: after, atOnce: row.id == "fence" ? 2 : nil,
            operation: operation(row, node),
            until: row.until.map {
                let limits = $0 == "replication.caught-up" ? Limits(["fact_age": 60]) : Limits()
                return Verification(
                    check: CheckReference(check: $0, subject: checked, limits: limits), withinSeconds: row.within)
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
        case .pushCanary:
            .pushCanary(repository: "https://gitlab.seoul.example.com/ops/canary.git", timeLimitSeconds: 120)
        case .hook: .hook(name: "point-dns-at", arguments: ["./hooks/dns", "seoul"], timeLimitSeconds: 120)
        case .manual: .manual(instructions: row.text)
        default: .wait
        }
    }
}

extension Failover {
    static let runbook = Runbook(
        name: "planned-failover", title: "Planned failover to a secondary site", scenario: .planned,
        objectives: Objectives(rtoSeconds: 3600, rpoSeconds: 0),
        preflight: [
            PreflightReference(
                check: "replication.lag", limits: Limits(["at_most_bytes": 16 << 20, "at_most_seconds": 30])),
            PreflightReference(check: "secrets.equal"),
        ],
        steps: [
            RunbookStep(
                id: "fence", title: "Stop everything and keep it from starting at boot", action: .stopAndDisable,
                target: .init(part: .from, atOnce: 4), until: .init(check: "node.fenced", withinSeconds: 300),
                why: "A stop alone does not survive a reboot."),
            RunbookStep(
                id: "confirm", action: .confirm, after: ["fence"], text: "Type the name of the site to promote."),
            RunbookStep(
                id: "promote-database", action: .promoteNode,
                target: .init(part: .to, components: [.postgresql, .patroni]), after: ["confirm"],
                until: .init(check: "node.promoted", withinSeconds: 900), timeLimitSeconds: 1800),
            RunbookStep(
                id: "promote-rails", action: .promoteNode, target: .init(part: .to, components: [.rails], nodes: .rest),
                after: ["fence", "promote-database"],
                until: .init(
                    check: "site.is-primary", on: .to, withinSeconds: 600, limits: Limits(["fact_age": 60]))),
            RunbookStep(
                id: "move-traffic", action: .hook, until: .init(check: "site.ready", on: .to, withinSeconds: 600),
                hook: "point-dns-at", onFailure: .ask, isOptional: true),
        ],
        source: DocumentReference(path: "runbooks/planned-failover.yaml", digest: Deployment.digest("b")))

    static let drift = [
        Drift(subject: .node(id: "seoul-pg-1"), fact: "database role", planned: "standby", now: "primary"),
        Drift(subject: .node(id: "seoul-pg-1"), fact: "timeline", planned: "4", now: "unknown: no answer within 10 s"),
    ]
    static let longDrift = [
        Drift(
            subject: .node(id: "tokyo-gitaly-1"), fact: "machine id", planned: "4c4c45440051501080384ac04f4b4e32",
            now: "4c4c45440051501080384ac04f4b4e33")
    ]
}
