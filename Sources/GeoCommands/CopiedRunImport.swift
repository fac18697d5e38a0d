import FoundationEssentials
import GeoCore
import GeoRuntime

/// Brings a run of another machine here, from the copy on a node.
struct CopiedRunImport {
    let node: Node
    let live: Live
    let state: StateOptions

    /// The named run, or the newest that the node has, from whichever node has most of its journal. What is here already
    /// is kept when it goes further; two journals that contradict each other are nobody's to choose between.
    func fetch(_ name: RunID?) async throws -> RunDirectory {
        let nodes = live.inventory.nodes.filter(\.isManagedByOmnibus)
        let found = try await reaching(node) { () async throws(NodeFailure) in
            try await CopiedRun.all(
                on: nodes, atLeast: node.id, keeper: live.keeper, holder: Settings.actor, boundary: Live.boundary)
        }
        guard let run = name ?? found[node.id]?.keys.max(), found[node.id]?[run] != nil else {
            throw CommandFailure("\(node.id) has no copy of \(name.map { "run \($0)" } ?? "a run")", .badDocument)
        }
        let best = nodes.max { (found[$0.id]?[run] ?? -1) < (found[$1.id]?[run] ?? -1) } ?? node
        let source = (found[best.id]?[run] ?? 0) > (found[node.id]?[run] ?? 0) ? best : node
        if source.id != node.id { Console.say("note: \(source.id) has more of the journal than \(node.id)") }
        let copied = try await reaching(source) { () async throws(NodeFailure) in
            try await CopiedRun.fetch(
                run, from: source, keeper: live.keeper, holder: Settings.actor, boundary: Live.boundary)
        }
        let copy = copied.journal
        let file = try PlanFile(reading: copied.plan)
        let contents = try JournalLine.decode(copy)
        let directory = RunDirectory(run: run, under: state.runsDirectory)
        if FileManager.default.fileExists(atPath: directory.planPath) {
            guard try directory.readPlan().digest == file.digest else {
                throw CommandFailure("\(directory.path) holds another plan than \(source.id) has for \(run)", .refused)
            }
        } else {
            try directory.create(plan: file)
        }
        let own = try directory.wholeJournal(try directory.readJournal())
        let whole = Array(copy.prefix(contents.wholeBytes))
        guard whole.starts(with: own) || own.starts(with: whole) else {
            throw CommandFailure(
                """
                there are two journals of \(run): \(directory.journalPath) and the copy on \(source.id) say different things.
                Nothing was done. Keep the one of whoever held the nodes last (geo-failover status --on-nodes), move the
                other run directory away, and resume again.
                """, .refused)
        }
        if whole.count > own.count { try directory.writeAtomically(whole, to: directory.journalPath) }
        Console.say(
            "\(run) is here, with \(contents.records.count) records from \(source.id)"
                + (contents.tornBytes > 0 ? ", the last one was cut and is dropped" : "")
                + "; transcripts stayed on the other machine")
        return directory
    }

    private func reaching<Value>(_ node: Node, _ body: () async throws(NodeFailure) -> Value) async throws -> Value {
        do throws(NodeFailure) {
            return try await body()
        } catch {
            throw CommandFailure("the copy on \(node.id) cannot be read: \(error.text)", .refused)
        }
    }
}
