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
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var state: StateOptions
    @Option(help: "The site to leave. Default: the observed primary.") var from: String?
    @Option(help: "The site to promote. Default: every other site.") var to: String?
    @Option(help: "Accept one finding of this run: CHECK@SUBJECT=REASON. Recorded; never a wildcard.") var waive:
        [String] = []
    @Option(help: "The runbook whose limits count, by name or path.") var runbook = "planned-failover"
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
            let preflight = Preflight(inventory: inventory, runbook: try Documents.runbook(runbook))
            return try await Live.with(inventory, stateDirectory: state.path) { live in
                let observation = await live.observe(preflight.scope(from: from, to: to), progress: live.progressLine)
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
                waivers: try waivers.bound(to: findings, allPairs: pairs.count > 1))
        }
        switch format.output {
        case .json: for line in FindingsView.json(assessments, now: now) { Console.result(line) }
        case .text, .markdown:
            Console.result(FindingsView.text(assessments, now: now, style: style, isVerbose: format.verbose))
        }
        return assessments.contains(where: \.isReady) ? .done : .notReady
    }
}
