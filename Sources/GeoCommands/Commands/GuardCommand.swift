import ArgumentParser
import GeoCore
import GeoDocuments
import GeoRuntime

/// Watching, after a run, for nodes that nobody saw fenced.
struct GuardOptions: ParsableArguments {
    @Option(
        name: .customLong("guard"),
        help: ArgumentHelp(
            "Once the run is finished, how long to watch for nodes that nobody saw fenced, as 10m.",
            discussion: "Default: on a terminal until Ctrl-C; without one not at all: `geo-failover guard` does it."))
    var duration: String?

    func seconds() throws -> Int? { try duration.map { try Self.seconds($0, of: "--guard") } }

    static func seconds(_ text: String, of option: String) throws -> Int {
        guard let seconds = Quantity.seconds(text) else {
            throw CommandFailure("\(option) takes \(Quantity.durationForm), and got `\(text)`", .badDocument)
        }
        return seconds
    }
}

/// `guard`: goes on watching what a finished run could not prove to be fenced.
struct GuardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Watches nodes of a lost site that nobody saw fenced, and fences whichever answers.",
        discussion: """
            For as long as a node is only said to be off, it may come back beside the new primary. At the first contact
            its services are stopped and kept from starting at boot, and the journal says so.
            Exit code 0: every node is seen to be fenced. 4: some are not yet.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @Option(
        name: .customLong("for"),
        help: "How long, as 90s, 10m or 2h. Default: until every node is seen to be fenced, or Ctrl-C.")
    var duration: String?
    @Argument(help: "The run. Default: the newest.") var run: String?

    func run() async throws {
        try await reporting {
            let limit = try duration.map { try GuardOptions.seconds($0, of: "--for") }
            let directory = try state.run(run)
            let session = RunSession(
                directory: directory, file: try directory.readPlan(), isApproved: true, output: format.output,
                command: "geo-failover guard \(directory.run)")
            return try await session.guardFinished(forSeconds: limit)
        }
    }
}
