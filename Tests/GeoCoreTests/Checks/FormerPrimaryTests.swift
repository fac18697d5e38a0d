import GeoCore
import GeoTestSupport
import Testing

/// A remedy that starts the fenced former primary would make two writable sites (promise 1).
@Suite struct FormerPrimaryTests {
    private let starting = Finding(
        check: "node.services-up", subject: .node(id: "tokyo-pg-1"), verdict: .fail, summary: "postgresql is down",
        remedy: "sudo gitlab-ctl start postgresql  # on tokyo-pg-1")

    @Test func noRemedyStartsAFencedFormerPrimary() {
        var after = Fixtures.promoted()
        // A promotion removes the former primary's row (rake task set_secondary_as_primary).
        after.change("seoul-pg-1") { facts in
            guard var geo = facts.geo.value else { return }
            geo.nodes.removeAll { $0.name == "tokyo" }
            facts.geo = Fixtures.seen(geo, on: "seoul-pg-1")
        }
        #expect(FormerPrimary.sites(in: Fixtures.inventory(), after) == [Fixtures.tokyo])
        let guarded = FormerPrimary.guarded([starting], in: Fixtures.inventory(), after)
        #expect(guarded.allSatisfy { $0.remedy?.contains("start") == false })
        #expect(guarded[0].remedy?.contains("re-seeded") == true)
        #expect(guarded[0].verdict == .fail)
    }

    @Test func otherwiseRemediesStayAsTheyAre() {
        let before = Fixtures.healthy()
        #expect(FormerPrimary.sites(in: Fixtures.inventory(), before).isEmpty)
        #expect(FormerPrimary.guarded([starting], in: Fixtures.inventory(), before) == [starting])
    }
}
