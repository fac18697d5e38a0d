import GeoCore
import GeoRuntime

/// A run as its files tell it; needs no inventory, no runbook and no network.
struct RecordedRun {
    let directory: RunDirectory
    let digest: Digest
    private(set) var state: RunState
    let records: [JournalRecord]

    /// `isQuiet`: without a word about a line that a crash, or a process that is writing, left torn.
    init(_ directory: RunDirectory, isQuiet: Bool = false) throws {
        let file = try directory.readPlan()
        let contents = try directory.readJournal()
        var state = RunState(plan: file.plan)
        for record in contents.records { try state.apply(record.entry, at: record.at) }
        if contents.tornBytes > 0, !isQuiet {
            Console.say("note: the last line of the journal is torn; `resume` drops it")
        }
        self.directory = directory
        self.digest = file.digest
        self.state = state
        self.records = contents.records
    }
}

extension RecordedRun {
    /// Joins to the state what nodes were told to start and the journal does not know: where it is a copy, the machine
    /// that sent those commands may be lost with the last records. Changes nothing on nodes.
    ///
    /// - Returns: the records that the journal lacks. A node that does not answer is named to the operator, since what it
    ///   knows stays unknown.
    mutating func learnFromNodes() async throws -> [JournalEntry] {
        let inventory = state.plan.inventory
        let jobs = try await Live.with(inventory) { live in
            await live.jobs.list(inventory.nodes.filter(\.isManagedByOmnibus))
        }
        for entry in jobs {
            guard case .failure(let reason) = entry.jobs else { continue }
            Console.say(
                "note: \(entry.node) does not say what it was told to start (\(reason)); what this journal lacks of it is"
                    + " not known")
        }
        let missing = Adoption.entries(
            of: directory.run, in: state, known: Set(records.flatMap(\.entry.startedKeys)), jobs: jobs)
        for entry in missing { try state.apply(entry, at: LiveClock.now()) }
        if !missing.isEmpty {
            Console.say("note: the nodes know of commands that this journal lacks; they are counted in")
        }
        return missing
    }
}
