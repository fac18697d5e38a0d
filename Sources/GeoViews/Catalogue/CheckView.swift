package import GeoCore

/// The catalogue of checks, to look up what a name asks and what it compares with.
package enum CheckView {
    package static func list(_ checks: [Check], style: Style) -> String {
        var page = Page(style)
        var table = Table(header: ["check", "question"])
        for check in checks { table.add(check.id.rawValue, check.question) }
        if checks.isEmpty { page.say("There are no checks.") } else { page.table(table) }
        return page.text
    }

    package static func explain(_ check: Check, style: Style) -> String {
        var page = Page(style)
        page.say("\(check.id) (of a \(check.scope.rawValue))", tone: .strong)
        page.say(check.question, indent: 2)
        page.blank()
        var table = Table()
        table.add("why", check.rationale)
        table.add("source", check.source)
        table.add(
            "waiver",
            check.isInvariant ? "cannot be waived: it holds up a promise of the tool" : "can be waived, with a reason")
        page.table(table, indent: 2)
        guard !check.limits.isEmpty else { return page.text }
        page.blank()
        page.say("Limits, which a runbook may set:", indent: 2)
        var limits = Table()
        for limit in check.limits { limits.add(limit.name, LimitText.of(limit.value, limit.unit), limit.meaning) }
        page.table(limits, indent: 4)
        return page.text
    }

    package static func json(_ checks: [Check]) -> [String] {
        checks.map { JSONLine.of(.check, CheckBody($0)) }
    }
}

private struct CheckBody: Encodable {
    struct Limit: Encodable {
        var name: String
        var value: Int
        var unit: String
        var meaning: String
    }
    var check: CheckID
    var scope: Check.Scope
    var question: String
    var rationale: String
    var source: String
    var limits: [Limit]
    var isInvariant: Bool

    init(_ check: Check) {
        self.check = check.id
        self.scope = check.scope
        self.question = check.question
        self.rationale = check.rationale
        self.source = check.source
        self.limits = check.limits.map {
            Limit(name: $0.name, value: $0.value, unit: $0.unit.rawValue, meaning: $0.meaning)
        }
        self.isInvariant = check.isInvariant
    }
}
