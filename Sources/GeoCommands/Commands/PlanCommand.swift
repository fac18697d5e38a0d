import ArgumentParser
import FoundationEssentials
import GeoCore
import GeoRuntime
import GeoViews

/// `plan`: looks, and writes down every step on every node. Touches nothing.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Prints every step on every node, before anything is touched.",
        discussion: """
            Writes the plan to a file that `execute` takes; the file is refused if it is changed by a byte, and
            when the deployment is no longer what the plan was made from. Changes no node.
            Exit code 0: planned. 2: not ready, no plan. 3: the plan would break a promise.
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The runbook, by name or path.") var runbook = "planned-failover"
    @Option(help: "The site to leave. Default: the observed primary.") var from: String?
    @Option(help: "The site to promote. Default: the only other site.") var to: String?
    @Option(name: .customLong("out"), help: "The plan file. Default: FROM-to-TO-TIME.geoplan in the working directory.")
    var out: String?
    @Option(help: "Accept one finding of this run: CHECK@SUBJECT=REASON. Recorded; never a wildcard.") var waive:
        [String] = []
    @Option(
        help: ArgumentHelp(
            "Vouch that a node of the lost site, which does not answer, can write nothing: NODE[,NODE]=WHAT WAS DONE TO IT.",
            discussion: "Recorded with your name, shown in every later output, and outranked by what can be seen."))
    var attest: [String] = []
    @Option(
        help: ArgumentHelp(
            "A check that fails and that a step of the runbook mends.",
            discussion: "replication.not-paused (unplanned-failover); database.seed-source, secrets.equal,"
                + " ssh-host-keys.equal, database.trusts-primary (reseed-secondary). May be given again."))
    var repair: [String] = []
    @Flag(
        help: ArgumentHelp(
            "Of reseed-secondary: try pg_rewind before a whole copy.",
            discussion: "Only what was written since the histories part is copied. Where it fails, the copy follows.")
    )
    var rewind = false
    @Option(help: "Of drop-slots: a slot of the primary that nobody uses any more. May be given again.") var slot:
        [String] = []

    @Option(help: "Of change-url: the URL that the site to go to takes over. Default: that of the other site.") var url:
        String?
    @Flag(
        help: ArgumentHelp(
            "Practise: a real failover, promoted in Silent Mode and checked for the way back.",
            discussion: "Nothing of the promoted site goes out to others until Silent Mode is turned off. GitLab 16.5.")
    )
    var drill = false

    func run() async throws {
        try await reporting {
            let chosen = try Documents.runbook(runbook)
            var inventory = try renamed(try inventory.load(), chosen.scenario)
            let (runbook, from, to, stage) = try await staged(chosen, inventory)
            if runbook.scenario == .reseed { inventory = ConfigurationFiles.read(inventory) }
            if !slot.isEmpty, runbook.scenario != .dropSlots {
                throw CommandFailure("--slot is for slots that are dropped: plan drop-slots", .badDocument)
            }
            if rewind, runbook.scenario != .reseed {
                throw CommandFailure(
                    "--rewind is for a site that is seeded anew: plan reseed-secondary", .badDocument)
            }
            try refuseUnreadableSecrets(inventory, runbook.scenario)
            let waivers = try Waivers(waive)
            let profile = drill ? .drill : runbook.scenario.profile
            let preflight = Preflight(inventory: inventory, runbook: runbook, profile: profile)
            var scope = preflight.scope(from: from, to: to)
            if runbook.scenario == .unplanned { scope.formUnion(preflight.lossScope(from: from, to: to)) }
            if runbook.scenario == .dropSlots {
                // Whose the slots are.
                scope.ask([.database, .controlData], of: inventory.sites.flatMap(\.databaseNodes))
            }
            if repair.contains("database.seed-source") {
                // The lines of gitlab.rb that the repair changes.
                scope.ask([.geoSettings], of: inventory.sites.flatMap(\.databaseNodes))
            }
            let observation = try await Live.with(inventory, stateDirectory: state.path) { [scope] live in
                await live.observe(scope, progress: live.progressLine)
            }
            let memory = CheckMemory(stateDirectory: state.path, deployment: inventory.deployment)
            // What was known before this look: it may be the last one that a primary answers.
            let lastKnown = runbook.scenario == .unplanned ? memory.load() : nil
            memory.learn(from: observation, of: inventory)
            let pairs = try preflight.pairs(from: from, to: to, observation)
            guard let pair = pairs.first, pairs.count == 1 else {
                let names = pairs.map { "--from \($0.from) --to \($0.to)" }.joined(separator: "\n  ")
                throw CommandFailure("which failover? one of\n  \(names)", .badDocument)
            }
            let findings = preflight.findings(pair, observation)
            let bound = try waivers.bound(to: findings, allPairs: false)
            let repairs = try Repairs.of(repair, runbook, findings)
            var accepted = preflight.accepted(findings, pair, observation)
            for finding in findings where repairs.contains(finding.check) {
                accepted[finding] = "a step of the plan mends it"
            }
            let assessment = Assessment(
                subject: .failover(from: pair.from, to: pair.to), findings: findings,
                profile: profile, accepted: accepted, waivers: bound)
            guard assessment.isReady else {
                Console.say(
                    FindingsView.text([assessment], now: LiveClock.now(), style: Console.style(forResult: false)))
                throw CommandFailure("no plan was made: the deployment is not ready", .notReady)
            }
            let request = PlanRequest(
                inventory: inventory, runbook: runbook, from: pair.from, to: pair.to, observation: observation,
                findings: findings, waivers: bound,
                attestations: try Attestations.of(attest, site: pair.from, in: inventory, observation),
                repairs: repairs, rewinds: rewind, slots: slot, stage: stage,
                configurationChanges: try await configurationChanges(inventory, runbook, pair.to, observation),
                lastKnown: lastKnown, isDrill: drill,
                createdAt: LiveClock.now(),
                createdBy: "\(Settings.user)@\(Settings.host)", toolVersion: GeoFailover.version)
            let plan = try Self.plan(request)
            try await refuseUnknownHostKeys(plan)
            try write(PlanFile(plan))
            return .done
        }
    }

    /// With the URL that the site is to have, for a runbook that changes it: everything after this asks about that one.
    private func renamed(_ inventory: Inventory, _ scenario: Scenario) throws -> Inventory {
        guard scenario == .changeURL else {
            guard url == nil else {
                throw CommandFailure("--url is for a change of the URL: plan change-url", .badDocument)
            }
            return inventory
        }
        guard let from, let to, let other = inventory.site(SiteID(from)),
            let index = inventory.sites.firstIndex(where: { $0.id.rawValue == to })
        else {
            let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
            throw CommandFailure(
                "which site takes over the URL of which other? --from OTHER --to PRIMARY, of \(known)", .badDocument)
        }
        var renamed = inventory
        let new = url ?? other.url
        if let reason = SiteURL.whyNot(new) {
            throw CommandFailure("\(new) cannot be the URL of a site: \(reason)", .badDocument)
        }
        renamed.sites[index].url = new
        return renamed
    }

    /// A password that cannot be read here is better missed now than with everything stopped.
    private func refuseUnreadableSecrets(_ inventory: Inventory, _ scenario: Scenario) throws {
        guard scenario == .reseed, let reference = inventory.replication?.password else { return }
        do {
            _ = try Secrets.read(reference)
        } catch {
            throw CommandFailure(
                "the password in replication of \(inventory.source.path) cannot be read: \(error)", .badDocument)
        }
    }

    static func plan(_ request: PlanRequest) throws -> Plan {
        do throws(PlanRefusal) {
            return try Planner.plan(request)
        } catch {
            throw CommandFailure(
                "no plan was made:\n" + error.reasons.map { "  - \($0)" }.joined(separator: "\n"), .refused)
        }
    }

    private func write(_ file: PlanFile) throws {
        let path = out ?? Self.defaultPath(file.plan)
        do {
            try Data(file.bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandFailure("the plan could not be written to \(path): \(error)", .unexpected)
        }
        switch format.output {
        case .text:
            Console.result(
                PlanView.text(file.plan, digest: file.digest, path: path, style: Console.style(forResult: true)))
        case .markdown: Console.result(PlanSheet.markdown(file.plan, digest: file.digest))
        case .json: Console.result(String(decoding: file.bytes, as: UTF8.self))
        }
        Console.say("plan \(file.digest.short) written to \(path)")
    }

    private static func defaultPath(_ plan: Plan) -> String {
        "\(plan.from)-to-\(plan.to)-\(RunSession.stamp(plan.createdAt)).geoplan"
    }
}
