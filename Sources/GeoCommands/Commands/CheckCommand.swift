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
            Exit code 0: possible (warnings included). 2: not, or not known. With --output nagios as plugins have it:
            0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; with several candidates the worst counts.

            --for says what it is checked for: planned (nothing may be lost or unknown), unplanned (the site to leave is
            lost: what only it could answer may be unknown, and is counted as loss; of the candidate nothing may be),
            reseed (the site --to is to be seeded anew), drill (planned, and the way back).

            What the primary says is kept in the state directory. When it does not answer any more, the loss is told
            also by that, with its age.
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var format: CheckOutputOptions
    @OptionGroup var state: StateOptions
    @Option(help: "The site to leave. Default: the observed primary.") var from: String?
    @Option(help: "The site to promote. Default: every other site.") var to: String?
    @Option(help: "Accept one finding of this run: CHECK@SUBJECT=REASON. Recorded; never a wildcard.") var waive:
        [String] = []
    @Option(help: "The runbook whose limits count, by name or path.") var runbook = "planned-failover"
    @Option(name: .customLong("for"), help: "planned, unplanned, reseed or drill.") var profile = CheckProfile.planned
    @Flag(help: "List every check.") var list = false
    @Option(help: "Explain one check.") var explain: String?

    func run() async throws {
        try await reporting {
            if list || explain != nil { return try describe() }
            guard format.output == .nagios else { return try await look() }
            do {
                return try await look()
            } catch let code as ExitCode {
                throw code
            } catch {
                // A plugin's exit code 1 would be taken for a warning.
                Console.result(NagiosView.failure((error as? CommandFailure)?.message ?? "\(error)"))
                throw ExitCode(NagiosView.State.unknown.rawValue)
            }
        }
    }

    /// `--list` and `--explain`: the catalogue, without a look at anything.
    private func describe() throws -> ExitStatus {
        let style = Console.style(forResult: true)
        guard let explain else {
            if format.output == .json {
                for line in CheckView.json(CheckCatalog.all) { Console.result(line) }
            } else {
                Console.result(CheckView.list(CheckCatalog.groups, style: style))
            }
            return .done
        }
        guard let check = CheckCatalog.check(CheckID(explain)) else {
            throw CommandFailure("there is no check named \(explain); see geo-failover check --list", .badDocument)
        }
        if format.output == .json {
            for line in CheckView.json([check]) { Console.result(line) }
        } else {
            Console.result(CheckView.explain(check, style: style))
        }
        return .done
    }

    private func look() async throws -> ExitStatus {
        let inventory = try inventory.load()
        let waivers = try Waivers(waive)
        let preflight = Preflight(inventory: inventory, runbook: try Documents.runbook(runbook), profile: profile)
        // Read first: a file that cannot be compared with is no reason to keep twenty nodes busy.
        let before = try format.diff.map { try CheckFiles.load($0, deployment: inventory.deployment) }
        let looking = CheckLook(
            preflight: preflight, waivers: waivers, from: from, to: to,
            memory: CheckMemory(stateDirectory: state.path, deployment: inventory.deployment))
        return try await Live.with(inventory, stateDirectory: state.path) { live in
            if format.watch {
                return try await CheckWatch(look: looking, live: live, format: format).run()
            }
            let seen = try looking.result(of: await looking.observe(live, progress: live.progressLine), live.clock)
            if let path = format.save { try CheckFiles.save(seen.saved, to: path) }
            let presenter = CheckPresenter(format: format)
            presenter.show(seen, since: before)
            if format.output == .nagios {
                let state = NagiosView.state(seen.report)
                if state != .ok { throw ExitCode(state.rawValue) }
                return .done
            }
            return seen.status
        }
    }
}
