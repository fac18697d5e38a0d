import ArgumentParser
import GeoCore
import GeoRuntime
import GeoViews

extension InventoryCommand {
    /// A fence that nobody ever tried is a hope. Runs each program with `GEO_FAILOVER_DRY_RUN=1`, and each proof as it is.
    struct TryFences: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "try-fences",
            abstract: "Runs the fences of nodes with GEO_FAILOVER_DRY_RUN=1, and their proofs; isolates nothing.",
            discussion: """
                A program that does not know GEO_FAILOVER_DRY_RUN would isolate the node: read it first, and name the node.
                A proof has to say 1 for a node that is in service. Exit code 2: one of them does not.
                """)
        @OptionGroup var inventory: InventoryOptions
        @Argument(help: "The nodes.") var nodes: [String]

        func run() async throws {
            try await reporting {
                let loaded = try inventory.load()
                var isSound = true
                for name in nodes {
                    guard let node = loaded.node(NodeID(name)) else {
                        throw CommandFailure("the inventory has no node named \(name)", .badDocument)
                    }
                    let fences = loaded.fences(for: node)
                    if fences.isEmpty {
                        Console.result("\(name): no fence covers it")
                        isSound = false
                    }
                    for fence in fences { isSound = try await attempt(fence, node) && isSound }
                }
                return isSound ? .done : .notReady
            }
        }

        private func attempt(_ fence: FenceProgram, _ node: Node) async throws -> Bool {
            let environment = ["GEO_FAILOVER_NODE": node.id.rawValue, "GEO_FAILOVER_DRY_RUN": "1"]
            let run = try await LocalProcess.programs.run(fence.run, environment, fence.timeLimitSeconds)
            let prove = try await LocalProcess.programs.run(fence.prove, environment, fence.timeLimitSeconds)
            func ending(_ status: Int?, _ isTimedOut: Bool) -> String {
                isTimedOut
                    ? "no end within \(fence.timeLimitSeconds) s" : status.map { "exit \($0)" } ?? "ended by a signal"
            }
            let isSound = run.status == 0 && (prove.status == 0 || prove.status == 1)
            Console.result(
                "\(node.id): \(fence.name): run, dry: \(ending(run.status, run.isTimedOut)); prove:"
                    + " \(ending(prove.status, prove.isTimedOut))"
                    + (prove.status == 0 ? " (it says that the node is isolated now)" : isSound ? "" : ", NOT SOUND"))
            for line in Transcript.lines(run.output, last: 3) + Transcript.lines(prove.output, last: 3) {
                Console.result("  " + line)
            }
            return isSound
        }
    }
}
