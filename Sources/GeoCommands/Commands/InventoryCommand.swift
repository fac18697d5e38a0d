import ArgumentParser
import GeoCore
import GeoViews

struct InventoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inventory", abstract: "Checks and shows the inventory; trusts a node's host key.",
        subcommands: [Check.self, Show.self, Trust.self, TryFences.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Says everything that is wrong with the file, with line and column.")
        @OptionGroup var inventory: InventoryOptions
        @Argument(help: "The inventory file.") var path: String?

        func run() async throws {
            try await reporting {
                var options = inventory
                if let path { options.path = path }
                let loaded = ConfigurationFiles.read(try options.load())
                let troubles = ConfigurationFiles.troubles(loaded)
                guard troubles.isEmpty else {
                    throw CommandFailure(troubles.joined(separator: "\n"), .badDocument)
                }
                Console.result(
                    "\(options.resolvedPath): \(loaded.sites.count) sites, \(loaded.nodes.count) nodes, no errors")
                return .done
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows sites, nodes, components, and how each node is reached.")
        @OptionGroup var inventory: InventoryOptions
        @OptionGroup var format: OutputOptions
        @Argument(help: "The inventory file.") var path: String?

        func run() async throws {
            try await reporting {
                var options = inventory
                if let path { options.path = path }
                let loaded = try options.load()
                switch format.output {
                case .json: for line in InventoryView.json(loaded) { Console.result(line) }
                case .text, .markdown: Console.result(InventoryView.text(loaded, style: Console.style(forResult: true)))
                }
                return .done
            }
        }
    }

    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trust",
            abstract: "Shows a node's host key fingerprints and, when its name is typed, adds them to known_hosts.",
            discussion: "Compare them with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the node's console.")
        @OptionGroup var inventory: InventoryOptions
        @Argument(help: "The node.") var node: String
        @Option(help: "Let the node be known by the keys of this one, too, which it is about to be given.") var sameAs:
            String?

        func run() async throws {
            try await reporting {
                let loaded = try inventory.load()
                func named(_ name: String) throws -> Node {
                    guard let node = loaded.node(NodeID(name)) else {
                        throw CommandFailure("the inventory has no node named \(name)", .badDocument)
                    }
                    return node
                }
                let trust = HostKeyTrust(node: try named(node))
                if let sameAs { return try await trust.ask(sameAs: try named(sameAs)) }
                return try await trust.ask()
            }
        }
    }
}
