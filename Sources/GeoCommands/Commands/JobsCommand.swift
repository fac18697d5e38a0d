import ArgumentParser
import GeoCore
import GeoDocuments
import GeoRuntime
import GeoViews

/// `jobs`: what runs have left on the nodes.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Lists, ends and removes the commands that runs have left on the nodes.",
        discussion: """
            Every command of a run keeps a directory on its node, in /var/lib/geo-failover/jobs: what was started, its
            output, its exit status. It is why nothing is started twice, and the evidence afterwards. Nothing removes it
            but `jobs clean`.
            """,
        subcommands: [JobsListCommand.self, JobsCancelCommand.self, JobsCleanCommand.self])
}

struct JobsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Prints every job on every node: its state, its command.")

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var format: OutputOptions
    @Option(name: .customLong("run"), help: "Only jobs of this run.") var wanted: String?

    func run() async throws {
        try await reporting {
            let inventory = try inventory.load()
            var found = try await Live.with(inventory) { live in
                await live.jobs.list(inventory.nodes.filter(\.isManagedByOmnibus))
            }
            if let wanted {
                found = found.map { entry in
                    NodeJobs(node: entry.node, jobs: entry.jobs.map { $0.filter { $0.run.rawValue == wanted } })
                }
            }
            if format.output == .json {
                for line in JobsView.json(found) { Console.result(line) }
            } else {
                Console.result(JobsView.text(found, style: Console.style(forResult: true)))
            }
            return .done
        }
    }
}

struct JobsCancelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ends the command of a step that is in doubt, with all its processes.",
        discussion: """
            For a command that hangs on its node after the run was interrupted. Only of a step that may be repeated:
            ending a promotion in the middle is refused. The journal says who ended it and why; resume goes on.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var format: OutputOptions
    @Option(help: "Why; kept in the journal and the report.") var reason: String
    @Option(name: .customLong("run"), help: "The run. Default: the newest.") var name: String?
    @Argument(help: "The step, as status names it.") var step: String

    func run() async throws {
        try await reporting {
            let directory = try state.run(name)
            let session = RunSession(
                directory: directory, file: try directory.readPlan(), isApproved: true, output: format.output,
                command: "geo-failover jobs cancel \(step)")
            return try await session.cancel(
                StepID(step), because: reason.split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }
}

struct JobsCleanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "Removes jobs and journal copies of runs that are over from the nodes.",
        discussion: """
            A run is kept while its journal says that it is not over, while anybody holds a node for it, and while one of
            its commands runs. A run whose journal is neither here nor on a node is removed only when --run names it.
            Exit code 4: a node kept something.
            """)

    @OptionGroup var inventory: InventoryOptions
    @OptionGroup var state: StateOptions
    @Option(name: .customLong("older-than"), help: "Only what was last changed longer ago, such as 30d or 12h.")
    var age = "30d"
    @Option(name: .customLong("run"), help: "Only this run.") var wanted: String?
    @Flag(help: "Do not ask: for places without a terminal.") var yes = false

    func run() async throws {
        try await reporting {
            guard let seconds = Quantity.seconds(age) else {
                throw CommandFailure("--older-than takes \(Quantity.durationForm), and got `\(age)`", .badDocument)
            }
            let inventory = try inventory.load()
            return try await Live.with(inventory) { live in
                try await JobsCleaning(
                    live: live, state: state, wanted: wanted.map { RunID($0) }, olderThanSeconds: seconds, yes: yes
                ).run()
            }
        }
    }
}
