import GeoCore
import GeoTestSupport
import Testing

/// GitLab before 16.3: project repositories and wikis are two halves of one table, designs and containers are counted by
/// the secondary only, and group wikis are compared by nobody.
@Suite struct OldRegistryTests {
    /// What the primary says of projects there, by half (`GeoNodeStatus::RESOURCE_STATUS_FIELDS` of those releases).
    private static func halves(_ names: [String]) -> [String: Int] {
        names.reduce(into: [:]) { counts, name in
            counts["\(name)_checksum_total_count"] = 12
            counts["\(name)_checksummed_count"] = 12
            counts["\(name)_checksum_failed_count"] = 0
        }
    }

    private static func without(_ names: [String], _ counts: [String: Int]) -> [String: Int] {
        counts.filter { key, _ in !names.contains { key.hasPrefix("\($0)_") } }
    }

    /// A deployment of 14.5.
    @Sendable private static func release14(_ observation: inout Observation) {
        observation.tracking {
            $0.registries["project_repositories"] = nil
            $0.registries["project_wiki_repositories"] = nil
            $0.registries["repositories"] = Fixtures.registry(12)
            $0.registries["wikis"] = Fixtures.registry(12)
            $0.registries["designs"] = unverified(4)
            $0.registries["container_repositories"] = unverified(2)
            $0.registries["group_wiki_repositories"] = unverified(1)
        }
        observation.geo(on: "tokyo-pg-1") { $0.uncounted = ["designs": 4, "container_repositories": 2] }
        observation.row("tokyo", on: "tokyo-pg-1") { row in
            guard var status = row.status else { return }
            status.counts = without(["project_repositories", "project_wiki_repositories"], status.counts)
                .merging(halves(["repositories", "wikis"])) { $1 }.merging(["group_wiki_repositories_count": 1]) { $1 }
            row.status = status
        }
    }

    /// A deployment of 16.2: the table of later releases is there and has some rows, since both are written.
    @Sendable private static func release16(_ observation: inout Observation) {
        observation.tracking {
            $0.registries["project_repositories"] = Fixtures.registry(5)
            $0.registries["repositories"] = Fixtures.registry(12)
        }
        observation.row("tokyo", on: "tokyo-pg-1") { row in
            row.status?.counts.merge(halves(["repositories"])) { $1 }
        }
        observation.row("seoul", on: "tokyo-pg-1") { row in
            row.status?.counts["project_wiki_repositories_registry_count"] = 12
        }
    }

    private static func unverified(_ total: Int) -> RegistryCounts {
        RegistryCounts(
            total: total, synced: total, failed: 0, verified: 0, verificationFailed: 0, verificationDisabled: total)
    }

    private static func case14(
        _ name: String, _ check: CheckID, is verdict: Verdict, says: [String] = [],
        change: @escaping @Sendable (inout Observation) -> Void = { _ in }
    ) -> CheckCase {
        CheckCase(name, check, is: verdict, says: says) {
            release14(&$0)
            change(&$0)
        }
    }

    private static func case16(
        _ name: String, _ check: CheckID, is verdict: Verdict, says: [String] = [],
        change: @escaping @Sendable (inout Observation) -> Void = { _ in }
    ) -> CheckCase {
        CheckCase(name, check, is: verdict, says: says) {
            release16(&$0)
            change(&$0)
        }
    }

    @Test(arguments: [
        case14("14.5", "geo.complete", is: .pass, says: ["all 41 items of 7 data types"]),
        case14("14.5", "geo.verified", is: .pass, says: ["7 have verification switched off"]),
        case14("14.5", "geo.types-replicated", is: .pass),
        case14("half of a project", "geo.complete", is: .fail, says: ["wikis: 1 of 12 are not synchronised"]) {
            $0.registry("wikis") { ($0.synced, $0.verified) = (11, 11) }
        },
        case14("a project without a row", "geo.complete", is: .fail, says: ["repositories: 1 of 12 on tokyo have no"]) {
            $0.registry("repositories") { $0 = Fixtures.registry(11) }
        },
        case14("projects not counted", "geo.complete", is: .unknown, says: ["repositories: 12 registered"]) {
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.counts["projects_count"] = nil }
        },
        case14("half not compared", "geo.verified", is: .fail, says: ["wikis: 2 of 12 synchronised"]) {
            $0.registry("wikis") { $0.verified = 10 }
        },
        case14("half without checksums", "geo.verified", is: .fail, says: ["wikis: 3 of 12 on tokyo"]) {
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.counts["wikis_checksummed_count"] = 9 }
        },
        case14("checksums not told", "geo.verified", is: .unknown, says: ["repositories: tokyo does not say"]) {
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.counts["repositories_checksummed_count"] = nil }
        },
        case14("designs that nobody registered", "geo.complete", is: .fail, says: ["designs: 4 of 4 on tokyo"]) {
            $0.tracking { $0.registries["designs"] = Fixtures.registry(0) }
        },
        case14("a container too few", "geo.complete", is: .fail, says: ["container_repositories: 1 of 2"]) {
            $0.tracking { $0.registries["container_repositories"] = unverified(1) }
        },
        case14("containers that are not replicated are another check's", "geo.complete", is: .pass) {
            $0.tracking { $0.registries["container_repositories"] = unverified(0) }
        },
        case14("nothing registered", "geo.types-replicated", is: .fail, says: ["project_repositories: there are items"])
        {
            $0.tracking { $0.registries["repositories"] = nil }
        },
    ])
    func halvesOfAProjectCountEachOnItsOwn(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        case16("the old table counts", "geo.complete", is: .pass, says: ["all 34 items of 4 data types"]),
        case16("the old table counts and lacks one", "geo.complete", is: .fail, says: ["repositories: 1 of 12 are"]) {
            $0.registry("repositories") { ($0.synced, $0.verified) = (11, 11) }
        },
        case16("the new table counts", "geo.complete", is: .fail, says: ["project_repositories: 7 of 12 on tokyo"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.status?.counts["project_repositories_registry_count"] = 5 }
        },
        case16("what is left in the old one spoils nothing", "geo.complete", is: .pass) {
            $0.tracking {
                $0.registries["project_repositories"] = Fixtures.registry(12)
                $0.registries["repositories"]?.synced = 3
                $0.registries["repositories"]?.verified = 0
            }
            $0.row("seoul", on: "tokyo-pg-1") { $0.status?.counts["project_repositories_registry_count"] = 12 }
        },
        case16("an empty old table is none", "geo.complete", is: .fail, says: ["project_repositories: 7 of 12"]) {
            $0.tracking { $0.registries["repositories"] = Fixtures.registry(0) }
        },
        case16("nobody says which counts", "geo.complete", is: .unknown, says: ["repositories: two registries"]) {
            $0.tracking { $0.registries["project_repositories"] = Fixtures.registry(12) }
            $0.row("seoul", on: "tokyo-pg-1") { $0.status = nil }
        },
        case16("said too long ago", "geo.verified", is: .unknown, says: ["repositories: two registries"]) {
            $0.tracking { $0.registries["project_repositories"] = Fixtures.registry(12) }
            $0.row("seoul", on: "tokyo-pg-1") { $0.status?.ageSeconds = 4000 }
        },
    ])
    func ofTwoTablesTheOneThatGitLabGoesByCounts(_ line: CheckCase) { line.verify() }

    @Test func theLossStatementCountsTheSame() {
        var observation = Fixtures.healthy()
        Self.release14(&observation)
        observation.registry("wikis") { ($0.synced, $0.verified) = (11, 11) }
        let loss = LossStatement(
            inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: observation)
        let items = loss.items.value ?? []
        #expect(items.filter { $0.notSynced > 0 }.map(\.dataType) == ["wikis"])
        #expect(items.allSatisfy { $0.missing.value == 0 }, "\(items)")
    }
}
