import GeoCore
import GeoTestSupport
import Testing

/// One line of a table: what is different from a known deployment, and what a check must make of it.
struct CheckCase: Sendable, CustomTestStringConvertible {
    var what: String
    var check: CheckID
    var subject: Subject
    var limits: [String: Int]
    var base: Observation
    var expected: Verdict
    /// Words that the sentence must have: numbers, units, names.
    var says: [String]
    var change: @Sendable (inout Observation) -> Void

    init(
        _ what: String, _ check: CheckID, _ subject: Subject = .failover(from: "tokyo", to: "seoul"),
        on base: Observation = Fixtures.healthy(), limits: [String: Int] = [:], is expected: Verdict,
        says: [String] = [], change: @escaping @Sendable (inout Observation) -> Void = { _ in }
    ) {
        self.what = what
        self.check = check
        self.subject = subject
        self.limits = limits
        self.base = base
        self.expected = expected
        self.says = says
        self.change = change
    }

    var testDescription: String { "\(check): \(what)" }

    var findings: [Finding] {
        var observation = base
        change(&observation)
        return askCheck(check, observation, about: subject, limits: limits)
    }

    func verify(sourceLocation: SourceLocation = #_sourceLocation) {
        let findings = findings
        let summaries = findings.map(\.summary).joined(separator: " | ")
        #expect(findings.worst == expected, "\(summaries)", sourceLocation: sourceLocation)
        for words in says { #expect(summaries.contains(words), "\(summaries)", sourceLocation: sourceLocation) }
        for finding in findings {
            #expect(
                (finding.verdict == .pass) == (finding.remedy == nil), "\(finding.summary)",
                sourceLocation: sourceLocation)
            #expect(finding.remedy != "", "\(finding.summary)", sourceLocation: sourceLocation)
        }
    }
}

extension Subject {
    static func on(_ node: NodeID) -> Subject { .node(id: node) }
    static func at(_ site: SiteID) -> Subject { .site(id: site) }
}

extension Observation {
    /// Replaces one fact of one node with a fresh one.
    mutating func put<Value>(_ fact: WritableKeyPath<NodeFacts, Observed<Value>>, _ value: Value, on node: NodeID) {
        change(node) { $0[keyPath: fact] = Fixtures.seen(value, on: node) }
    }

    mutating func lose<Value>(_ fact: WritableKeyPath<NodeFacts, Observed<Value>>, on node: NodeID) {
        change(node) { $0[keyPath: fact] = .unknown(reason: "garbled") }
    }

    /// Changes a row of `geo_nodes` in the database of a node.
    mutating func row(_ name: String, on node: NodeID, _ change: (inout GeoNodeRow) -> Void) {
        guard var facts = self[node].geo.value, let index = facts.nodes.firstIndex(where: { $0.name == name }) else {
            return
        }
        change(&facts.nodes[index])
        put(\.geo, facts, on: node)
    }

    mutating func geo(on node: NodeID, _ change: (inout GeoFacts) -> Void) {
        guard var facts = self[node].geo.value else { return }
        change(&facts)
        put(\.geo, facts, on: node)
    }

    mutating func tracking(_ change: (inout TrackingFacts) -> Void) {
        guard var facts = self["seoul-geo-1"].tracking.value else { return }
        change(&facts)
        put(\.tracking, facts, on: "seoul-geo-1")
    }

    mutating func registry(_ type: String, _ change: (inout RegistryCounts) -> Void) {
        tracking { facts in
            guard var counts = facts.registries[type] else { return }
            change(&counts)
            facts.registries[type] = counts
        }
    }

    mutating func service(_ name: String, on node: NodeID, _ change: (inout ServiceState) -> Void) {
        guard var services = self[node].services.value, let index = services.firstIndex(where: { $0.name == name })
        else { return }
        change(&services[index])
        put(\.services, services, on: node)
    }
}
