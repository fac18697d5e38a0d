import ArgumentParser
import GeoCore
import GeoViews

struct RunbookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runbook", abstract: "Lists, checks and explains runbooks and their actions.",
        subcommands: [List.self, Lint.self, Show.self, Explain.self])

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

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: "Says what an action runs, whether it may be repeated, how it is undone.")
        @Argument(help: "The action, such as promote-node.") var action: String

        func run() async throws {
            try await reporting {
                guard let name = ActionName(rawValue: action) else {
                    let known = ActionName.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandFailure("there is no action named \(action); there are \(known)", .badDocument)
                }
                Console.result(
                    ActionView.explain(ActionCatalog.action(name), on: nil, style: Console.style(forResult: true)))
                return .done
            }
        }
    }
}
