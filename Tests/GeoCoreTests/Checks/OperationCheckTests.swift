import GeoCore
import GeoTestSupport
import Testing

/// What is missed only after the failover: ways between the sites, trust, backups, cron jobs, Patroni's store.
@Suite struct OperationCheckTests {
    private static func sees(
        _ looker: NodeID, _ port: Sight? = nil, page: Int? = 200, isSilent: Bool = true
    ) -> @Sendable (inout Observation) -> Void {
        { observation in
            let other: SiteID = looker.rawValue.hasPrefix("tokyo") ? "seoul" : "tokyo"
            var views = Fixtures.views(of: [other], readiness: page)
            if !isSilent { views.silentSites = [] }
            if let port {
                views.nodes[NodeID("\(other)-pg-1")] = [
                    .init(port: 22, service: "ssh", sight: .answered),
                    .init(port: 5432, service: "postgresql", sight: port),
                ]
            }
            observation.put(\.views, views, on: looker)
        }
    }

    @Test(arguments: [
        CheckCase("both ways", "network.between-sites", is: .pass, says: ["reach each other's database and URL"]),
        CheckCase(
            "the candidate's database is shut out", "network.between-sites", is: .warn,
            says: ["seoul-pg-1 does not reach PostgreSQL of tokyo (tokyo-pg-1: silent)"],
            change: sees("seoul-pg-1", .silent)),
        CheckCase(
            "the way back was never opened", "network.between-sites", is: .warn,
            says: [
                "tokyo-pg-1 does not reach PostgreSQL of seoul, which it needs once seoul is the primary", "refused",
            ],
            change: sees("tokyo-pg-1", .refused)),
        CheckCase(
            "the page does not answer", "network.between-sites", is: .warn,
            says: ["tokyo-rails-1 does not reach http://10.77.2.10, which it needs"],
            change: sees("tokyo-rails-1", page: nil)),
        CheckCase(
            "an error page is an answer", "network.between-sites", is: .pass, change: sees("seoul-rails-1", page: 502)),
        CheckCase(
            "nobody could try the page", "network.between-sites", is: .unknown, says: ["is not known"],
            change: sees("seoul-rails-1", page: nil, isSilent: false)),
        CheckCase(
            "nobody could try the port", "network.between-sites", is: .unknown, says: ["could not try"],
            change: sees("seoul-pg-1", .failed)),
        CheckCase("the port was not tried", "network.between-sites", is: .unknown, says: ["did not tell"]) {
            $0.put(\.views, PeerViews(), on: "seoul-pg-1")
        },
        CheckCase("a node did not look", "network.between-sites", is: .unknown) { $0.lose(\.views, on: "tokyo-pg-1") },
    ])
    func aWayThatIsShutInOneDirectionIsSaidBeforeTheRolesChange(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("yesterday's", "backup.age", is: .pass, says: ["11.1 h old"]),
        CheckCase("three days old", "backup.age", is: .warn, says: ["is 3 days old"]) {
            for node in ["tokyo-rails-1", "tokyo-rails-2"] as [NodeID] {
                $0.put(\.backups, Fixtures.backups(ago: 3 * 86_400), on: node)
            }
        },
        CheckCase("one node of two makes them", "backup.age", is: .pass) {
            $0.put(\.backups, BackupFacts(count: 0, newestAt: nil), on: "tokyo-rails-1")
        },
        CheckCase("none anywhere", "backup.age", is: .warn, says: ["elsewhere, or at all, cannot be seen"]) {
            for node in ["tokyo-rails-1", "tokyo-rails-2"] as [NodeID] {
                $0.put(\.backups, BackupFacts(count: 0, newestAt: nil), on: node)
            }
        },
        CheckCase("of tomorrow", "backup.age", is: .unknown, says: ["dated 24 h ahead"]) {
            $0.put(\.backups, Fixtures.backups(ago: -86_400), on: "tokyo-rails-1")
        },
        CheckCase("not told", "backup.age", is: .unknown) { $0.lose(\.backups, on: "tokyo-rails-2") },
    ])
    func anOldBackupIsSaidBeforeItIsAllThatIsLeft(_ line: CheckCase) { line.verify() }

    private static func jobs(
        _ site: String, ordinary: String, _ changes: [String: String] = [:]
    ) -> @Sendable (inout Observation) -> Void {
        {
            $0.put(
                \.cronStates, Fixtures.cronJobs(ordinary: ordinary).merging(changes) { $1 },
                on: NodeID("\(site)-redis-1"))
        }
    }

    @Test(arguments: [
        CheckCase("a primary's", "site.cron-jobs", .at("tokyo"), is: .pass),
        CheckCase("a secondary's are off", "site.cron-jobs", .at("seoul"), is: .pass),
        CheckCase(
            "left off by a run that was broken off", "site.cron-jobs", .at("tokyo"), is: .warn,
            says: ["3 cron jobs of tokyo disabled"], change: jobs("tokyo", ordinary: "disabled")),
        CheckCase(
            "nobody verifies", "site.cron-jobs", .at("seoul"), is: .warn,
            says: ["geo_verification_cron_worker of seoul is disabled"],
            change: jobs("seoul", ordinary: "disabled", ["geo_verification_cron_worker": "disabled"])),
        CheckCase("nobody reports", "site.cron-jobs", .at("seoul"), is: .warn, says: ["is not there"]) {
            $0.put(\.cronStates, ["geo_verification_cron_worker": "enabled"], on: "seoul-redis-1")
        },
        CheckCase("another Redis", "site.cron-jobs", .at("seoul"), is: .unknown, says: ["knows no cron job"]) {
            $0.put(\.cronStates, [:], on: "seoul-redis-1")
        },
        CheckCase("Geo's only", "site.cron-jobs", .at("tokyo"), is: .unknown, says: ["not complete"]) {
            $0.put(
                \.cronStates,
                ["geo_metrics_update_worker": "enabled", "geo_verification_cron_worker": "enabled"],
                on: "tokyo-redis-1")
        },
        CheckCase("Redis is silent", "site.cron-jobs", .at("tokyo"), is: .unknown) { $0 = $0.losing("tokyo-redis-1") },
    ])
    func cronJobsThatWereLeftOffAreSaid(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("the same", "certificate.authorities", is: .pass, says: ["1 authority"]),
        CheckCase("one is missing", "certificate.authorities", is: .warn, says: ["seoul-sidekiq-1 lacks 1 certificate"])
        {
            $0.put(\.trustedCertificates, [], on: "seoul-sidekiq-1")
        },
        CheckCase("one more is no harm", "certificate.authorities", is: .pass) {
            $0.put(\.trustedCertificates, Fixtures.trusted + [String(repeating: "b2", count: 32)], on: "seoul-rails-1")
        },
        CheckCase("not told", "certificate.authorities", is: .unknown) {
            $0.lose(\.trustedCertificates, on: "tokyo-rails-1")
        },
    ])
    func anAuthorityThatOnlyThePrimaryTrustsIsSaid(_ line: CheckCase) { line.verify() }

    // MARK: DNS

    private func record(_ record: Observed<NameRecord>) -> [Finding] {
        var observation = Fixtures.healthy()
        observation.siteRecords["tokyo"] = record
        return askCheck("site.dns-ttl", observation, inventory: CheckScenario.named)
    }

    @Test func aNameThatResolversKeepForADayIsSaidADayBefore() {
        #expect(record(Fixtures.seen(NameRecord(timeToLive: 300))).worst == .pass)
        let day = record(Fixtures.seen(NameRecord(timeToLive: 86_400)))
        #expect(day.worst == .warn && day[0].summary.contains("for 24 h or longer"))
        #expect(record(Fixtures.seen(NameRecord(timeToLive: nil))).worst == .warn)
        #expect(record(.unknown(reason: "no DNS server answered")).worst == .unknown)
        // An address is led nowhere by DNS.
        #expect(askCheck("site.dns-ttl", Fixtures.healthy()).worst == .pass)
    }

    // MARK: Patroni's store

    @Test(arguments: [
        (3, 0, Verdict.pass, "all 3"), (3, 1, .warn, "consul-1 does not live"), (3, 2, .fail, "1 of 3"),
        (5, 2, .warn, "3 of 5"), (4, 2, .fail, "2 of 4"), (1, 0, .warn, "there are 1"), (2, 0, .warn, "there are 2"),
        (0, 0, .fail, "no Consul server"),
    ])
    func aStoreWithoutAMajorityKeepsNoLeader(servers: Int, failed: Int, expected: Verdict, says: String) {
        let observation = Fixtures.patroniHealthy().changing("seoul-pg-1") {
            $0.consul = Fixtures.seen(Fixtures.consul(failed: failed, servers: servers), on: "seoul-pg-1")
        }
        let findings = askCheck(
            "patroni.store-quorum", observation, about: .node(id: "seoul-pg-1"),
            inventory: Fixtures.patroniInventory())
        #expect(findings.worst == expected && findings.contains { $0.summary.contains(says) }, "\(findings)")
    }
}
