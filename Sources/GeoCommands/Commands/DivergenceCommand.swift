import ArgumentParser
import GeoCore
import GeoRuntime
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
        subcommands: [List.self, Compare.self, Commands.self, Program.self])

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
                let pair = try DivergenceCommand.sites(from, to, inventory)
                let divergence = try await Live.with(inventory) { live in
                    try await DivergenceCommand.divergence(of: pair, live)
                }
                let nodes = pair.old.nodes.filter { one in
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
    }

    struct Compare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compare", abstract: "Prints the saved refs that the new primary does not have, by project.",
            discussion: """
                Reads the refs that were saved on the Gitaly nodes of the former primary, and asks those of the new one
                whether their repositories have what they name. Needs the right to execute on both. Exit code 2: something
                is missing there, or could not be told.
                """)
        @OptionGroup var inventory: InventoryOptions
        @OptionGroup var format: OutputOptions
        @Option(help: "The former primary.") var from: String
        @Option(help: "The site that was promoted.") var to: String

        func run() async throws {
            try await reporting {
                let inventory = try inventory.load()
                let pair = try DivergenceCommand.sites(from, to, inventory)
                let found = try await Live.with(inventory) { live in
                    let divergence = try await DivergenceCommand.divergence(of: pair, live)
                    return try await Self.compare(divergence, pair.old, pair.new, live)
                }
                if format.output == .json {
                    for line in DivergenceView.json(found.diverged, projects: found.projects) { Console.result(line) }
                } else {
                    Console.result(
                        DivergenceView.text(
                            found.diverged, of: found.count, projects: found.projects, new: pair.new.id,
                            style: Console.style(forResult: true)))
                }
                return found.diverged.isEmpty ? .done : .notReady
            }
        }

        private static func compare(
            _ divergence: Divergence, _ old: Site, _ new: Site, _ live: Live
        ) async throws -> (diverged: [DivergedRef], count: Int, projects: [String: String]) {
            let comparer = DivergenceComparer(keeper: live.keeper, boundary: Live.boundary, holder: Settings.actor)
            var refs: [ArchivedRef] = []
            for node in old.nodes(running: .gitaly) {
                switch await comparer.refs(of: divergence.archiveName, on: node) {
                case .success(let more): refs += more
                case .failure(let unknown): throw CommandFailure("\(node.id): \(unknown.reason)", .notReady)
                }
            }
            guard !refs.isEmpty else {
                throw CommandFailure(
                    "no Gitaly node of \(old.id) has saved any ref of \(divergence.archiveName)\n  geo-failover divergence list",
                    .notReady)
            }
            var projects: [String: String] = [:]
            for node in old.databaseNodes {
                switch await comparer.projects(of: divergence.archiveName, on: node) {
                case .success(let more): projects.merge(more) { first, _ in first }
                case .failure(let unknown): Console.say("note: names of projects: \(unknown.reason)")
                }
            }
            return (await comparer.compare(refs, with: new.nodes(running: .gitaly)), refs.count, projects)
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

    private static func sites(_ from: String, _ to: String, _ inventory: Inventory) throws -> (old: Site, new: Site) {
        func site(_ name: String) throws -> Site {
            guard let site = inventory.site(SiteID(name)) else {
                let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
                throw CommandFailure("the inventory has no site named \(name); it has \(known)", .badDocument)
            }
            return site
        }
        return (try site(from), try site(to))
    }

    /// Where the histories part, by a fresh look at both databases.
    private static func divergence(of pair: (old: Site, new: Site), _ live: Live) async throws -> Divergence {
        let (old, new) = pair
        var scope = ObservationScope()
        scope.ask([.controlData, .timelines], of: old.databaseNodes + new.databaseNodes)
        let observation = await live.observe(scope)
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
