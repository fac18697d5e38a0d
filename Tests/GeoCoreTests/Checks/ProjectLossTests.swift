import GeoCore
import GeoTestSupport
import Testing

/// Which repositories would be lost, from two databases that know half of it each.
@Suite struct ProjectLossTests {
    private static func pushed(_ id: Int, _ ago: Double) -> ProjectFacts.Project {
        .init(id: id, path: "shop/p\(id)", pushedAt: Fixtures.moment(-ago))
    }

    private static func row(_ id: Int, synced: Bool = true, verified: Bool = true, ago: Double?)
        -> ProjectRegistryFacts.Row
    {
        .init(project: id, isSynced: synced, isVerified: verified, syncedAt: ago.map { Fixtures.moment(-$0) })
    }

    @Test func theLastPushedComeFirstEachWithItsReason() {
        let facts = ProjectFacts(recent: [
            Self.pushed(1, 10), Self.pushed(2, 20), Self.pushed(3, 30), Self.pushed(4, 40),
        ])
        let registry = ProjectRegistryFacts(
            lacking: [Self.row(9, synced: false, verified: false, ago: nil), Self.row(3, verified: false, ago: 25)],
            lackingCount: 2, latest: [Self.row(4, ago: 35), Self.row(1, ago: 11)], isWhole: true)
        let losses = ProjectLosses(of: facts, registry, namedBy: "tokyo-pg-1")
        #expect(losses.projects.map(\.id) == [1, 2, 3, 9])
        #expect(losses.projects.map(\.reason) == [.pushedSince, .notRegistered, .notVerified, .notSynced])
        #expect(losses.projects.map(\.path) == ["shop/p1", "shop/p2", "shop/p3", nil])
        #expect(losses.unlisted == 0 && losses.namedBy == "tokyo-pg-1")
    }

    /// A push at the very moment of the copy is not after it; one after a copy that has no time is.
    @Test func aCopyCountsOnlyWhenItIsNotOlderThanThePush() {
        let facts = ProjectFacts(recent: [Self.pushed(1, 10), Self.pushed(2, 10), Self.pushed(3, 10)])
        let registry = ProjectRegistryFacts(
            lacking: [], lackingCount: 0,
            latest: [Self.row(1, ago: 10), Self.row(2, ago: 10.001), Self.row(3, ago: nil)],
            isWhole: true)
        #expect(ProjectLosses(of: facts, registry, namedBy: "x").projects.map(\.id) == [2, 3])
    }

    /// Only the rows synchronised last were brought home: who is not among them was synchronised before all of them.
    @Test func whoIsNotListedIsJudgedByTheOldestThatIs() {
        let facts = ProjectFacts(recent: [Self.pushed(1, 10), Self.pushed(2, 1000)])
        let registry = ProjectRegistryFacts(
            lacking: [], lackingCount: 0, latest: [Self.row(7, ago: 5), Self.row(8, ago: 500)], isWhole: false)
        let losses = ProjectLosses(of: facts, registry, namedBy: "x")
        #expect(losses.projects.map(\.id) == [1] && losses.projects.first?.reason == .pushedSince)
    }

    @Test func moreThanWasListedIsSaid() {
        let registry = ProjectRegistryFacts(
            lacking: [Self.row(1, synced: false, ago: nil)], lackingCount: 1234, latest: [], isWhole: true)
        let losses = ProjectLosses(of: ProjectFacts(recent: [Self.pushed(5, 1)]), registry, namedBy: "x")
        #expect(losses.unlisted == 1233)
        // It may be one of those that were not listed: not said to have no row.
        #expect(losses.projects.map(\.id) == [1])
    }

    private func loss(_ change: (inout Observation) -> Void) -> LossStatement {
        var observation = Fixtures.healthy()
        change(&observation)
        return LossStatement(inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: observation)
    }

    @Test func theReplicaNamesTheProjectsWhereThePrimaryCannot() {
        #expect(loss { _ in }.projects.value == ProjectLosses(projects: [], unlisted: 0, namedBy: "tokyo-pg-1"))
        #expect(loss { $0 = $0.losing("tokyo-pg-1") }.projects.value?.namedBy == "seoul-pg-1")
    }

    @Test func whatCannotBeNamedIsUnknownAndNeverNone() {
        let nobody = loss { $0 = $0.losing("tokyo-pg-1").losing("seoul-pg-1") }
        #expect(nobody.projects.value == nil && !nobody.isNothing)
        let untracked = loss { $0.lose(\.projectRegistry, on: "seoul-geo-1") }
        #expect(untracked.projects.reason?.contains("garbled") == true && !untracked.isNothing)
        #expect(untracked.gaps.contains { $0.hasPrefix("projects: ") })
    }
}
