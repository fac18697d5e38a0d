package import GeoCore

/// The catalogue of checks, to look up what a name asks and what it compares with.
package enum CheckView {
    package static func list(_ groups: [CheckCatalog.Group], style: Style) -> String {
        var page = Page(style)
        for group in groups where !group.checks.isEmpty {
            page.blank()
            page.say(group.title, tone: .strong)
            var table = Table()
            for check in group.checks { table.add(check.id.rawValue, check.question) }
            page.table(table, indent: 2)
        }
        if groups.allSatisfy(\.checks.isEmpty) { page.say("There are no checks.") }
        return page.text
    }

    package static func explain(_ check: Check, style: Style) -> String {
        var page = Page(style)
        page.say("\(check.id) (of a \(check.scope.rawValue))", tone: .strong)
        page.say(check.question, indent: 2)
        page.blank()
        var table = Table()
        table.add("why", check.rationale)
        table.add("fix", check.remedy)
        table.add("asks", asked(check.coverage))
        table.add("versions", check.versions)
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

    /// `nodes with rails, sidekiq: version, services`, and what else is looked at.
    package static func asked(_ coverage: Check.Coverage) -> String {
        var parts: [String] = []
        if !coverage.components.isEmpty {
            let all = coverage.components.count == Component.allCases.count
            let whom = all ? "every node" : "nodes with \(coverage.components.map(\.rawValue).joined(separator: ", "))"
            parts.append("\(whom): \(coverage.probes.map(\.rawValue).joined(separator: ", "))")
        }
        if coverage.asksURLs { parts.append("the sites' URLs, from the operator's machine") }
        if coverage.asksHere { parts.append("the machine that the tool runs on") }
        if coverage.isSlow { parts.append("an answer starts Rails on a node, 20 to 60 s") }
        return parts.isEmpty ? "nobody: the inventory answers" : parts.joined(separator: "; ")
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
    var remedy: String
    var source: String
    var versions: String
    var components: [Component]
    var probes: [Probe]
    var limits: [Limit]
    var isInvariant: Bool

    init(_ check: Check) {
        let coverage = check.coverage
        self.check = check.id
        self.scope = check.scope
        self.question = check.question
        self.rationale = check.rationale
        self.remedy = check.remedy
        self.source = check.source
        self.versions = check.versions
        self.components = coverage.components
        self.probes = coverage.probes
        self.limits = check.limits.map {
            Limit(name: $0.name, value: $0.value, unit: $0.unit.rawValue, meaning: $0.meaning)
        }
        self.isInvariant = check.isInvariant
    }
}
