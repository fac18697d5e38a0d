import GeoCore

/// Commands and waits that went on beyond their limit (promise 11), by the journal alone.
enum Overdue {
    /// Steps that run side by side share the one virtual clock: the pauses and hangs of each are time for all.
    private static let allowance = 300.0
    /// A command that its node cannot end is given up so long after its limit.
    private static let patience = 120.0

    static func found(in records: [JournalRecord], of plan: Plan) -> [String] {
        var found: [String] = []
        /// When what a step waits for began; a process that goes on begins anew.
        var since: [StepID: Timestamp] = [:]
        var resumed = Timestamp(milliseconds: 0)
        func judge(_ id: StepID, _ record: JournalRecord, limit: Double, _ what: String) {
            let began = max(since[id] ?? record.at, resumed)
            let seconds = record.at.seconds(since: began)
            if seconds > limit + allowance {
                found.append("\(what) of \(id) took \(Int(seconds)) s, and has \(Int(limit)) s")
            }
            since[id] = record.at
        }
        for record in records {
            switch record.entry {
            case .runStarted, .runResumed: resumed = record.at
            case .stepStarted(let step, _), .commandStarted(let step, _, _, _), .commandSkipped(let step, _, _, _),
                .answered(let step, _, _, _, _):
                since[step] = record.at
            case .commandFinished(let step, _, let index, _, _):
                judge(step, record, limit: limit(of: index, plan.step(step)), "command \(index)")
            case .stepSucceeded(let step, _, _, _), .stepFailed(let step, _, _, _), .stepLeftInDoubt(let step, _, _):
                judge(step, record, limit: Double(plan.step(step)?.until?.withinSeconds ?? 0), "the proof")
            default: break
            }
        }
        return found
    }

    private static func limit(of index: Int, _ step: Step?) -> Double {
        switch step?.operation {
        case .commands(let commands, _, _): Double(commands[index].timeLimitSeconds) + patience
        case .hook(_, _, let limit), .pushCanary(_, let limit): Double(limit)
        case .isolation(_, let programs): programs.reduce(0) { $0 + 2 * Double($1.timeLimitSeconds) }
        case .confirmation, .manual, .wait, nil: 0
        }
    }
}
