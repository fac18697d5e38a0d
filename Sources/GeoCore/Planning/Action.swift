/// What a verb of the runbooks does, decided here and nowhere else: commands, whether they may be repeated, how they
/// are undone, whom they can hurt.
package struct Action: Sendable {
    /// What the action is done to; the linter refuses a step whose `on:` does not fit.
    package enum Reach: String, Sendable, Hashable {
        /// One step per node.
        case node
        /// One step; the author names no node.
        case run
    }

    package var name: ActionName
    package var reach: Reach
    /// One line for `runbook explain`.
    package var summary: String
    package var source: String
    /// Which nodes it may be sent to; `nil`: any.
    package var components: Set<Component>?
    /// The site that it makes sense on; `nil`: either.
    package var part: Part?
    package var repeatability: Repeatability
    package var effect: BlastRadius.Effect
    package var effectText: String
    package var expectedSeconds: Int
    package var timeLimitSeconds: Int

    package init(
        name: ActionName, reach: Reach, summary: String, source: String, components: Set<Component>? = nil,
        part: Part? = nil, repeatability: Repeatability = .idempotent, effect: BlastRadius.Effect,
        effectText: String, expectedSeconds: Int, timeLimitSeconds: Int
    ) {
        self.name = name
        self.reach = reach
        self.summary = summary
        self.source = source
        self.components = components
        self.part = part
        self.repeatability = repeatability
        self.effect = effect
        self.effectText = effectText
        self.expectedSeconds = expectedSeconds
        self.timeLimitSeconds = timeLimitSeconds
    }

    /// The site that it makes sense on in a run of that kind: a re-seed writes to the primary that it copies from, and stops
    /// and starts the site that it copies to.
    package func part(in scenario: Scenario) -> Part? {
        guard scenario == .reseed else { return part }
        return switch name {
        case .writeProbe: .from
        case .stopAndDisable, .startAndEnable: .to
        default: part
        }
    }

    package func fits(_ node: Node) -> Bool {
        guard let components else { return true }
        return node.components.contains(where: components.contains)
    }
}

/// Every verb. Closed: a new ``ActionName`` does not compile until it is described here.
package enum ActionCatalog {
    package static var all: [Action] { ActionName.allCases.map(action) }

    package static func action(_ name: ActionName) -> Action {
        switch name {
        case .enableMaintenanceMode, .disableMaintenanceMode, .stopCronJobs, .startCronJobs: application(name)
        case .stopApplication, .stopDatabase, .stopAndDisable, .startAndEnable, .isolateNode: stopping(name)
        case .promoteNode, .writeProbe, .pushCanary, .resumeReplay: promoting(name)
        case .setExternalURL, .reconfigure, .updatePrimaryURL: configuring(name)
        case .saveDivergence: savingDivergence
        case .configureSecondary, .liftBootGuard, .replicateDatabase, .seedStandbyLeader, .seedReplica, .bringNodeBack,
            .registerSite, .resetTracking, .migrateTracking, .restoreNode:
            reseeding(name)
        case .preparePrimary, .copySecrets, .copyHostKeys, .trustPrimary, .dropSlots: preparing(name)
        case .permitRewind, .forbidRewind: rewinding(name)
        case .wait, .confirm, .hook, .manual: other(name)
        }
    }

    private static func application(_ name: ActionName) -> Action {
        switch name {
        case .enableMaintenanceMode:
            Action(
                name: name, reach: .node, summary: "Turns GitLab's Maintenance Mode on, by one Rails node.",
                source: cite(.plannedFailover, .maintenanceMode), components: [.rails], part: .from, effect: .readOnly,
                effectText: "users can read; pushes and edits are refused", expectedSeconds: 40, timeLimitSeconds: 600)
        case .disableMaintenanceMode:
            Action(
                name: name, reach: .node, summary: "Turns GitLab's Maintenance Mode off, by one Rails node.",
                source: cite(.maintenanceMode), components: [.rails],
                effect: .none, effectText: "users can write again", expectedSeconds: 40, timeLimitSeconds: 600)
        case .stopCronJobs:
            Action(
                name: name, reach: .node,
                summary: "Disables every Sidekiq cron job but the four that Geo needs to finish.",
                source: cite(.plannedFailover, .geoTasks), components: [.rails], part: .from, effect: .degraded,
                effectText: "periodic background work stops", expectedSeconds: 40, timeLimitSeconds: 600)
        default:
            Action(
                name: name, reach: .node,
                summary: "Enables every Sidekiq cron job but those that were off before the run.",
                source: cite(.plannedFailover, .geoTasks), components: [.rails], effect: .none,
                effectText: "periodic background work runs", expectedSeconds: 40, timeLimitSeconds: 600)
        }
    }

    private static func stopping(_ name: ActionName) -> Action {
        switch name {
        case .stopApplication:
            Action(
                name: name, reach: .node, summary: "Stops Puma, Workhorse, NGINX, Sidekiq and the log cursor.",
                source: cite(.disasterRecovery, .shutdown), components: [.rails, .sidekiq, .logcursor], part: .from,
                effect: .outage, effectText: "nobody can use the site", expectedSeconds: 20, timeLimitSeconds: 600)
        case .stopDatabase:
            Action(
                name: name, reach: .node,
                summary: "Stops PostgreSQL cleanly: it sends its last WAL to the standby and writes a checkpoint.",
                source: cite(.disasterRecovery, .shutdown), components: [.postgresql], part: .from, effect: .outage,
                effectText: "the site has no database", expectedSeconds: 20, timeLimitSeconds: 600)
        case .startAndEnable:
            Action(
                name: name, reach: .node, summary: "Starts every service, and lets them start at boot again.",
                source: cite(.serviceControl), part: .from, effect: .none,
                effectText: "the node serves again", expectedSeconds: 30, timeLimitSeconds: 600)
        case .isolateNode:
            Action(
                name: name, reach: .node,
                summary: "Runs the inventory's fences for a node that does not answer, in order, until one is proved.",
                source: cite(.promise(1), .disasterRecovery), part: .from, effect: .outage,
                effectText: "the node is cut off or switched off, by a program of the inventory",
                expectedSeconds: 60, timeLimitSeconds: 600)
        default:
            Action(
                name: name, reach: .node,
                summary:
                    "Stops every service and keeps everything and everybody from starting them: at boot, by systemctl.",
                source: cite(.disasterRecovery, .serviceControl, .bootUnit), part: .from,
                effect: .outage, effectText: "the node serves nothing, also after a reboot", expectedSeconds: 20,
                timeLimitSeconds: 600)
        }
    }

    private static func promoting(_ name: ActionName) -> Action {
        switch name {
        case .promoteNode:
            Action(
                name: name, reach: .node,
                summary: "Runs gitlab-ctl geo promote, with a reconfigure where its own cannot be believed.",
                source: cite(.disasterRecovery, .promote),
                components: Set(Component.allCases.filter(\.isPromoted)), part: .to, effect: .outage,
                effectText: "the node's services restart", expectedSeconds: 120, timeLimitSeconds: 1800)
        case .writeProbe:
            Action(
                name: name, reach: .node,
                summary: "Writes one unchanged value to application_settings, to prove that the database takes writes.",
                source: cite(.decision("0004-write-probe-rewrites-a-setting")), components: [.postgresql, .patroni],
                part: .to, effect: .none,
                effectText: "one row is rewritten with its own value", expectedSeconds: 2, timeLimitSeconds: 60)
        case .resumeReplay:
            Action(
                name: name, reach: .node,
                summary: "Lets a paused standby replay what it has received, and removes the point-in-time file.",
                source: cite(.disasterRecovery, .promote), components: [.postgresql], part: .to, effect: .none,
                effectText: "the candidate catches up", expectedSeconds: 30, timeLimitSeconds: 600)
        default:
            Action(
                name: name, reach: .run, summary: "Pushes an empty commit to the canary repository of the inventory.",
                source: cite(.promise(2)), part: .to, effect: .none, effectText: "one commit in the canary repository",
                expectedSeconds: 10, timeLimitSeconds: 120)
        }
    }

    private static func configuring(_ name: ActionName) -> Action {
        switch name {
        case .setExternalURL:
            Action(
                name: name, reach: .node,
                summary:
                    "Replaces the line of /etc/gitlab/gitlab.rb that sets external_url, and keeps the file before it.",
                source: cite(.disasterRecovery, .configuration), part: .to, effect: .none,
                effectText: "nothing changes before the node is reconfigured", expectedSeconds: 5,
                timeLimitSeconds: 60)
        case .updatePrimaryURL:
            Action(
                name: name, reach: .node, summary: "Writes the site's new URL into Geo's tables, by one Rails node.",
                source: cite(.disasterRecovery, .geoTasks), components: [.rails], part: .to, effect: .none,
                effectText: "secondaries send users to the new URL", expectedSeconds: 40, timeLimitSeconds: 600)
        default:
            Action(
                name: name, reach: .node,
                summary: "Applies gitlab.rb. Alone, unlike inside a promotion, it exits honestly.",
                source: cite(.serviceControl),
                effect: .degraded, effectText: "services of one node after the other restart", expectedSeconds: 120,
                timeLimitSeconds: 1800)
        }
    }

    private static let savingDivergence = Action(
        name: .saveDivergence, reach: .node,
        summary: "Saves what only a fenced former primary has, in an archive on its own nodes; changes nothing else.",
        source: cite(.decision("0019-what-is-saved-of-a-divergence"), .bringPrimaryBack, .waldump),
        components: [.postgresql, .patroni, .gitaly, .rails, .sidekiq], effect: .none,
        effectText: "disks of a site that serves nobody are read and filled", expectedSeconds: 600,
        timeLimitSeconds: 14_400)

    private static func other(_ name: ActionName) -> Action {
        switch name {
        case .wait:
            Action(
                name: name, reach: .run, summary: "Waits until a check holds.",
                source: cite(.decision("0001-yaml-over-a-closed-catalogue")), effect: .none,
                effectText: "nothing", expectedSeconds: 30, timeLimitSeconds: 0)
        case .confirm:
            Action(
                name: name, reach: .run, summary: "Asks the operator to type the name of the site to promote.",
                source: cite(.promise(1)), effect: .none, effectText: "nothing", expectedSeconds: 30,
                timeLimitSeconds: 0)
        case .hook:
            Action(
                name: name, reach: .run, summary: "Runs a program that the inventory registers.",
                source: cite(.decision("0001-yaml-over-a-closed-catalogue")),
                repeatability: .once(because: "the tool does not know what the program does"),
                effect: .degraded, effectText: "what the program does", expectedSeconds: 30, timeLimitSeconds: 120)
        default:
            Action(
                name: name, reach: .run, summary: "A person does something; a check tells whether it was done.",
                source: cite(.decision("0001-yaml-over-a-closed-catalogue")), effect: .degraded,
                effectText: "what the person does", expectedSeconds: 300,
                timeLimitSeconds: 0)
        }
    }
}
