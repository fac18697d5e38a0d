/// The argument vectors of actions, per node. No shell text anywhere: what is printed in a plan is what runs.
package enum ActionCommands {
    /// Ruby for `gitlab-rails runner`. The texts are part of the contract with the lab and the sudoers document.
    package enum Ruby {
        package static func maintenanceOn(message: String) -> String {
            let safe = message.filter { $0 != "'" && $0 != "\\" && !$0.isNewline }
            return "::Gitlab::CurrentSettings.update!(maintenance_mode: true, maintenance_mode_message: '\(safe)')"
        }
        package static let maintenanceOff = "::Gitlab::CurrentSettings.update!(maintenance_mode: false)"
        package static let silentModeOn = "::Gitlab::CurrentSettings.update!(silent_mode_enabled: true)"
        package static let silentModeOff = "::Gitlab::CurrentSettings.update!(silent_mode_enabled: false)"
        package static let geoCronJobsOnly =
            "Sidekiq::Cron::Job.all.each { |job| %w[geo_metrics_update_worker geo_prune_event_log_worker "
            + "geo_verification_cron_worker repository_check_worker].include?(job.name) ? job.enable! : job.disable! }"
        package static let allCronJobs = "Sidekiq::Cron::Job.all.each(&:enable!)"
        /// As they were before a run: those that were off then are off again, whoever enabled them since.
        package static func cronJobs(leavingOff names: [String]) -> String {
            guard !names.isEmpty else { return allCronJobs }
            return "Sidekiq::Cron::Job.all.each { |job| %w[\(names.joined(separator: " "))].include?(job.name) "
                + "? job.disable! : job.enable! }"
        }
    }

    /// Rewrites a row with its own value: a real write with WAL that changes nothing. Not a table of our own, since
    /// GitLab's schema checker reports tables that it does not know.
    package static let writeProbeSQL =
        "UPDATE application_settings SET updated_at = updated_at "
        + "WHERE id = (SELECT max(id) FROM application_settings)"

    /// Where `geo-replication-pause` keeps the position to promote to (omnibus-gitlab `geo/pitr_file.rb`), without Consul.
    package static let pointInTimeFile = "/var/opt/gitlab/postgresql/data/geo-pitr-file"

    /// Services that make up the application, in the order to stop them: traffic first.
    package static let applicationServices = [
        "nginx", "gitlab-sshd", "gitlab-workhorse", "puma", "gitlab-kas", "gitlab-pages", "registry", "mailroom",
        "sidekiq", "geo-logcursor",
    ]

    /// In a drill: nothing of the promoted site goes out to others (`gitlab-ctl geo promote`, 16.5 and later).
    package static let silently = "--enable-silent-mode"

    /// `edit` is what an action that edits gitlab.rb does to it; without one there is nothing for it to run.
    /// `leavingOff`: cron jobs that are not to be started (``CronJobs``). `divergence`: what ``ActionName/saveDivergence``
    /// saves of; without one there is nothing to run.
    /// `reseeding`: what a re-seed's commands are of.
    package static func commands(
        _ name: ActionName, on node: Node, message: String, timeLimit: Int, edit: ConfigurationEdit? = nil,
        leavingOff: [String] = [], divergence: Divergence? = nil, isDrill: Bool = false,
        reseeding: Reseeding = .example
    ) -> [RemoteCommand] {
        switch name {
        case .configureSecondary, .liftBootGuard, .replicateDatabase, .seedStandbyLeader, .seedReplica, .bringNodeBack,
            .registerSite, .resetTracking, .migrateTracking, .restoreNode:
            commands(name, reseeding, timeLimit: timeLimit) ?? []
        case .preparePrimary, .copySecrets, .copyHostKeys, .trustPrimary:
            preparing(name, reseeding, edit: edit, timeLimit: timeLimit)
        case .dropSlots: drop(reseeding.slotsToDrop, timeLimit: timeLimit)
        case .permitRewind: [permission(RewindRights.grant, timeLimit)]
        case .forbidRewind: [permission(RewindRights.revoke, timeLimit)]
        case .enableMaintenanceMode: [runner(Ruby.maintenanceOn(message: message), timeLimit)]
        case .disableMaintenanceMode: [runner(Ruby.maintenanceOff, timeLimit)]
        case .stopCronJobs: [runner(Ruby.geoCronJobsOnly, timeLimit)]
        case .startCronJobs: [runner(Ruby.cronJobs(leavingOff: leavingOff), timeLimit)]
        case .stopApplication: stopApplication(node, timeLimit)
        case .stopDatabase: [command(["gitlab-ctl", "stop", "postgresql"], timeLimit)]
        case .stopAndDisable:
            [
                // First the boot, so that a node which dies in between does not come back serving.
                command(["systemctl", "disable", bootUnit], 60),
                command(["systemctl", "mask", bootUnit], 60),
                command(["gitlab-ctl", "stop"], timeLimit), kill(nil, timeLimit),
            ]
        case .startAndEnable: start(timeLimit)
        case .promoteNode: promote(timeLimit, isDrill)
        case .writeProbe:
            [
                RemoteCommand(
                    arguments: ["gitlab-psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", writeProbeSQL],
                    timeLimitSeconds: timeLimit, exitStatus: .mustBeZero, quietSeconds: 5)
            ]
        case .resumeReplay:
            [
                // Goes on replaying first and clears the file last; where its rake step fails, the file stays.
                command(["gitlab-ctl", "geo-replication-resume"], timeLimit),
                command(["mv", "-n", pointInTimeFile, pointInTimeFile + ".set-aside"], 30),
            ]
        case .setExternalURL: edit?.commands(timeLimit: timeLimit) ?? []
        case .reconfigure: [reconfigure(timeLimit)]
        case .updatePrimaryURL: [updatePrimaryURL(timeLimit)]
        case .saveDivergence:
            divergence.map {
                [DivergenceProgram($0, parts: DivergenceProgram.Part.of(node)).command(timeLimit: timeLimit)]
            } ?? []
        case .wait, .confirm, .hook, .manual, .pushCanary, .isolateNode: []
        }
    }

    package static func undo(
        _ name: ActionName, on node: Node, edit: ConfigurationEdit? = nil, leavingOff: [String] = [],
        reseeding: Reseeding = .example
    ) -> Reversibility {
        switch name {
        case .configureSecondary, .liftBootGuard, .replicateDatabase, .seedStandbyLeader, .seedReplica, .bringNodeBack,
            .registerSite, .resetTracking, .migrateTracking, .restoreNode:
            undo(name, reseeding) ?? .changesNothing
        case .preparePrimary, .copySecrets, .copyHostKeys, .trustPrimary, .dropSlots: undoPreparing(name, reseeding)
        case .permitRewind: .reversible(undo: [permission(RewindRights.revoke, 60)])
        case .setExternalURL: .reversible(undo: (edit?.undo ?? []) + [reconfigure(1800)])
        // With the former line in gitlab.rb and applied, the same task writes the former URL.
        case .updatePrimaryURL: .reversible(undo: [updatePrimaryURL(600)])
        case .enableMaintenanceMode: .reversible(undo: [runner(Ruby.maintenanceOff, 600)])
        case .stopCronJobs: .reversible(undo: [runner(Ruby.cronJobs(leavingOff: leavingOff), 600)])
        case .stopApplication: .reversible(undo: [command(["gitlab-ctl", "start"], 600)])
        case .stopDatabase: .reversible(undo: [command(["gitlab-ctl", "start", "postgresql"], 600)])
        case .stopAndDisable:
            .reversible(undo: start(600))
        case .promoteNode:
            .irreversible(
                because: "once a node is promoted the sites diverge, and the former primary must be re-seeded")
        // What the program did, only another of the operators' programs can take back.
        case .isolateNode: .reversible(undo: [])
        // What it made is an archive: it stays.
        case .reconfigure, .resumeReplay, .saveDivergence, .startAndEnable, .disableMaintenanceMode, .startCronJobs,
            .writeProbe,
            .pushCanary, .wait, .forbidRewind, .confirm, .hook, .manual:
            .changesNothing
        }
    }

    /// The unit that starts runit, and with it every service of GitLab.
    ///
    /// Disabled alone it comes back with the next reconfigure that writes it anew, as after an upgrade of the package:
    /// the recipe enables and starts it (omnibus-gitlab `package/recipes/runit_systemd.rb`), and so does whoever types
    /// `systemctl start`. Masked, both are refused (systemctl(1)). The recipe keeps its file in `/usr/lib/systemd/system`;
    /// where somebody has put one into `/etc/systemd/system`, `mask` refuses, and disabled is all that it is.
    static let bootUnit = "gitlab-runsvdir"

    /// Takes the guard of ``ActionName/stopAndDisable`` off a node: has to come before anything that enables or starts its
    /// services. Starts nothing itself, and does no harm where there is no guard.
    package static func liftBootGuard() -> [RemoteCommand] { [command(["systemctl", "unmask", bootUnit], 60)] }

    private static func start(_ timeLimit: Int) -> [RemoteCommand] {
        liftBootGuard() + [
            command(["systemctl", "enable", "--now", bootUnit], 60),
            command(["gitlab-ctl", "start"], timeLimit),
        ]
    }

    private static func reconfigure(_ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-ctl", "reconfigure"], timeLimitSeconds: timeLimit, exitStatus: .mustBeZero,
            quietSeconds: 240)
    }

    /// GitLab before 17 knows the task by its old name only.
    package static func updatePrimaryURL(_ timeLimit: Int, isOld: Bool = false) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-rake", (isOld ? "" : "gitlab:") + "geo:update_primary_node_url"],
            timeLimitSeconds: timeLimit, exitStatus: .mustBeZero, quietSeconds: 120)
    }

    private static func command(_ arguments: [String], _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(arguments: arguments, timeLimitSeconds: timeLimit)
    }

    private static func runner(_ code: String, _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-rails", "runner", code], timeLimitSeconds: timeLimit, exitStatus: .mustBeZero,
            quietSeconds: 120)
    }

    /// `gitlab-ctl stop` alone where nothing but the application runs; else service by service, since `gitlab-ctl
    /// stop a b` ignores all names after the first (omnibus-ctl).
    private static func stopApplication(_ node: Node, _ timeLimit: Int) -> [RemoteCommand] {
        let application: Set<Component> = [.rails, .sidekiq, .logcursor, .monitoring]
        if node.components.allSatisfy(application.contains) {
            return [command(["gitlab-ctl", "stop"], timeLimit), kill(nil, timeLimit)]
        }
        return applicationServices.flatMap { stop($0, timeLimit) }
    }

    static func stop(_ service: String, _ timeLimit: Int) -> [RemoteCommand] {
        [command(["gitlab-ctl", "stop", service], timeLimit), kill(service, timeLimit)]
    }

    /// What ends a service that ignores TERM: `stop` waits SVWAIT (30 s) for each of them and exits with 1;
    /// `graceful-kill` waits once more and then kills the process group (omnibus-ctl).
    private static func kill(_ service: String?, _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-ctl", "graceful-kill"] + (service.map { [$0] } ?? []), timeLimitSeconds: timeLimit,
            condition: .previousFailed, quietSeconds: 60)
    }

    private static func promote(_ timeLimit: Int, _ isDrill: Bool) -> [RemoteCommand] {
        let reconfigure = ["gitlab-ctl", "reconfigure"]
        let promotion = ["gitlab-ctl", "geo", "promote", "--force"] + (isDrill ? [silently] : [])
        return [
            RemoteCommand(
                arguments: [
                    "mv", "-n", "/etc/gitlab/gitlab-cluster.json", "/etc/gitlab/gitlab-cluster.json.empty",
                ],
                timeLimitSeconds: 30, condition: .clusterFileIsEmpty, exitStatus: .mustBeZero),
            RemoteCommand(
                arguments: reconfigure, timeLimitSeconds: timeLimit, condition: .attributeFileIsStub,
                exitStatus: .mustBeZero, quietSeconds: 240),
            // Zero proves nothing; with anything else it did nothing, or stopped half way (gitlab-ctl-behaviour.md 3.1).
            // On a node without database or Rails nothing that can be looked at tells the two apart.
            RemoteCommand(
                arguments: promotion, timeLimitSeconds: timeLimit, exitStatus: .mustBeZero, quietSeconds: 240),
            RemoteCommand(
                arguments: reconfigure, timeLimitSeconds: timeLimit, condition: .previousSaysNotOK,
                exitStatus: .mustBeZero, quietSeconds: 240),
        ]
    }
}
