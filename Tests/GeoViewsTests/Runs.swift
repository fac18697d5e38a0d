import GeoCore

/// Runs of the failover: half done, halted, finished. Made from journals, as real ones are.
enum Runs {
    static let anna = Actor(user: "anna", host: "ops-1")
    static let zeroLoss = Finding(
        check: "database.zero-loss", subject: .failover(from: "tokyo", to: "seoul"), verdict: .pass,
        summary: "tokyo shut down at 16/B4750000 and seoul has replayed 16/B4750000: 0 bytes lost")

    /// A journal under construction, with a clock of its own.
    private struct Script {
        var records: [JournalRecord] = []
        var now = Deployment.at(3, 1)
        let plan = Failover.plan

        mutating func write(_ entry: JournalEntry, after seconds: Double = 0) {
            now = now.adding(seconds: seconds)
            records.append(
                JournalRecord(sequence: records.count, at: now, run: Failover.run, previous: nil, entry: entry))
        }

        mutating func start() {
            write(.runStarted(plan: Failover.digest, by: anna, toolVersion: "0.9.0", epoch: 4))
            write(.approved(plan: Failover.digest, by: anna, how: "typed `seoul`"), after: 6)
            write(.driftChecked(before: "announce", drift: []), after: 4)
        }

        mutating func begin(_ step: Step, attempt: Int = 1) {
            write(.stepStarted(step: step.id, attempt: attempt))
            guard !step.commands.isEmpty else { return }
            write(
                .commandStarted(step: step.id, attempt: attempt, index: 0, key: "\(step.id)-\(attempt)-0"), after: 0.2)
        }

        mutating func finish(_ step: Step, attempt: Int = 1, how: JournalEntry.Success = .performed) {
            let seconds = Double(step.expectedSeconds) * 0.8
            if !step.commands.isEmpty, how == .performed {
                write(
                    .commandFinished(
                        step: step.id, attempt: attempt, index: 0, outcome: .exited(status: 0, seconds: seconds),
                        transcript: nil), after: seconds)
            }
            if case .confirmation(_, let answer) = step.operation {
                write(.answered(step: step.id, attempt: attempt, answer: answer, by: anna, how: "typed"), after: 12)
            }
            let findings = step.until.map { until in
                until.check.check == "database.zero-loss"
                    ? zeroLoss
                    : Finding(
                        check: until.check.check, subject: until.check.subject, verdict: .pass,
                        summary: "\(until.check.check) holds for \(until.check.subject)")
            }
            write(
                .stepSucceeded(step: step.id, attempt: attempt, how: how, findings: findings.map { [$0] } ?? []),
                after: 3)
        }

        mutating func perform(upTo group: StepID?) {
            for step in plan.steps.prefix(while: { $0.group != group }) {
                begin(step)
                finish(step)
            }
        }
    }

    /// Fencing: two nodes are done, two are being fenced.
    static var half: [JournalRecord] {
        var script = Script()
        script.start()
        script.perform(upTo: "fence")
        let fence = script.plan.steps.filter { $0.group == "fence" }
        for step in fence.prefix(2) {
            script.begin(step)
            script.finish(step)
        }
        for step in fence[2..<4] { script.begin(step) }
        return script.records
    }

    /// The connection was lost while the database was promoted.
    static var halted: [JournalRecord] {
        var script = Script()
        script.start()
        script.perform(upTo: "promote-database")
        guard let promote = script.plan.step("promote-database") else { return [] }
        script.write(.driftChecked(before: promote.id, drift: []), after: 5)
        script.begin(promote)
        let lost = "seoul-pg-1 has not answered for 120 s; the command goes on there"
        script.write(
            .commandFinished(
                step: promote.id, attempt: 1, index: 0, outcome: .unreachable(text: lost), transcript: nil), after: 120)
        script.write(.stepLeftInDoubt(step: promote.id, attempt: 1, reason: lost))
        script.write(.runHalted(reason: "promote-database is in doubt: \(lost)"))
        return script.records
    }

    /// Halted as above, resumed, and gone through.
    static var finished: [JournalRecord] {
        var script = Script()
        script.records = halted
        script.now = script.records.last?.at ?? script.now
        script.write(.runResumed(by: Actor(user: "ben", host: "ops-2"), toolVersion: "0.9.0", epoch: 5), after: 240)
        guard let promote = script.plan.steps.firstIndex(where: { $0.id == "promote-database" }) else { return [] }
        for step in script.plan.steps[promote...] {
            if step.id == "promote-database" {
                script.finish(step, how: .recovered)
            } else {
                script.begin(step)
                script.finish(step)
            }
        }
        script.write(.runFinished, after: 1)
        return script.records
    }

    static func state(_ records: [JournalRecord], of plan: Plan = Failover.plan) throws -> RunState {
        var state = RunState(plan: plan)
        for record in records { try state.apply(record.entry, at: record.at) }
        return state
    }

    static func report(_ records: [JournalRecord]) throws -> RunReport {
        RunReport(run: Failover.run, digest: Failover.digest, state: try state(records), records: records)
    }
}

extension Step {
    fileprivate var commands: [RemoteCommand] {
        if case .commands(let commands, _, _) = operation { commands } else { [] }
    }
}
