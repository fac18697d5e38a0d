/// Exactly what would run: the steps as a graph, and what they were decided from. Nothing downstream reads other files.
package struct Plan: Sendable, Hashable, Codable {
    /// Of this format; a plan of another number is refused.
    package static let currentSchema = 1

    package var schema: Int
    package var createdAt: Timestamp
    package var createdBy: String
    package var toolVersion: String
    package var scenario: Scenario
    package var title: String
    package var from: SiteID
    package var to: SiteID
    package var inventory: Inventory
    package var runbook: DocumentReference
    package var runbookName: String
    package var objectives: Objectives
    /// What was seen when the plan was made; drift is measured against it.
    package var basis: Observation
    package var findings: [Finding]
    /// What the primary said when it last answered this machine; of an unplanned failover.
    package var lastKnown: LastKnown?
    /// The limits that the preflight checks were held to.
    package var limits: [CheckID: Limits]
    package var waivers: [Waiver]
    /// Words of named persons for nodes of `from` that do not answer; later ones are in the journal.
    package var attestations: [Attestation]
    /// Checks that fail, and that a step of the plan mends.
    package var repairs: Set<CheckID>
    /// In the order to print: the runbook's, then the inventory's.
    package var steps: [Step]
    package var omitted: [OmittedStep]
    /// Cron jobs of `from` that were off before the run, and stay off; `nil`: none.
    package var cronJobsLeftOff: [String]?
    /// `true` for a drill; plans in earnest, and those of earlier versions, have no word of it.
    private var drill: Bool?
    /// Of a failback: which stage of it this is; `nil` for a run of its own.
    package var stage: PlanStage?
    /// What becomes of files that operators keep ready; `nil`: none is put in place.
    package var configurationChanges: [ConfigurationChange]?

    /// Practice: as in earnest, but promoted in Silent Mode. Everything that shows the plan says so.
    package var isDrill: Bool { drill == true }

    package init(
        createdAt: Timestamp, createdBy: String, toolVersion: String, scenario: Scenario, title: String,
        from: SiteID, to: SiteID, inventory: Inventory, runbook: DocumentReference, runbookName: String,
        objectives: Objectives, basis: Observation, lastKnown: LastKnown? = nil, findings: [Finding],
        limits: [CheckID: Limits] = [:],
        waivers: [Waiver], attestations: [Attestation] = [], repairs: Set<CheckID> = [], steps: [Step],
        omitted: [OmittedStep], cronJobsLeftOff: [String]? = nil, isDrill: Bool = false, stage: PlanStage? = nil,
        configurationChanges: [ConfigurationChange]? = nil
    ) {
        self.schema = Self.currentSchema
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.toolVersion = toolVersion
        self.scenario = scenario
        self.title = title
        self.from = from
        self.to = to
        self.inventory = inventory
        self.runbook = runbook
        self.runbookName = runbookName
        self.objectives = objectives
        self.basis = basis
        self.lastKnown = lastKnown
        self.findings = findings
        self.limits = limits
        self.waivers = waivers
        self.attestations = attestations
        self.repairs = repairs
        self.steps = steps
        self.omitted = omitted
        self.cronJobsLeftOff = cronJobsLeftOff
        self.drill = isDrill ? true : nil
        self.stage = stage
        self.configurationChanges = configurationChanges
    }

    /// What the failover would lose, as it was known when the plan was made.
    package var loss: LossStatement {
        LossStatement(inventory: inventory, from: from, to: to, observation: basis, lastKnown: lastKnown)
    }

    /// Secondaries that take no part in a failover: once another site is promoted they follow nobody, since a promotion
    /// makes no slot for them (GitLab documentation, disaster recovery, "Promoting a secondary Geo site in configurations
    /// with multiple secondaries"). Empty for runs that promote nobody.
    package var remainingSecondaries: [Site] {
        guard [.planned, .unplanned].contains(scenario) else { return [] }
        return inventory.sites.filter { $0.id != from && $0.id != to }
    }

    /// The command that makes such a plan anew.
    package var planCommand: String {
        if let stage { return stage.planCommand }
        if scenario == .dropSlots {
            let names = steps.first { $0.action == .dropSlots }?.until?.check.names ?? []
            return "geo-failover plan \(RemoteCommand.quoted(runbookName)) --from \(from) --to \(to)"
                + names.map { " --slot \($0)" }.joined()
        }
        let url = scenario == .changeURL ? inventory.site(to).map { " --url \($0.url)" } ?? "" : ""
        return "geo-failover plan \(RemoteCommand.quoted(runbookName)) --from \(from) --to \(to)\(url)"
    }

    package func step(_ id: StepID) -> Step? {
        // By index: the element of an iterator is a copy of the whole step.
        for index in steps.indices where steps[index].id == id { return steps[index] }
        return nil
    }

    /// The group of the first irreversible step: when one of its steps has started, there is no way back to `from`.
    package var pointOfNoReturn: StepID? { steps.first(where: \.isIrreversible)?.group }

    /// Runbook steps in order, each with its steps.
    package var groups: [(id: StepID, steps: [Step])] {
        var order: [StepID] = []
        var members: [StepID: [Step]] = [:]
        for step in steps {
            if members[step.group] == nil { order.append(step.group) }
            members[step.group, default: []].append(step)
        }
        return order.map { ($0, members[$0] ?? []) }
    }
}

/// A runbook step that has nothing to do here, and why; shown, so that nobody wonders where it went.
package struct OmittedStep: Sendable, Hashable, Codable {
    package var id: StepID
    package var reason: String
    package init(id: StepID, reason: String) {
        self.id = id
        self.reason = reason
    }
}

/// A named person's acceptance of one finding, bound to what was seen when it was accepted.
package struct Waiver: Sendable, Hashable, Codable {
    package var check: CheckID
    package var subject: String
    package var reason: String
    package var by: String
    package var at: Timestamp
    /// The finding's summary at that time; another summary is another finding, and not waived.
    package var observed: String
    package init(check: CheckID, subject: String, reason: String, by: String, at: Timestamp, observed: String) {
        self.check = check
        self.subject = subject
        self.reason = reason
        self.by = by
        self.at = at
        self.observed = observed
    }

    /// Whether it was given for exactly this: another number is another finding, and not accepted by anybody.
    package func covers(_ finding: Finding) -> Bool {
        check == finding.check && subject == finding.subject.description && observed == finding.summary
    }
}
