import GeoCore
import GeoTestSupport
import Testing

/// What Geo's percentages leave out.
@Suite struct GeoStateCheckTests {
    private static func tables(_ change: @escaping @Sendable (inout ApplicationFacts) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            var facts = Fixtures.application()
            change(&facts)
            observation.put(\.application, facts, on: "tokyo-pg-1")
        }
    }

    private static func details(_ change: @escaping @Sendable (inout RegistryDetails) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            var facts = Fixtures.registryDetails()
            change(&facts)
            observation.put(\.registryDetails, facts, on: "seoul-geo-1")
        }
    }

    @Test(arguments: [
        CheckCase("the primary is not well", "geo.healthy", is: .warn, says: ["tokyo reports of itself"]) {
            $0.row("tokyo", on: "tokyo-pg-1") { $0.status?.message = "Unhealthy" }
        },
        CheckCase("unhealthy at 100 %", "geo.healthy", is: .fail, says: ["does not match latest migration"]) {
            $0.row("seoul", on: "tokyo-pg-1") {
                $0.status?.message = "Geo database version (1) does not match latest migration (2)"
            }
        },
        CheckCase("no message", "geo.healthy", is: .pass) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.status?.message = nil }
        },
        CheckCase("healthy an hour ago", "geo.healthy", is: .unknown, says: ["3600 s old"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.status?.ageSeconds = 3595 }
        },
    ])
    func anUnhealthySiteIsNoCandidateWhateverItsPercentages(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "a type that nobody replicates", "geo.types-replicated", is: .fail,
            says: ["snippet_repositories: there are items on tokyo, and seoul has registered none"],
            change: tables { $0.hasItems["snippet_repositories"] = true }),
        CheckCase("blobs in buckets", "geo.types-replicated", is: .warn, says: ["unless all are in object storage"]) {
            tables { $0.hasItems["ci_secure_files"] = true }(&$0)
            $0.row("seoul", on: "tokyo-pg-1") { $0.syncsObjectStorage = false }
        },
        CheckCase(
            "no table told", "geo.types-replicated", is: .unknown, change: tables { $0.hasItems = [:] }),
        CheckCase(
            "images that nobody replicates", "geo.container-registry", is: .fail,
            says: ["tokyo has container repositories, and seoul replicates none"],
            change: tables { $0.hasItems["container_repositories"] = true }),
        CheckCase("images that are", "geo.container-registry", is: .pass, says: ["3 container repositories"]) {
            tables { $0.hasItems["container_repositories"] = true }(&$0)
            $0.tracking { $0.registries["container_repositories"] = Fixtures.registry(3) }
        },
        CheckCase(
            "table gone", "geo.container-registry", is: .unknown,
            change: tables { $0.hasItems["container_repositories"] = nil }),
    ])
    func aTypeThatNobodyCountsIsCounted(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "nobody tries", "geo.waiting-items", is: .fail, says: ["uploads: nobody has tried to synchronise 2"],
            change: details { $0.types["uploads"] = .init(neverTried: 2, oldestSeconds: 3601) }),
        CheckCase(
            "just arrived", "geo.waiting-items", is: .pass,
            change: details { $0.types["uploads"] = .init(neverTried: 2, oldestSeconds: 3600) }),
        CheckCase(
            "untried since nobody knows when", "geo.waiting-items", is: .unknown, says: ["since when was not told"],
            change: details { $0.types["uploads"] = .init(neverTried: 2, oldestSeconds: nil) }),
        CheckCase(
            "for a reason", "geo.waiting-items", is: .warn,
            says: ["failed to synchronise: 4 times \"Error syncing repository\"", "up to 9 times each"],
            change: details {
                $0.types["uploads"] = .init(
                    retries: 9, syncFailures: [.init(text: "Error syncing repository", count: 4)])
            }),
        CheckCase(
            "not the same", "geo.waiting-items", is: .warn, says: ["failed to verify"],
            change: details {
                $0.types["uploads"] = .init(verificationFailures: [.init(text: "File is not checksummable", count: 1)])
            }),
        CheckCase(
            "two rows for one item", "geo.waiting-items", is: .warn,
            says: ["uploads: 2 rows are about an item that has"],
            change: details { $0.types["uploads"]?.duplicates = 2 }),
        CheckCase(
            "too large to compare", "geo.waiting-items", is: .pass,
            change: details { $0.types["uploads"]?.duplicates = nil }),
        CheckCase(
            "schema behind", "geo.tracking-schema", is: .fail, says: ["GitLab there expects 20260729140502"],
            change: details { $0.schemaVersion = "20260618093011" }),
        CheckCase(
            "schema ahead", "geo.tracking-schema", is: .fail, says: ["newer than GitLab's"],
            change: details { $0.schemaVersion = "20270101000000" }),
        CheckCase(
            "no schema", "geo.tracking-schema", is: .fail, says: ["no migration at all"],
            change: details { $0.schemaVersion = nil }),
        CheckCase("package not told", "geo.tracking-schema", is: .unknown) {
            $0.lose(\.trackingSchema, on: "seoul-geo-1")
        },
    ])
    func itemsThatWaitInVainAreTold(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "no application", "geo.oauth-application", is: .warn, says: ["nobody can sign in"],
            change: tables { $0.sites["seoul"]?.hasOAuthApplication = false }),
        CheckCase(
            "of the URL that the site once had", "geo.oauth-application", is: .warn,
            says: ["sends users back to https://old.example.com/oauth/geo/callback, and the site is at https://seoul"],
            change: tables { $0.sites["seoul"]?.redirect = "https://old.example.com/oauth/geo/callback" }),
        CheckCase(
            "two URLs, of which one is right", "geo.oauth-application", is: .pass,
            change: tables { $0.sites["seoul"]?.redirect = "urn:x\nhttps://seoul.example.com/oauth/geo/callback" }),
        CheckCase(
            "a URL without its slash", "geo.oauth-application", is: .pass,
            change: tables { $0.sites["seoul"]?.url = "https://seoul.example.com" }),
        CheckCase(
            "no row", "geo.oauth-application", is: .fail, says: ["no row named seoul"],
            change: tables { $0.sites["seoul"] = nil }),
        CheckCase(
            "other storages", "geo.storages-match", is: .fail, says: ["differ"],
            change: tables { $0.sites["seoul"]?.storageDigest = "other" }),
        CheckCase(
            "storages not reported", "geo.storages-match", is: .unknown,
            change: tables { $0.sites["tokyo"]?.storageDigest = nil }),
        CheckCase(
            "migrating", "gitlab.background-migrations", is: .warn, says: ["2 background migrations", "A on b"],
            change: tables {
                $0.unfinishedMigrations = ["A on b", "C on d"]
                $0.unfinishedMigrationCount = 2
            }),
        CheckCase("tables unknown", "gitlab.background-migrations", is: .unknown) {
            $0.lose(\.application, on: "tokyo-pg-1")
        },
    ])
    func whatElseGitLabsTablesSay(_ line: CheckCase) { line.verify() }
}
