import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews

/// `status`: where a run is, what is safe, which command comes next.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says where a run is, what is safe, and which command comes next.")

    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @Flag(help: "One line, to paste into a chat.") var short = false
    @Flag(help: "Print the commands that put the former primary back into service, while that is possible.")
    var undo = false
    @Flag(help: "Ask the nodes of the inventory who holds them; needs no run on this machine.") var onNodes = false
    @OptionGroup var inventory: InventoryOptions
    @Argument(help: "The run. Default: the newest.") var run: String?

    func run() async throws {
        try await reporting {
            if onNodes { return try await showHolders() }
            let recorded = try RecordedRun(try state.run(run))
            let (name, now) = (recorded.directory.run, LiveClock.now())
            if format.output == .json {
                Console.result(StatusView.json(name, recorded.state, now: now))
            } else if undo {
                Console.result(StatusView.undo(name, recorded.state, style: Console.style(forResult: true)))
            } else if short {
                Console.result(StatusView.short(name, recorded.state, now: now))
            } else {
                Console.result(
                    StatusView.text(name, recorded.state, now: now, style: Console.style(forResult: true)))
                if let lock = try recorded.directory.lock() {
                    withExtendedLifetime(lock) {}
                } else {
                    Console.result("A process on this machine is executing it now.")
                }
            }
            return .done
        }
    }
}

extension StatusCommand {
    fileprivate func showHolders() async throws -> ExitStatus {
        let inventory = try inventory.load()
        let holders = try await Live.with(inventory) { live in
            await LeaseKeeper.holders(
                of: inventory, keeper: live.keeper, boundary: Live.boundary, asking: Settings.actor)
        }
        if format.output == .json {
            for line in HoldersView.json(holders) { Console.result(line) }
        } else {
            Console.result(HoldersView.text(holders, style: Console.style(forResult: true)))
        }
        return .done
    }
}

/// `report`: what a run was.
struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Prints what a run was: timeline, RTO and RPO reached, decisions, waivers.")

    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @Argument(help: "The run. Default: the newest.") var run: String?

    func run() async throws {
        try await reporting {
            let recorded = try RecordedRun(try state.run(run))
            let report = RunReport(
                run: recorded.directory.run, digest: recorded.digest, state: recorded.state, records: recorded.records)
            switch format.output {
            case .json: for line in ReportView.json(report) { Console.result(line) }
            case .text, .markdown: Console.result(ReportView.markdown(report))
            }
            return .done
        }
    }
}
