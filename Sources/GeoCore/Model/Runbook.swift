/// A procedure as its author arranged it: which actions and checks of the catalogues, where, in which order, and why.
package struct Runbook: Hashable, Sendable, Codable {
    package var name: String
    package var title: String
    package var scenario: Scenario
    package var objectives: Objectives
    package var preflight: [PreflightReference]
    /// In the order of the file.
    package var steps: [RunbookStep]
    /// Of a failback, in place of steps: other runbooks one after the other, each planned and run for itself.
    package var stages: [RunbookStage]
    package var source: DocumentReference

    package init(
        name: String, title: String, scenario: Scenario, objectives: Objectives = .init(),
        preflight: [PreflightReference], steps: [RunbookStep], stages: [RunbookStage] = [], source: DocumentReference
    ) {
        self.name = name
        self.title = title
        self.scenario = scenario
        self.objectives = objectives
        self.preflight = preflight
        self.steps = steps
        self.stages = stages
        self.source = source
    }
}

package enum Scenario: String, Hashable, Sendable, Codable, CaseIterable {
    case planned, unplanned
    /// A former primary comes back as a secondary: `from` is the primary, `to` the site whose database is copied anew.
    case reseed
    /// The primary takes over a URL. Promotes nothing and touches no node of the other site.
    case changeURL = "change-url"
    /// Slots of the primary, `from`, that nobody uses any more are dropped. Touches nothing else.
    case dropSlots = "drop-slots"
    /// Runs after each other that bring the primary back to a site: no plan of its own.
    case failback
    /// Back, before the point of no return. Made from a run, never written by hand.
    case abort

    /// What an author may write.
    package static let allCases: [Scenario] = [.planned, .unplanned, .reseed, .changeURL, .dropSlots, .failback]
}

/// The two sites of a failover, by what they are in it.
package enum Part: String, Hashable, Sendable, Codable, CaseIterable { case from, to }

/// A check that must hold before anything starts, with the author's limits.
package struct PreflightReference: Hashable, Sendable, Codable {
    package var check: CheckID
    package var limits: Limits
    package init(check: CheckID, limits: Limits = .init()) {
        self.check = check
        self.limits = limits
    }
}

/// Numbers that a check compares with, by name; units are in the check's catalogue entry. A missing name means its default.
package struct Limits: Hashable, Sendable, Codable {
    package var values: [String: Int]
    package init(_ values: [String: Int] = [:]) { self.values = values }
    package subscript(name: String) -> Int? { values[name] }

    package init(from decoder: any Decoder) throws {
        self.values = try decoder.singleValueContainer().decode([String: Int].self)
    }
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

/// A run that is part of a longer way; see ``Failback``.
package struct RunbookStage: Hashable, Sendable, Codable {
    package var id: StepID
    package var title: String
    /// By its name.
    package var runbook: String
    /// The one in its place where the stage's `to` runs Patroni; `nil`: the same.
    package var patroniRunbook: String?
    /// Which of the two sites of the whole is `from` in it; the other is `to`.
    package var from: Part
    /// What people think over before it begins; `nil`: it may begin at once.
    package var hold: String?
    package var why: String?

    package init(
        id: StepID, title: String, runbook: String, patroniRunbook: String? = nil, from: Part, hold: String? = nil,
        why: String? = nil
    ) {
        self.id = id
        self.title = title
        self.runbook = runbook
        self.patroniRunbook = patroniRunbook
        self.from = from
        self.hold = hold
        self.why = why
    }
}

package struct RunbookStep: Hashable, Sendable, Codable {
    package enum Nodes: String, Hashable, Sendable, Codable, CaseIterable {
        /// Every matching node; the first in the inventory's order; all but the first.
        case all, one, rest
    }

    package struct Target: Hashable, Sendable, Codable {
        package var part: Part
        /// Empty: nodes of any component. A node matches if it runs one of them.
        package var components: [Component]
        package var nodes: Nodes
        /// How many nodes at once; `nil`: all.
        package var atOnce: Int?
        package init(part: Part, components: [Component] = [], nodes: Nodes = .all, atOnce: Int? = nil) {
            self.part = part
            self.components = components
            self.nodes = nodes
            self.atOnce = atOnce
        }
    }

    package struct Until: Hashable, Sendable, Codable {
        package var check: CheckID
        /// Of which site; `nil`: of the step's own node or site.
        package var on: Part?
        package var withinSeconds: Int
        package var limits: Limits
        package init(check: CheckID, on: Part? = nil, withinSeconds: Int, limits: Limits = .init()) {
            self.check = check
            self.on = on
            self.withinSeconds = withinSeconds
            self.limits = limits
        }
    }

    package var id: StepID
    package var title: String?
    package var action: ActionName
    package var target: Target?
    package var after: [StepID]
    package var until: Until?
    package var why: String?
    /// Of `hook` steps: its name in the inventory.
    package var hook: String?
    /// Of `manual` and `confirm` steps: what to do or to answer.
    package var text: String?
    package var onFailure: FailurePolicy
    /// Leave the step out of the plan, visibly, when the inventory has nothing for it (a hook, a canary, a component).
    package var isOptional: Bool
    /// Longest time the action's commands may take; `nil`: the catalogue's.
    package var timeLimitSeconds: Int?

    package init(
        id: StepID, title: String? = nil, action: ActionName, target: Target? = nil, after: [StepID] = [],
        until: Until? = nil, why: String? = nil, hook: String? = nil, text: String? = nil,
        onFailure: FailurePolicy = .halt, isOptional: Bool = false, timeLimitSeconds: Int? = nil
    ) {
        self.id = id
        self.title = title
        self.action = action
        self.target = target
        self.after = after
        self.until = until
        self.why = why
        self.hook = hook
        self.text = text
        self.onFailure = onFailure
        self.isOptional = isOptional
        self.timeLimitSeconds = timeLimitSeconds
    }
}

/// What a failed step means for the run. `continue` only for steps whose blast radius is nothing (the linter holds it).
package enum FailurePolicy: String, Hashable, Sendable, Codable, CaseIterable { case halt, ask, `continue` }

/// The verbs of runbooks; what each does is in ``ActionCatalog``.
package enum ActionName: String, Hashable, Sendable, Codable, CaseIterable {
    case enableMaintenanceMode = "enable-maintenance-mode"
    case disableMaintenanceMode = "disable-maintenance-mode"
    case stopCronJobs = "stop-cron-jobs"
    case startCronJobs = "start-cron-jobs"
    case wait
    case stopApplication = "stop-application"
    case stopDatabase = "stop-database"
    case stopAndDisable = "stop-and-disable"
    case startAndEnable = "start-and-enable"
    case isolateNode = "isolate-node"
    case resumeReplay = "resume-replay"
    case saveDivergence = "save-divergence"
    case confirm
    case promoteNode = "promote-node"
    case setExternalURL = "set-external-url"
    case reconfigure
    case updatePrimaryURL = "update-primary-url"
    case configureSecondary = "configure-secondary"
    case liftBootGuard = "lift-boot-guard"
    case replicateDatabase = "replicate-database"
    case seedStandbyLeader = "seed-standby-leader"
    case seedReplica = "seed-replica"
    case bringNodeBack = "bring-node-back"
    case registerSite = "register-site"
    case resetTracking = "reset-tracking-database"
    case migrateTracking = "migrate-tracking-database"
    case restoreNode = "restore-node"
    case preparePrimary = "prepare-primary"
    case copySecrets = "copy-secrets"
    case copyHostKeys = "copy-host-keys"
    case trustPrimary = "trust-primary"
    case dropSlots = "drop-slots"
    case permitRewind = "permit-rewind"
    case forbidRewind = "forbid-rewind"
    case writeProbe = "write-probe"
    case pushCanary = "push-canary"
    case hook
    case manual
}
