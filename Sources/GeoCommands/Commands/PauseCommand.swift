import ArgumentParser
import GeoCore
import GeoRuntime

/// `pause`: lets a run that another terminal executes stop at the next step.
struct PauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Lets a run on this machine halt between steps; resume goes on.",
        discussion: "As Ctrl-C in the terminal that executes it: nothing new is started, what is in flight is finished."
    )

    @OptionGroup var state: StateOptions
    @Option(help: "Why; kept in the journal and the report.") var reason: String
    @Argument(help: "The run. Default: the newest.") var run: String?

    func run() async throws {
        try await reporting {
            let directory = try state.run(run)
            if let lock = try directory.lock() {
                withExtendedLifetime(lock) {}
                throw CommandFailure(
                    "no process on this machine executes \(directory.run), so there is nothing to pause"
                        + "\n  geo-failover status \(directory.run)", .refused)
            }
            let words = reason.split(whereSeparator: \.isNewline).joined(separator: " ")
            try directory.requestPause("\(Settings.user) paused it: \(words)")
            Console.result(
                "\(directory.run) will halt at the next step.\n  go on: geo-failover resume \(directory.run)")
            return .done
        }
    }
}
