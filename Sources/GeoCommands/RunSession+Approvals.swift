import GeoCore
import GeoRuntime

/// Who has to agree before a run begins.
extension RunSession {
    /// What begins, answered with the name of the site that it happens to.
    var question: OperatorPrompt.Question {
        let plan = file.plan
        let (text, site): (String, SiteID) =
            switch plan.scenario {
            case .planned, .unplanned, .failback:
                ("This takes \(plan.from) out of service. Type the name of the site to leave to begin.", plan.from)
            case .abort: ("This puts \(plan.from) back into service. Type its name to begin.", plan.from)
            case .reseed:
                (
                    plan.runbookName == AbortPlanner.name
                        ? "This leaves \(plan.to) as it was. Type its name to begin."
                        : "This brings \(plan.to) back as a secondary of \(plan.from). Type the name of the site that comes"
                            + " back to begin.", plan.to
                )
            case .dropSlots: ("This drops replication slots of \(plan.from). Type its name to begin.", plan.from)
            case .changeURL:
                (
                    "This gives \(plan.to) the URL \(plan.inventory.site(plan.to)?.url ?? ""). Type its name"
                        + " to begin.", plan.to
                )
            }
        return .init(step: "start", text: text, expected: site.rawValue)
    }

    var gate: ApprovalGate {
        ApprovalGate(plan: file, signatures: Signatures(programs: LocalProcess.programs), now: LiveClock.now())
    }

    /// A run that goes on stands on the signatures that it began with, verified again; those that the journal lacks.
    /// `words` are given up with this resumption, and need signatures of their own.
    func signatures(
        of records: [JournalRecord], _ state: RunState, words: String?
    ) async throws -> [JournalEntry] {
        guard file.plan.inventory.approvals != nil else { return [] }
        let recorded = records.compactMap { record in
            if case .signed(let one) = record.entry { one } else { nil }
        }
        let kept = try ApprovalFile.beside(directory.planPath).map(ApprovalFile.read)
        let known = recorded.map(\.approval)
        let all = known + (kept + approvals).filter { !known.contains($0) }
        var signed = try await gate.check(all, isStart: state.phase == .ready)
        if let words { signed += try await gate.check(all, isStart: true, words: words) }
        return signed.filter { !recorded.contains($0) }.map { .signed(approval: $0) }
    }
}
