import ArgumentParser
import GeoCore
import GeoViews

struct RunbookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runbook", abstract: "Lists, checks and explains runbooks and their actions.",
        subcommands: [List.self, Lint.self, Show.self, Explain.self, Program.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists runbooks and actions.")

        func run() async throws {
            try await reporting {
                Console.result(
                    RunbookView.list(try Runbooks.all(), style: Console.style(forResult: true)))
                return .done
            }
        }
    }

    struct Lint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "lint", abstract: "Says everything that is wrong with a runbook.")
        @Argument(help: "The runbook, by name or path.") var runbook: String

        func run() async throws {
            try await reporting {
                let loaded = try Documents.runbook(runbook)
                Console.result("\(loaded.source.path): \(loaded.steps.count) steps, no errors")
                return .done
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Prints a runbook for reading.")
        @Argument(help: "The runbook, by name or path.") var runbook: String

        func run() async throws {
            try await reporting {
                Console.result(RunbookView.show(try Documents.runbook(runbook)))
                return .done
            }
        }
    }

    struct Program: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "program",
            abstract: "Prints a program that replicate-database runs on the node.",
            discussion: "rewind: first, in a plan with --rewind. copy: where the inventory has a copy_rate.")
        @Argument(help: "Which: rewind or copy.") var which = "rewind"

        func run() async throws {
            try await reporting {
                guard let text = StandbyProgram.all[which] else {
                    let known = StandbyProgram.all.keys.sorted().joined(separator: ", ")
                    throw CommandFailure("there is no program named \(which); there are: \(known)", .badDocument)
                }
                Console.result(text)
                return .done
            }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Says what an action runs, whether it may be repeated, how it is undone.")
        @OptionGroup var inventory: InventoryOptions
        @Option(help: "A node of the inventory, to see the commands that would run there.") var on: String?
        @Argument(help: "The action, such as promote-node.") var action: String

        func run() async throws {
            try await reporting {
                guard let name = ActionName(rawValue: action) else {
                    let known = ActionName.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandFailure("there is no action named \(action); there are \(known)", .badDocument)
                }
                let action = ActionCatalog.action(name)
                Console.result(
                    ActionView.explain(action, on: try node(for: action), style: Console.style(forResult: true)))
                return .done
            }
        }

        /// Without `--on`, a node that has just what the action is for: enough to show what would run.
        private func node(for action: Action) throws -> Node {
            if let on {
                let inventory = try inventory.load()
                guard let node = inventory.node(NodeID(on)) else {
                    throw CommandFailure(
                        "\(inventory.source.path) has no node \(on); it has "
                            + inventory.nodes.map(\.id.rawValue).joined(separator: ", "), .badDocument)
                }
                return node
            }
            let components = Component.allCases.filter { action.components?.contains($0) ?? ($0 == .rails) }
            return Node(
                id: "example", components: components.first.map { [$0] } ?? [.rails],
                access: NodeAccess(
                    address: "example", user: "geo-ops", identity: Identity(usesAgent: true), knownHosts: ""))
        }
    }
}
