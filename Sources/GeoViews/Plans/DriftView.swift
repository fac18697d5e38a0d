package import GeoCore

/// What is no longer as the plan was made from, planned and current values side by side.
package enum DriftView {
    /// `run` is the one that met the drift; `nil` when nothing was begun.
    package static func text(_ drift: [Drift], plan: Plan, run: RunID?, style: Style) -> String {
        var page = Page(style)
        guard !drift.isEmpty else {
            page.say("Nothing that the plan stands on has changed.", tone: .good)
            return page.text
        }
        page.say(
            "REFUSED: \(CountText.of(drift.count, "fact")) that the plan stands on \(drift.count == 1 ? "has" : "have")"
                + " changed since \(plan.createdAt.toSeconds) UTC.", tone: .bad)
        page.say(
            run == nil
                ? "Nothing was begun, and nothing was changed."
                : "Nothing was started after this was seen; what the run had done before stays as it is.")
        page.blank()
        var table = Table(header: ["where", "fact", "planned", "now"])
        for fact in drift { table.add(SubjectText.of(fact.subject), fact.fact, fact.planned, fact.now) }
        if table.fits(width: style.width - 2) {
            page.table(table, indent: 2)
        } else {
            for fact in drift { block(fact, &page) }
        }
        let steps = bearing(drift, plan)
        if !steps.isEmpty {
            page.blank()
            page.say("It bears on: \(steps.map(\.rawValue).joined(separator: ", ")).")
        }
        page.blank()
        page.say("Next:", tone: .strong)
        commands(plan, run).forEach { page.literal($0, indent: 2) }
        return page.text
    }

    private static func block(_ fact: Drift, _ page: inout Page) {
        page.say("\(SubjectText.of(fact.subject)): \(fact.fact)", indent: 2)
        page.say(fact.planned, indent: 4, lead: "planned")
        page.say(fact.now, indent: 4, lead: "now    ")
    }

    /// Steps that act on a node whose facts changed.
    private static func bearing(_ drift: [Drift], _ plan: Plan) -> [StepID] {
        let subjects = Set(drift.map(\.subject))
        return plan.steps.filter { $0.node != nil && subjects.contains($0.subject) }.map(\.id)
    }

    private static func commands(_ plan: Plan, _ run: RunID?) -> [String] {
        let again = plan.planCommand
        return (run.map { [NextCommand.status($0)] } ?? []) + [NextCommand.check(from: plan.from, to: plan.to), again]
    }

    package static func json(_ drift: [Drift], plan: Plan, run: RunID?) -> [String] {
        drift.map { fact in
            JSONLine.of(
                .drift,
                DriftBody(
                    run: run, subject: fact.subject.description, fact: fact.fact, planned: fact.planned, now: fact.now,
                    steps: bearing([fact], plan)))
        }
    }
}

private struct DriftBody: Encodable {
    var run: RunID?
    var subject: String
    var fact: String
    var planned: String
    var now: String
    var steps: [StepID]
}
