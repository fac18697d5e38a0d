import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews

/// `purge`: what re-seeds have set aside on the nodes.
struct PurgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "purge", abstract: "Lists what was set aside on the nodes, and removes former databases.",
        discussion: """
            A re-seed moves the former database aside, as data.EPOCH, and keeps gitlab.rb, gitlab-cluster.json and the
            tracking database of before. Nothing removes them but `purge remove`, and that only former databases: once
            they are older than `replication: { keep_former: 7d }` of the inventory, and the site follows the primary
            again with everything copied and verified.
            """,
        subcommands: [List.self, Remove.self])

    static func keptSeconds(_ inventory: Inventory) -> Int {
        inventory.replication?.keepFormerSeconds ?? ReplicationAccess.keptFor
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Prints what is set aside on every node, with its size.",
            discussion: "Changes nothing. Exit code 2: a node could not be asked.")
        @OptionGroup var inventory: InventoryOptions
        @OptionGroup var format: OutputOptions

        func run() async throws {
            try await reporting {
                let inventory = try inventory.load()
                let found = try await Live.with(inventory) { live in
                    await live.jobs.setAside(on: inventory.nodes.filter(\.isManagedByOmnibus), at: LiveClock.now())
                }
                let kept = PurgeCommand.keptSeconds(inventory)
                if format.output == .json {
                    for line in SetAsideView.json(found, keptSeconds: kept) { Console.result(line) }
                } else {
                    Console.result(SetAsideView.text(found, keptSeconds: kept, style: Console.style(forResult: true)))
                }
                return found.allSatisfy { $0.known.value != nil } ? .done : .notReady
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Removes former databases of a site that follows the primary again.",
            discussion: """
                It looks first: the site streams from the primary, and every item is copied and verified. It asks for the
                name of each node. The node itself goes on with the removal, which may take long; `purge list` shows it
                until it is over. Exit code 2: the site is not ready for it. Exit code 4: a node kept something.
                """)
        @OptionGroup var inventory: InventoryOptions
        @Option(help: "The primary.") var from: String
        @Option(help: "The site whose former databases are removed.") var to: String
        @Option(
            help: "The name of a node, instead of typing it: for places without a terminal. Repeat it for each node.")
        var confirm: [String] = []

        func run() async throws {
            try await reporting {
                let inventory = try inventory.load()
                let (from, to) = (SiteID(from), SiteID(to))
                for site in [from, to] where inventory.site(site) == nil {
                    let known = inventory.sites.map(\.id.rawValue).joined(separator: ", ")
                    throw CommandFailure("the inventory has no site named \(site); it has \(known)", .badDocument)
                }
                return try await Live.with(inventory) { live in
                    try await Purging(live: live, from: from, to: to, confirmed: confirm.map { NodeID($0) }).run()
                }
            }
        }
    }
}
