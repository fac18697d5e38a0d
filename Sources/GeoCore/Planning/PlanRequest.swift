/// What a plan is made from.
package struct PlanRequest: Sendable {
    package var inventory: Inventory
    package var runbook: Runbook
    package var from: SiteID
    package var to: SiteID
    package var observation: Observation
    package var findings: [Finding]
    package var waivers: [Waiver]
    /// Words of named persons for nodes of `from` that do not answer.
    package var attestations: [Attestation]
    /// Blocking findings that a step of the runbook mends, and that the operator asked it to mend.
    package var repairs: Set<CheckID>
    /// Of a re-seed: a rewind is tried before a copy.
    package var rewinds: Bool
    /// Of a run that drops slots: their names.
    package var slots: [String]
    /// Of a failback: which stage of it this is.
    package var stage: PlanStage?
    /// Of a re-seed: what becomes of files that operators keep ready, by what the nodes have.
    package var configurationChanges: [ConfigurationChange]
    /// What the primary said when it last answered this machine.
    package var lastKnown: LastKnown?
    /// Cron jobs that a way back leaves off; every other plan finds them in the observation.
    package var cronJobsLeftOff: [String]
    /// What the way back of a re-seed runs on each node.
    package var undo: [NodeID: [RemoteCommand]]
    package var isDrill: Bool
    package var createdAt: Timestamp
    package var createdBy: String
    package var toolVersion: String
    /// Expected seconds of a step on a node, from earlier runs; `nil` where there were none.
    package var history: @Sendable (ActionName, NodeID) -> Int?

    package init(
        inventory: Inventory, runbook: Runbook, from: SiteID, to: SiteID, observation: Observation,
        findings: [Finding], waivers: [Waiver], attestations: [Attestation] = [], repairs: Set<CheckID> = [],
        rewinds: Bool = false, slots: [String] = [], stage: PlanStage? = nil,
        configurationChanges: [ConfigurationChange] = [], lastKnown: LastKnown? = nil,
        cronJobsLeftOff: [String] = [],
        undo: [NodeID: [RemoteCommand]] = [:], isDrill: Bool = false,
        createdAt: Timestamp, createdBy: String, toolVersion: String,
        history: @escaping @Sendable (ActionName, NodeID) -> Int? = { _, _ in nil }
    ) {
        self.inventory = inventory
        self.runbook = runbook
        self.from = from
        self.to = to
        self.observation = observation
        self.findings = findings
        self.waivers = waivers
        self.attestations = attestations
        self.repairs = repairs
        self.rewinds = rewinds
        self.slots = slots
        self.stage = stage
        self.configurationChanges = configurationChanges
        self.lastKnown = lastKnown
        self.cronJobsLeftOff = cronJobsLeftOff
        self.undo = undo
        self.isDrill = isDrill
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.toolVersion = toolVersion
        self.history = history
    }
}
