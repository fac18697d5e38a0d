import ArgumentParser
import GeoCore
import GeoDocuments
import GeoRuntime
import GeoViews

/// `watch`: looks again and again, says what changes, and calls a disaster only when several places say so.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Looks again and again, and says when the primary is in trouble.",
        discussion: """
            Looks from this machine and from nodes of the other sites. Changes no node, and never starts a failover.
            A disaster (the primary unreachable from everywhere, its database down, no writable site) is called when
            --looks looks after each other show it and most vantage points of two kinds agree; then it prints what each
            saw, the candidates, and the command to run next: the plan of an unplanned failover lies in the state
            directory by then, in `plans`, where one can be made. It is never executed from here.

            --on-change runs a program for every change that has settled, with GEO_FAILOVER_IS, GEO_FAILOVER_WAS,
            GEO_FAILOVER_DISASTER (yes or no), GEO_FAILOVER_PRIMARY, GEO_FAILOVER_SINCE, GEO_FAILOVER_REASON,
            GEO_FAILOVER_NEXT and GEO_FAILOVER_DEPLOYMENT in its environment; it gets 60 s.

            Exit code with --once: 0 healthy, 2 anything else. With --until-disaster: 2 when one is called. Ctrl-C: 0.
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var format: OutputOptions
    @OptionGroup var state: StateOptions
    @Option(help: "From the start of one look to the start of the next, as 30s or 2m.") var interval = "30s"
    @Option(help: "How many looks after each other have to show a disaster before it is called.") var looks = 3
    @Option(help: "A program to run when the state has changed.") var onChange: String?
    @Flag(help: "Look once and say what this look amounts to.") var once = false
    @Flag(help: "End with exit code 2 when a disaster is called.") var untilDisaster = false
    @Option(help: "The runbook whose limits count for the candidates, by name or path.") var runbook =
        "planned-failover"

    /// A watch must not hang on a silent node for as long as a step may.
    static let connectLimitSeconds = 5

    func validate() throws {
        guard let seconds = WrittenDuration.seconds(interval), seconds > 0 else {
            throw ValidationError("--interval takes \(WrittenDuration.form)")
        }
        guard (1...100).contains(looks) else { throw ValidationError("--looks takes a number from 1 to 100") }
    }

    func run() async throws {
        try await reporting {
            let patient = try inventory.load()
            let inventory = Self.impatient(patient)
            // Read now: when it is needed nobody wants to hear that it cannot be read.
            let unplanned = try Documents.runbook("unplanned-failover")
            let preflight = Preflight(
                inventory: inventory, runbook: try Documents.runbook(runbook), profile: .unplanned)
            return try await Live.with(
                inventory, stateDirectory: state.path, pageLimitSeconds: Self.connectLimitSeconds
            ) { live in
                let program = onChange.map(ChangeProgram.init)
                let drafting = PlanDraft(inventory: patient, runbook: unplanned, stateDirectory: state.path)
                let session = WatchSession(
                    live: live, preflight: preflight, drafting: drafting, stateDirectory: state.path, program: program,
                    isOnce: once, endsWithDisaster: untilDisaster, output: format.output, isVerbose: format.verbose)
                await session.sayWhatIsUnproven()
                let seconds = WrittenDuration.seconds(interval) ?? 30
                let watcher = Watcher(inventory: inventory, interval: .seconds(seconds), clock: live.clock) {
                    await live.observe(inventory.watchScope)
                }
                let state = WatchState(disasterLooks: looks)
                let task = Task { await watcher.run(state) { await session.take($0) } }
                let signals = Signals(saying: "interrupt: the watch ends") { task.cancel() }
                await task.value
                signals.stop()
                await program?.finish()
                return await session.status
            }
        }
    }

    private static func impatient(_ inventory: Inventory) -> Inventory {
        var inventory = inventory
        for site in inventory.sites.indices {
            for node in inventory.sites[site].nodes.indices {
                let limit = inventory.sites[site].nodes[node].access.connectTimeLimitSeconds
                inventory.sites[site].nodes[node].access.connectTimeLimitSeconds = min(limit, connectLimitSeconds)
            }
        }
        return inventory
    }
}
