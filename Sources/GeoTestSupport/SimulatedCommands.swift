import GeoCore

/// What the argument vectors do, as the real programs do it, lies included.
extension SimulatedState {
    /// Puts a command on its node. The caller has made sure that the key is new there.
    mutating func begin(_ command: RemoteCommand, _ run: RunID, _ key: String, on index: Int, isFailing: Bool) {
        let node = nodes[index]
        note("\(node.node.id) \(key): \(command.shellText)")
        starts["\(node.node.id)/\(run)/\(key)", default: 0] += 1
        changes += 1
        if let other = node.runningJob {
            violations.append("\(node.node.id): \(key) was started while \(other.key) runs")
        }
        var job = SimulatedJob(run: run, key: key, arguments: command.arguments, startedAt: now, stages: [])
        if job.isPromotion { judgePromotion(of: node) }
        if isFailing { job.say("\(command.arguments[0]): failed") }
        for (seconds, act) in isFailing ? [(0.1, .exit(status: 1))] : script(command, node, &job) {
            job.stages.append(.init(at: now.adding(seconds: seconds + node.nextCommandHangsSeconds), act: act))
        }
        nodes[index].nextCommandHangsSeconds = 0
        nodes[index].jobs.append(job)
        follow(index, nodes[index].jobs.count - 1)
        checkPromises()
    }

    private mutating func script(
        _ command: RemoteCommand, _ node: SimulatedNode, _ job: inout SimulatedJob
    ) -> [(Double, SimulatedJob.Act)] {
        let arguments = command.arguments
        switch arguments {
        case ["gitlab-ctl", "stop"]: return stopping(nil, node)
        case ["gitlab-ctl", "graceful-kill"]: return [(30, .kill(service: nil)), (30, .exit(status: 0))]
        case ["gitlab-ctl", "start"]: return [(2, .start(service: nil)), (2, .exit(status: 0))]
        case ["gitlab-ctl", "reconfigure"]:
            return [(1, .beginReconfigure), (8, .endReconfigure(insidePromotion: false))]
        case ["gitlab-ctl", "geo", "promote", "--force"]: return promotion(node, &job, silently: false)
        case ["gitlab-ctl", "geo", "promote", "--force", "--enable-silent-mode"]:
            return promotion(node, &job, silently: true)
        case ["systemctl", "disable", "gitlab-runsvdir"]: return [(1, .disableBoot), (1, .exit(status: 0))]
        case ["systemctl", "mask", "gitlab-runsvdir"]: return [(1, .maskBoot), (1, .exit(status: 0))]
        case ["systemctl", "unmask", "gitlab-runsvdir"]: return [(1, .unmaskBoot), (1, .exit(status: 0))]
        case ["systemctl", "enable", "--now", "gitlab-runsvdir"] where node.isBootMasked:
            job.say("Failed to enable unit: Unit file /etc/systemd/system/gitlab-runsvdir.service is masked.")
            return [(1, .exit(status: 1))]
        case ["systemctl", "enable", "--now", "gitlab-runsvdir"]: return [(1, .enableBoot), (1, .exit(status: 0))]
        case ["mv", "-n", "/etc/gitlab/gitlab-cluster.json", "/etc/gitlab/gitlab-cluster.json.empty"]:
            return [(0.1, .setClusterFileAside), (0.1, .exit(status: 0))]
        case ["gitlab-psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", ActionCommands.writeProbeSQL]:
            return [(0.5, .write)]
        default:
            if arguments.starts(with: ["sh", "-c", DivergenceProgram.text]) {
                return [(30, .save(arguments: arguments)), (30, .exit(status: 0))]
            }
            if let acts = SimulatedReturn.script(command, node, &job) { return acts }
            if let seconds = SimulatedURL.seconds(of: arguments) { return [(seconds, .url(arguments: arguments))] }
            if arguments.count == 3, arguments[0] == "gitlab-ctl", arguments[1] == "stop" {
                return stopping(arguments[2], node)
            }
            if arguments.count == 3, arguments[0] == "gitlab-ctl", arguments[1] == "graceful-kill" {
                return [(30, .kill(service: arguments[2])), (30, .exit(status: 0))]
            }
            if arguments.count == 3, arguments[0] == "gitlab-ctl", arguments[1] == "start" {
                return [(1, .start(service: arguments[2])), (1, .exit(status: 0))]
            }
            if arguments.count == 3, arguments.starts(with: ["gitlab-rails", "runner"]) {
                return [(20, .ruby(arguments[2]))]
            }
            violations.append("\(node.node.id): nobody knows the command \(arguments)")
            return [(0, .exit(status: 127))]
        }
    }

    /// 30 s for each service that does not end, and an exit status that says how many they were.
    private func stopping(_ service: String?, _ node: SimulatedNode) -> [(Double, SimulatedJob.Act)] {
        let left = node.services.count { one in
            one.isRunning && (service == nil || service == one.name)
                && (node.deafServices.contains(one.name) || node.stuckServices.contains(one.name))
        }
        return [(2, .stop(service: service)), (2 + 30 * Double(left), .exit(status: left))]
    }

    private func promotion(
        _ node: SimulatedNode, _ job: inout SimulatedJob, silently: Bool
    ) -> [(Double, SimulatedJob.Act)] {
        let application: Set<Component> = [.rails, .sidekiq, .logcursor, .trackingDB]
        if node.clusterFile == .empty {
            job.say("Error while promoting the current node: Top level JSON object must be a Hash or Array.")
            return [(1, .exit(status: 3))]
        }
        if node.node.components.contains(where: application.contains), node.attributes != .good {
            job.say("Error while promoting the current node: Attributes not found in /opt/gitlab/embedded/nodes")
            return [(1, .exit(status: 3))]
        }
        if node.database != nil, !node.isDatabaseUp {
            job.say("Error while promoting the current node: Unable to check if PostgreSQL is in recovery")
            return [(1, .exit(status: 3))]
        }
        var acts: [(Double, SimulatedJob.Act)] = []
        if node.database != nil { acts.append((2, .promoteDatabase)) }
        if node.node.runs(.rails) { acts.append((2, .switchSite(silently: silently))) }
        return acts + [(3, .beginReconfigure), (14, .endReconfigure(insidePromotion: true)), (15, .exit(status: 0))]
    }

    mutating func perform(_ act: SimulatedJob.Act, _ index: Int, _ job: Int) {
        func say(_ line: String, _ state: inout SimulatedState) { state.nodes[index].jobs[job].say(line) }
        switch act {
        case .stop(let service): stop(service, index)
        case .kill(let service):
            nodes[index].deafServices = nodes[index].deafServices.filter { service != nil && service != $0 }
            stop(service, index)
        case .start(let service): start(service, index)
        case .disableBoot: nodes[index].startsAtBoot = false
        case .maskBoot: nodes[index].isBootMasked = true
        case .unmaskBoot: nodes[index].isBootMasked = false
        case .enableBoot:
            nodes[index].startsAtBoot = true
            // Where runit did not run it starts now, and with it what nobody holds down.
            for service in nodes[index].services.indices where !nodes[index].services[service].isSupervised {
                nodes[index].services[service].isSupervised = true
                if !nodes[index].held.contains(nodes[index].services[service].name) { startService(service, index) }
            }
        case .beginReconfigure:
            nodes[index].attributes = .stub
            say("\u{0D}Running reconfigure to apply changes:", &self)
        case .endReconfigure(let insidePromotion): endReconfigure(index, job, insidePromotion)
        case .install(let file, let path):
            install(file, path, index)
            exit(0, index, job)
        case .bring(let digest, let path):
            nodes[index].configuration.bring(digest, as: path)
            exit(0, index, job)
        case .configure(let arguments): exit(configure(arguments, index), index, job)
        case .reseed(let arguments): exit(reseed(arguments, index, job), index, job)
        case .moveDatabaseAside: moveDatabaseAside(index)
        case .copyDatabase: copyDatabase(index)
        case .exitAfterCopy: exit(nodes[index].isDatabaseUp ? 0 : 1, index, job)
        case .url(let arguments): exit(changeURL(arguments, index), index, job)
        case .promoteDatabase:
            promoteDatabase(index)
            say("The database is successfully promoted!", &self)
        case .switchSite(let silently): switchSite(index, job, silently)
        case .ruby(let code): ruby(code, index, job)
        case .setClusterFileAside:
            if case .valid = nodes[index].clusterFile {
                violations.append("\(nodes[index].node.id): a cluster file that is not empty is set aside")
            }
            nodes[index].clusterFile = .absent
        case .save(let arguments): save(arguments, index)
        case .write:
            let isDone = nodes[index].isWritable
            if isDone { nodes[index].database?.position += 64 }
            say(isDone ? "UPDATE 1" : "ERROR:  cannot execute UPDATE in a read-only transaction", &self)
            exit(isDone ? 0 : 1, index, job)
        case .exit(let status):
            if status == 0, nodes[index].jobs[job].isPromotion {
                nodes[index].isPromoted = true
                say("You successfully promoted the current node!", &self)
            }
            exit(status, index, job)
        }
    }

    mutating func exit(_ status: Int, _ index: Int, _ job: Int) {
        nodes[index].jobs[job].status = status
        nodes[index].jobs[job].endedAt = now
        nodes[index].jobs[job].stages = []
        note("\(nodes[index].node.id) \(nodes[index].jobs[job].key): exit \(status)")
    }

    mutating func stop(_ service: String?, _ index: Int) {
        for position in nodes[index].services.indices {
            let name = nodes[index].services[position].name
            guard service == nil || service == name, !nodes[index].stuckServices.contains(name),
                !nodes[index].deafServices.contains(name)
            else { continue }
            if name == "postgresql", nodes[index].services[position].isRunning { stopDatabaseCleanly(index) }
            if name == "patroni", nodes[index].services[position].isRunning {
                if nodes[index].isDatabaseUp { stopDatabaseCleanly(index) }
                memberStopped(index, cleanly: true)
            }
            nodes[index].services[position].isRunning = false
            if name == "postgresql" { nodes[index].copy.startsAgain = false }
        }
    }

    package mutating func start(_ service: String?, _ index: Int) {
        for position in nodes[index].services.indices {
            let one = nodes[index].services[position]
            guard service == nil || service == one.name, one.isSupervised, !one.isRunning else { continue }
            startService(position, index)
        }
    }

    private mutating func startService(_ position: Int, _ index: Int) {
        let isDatabase = nodes[index].services[position].name == "postgresql"
        if isDatabase, nodes[index].database?.isWhole == false { return }
        if isDatabase, nodes[index].copy.hasForeignSettings {
            nodes[index].copy.startsAgain = true
            return
        }
        nodes[index].services[position].isRunning = true
        if isDatabase {
            nodes[index].copy.startsAgain = false
            databaseStarted(index)
        }
        runPatroni()
    }

    private mutating func endReconfigure(_ index: Int, _ job: Int, _ insidePromotion: Bool) {
        let fails = nodes[index].failingReconfigures > 0 || nodes[index].clusterFile == .empty
        if nodes[index].failingReconfigures > 0 { nodes[index].failingReconfigures -= 1 }
        if fails {
            nodes[index].jobs[job].say("Infra Phase failed. 0 resources updated in 03 seconds")
        } else {
            nodes[index].attributes = .good
            nodes[index].copy.hasForeignSettings = false
            if nodes[index].copy.startsAgain { start("postgresql", index) }
            nodes[index].url?.apply(now)
            nodes[index].configuration.apply()
            if nodes[index].member.isServing { applyStandby(index) }
            if nodes[index].tracking == .none { nodes[index].tracking = .empty }
        }
        if insidePromotion {
            let (colour, word) = fails ? ("31", "NOT OK") : ("32", "OK")
            nodes[index].jobs[job].say("\u{0D}Running reconfigure to apply changes: \u{1B}[\(colour)m\(word)\u{1B}[0m")
        } else {
            exit(fails ? 1 : 0, index, job)
        }
    }

    private mutating func promoteDatabase(_ index: Int) {
        guard nodes[index].isDatabaseUp, nodes[index].database?.isPrimary == false else { return }
        let lost = database(of: from).position > database(of: to).position
        if lost, !isLossAccepted {
            violations.append("\(nodes[index].node.id) was promoted without the last writes of \(from)")
        }
        nodes[index].database?.isPrimary = true
        let position = nodes[index].database?.position
        nodes[index].database?.leftAt = position
        nodes[index].database?.timeline += 1
        nodes[index].database?.position += 64
        note("\(nodes[index].node.id) is writable")
    }

    /// Once saved, an archive stays as it is.
    private mutating func save(_ arguments: [String], _ index: Int) {
        let words = Array(arguments.dropFirst(5))
        guard words.count > 6, let fork = LogPosition(words[4]) else {
            violations.append("\(nodes[index].node.id) was told to save nothing: \(words)")
            return
        }
        guard !nodes[index].archives.contains(where: { $0.name == words[0] }) else { return }
        nodes[index].archives.append(
            DivergenceArchive(
                name: words[0], fork: fork, parts: words.dropFirst(6).map { .init(name: $0, content: "found=1") },
                bytes: 4096, completedAt: now))
    }

    private mutating func switchSite(_ index: Int, _ job: Int, _ silently: Bool) {
        let site = nodes[index].site
        guard isWritable(site) else {
            nodes[index].jobs[job].say("Promoting secondary site to primary site: NOT OK")
            violations.append("\(nodes[index].node.id) runs Rails and was promoted before its database")
            exit(1, index, job)
            return
        }
        let database = databaseIndex(of: site)
        if silently, nodes[database].database?.rows.primary != site { nodes[database].database?.rows.isSilent = true }
        nodes[database].database?.rows.primary = site
        nodes[database].database?.rows.removed.insert(site == from ? to : from)
        nodes[index].clusterFile = .valid(text: #"{"geo_secondary":{"enable":false}}"#)
    }

    private mutating func ruby(_ code: String, _ index: Int, _ job: Int) {
        let site = nodes[index].site
        let database = databaseIndex(of: site)
        guard nodes[database].isWritable else {
            nodes[index].jobs[job].say("PG::ConnectionBad or ReadOnlySqlTransaction")
            // Cron jobs live in Redis.
            let isOfJobs = code.hasPrefix("Sidekiq::Cron::") && nodes[database].isDatabaseUp
            if isOfJobs { runsOrdinaryCronJobs[site] = true }
            exit(isOfJobs ? 0 : 1, index, job)
            return
        }
        switch code {
        case ActionCommands.Ruby.maintenanceOff: nodes[database].database?.rows.isInMaintenanceMode = false
        case ActionCommands.Ruby.geoCronJobsOnly: runsOrdinaryCronJobs[site] = false
        case ActionCommands.Ruby.allCronJobs:
            runsOrdinaryCronJobs[site] = true
            cronJobsOff = []
        case ActionCommands.Ruby.cronJobs(leavingOff: cronJobsOff.sorted()): runsOrdinaryCronJobs[site] = true
        case ActionCommands.Ruby.maintenanceOn(message: "GitLab is moving from \(from) to \(to)."):
            nodes[database].database?.rows.isInMaintenanceMode = true
        case let code where code.hasPrefix("n = GeoNode.find_or_initialize_by(name: "):
            let name = SiteID(String(code.split(separator: "'").dropFirst().first ?? ""))
            nodes[database].database?.rows.removed.remove(name)
        default: violations.append("nobody knows the Ruby text \(code)")
        }
        nodes[database].database?.position += 48
        replicate()
        exit(0, index, job)
    }
}
