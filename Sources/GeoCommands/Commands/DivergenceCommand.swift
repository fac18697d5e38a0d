import ArgumentParser
import GeoCore
import GeoViews

/// `divergence`: what only a former primary has, and what was saved of it.
struct DivergenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "divergence", abstract: "What only a former primary has: what was saved of it, and how.",
        discussion: """
            After an unplanned failover the former primary holds writes and pushes that nobody else has. Before its data is
            set aside, the step save-divergence collects them on its own nodes, in \(DivergenceArchive.base):
            WAL, rows, repositories, files, with a manifest. People reconcile them; nothing is ever replayed by itself.
            All subcommands change no node.
            """,
        subcommands: [List.self, Commands.self, Program.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Prints every archive on every node: whether it is complete, its size.",
            discussion: "Exit code 2: an archive is not complete, or a node could not be asked.")
        @OptionGroup var inventory: InventoryOptions
        @OptionGroup var format: OutputOptions

        func run() async throws {
            try await reporting {
                let inventory = try inventory.load()
                var scope = ObservationScope()
                scope.ask([.divergence], of: inventory.nodes)
                let observation = try await Live.with(inventory) { [scope] live in await live.observe(scope) }
                let nodes = inventory.nodes.filter { scope.probes[$0.id] != nil }
                let found = nodes.map { (node: $0.id, archives: observation[$0.id].divergence) }
                if format.output == .json {
                    for line in DivergenceView.json(found) { Console.result(line) }
                } else {
                    Console.result(DivergenceView.text(found, style: Console.style(forResult: true)))
                }
                let isWhole = found.allSatisfy { $0.archives.value?.allSatisfy { $0.completedAt != nil } == true }
                return isWhole ? .done : .notReady
            }
        }
    }

    struct Commands: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "commands", abstract: "Prints what saves the divergence, node by node, to run by hand.",
            discussion: """
                For a re-seed that is done without this tool. What it prints is what the step save-divergence runs, whole,
                so that it can be copied to any machine that reaches the nodes.
                """)
        @OptionGroup var inventory: InventoryOptions
        @Option(help: "The former primary.") var from: String
        @Option(help: "The site that was promoted.") var to: String
        @Option(help: "Only for this node.") var node: String?

        func run() async throws {
            try await reporting {
                let inventory = try inventory.load()
                let pair = try [from, to].map { name in
                    guard let site = inventory.site(SiteID(name)) else {
                        let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
                        throw CommandFailure("the inventory has no site named \(name); it has \(known)", .badDocument)
                    }
                    return site
                }
                var scope = ObservationScope()
                scope.ask([.controlData, .timelines], of: pair.flatMap(\.databaseNodes))
                let observation = try await Live.with(inventory) { [scope] live in await live.observe(scope) }
                let divergence = try Self.divergence(of: pair[0], left: pair[1], observation)
                let nodes = pair[0].nodes.filter { one in
                    !DivergenceProgram.Part.of(one).isEmpty && (node.map { NodeID($0) == one.id } ?? true)
                }
                guard !nodes.isEmpty else {
                    throw CommandFailure("\(node ?? from) has nothing to save", .badDocument)
                }
                let limit = ActionCatalog.action(.saveDivergence).timeLimitSeconds
                let commands = nodes.flatMap { node in
                    ActionCommands.commands(
                        .saveDivergence, on: node, message: "", timeLimit: limit, divergence: divergence
                    ).map { (node: node, command: $0) }
                }
                Console.result(DivergenceView.commands(divergence, commands))
                return .done
            }
        }

        private static func divergence(of old: Site, left new: Site, _ observation: Observation) throws -> Divergence {
            switch Divergence.between(old, new, in: observation) {
            case .parted(let divergence) where divergence.old == old.id: return divergence
            case .parted(let divergence):
                throw CommandFailure(
                    "it is \(divergence.old) that went on alone: --from \(divergence.old) --to \(divergence.new)", .refused)
            case .together(let timeline):
                throw CommandFailure(
                    "both databases are on timeline \(timeline): neither went on alone, and there is nothing to save",
                    .refused)
            case .unknown(let reason):
                throw CommandFailure("where the histories part is not known: \(reason)", .notReady)
            }
        }
    }

    struct Program: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "program", abstract: "Prints the program that the step save-divergence runs.")

        func run() async throws {
            try await reporting {
                Console.result(DivergenceProgram.text)
                return .done
            }
        }
    }
}
