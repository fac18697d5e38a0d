package import GeoCore

/// A plan for programs: its head, then a line per step in the order of the plan.
package enum PlanLines {
    package static func json(_ plan: Plan, digest: Digest) -> [String] {
        [JSONLine.of(.plan, PlanBody(plan, digest))]
            + GroupText.all(plan).flatMap { group in
                group.steps.map { JSONLine.of(.planStep, PlanStepBody($0, in: group)) }
            }
    }
}

private struct PlanBody: Encodable {
    struct Left: Encodable {
        var id: StepID
        var reason: String
    }
    var digest: Digest
    var createdAt: Timestamp
    var createdBy: String
    var toolVersion: String
    var scenario: Scenario
    var title: String
    var isDrill: Bool
    var from: SiteID
    var to: SiteID
    var runbook: String
    var objectives: Objectives
    var expectedSeconds: Int
    var criticalPath: [StepID]
    var groups: [StepID]
    var pointOfNoReturn: StepID?
    var findings: [FindingBody]
    var waivers: [Waiver]
    var omitted: [Left]
    /// Secondaries that follow nobody once the candidate is promoted.
    var remainingSecondaries: [SiteID]
    /// Of a failback: which stage of it this is; `null` for a run of its own.
    var stage: PlanStage?

    init(_ plan: Plan, _ digest: Digest) {
        let time = StepGraph.criticalPath(of: plan)
        let assessment = Assessment(
            subject: .failover(from: plan.from, to: plan.to), findings: plan.findings, waivers: plan.waivers)
        self.digest = digest
        self.createdAt = plan.createdAt
        self.createdBy = plan.createdBy
        self.toolVersion = plan.toolVersion
        self.scenario = plan.scenario
        self.title = plan.title
        self.isDrill = plan.isDrill
        self.from = plan.from
        self.to = plan.to
        self.runbook = plan.runbookName
        self.objectives = plan.objectives
        self.expectedSeconds = time.seconds
        self.criticalPath = time.steps
        self.groups = plan.groups.map(\.id)
        self.pointOfNoReturn = plan.pointOfNoReturn
        self.findings = plan.findings.filter { $0.verdict != .pass }.map {
            FindingBody($0, in: assessment, plan.createdAt)
        }
        self.waivers = plan.waivers
        self.omitted = plan.omitted.map { Left(id: $0.id, reason: $0.reason) }
        self.remainingSecondaries = plan.remainingSecondaries.map(\.id)
        self.stage = plan.stage
    }
}

private struct PlanStepBody: Encodable {
    var id: StepID
    var group: StepID
    var position: Int
    var title: String
    var why: String
    var action: ActionName
    var subject: String
    var node: NodeID?
    var after: [StepID]
    var commands: [CommandBody]
    /// What else it does than to run commands on a node; `null` when it does nothing else.
    var does: String?
    var proof: CheckID?
    var proofSubject: String?
    var proofWithinSeconds: Int?
    var isIrreversible: Bool
    var undo: [String]
    var effect: BlastRadius.Effect
    var effectSite: SiteID?
    var effectText: String
    var onFailure: FailurePolicy
    var expectedSeconds: Int

    struct CommandBody: Encodable {
        var text: String
        var condition: RemoteCommand.Condition
        var timeLimitSeconds: Int
    }

    init(_ step: Step, in group: GroupText) {
        self.id = step.id
        self.group = step.group
        self.position = group.position
        self.title = step.title
        self.why = step.why
        self.action = step.action
        self.subject = step.subject.description
        self.node = step.node
        self.after = step.after
        self.commands = step.commands.map {
            CommandBody(
                text: CommandText.shell($0), condition: $0.condition, timeLimitSeconds: $0.timeLimitSeconds)
        }
        self.does =
            switch step.operation {
            case .commands: nil
            case .isolation(_, let programs):
                programs.map { "\(CommandText.shell($0.run)); proved by \(CommandText.shell($0.prove))" }
                    .joined(separator: "; else ")
            case .hook(_, let arguments, _): CommandText.shell(arguments)
            case .pushCanary(let repository, _): "push to \(repository)"
            case .confirmation(let question, _): question
            case .manual(let instructions): instructions
            case .wait: "wait"
            }
        self.proof = step.until?.check.check
        self.proofSubject = step.until?.check.subject.description
        self.proofWithinSeconds = step.until?.withinSeconds
        self.isIrreversible = step.isIrreversible
        if case .reversible(let undo) = step.reversibility {
            self.undo = undo.map(CommandText.shell)
        } else {
            self.undo = []
        }
        self.effect = step.blastRadius.effect
        self.effectSite = step.blastRadius.site
        self.effectText = step.blastRadius.text
        self.onFailure = step.onFailure
        self.expectedSeconds = step.expectedSeconds
    }
}
