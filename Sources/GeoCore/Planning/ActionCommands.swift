/// The argument vectors of actions, per node. No shell text anywhere: what is printed in a plan is what runs.
package enum ActionCommands {
    /// Ruby for `gitlab-rails runner`. The texts are part of the contract with the lab and the sudoers document.
    package enum Ruby {
        package static func maintenanceOn(message: String) -> String {
            let safe = message.filter { $0 != "'" && $0 != "\\" && !$0.isNewline }
            return "::Gitlab::CurrentSettings.update!(maintenance_mode: true, maintenance_mode_message: '\(safe)')"
        }
        package static let maintenanceOff = "::Gitlab::CurrentSettings.update!(maintenance_mode: false)"
        package static let geoCronJobsOnly =
            "Sidekiq::Cron::Job.all.each { |job| %w[geo_metrics_update_worker geo_prune_event_log_worker "
            + "geo_verification_cron_worker repository_check_worker].include?(job.name) ? job.enable! : job.disable! }"
        package static let allCronJobs = "Sidekiq::Cron::Job.all.each(&:enable!)"
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

    package static func commands(_ name: ActionName, on node: Node, message: String, timeLimit: Int) -> [RemoteCommand]
    {
        switch name {
        case .enableMaintenanceMode: [runner(Ruby.maintenanceOn(message: message), timeLimit)]
        case .disableMaintenanceMode: [runner(Ruby.maintenanceOff, timeLimit)]
        case .stopCronJobs: [runner(Ruby.geoCronJobsOnly, timeLimit)]
        case .startCronJobs: [runner(Ruby.allCronJobs, timeLimit)]
        case .stopApplication: stopApplication(node, timeLimit)
        case .stopDatabase: [command(["gitlab-ctl", "stop", "postgresql"], timeLimit)]
        case .stopAndDisable:
            [
                // First the boot, so that a node which dies in between does not come back serving.
                command(["systemctl", "disable", "gitlab-runsvdir"], 60),
                command(["gitlab-ctl", "stop"], timeLimit), kill(nil, timeLimit),
            ]
        case .startAndEnable: start(timeLimit)
        case .promoteNode: promote(timeLimit)
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
        case .wait, .confirm, .hook, .manual, .pushCanary, .isolateNode: []
        }
    }

    package static func undo(_ name: ActionName, on node: Node) -> Reversibility {
        switch name {
        case .enableMaintenanceMode: .reversible(undo: [runner(Ruby.maintenanceOff, 600)])
        case .stopCronJobs: .reversible(undo: [runner(Ruby.allCronJobs, 600)])
        case .stopApplication: .reversible(undo: [command(["gitlab-ctl", "start"], 600)])
        case .stopDatabase: .reversible(undo: [command(["gitlab-ctl", "start", "postgresql"], 600)])
        case .stopAndDisable:
            .reversible(undo: start(600))
        case .promoteNode:
            .irreversible(
                because: "once a node is promoted the sites diverge, and the former primary must be re-seeded")
        // What the program did, only another of the operators' programs can take back.
        case .isolateNode: .reversible(undo: [])
        case .resumeReplay, .startAndEnable, .disableMaintenanceMode, .startCronJobs, .writeProbe, .pushCanary, .wait,
            .confirm, .hook,
            .manual:
            .changesNothing
        }
    }

    private static func start(_ timeLimit: Int) -> [RemoteCommand] {
        [
            command(["systemctl", "enable", "--now", "gitlab-runsvdir"], 60),
            command(["gitlab-ctl", "start"], timeLimit),
        ]
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
        return applicationServices.flatMap {
            [command(["gitlab-ctl", "stop", $0], timeLimit), kill($0, timeLimit)]
        }
    }

    /// What ends a service that ignores TERM: `stop` waits SVWAIT (30 s) for each of them and exits with 1;
    /// `graceful-kill` waits once more and then kills the process group (omnibus-ctl).
    private static func kill(_ service: String?, _ timeLimit: Int) -> RemoteCommand {
        RemoteCommand(
            arguments: ["gitlab-ctl", "graceful-kill"] + (service.map { [$0] } ?? []), timeLimitSeconds: timeLimit,
            condition: .previousFailed, quietSeconds: 60)
    }

    private static func promote(_ timeLimit: Int) -> [RemoteCommand] {
        let reconfigure = ["gitlab-ctl", "reconfigure"]
        return [
            RemoteCommand(
                arguments: [
                    "mv", "-n", "/etc/gitlab/gitlab-cluster.json", "/etc/gitlab/gitlab-cluster.json.empty",
                ],
                timeLimitSeconds: 30, condition: .clusterFileIsEmpty, exitStatus: .mustBeZero),
            RemoteCommand(
                arguments: reconfigure, timeLimitSeconds: timeLimit, condition: .attributeFileIsStub,
                exitStatus: .mustBeZero, quietSeconds: 240),
            RemoteCommand(
                arguments: ["gitlab-ctl", "geo", "promote", "--force"], timeLimitSeconds: timeLimit, quietSeconds: 240),
            RemoteCommand(
                arguments: reconfigure, timeLimitSeconds: timeLimit, condition: .previousSaysNotOK,
                exitStatus: .mustBeZero, quietSeconds: 240),
        ]
    }
}
