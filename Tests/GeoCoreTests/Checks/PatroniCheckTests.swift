import GeoCore
import GeoTestSupport
import Testing

/// Patroni of both sites, as one of its members tells it.
@Suite struct PatroniCheckTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        var what: String
        var check: CheckID
        var node: NodeID = "seoul-pg-1"
        var expected: Verdict
        var says: String
        var change: @Sendable (inout PatroniFacts) -> Void
        var testDescription: String { "\(check): \(what)" }
    }

    private static func findings(_ check: CheckID, _ node: NodeID, _ change: (inout NodeFacts) -> Void) -> [Finding] {
        askCheck(
            check, Fixtures.patroniHealthy().changing(node, change), about: .node(id: node),
            inventory: Fixtures.patroniInventory())
    }

    private static let cases = [
        Case(
            what: "nobody leads", check: "patroni.one-leader", expected: .fail, says: "has no leader",
            change: { $0.members[0].role = "replica" }),
        Case(
            what: "two lead", check: "patroni.one-leader", expected: .fail, says: "has 2 leaders",
            change: { $0.members[1].role = "leader" }),
        Case(
            what: "a member is down", check: "patroni.one-leader", expected: .fail, says: "is \"start failed\"",
            change: { $0.members[1].state = "start failed" }),
        Case(
            what: "a member is not there", check: "patroni.one-leader", expected: .fail,
            says: "the inventory has 2 nodes",
            change: { $0.members.removeLast() }),
        Case(
            what: "sync standby", check: "patroni.one-leader", expected: .pass, says: "leads 2 members",
            change: { $0.members[1].role = "sync standby" }),
        Case(
            what: "left over", check: "patroni.not-paused", expected: .fail, says: "is paused",
            change: { $0.isPaused = true }),
        Case(
            what: "parted", check: "patroni.timelines", expected: .fail, says: "is on timeline 2",
            change: { $0.members[1].timeline = 2 }),
        Case(
            what: "not told", check: "patroni.timelines", expected: .unknown, says: "was not told",
            change: { $0.members[1].timeline = nil }),
        Case(
            what: "no leader to compare with", check: "patroni.timelines", expected: .unknown, says: "no timeline",
            change: { $0.members[0].timeline = nil }),
        Case(
            what: "settings wait", check: "patroni.pending-restart", expected: .warn, says: "waits for a restart",
            change: { $0.members[1].isRestartPending = true }),
        Case(
            what: "a candidate that was promoted", check: "patroni.standby-cluster", expected: .fail,
            says: "follows nobody", change: { $0.isStandbyCluster = false }),
        Case(
            what: "left over on the primary", check: "patroni.standby-cluster", node: "tokyo-pg-1", expected: .fail,
            says: "is told to follow", change: { $0.isStandbyCluster = true }),
        Case(
            what: "configuration and leader disagree", check: "patroni.standby-cluster", expected: .fail,
            says: "is led by a leader", change: { $0.members[0].role = "leader" }),
    ]

    @Test(arguments: cases)
    private func whatPatroniWouldDoInAFailoverIsSaid(_ line: Case) {
        let findings = Self.findings(line.check, line.node) { facts in
            guard var cluster = facts.patroni.value else { return }
            line.change(&cluster)
            facts.patroni = Fixtures.seen(cluster, on: line.node)
        }
        #expect(findings.worst == line.expected, "\(findings.map(\.summary))")
        #expect(findings.contains { $0.summary.contains(line.says) }, "\(findings.map(\.summary))")
    }

    @Test func aStoreThatDoesNotAnswerIsUnknown() {
        for check in ["patroni.one-leader", "patroni.not-paused", "patroni.standby-cluster"] as [CheckID] {
            let findings = Self.findings(check, "seoul-pg-1") {
                $0.patroni = .unknown(reason: "patronictl list did not answer within 20 s")
            }
            #expect(findings.worst == .unknown)
        }
    }

    @Test func aSiteWithoutPatroniIsAskedNothing() throws {
        let check = try #require(CheckCatalog.check("patroni.one-leader"))
        #expect(
            CheckCatalog.subjects(of: check, inventory: Fixtures.inventory(), from: "tokyo", to: "seoul").isEmpty)
        #expect(
            CheckCatalog.subjects(of: check, inventory: Fixtures.patroniInventory(), from: "tokyo", to: "seoul").count
                == 4)
    }
}
