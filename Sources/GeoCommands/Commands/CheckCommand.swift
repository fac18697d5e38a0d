import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews

/// `check`: reads, and says whether a failover is possible now.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says whether a failover is possible now, and what must be fixed first.",
        discussion: """
            Without --from and --to every failover from the observed primary is judged. Changes no node.
            Exit code 0: possible (warnings included). 2: not, or not known.

            --for says what it is checked for: planned (nothing may be lost or unknown), unplanned (the site to leave is
            lost: what only it could answer may be unknown, and is counted as loss; of the candidate nothing may be),
            reseed (the site --to is to be seeded anew), drill (planned, and the way back).
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var state: StateOptions
    @Option(help: "The site to leave. Default: the observed primary.") var from: String?
    @Option(help: "The site to promote. Default: every other site.") var to: String?
    @Option(help: "Accept one finding of this run: CHECK@SUBJECT=REASON. Recorded; never a wildcard.") var waive:
        [String] = []
    @Option(help: "The runbook whose limits count, by name or path.") var runbook = "planned-failover"
    @Option(name: .customLong("for"), help: "planned, unplanned, reseed or drill.") var profile = CheckProfile.planned
    @Flag(help: "List every project that would be lost, not only those pushed last.") var lossDetail = false
    @Flag(help: "List every check.") var list = false
    @Option(help: "Explain one check.") var explain: String?

    func run() async throws {
        try await reporting {
            let style = Console.style(forResult: true)
            if list {
                switch format.output {
                case .json: for line in CheckView.json(CheckCatalog.all) { Console.result(line) }
                case .text, .markdown: Console.result(CheckView.list(CheckCatalog.groups, style: style))
                }
                return .done
            }
            if let explain {
                guard let check = CheckCatalog.check(CheckID(explain)) else {
                    throw CommandFailure(
                        "there is no check named \(explain); see geo-failover check --list", .badDocument)
                }
                switch format.output {
                case .json: for line in CheckView.json([check]) { Console.result(line) }
                case .text, .markdown: Console.result(CheckView.explain(check, style: style))
                }
                return .done
            }
            let inventory = try inventory.load()
            let waivers = try Waivers(waive)
            let preflight = Preflight(
                inventory: inventory, runbook: try Documents.runbook(runbook), profile: profile)
            return try await Live.with(inventory, stateDirectory: state.path) { live in
                var scope = preflight.scope(from: from, to: to)
                scope.formUnion(preflight.lossScope(from: from, to: to))
                let observation = await live.observe(scope, progress: live.progressLine)
                let status = try judge(preflight, waivers, observation, now: live.clock.now(), style)
                LastCheck.remember(observation.endedAt, in: state.path)
                return status
            }
        }
    }

    private func judge(
        _ preflight: Preflight, _ waivers: Waivers, _ observation: Observation, now: Timestamp, _ style: Style
    ) throws -> ExitStatus {
        let pairs = try preflight.pairs(from: from, to: to, observation)
        let assessments = try pairs.map { pair in
            let findings = preflight.findings(pair, observation)
            return Assessment(
                subject: .failover(from: pair.from, to: pair.to), findings: findings,
                profile: profile, accepted: preflight.accepted(findings, pair, observation),
                waivers: try waivers.bound(to: findings, allPairs: pairs.count > 1))
        }
        // In text the loss stands last, where it is still on the screen; for programs a verdict is the last line.
        let losses = profile == .reseed ? [] : pairs
        if format.output == .json {
            for pair in losses { say(lossOf: pair, in: preflight.inventory, observation, now, style) }
            say(rankingOf: losses, preflight, observation, style)
        }
        switch format.output {
        case .json: for line in FindingsView.json(assessments, now: now) { Console.result(line) }
        case .text, .markdown:
            Console.result(FindingsView.text(assessments, now: now, style: style, isVerbose: format.verbose))
        }
        if format.output != .json {
            for pair in losses { say(lossOf: pair, in: preflight.inventory, observation, now, style) }
        }
        if format.output != .json { say(rankingOf: losses, preflight, observation, style) }
        return assessments.contains(where: \.isReady) ? .done : .notReady
    }

    /// Only where there is a choice: several sites that could take over from one.
    private func say(
        rankingOf pairs: [Preflight.Pair], _ preflight: Preflight, _ observation: Observation, _ style: Style
    ) {
        guard pairs.count > 1, to == nil, Set(pairs.map(\.from)).count == 1 else { return }
        let ranking = preflight.ranking(from: pairs[0].from, observation)
        if format.output == .json {
            for line in WatchView.json(ranking) { Console.result(line) }
        } else {
            Console.result(WatchView.ranking(ranking, style: style))
        }
    }

    private func say(
        lossOf pair: Preflight.Pair, in inventory: Inventory, _ observation: Observation, _ now: Timestamp,
        _ style: Style
    ) {
        let loss = LossStatement(
            inventory: inventory, from: pair.from, to: pair.to, observation: observation)
        switch format.output {
        case .json: Console.result(LossView.json(loss, profile: profile))
        case .text, .markdown:
            Console.result(LossView.text(loss, now: now, style: style, isDetailed: lossDetail))
        }
    }
}

extension CheckProfile: ExpressibleByArgument {}
