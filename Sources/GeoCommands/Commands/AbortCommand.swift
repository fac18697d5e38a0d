import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews

/// `abort`: before the point of no return, puts the site that was to be left into service again.
struct AbortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "Gives a run up and puts the site that was to be left back into service.",
        discussion: """
            Only before the point of no return; after it, it says what is safe instead. Prints the steps of the way back,
            asks for the site's name, and runs them as a run of its own, each proved by looking, with the same resume,
            status and report. The candidate is looked at before every step: beside a promoted one nothing is started.
            Of a change of the URL it gives the site its former URL back; of a re-seed that has replaced no database yet, it
            leaves the site as it was. Nobody has to approve a way back.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var takeover: TakeoverOptions
    @Flag(help: "Do not ask for the site's name: for places without a terminal.") var yes = false
    @Argument(help: "The run. Default: the newest.") var run: String?

    func validate() throws {
        if takeover.reason?.isEmpty != false {
            throw ValidationError("--reason TEXT is needed: the journal and the report say why the run was given up")
        }
    }

    func run() async throws {
        try await reporting {
            var recorded = try RecordedRun(try state.run(run))
            let (name, plan) = (recorded.directory.run, recorded.state.plan)
            try inventory.refuseOtherDeployment(plan, of: name)
            try refuseWithoutWayBack(name, recorded.state)
            let unknown = try await recorded.learnFromNodes()
            try refuseWithoutWayBack(name, recorded.state)
            guard let runbook = AbortPlanner.runbook(undoing: name, recorded.state, digest: recorded.digest) else {
                Console.result("\(name) changed nothing: \(plan.from) is as it was, and there is nothing to undo.")
                return .done
            }
            let file = try await planned(runbook, plan, undo: AbortPlanner.undo(recorded.state))
            Console.say(
                PlanView.text(
                    file.plan, digest: file.digest, path: name.rawValue, style: Console.style(forResult: false)))
            guard yes || Console.canAsk else {
                throw CommandFailure("nobody is there to be asked: give --yes after reading the steps", .declined)
            }
            let site = [.changeURL, .reseed].contains(plan.scenario) ? plan.to : plan.from
            let back = RunID("\(RunSession.stamp(LiveClock.now()))-back-to-\(site)")
            var session = RunSession(
                directory: RunDirectory(run: back, under: state.runsDirectory), file: file, isApproved: yes,
                output: format.output, takeover: takeover.takeover, command: "geo-failover abort \(name)")
            session.undoing = (recorded.directory, takeover.reason ?? "", unknown)
            return try await session.start()
        }
    }

    private func refuseWithoutWayBack(_ name: RunID, _ state: RunState) throws {
        let status = RunStatus(run: name, state: state)
        if let undoneBy = status.undoneBy {
            throw CommandFailure(
                "\(name) was aborted already; its way back is \(undoneBy)\n  geo-failover status \(undoneBy)", .refused)
        }
        guard status.canGoBack else {
            let text = StatusView.text(name, state, now: LiveClock.now(), style: Console.style(forResult: false))
            throw CommandFailure("there is no way back for \(name). \(status.writability)\n\n\(text)", .refused)
        }
    }

    /// Looks anew: what the way back stands on is what is true now, not what was true when the run began.
    private func planned(
        _ runbook: Runbook, _ plan: Plan, undo: [NodeID: [RemoteCommand]]
    ) async throws -> PlanFile {
        let inventory = AbortPlanner.inventory(plan)
        let isOfNodes = [.changeURL, .reseed].contains(plan.scenario)
        let (id, otherwise): (CheckID, String) =
            switch plan.scenario {
            case .changeURL: ("node.url-editable", "nothing is changed while gitlab.rb of a node cannot be edited")
            case .reseed:
                ("node.no-change-running", "nothing is changed while somebody else changes a node of \(plan.to)")
            case .planned, .unplanned, .failback, .dropSlots, .abort:
                ("candidate.not-promoted", "nothing is started while it is not certain that \(plan.to) is a secondary")
            }
        guard let check = CheckCatalog.check(id) else {
            throw CommandFailure("this release has no check \(id)", .unexpected)
        }
        let pair = Subject.failover(from: plan.from, to: plan.to)
        let contexts = CheckCatalog.subjects(
            of: check, inventory: inventory, from: plan.from, to: plan.to, asked: isOfNodes ? .toNodes : .failover
        ).map { CheckContext(inventory: inventory, subject: $0, from: plan.from, to: plan.to) }
        var scope = LoadBearing.scope(plan)
        for context in contexts { scope.formUnion(check.needs(context)) }
        let observation = try await Live.with(inventory) { [scope] live in
            await live.observe(scope, progress: live.progressLine)
        }
        let findings = contexts.flatMap { check.findings($0, observation) }
        guard Readiness(of: findings).isReady else {
            let assessment = Assessment(subject: pair, findings: findings)
            Console.say(FindingsView.text([assessment], now: LiveClock.now(), style: Console.style(forResult: false)))
            throw CommandFailure(otherwise, .refused)
        }
        return try PlanFile(
            try PlanCommand.plan(
                PlanRequest(
                    inventory: inventory, runbook: runbook, from: plan.from, to: plan.to, observation: observation,
                    findings: findings, waivers: [], cronJobsLeftOff: plan.cronJobsLeftOff ?? [], undo: undo,
                    createdAt: LiveClock.now(),
                    createdBy: "\(Settings.user)@\(Settings.host)", toolVersion: GeoFailover.version)))
    }
}
