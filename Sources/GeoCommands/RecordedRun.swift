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
    /// - Returns: the records that the journal lacks.
    /// - Throws: when a node does not answer and the last records were written on another machine: what that one told the
    ///   node is not known then. This machine's own journal has each command before it is sent.
    mutating func learnFromNodes() async throws -> [JournalEntry] {
        let inventory = state.plan.inventory
        let jobs = try await Live.with(inventory) { live in
            await live.jobs.list(inventory.nodes.filter(\.isManagedByOmnibus))
        }
        let silent = jobs.filter { entry in toldBeforeThePointOfNoReturn.contains(entry.node) && entry.isUnknown }
        guard silent.isEmpty || state.actor?.host == Settings.host else {
            let names = silent.map(\.node.rawValue).joined(separator: ", ")
            throw CommandFailure(
                "this journal is a copy, and \(names) cannot say what the machine before told it to start: what there is"
                    + " to undo is not known. Nothing was done\n  make it answer, then abort again", .refused)
        }
        let missing = Adoption.entries(
            of: directory.run, in: state, known: Set(records.flatMap(\.entry.startedKeys)), jobs: jobs)
        for entry in missing { try state.apply(entry, at: LiveClock.now()) }
        if !missing.isEmpty {
            Console.say("note: the nodes know of commands that this journal lacks; they are counted in")
        }
        return missing
    }

    /// Nodes on which something may have to be undone. Beyond that point there is no way back, and the candidate is looked at.
    private var toldBeforeThePointOfNoReturn: Set<NodeID> {
        Set(
            state.plan.steps.prefix { !$0.isIrreversible }.compactMap { step in
                if case .commands = step.operation { step.node } else { nil }
            })
    }
}

extension NodeJobs {
    fileprivate var isUnknown: Bool { if case .failure = jobs { true } else { false } }
}
