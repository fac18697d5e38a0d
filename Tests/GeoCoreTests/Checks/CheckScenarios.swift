import GeoCore
import GeoTestSupport
import Testing

/// Asks one check about one subject of the fixture deployment.
func askCheck(
    _ id: CheckID, _ observation: Observation, about subject: Subject = .failover(from: "tokyo", to: "seoul"),
    limits: [String: Int] = [:], inventory: Inventory = Fixtures.inventory(), transcript: TranscriptSummary? = nil
) -> [Finding] {
    guard let check = CheckCatalog.check(id) else { return [] }
    let context = CheckContext(
        inventory: inventory, subject: subject, limits: Limits(limits), from: "tokyo", to: "seoul",
        transcript: transcript)
    return check.findings(context, observation)
}

/// A check where it passes: what was seen, and of whom it is asked.
struct CheckScenario: Sendable, CustomTestStringConvertible {
    var check: CheckID
    var observation: Observation
    var subject: Subject
    var inventory = Fixtures.inventory()
    var testDescription: String { "\(check) of \(subject)" }

    var context: CheckContext {
        CheckContext(inventory: inventory, subject: subject, from: "tokyo", to: "seoul")
    }

    /// A promotion changes nothing on a Redis node, and nothing is asked of it.
    var asksSomething: Bool {
        let scope = CheckCatalog.check(check)?.needs(context) ?? ObservationScope()
        return !scope.probes.isEmpty || !scope.siteURLs.isEmpty || !scope.siteNames.isEmpty
            || !scope.siteRecords.isEmpty || scope.asksOperator
    }

    var findings: [Finding] { CheckCatalog.check(check)?.findings(context, observation) ?? [] }

    func findings(with other: Observation) -> [Finding] { CheckCatalog.check(check)?.findings(context, other) ?? [] }

    /// The planned preflight, on a healthy deployment.
    static let preflight: [CheckScenario] = CheckCatalog.plannedPreflight.flatMap { entry -> [CheckScenario] in
        guard let check = CheckCatalog.check(entry.check) else { return [] }
        return CheckCatalog.subjects(of: check, inventory: Fixtures.inventory(), from: "tokyo", to: "seoul").map {
            CheckScenario(check: entry.check, observation: Fixtures.healthy(), subject: $0)
        }
    }

    /// What a run waits for and proves.
    static let verifications: [CheckScenario] = {
        let pair = Subject.failover(from: "tokyo", to: "seoul")
        let (quiesced, fenced, promoted) = (Fixtures.quiesced(), Fixtures.fenced(), Fixtures.promoted())
        var silent = promoted
        silent.put(\.geo, Fixtures.geo(primary: "seoul", silent: true), on: "seoul-pg-1")
        let tokyo = Fixtures.inventory().site("tokyo")?.nodes.filter(\.isManagedByOmnibus) ?? []
        let seoul = Fixtures.inventory().site("seoul")?.nodes.filter(\.isManagedByOmnibus) ?? []
        let (returning, returned) = (Fixtures.returning(), Fixtures.returned())
        var (held, behind) = (returning, Fixtures.healthy())
        behind.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        for node in Fixtures.inventory().site("seoul")?.databaseNodes ?? [] {
            held.put(\.startsAtBoot, true, on: node.id)
        }
        return [
            CheckScenario(check: "reseed.direction", observation: returning, subject: pair),
            CheckScenario(check: "reseed.direction", observation: behind, subject: pair),
            CheckScenario(check: "reseed.own-database", observation: returning, subject: pair),
            CheckScenario(check: "reseed.stands-still", observation: returning, subject: pair),
            CheckScenario(check: "reseed.stands-still", observation: behind, subject: pair),
            CheckScenario(
                check: "node.secondary-editable", observation: Fixtures.returning(isConfigured: false),
                subject: .node(id: "seoul-sidekiq-1")),
            CheckScenario(
                check: "node.secondary-configured", observation: returned, subject: .node(id: "seoul-sidekiq-1")),
            CheckScenario(
                check: "node.secondary-applied", observation: returned, subject: .node(id: "seoul-sidekiq-1")),
            CheckScenario(check: "node.held-down", observation: held, subject: .node(id: "seoul-pg-1")),
            CheckScenario(check: "node.returned", observation: returned, subject: .node(id: "seoul-geo-1")),
            CheckScenario(check: "database.reseeded", observation: returned, subject: pair),
            CheckScenario(check: "tracking.fresh", observation: returned, subject: .site(id: "seoul")),
            CheckScenario(check: "cron.geo-running", observation: returned, subject: .site(id: "seoul")),
            CheckScenario(
                check: "database.room-for-base-backup", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "database.seed-source", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "operator.observation-window", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "replication.slots-abandoned", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "replication.slots-dropped", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "database.trusts-primary", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "reseed.window", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(
                check: "database.rewind-permitted", observation: rights(RewindRights.functions), subject: pair),
            CheckScenario(check: "database.rewind-forbidden", observation: rights([]), subject: pair),
            CheckScenario(
                check: "node.host-keys-shared", observation: Fixtures.healthy(), subject: .node(id: "seoul-rails-2")),
            CheckScenario(
                check: "node.secrets-shared", observation: Fixtures.healthy(), subject: .node(id: "seoul-pg-1")),
            CheckScenario(check: "primary.not-out-of-reach", observation: Fixtures.healthy(), subject: pair),
            CheckScenario(check: "site.read-only", observation: quiesced, subject: .site(id: "tokyo")),
            CheckScenario(check: "cron.geo-only", observation: quiesced, subject: .site(id: "tokyo")),
            CheckScenario(check: "sidekiq.drained", observation: quiesced, subject: .site(id: "tokyo")),
            CheckScenario(check: "replication.complete", observation: quiesced, subject: pair),
            CheckScenario(check: "replication.caught-up", observation: quiesced, subject: pair),
            CheckScenario(check: "replication.all-replayed", observation: fenced, subject: .site(id: "seoul")),
            CheckScenario(check: "database.stopped-cleanly", observation: fenced, subject: .node(id: "tokyo-pg-1")),
            CheckScenario(check: "database.zero-loss", observation: fenced, subject: pair),
            CheckScenario(check: "site.fenced", observation: fenced, subject: .site(id: "tokyo")),
            CheckScenario(check: "candidate.not-promoted", observation: fenced, subject: pair),
            CheckScenario(check: "database.is-primary", observation: promoted, subject: .node(id: "seoul-pg-1")),
            CheckScenario(check: "database.accepts-writes", observation: promoted, subject: .node(id: "seoul-pg-1")),
            CheckScenario(check: "site.is-primary", observation: promoted, subject: .site(id: "seoul")),
            CheckScenario(check: "rails.role-primary", observation: promoted, subject: .node(id: "seoul-rails-2")),
            CheckScenario(check: "site.rails-ready", observation: promoted, subject: .site(id: "seoul")),
            CheckScenario(check: "site.own-name", observation: promoted, subject: .site(id: "seoul")),
            CheckScenario(check: "site.stands-back", observation: fenced, subject: .site(id: "tokyo")),
            CheckScenario(check: "geo.site-url", observation: promoted, subject: .site(id: "seoul")),
            CheckScenario(
                check: "node.url-editable", observation: Fixtures.urlLines(), subject: .node(id: "seoul-rails-1")),
            CheckScenario(check: "node.external-url", observation: promoted, subject: .node(id: "seoul-rails-1")),
            CheckScenario(check: "node.url-applied", observation: promoted, subject: .node(id: "seoul-rails-1")),
            CheckScenario(check: "site.maintenance-off", observation: promoted, subject: .site(id: "seoul")),
            CheckScenario(check: "site.silent", observation: silent, subject: .site(id: "seoul")),
            CheckScenario(check: "divergence.known", observation: Fixtures.parted(), subject: pair),
            CheckScenario(check: "cron.running", observation: promoted, subject: .site(id: "seoul")),
        ]
            + ["node.application-stopped", "node.stopped", "node.fenced"].flatMap { check in
                tokyo.map { CheckScenario(check: check, observation: fenced, subject: .node(id: $0.id)) }
            }
            + tokyo.map {
                CheckScenario(check: "divergence.saved", observation: Fixtures.parted(), subject: .node(id: $0.id))
            }
            + tokyo.map { CheckScenario(check: "node.in-service", observation: quiesced, subject: .node(id: $0.id)) }
            + seoul.map { CheckScenario(check: "node.promoted", observation: promoted, subject: .node(id: $0.id)) }
    }()

    /// Asked of nodes that run Patroni, and of no others.
    static let patroni: [CheckScenario] = CheckCatalog.plannedPreflight.filter {
        $0.check.rawValue.hasPrefix("patroni.")
    }
    .flatMap { entry in
        ["tokyo-pg-1", "tokyo-pg-2", "seoul-pg-1", "seoul-pg-2"].map { node in
            CheckScenario(
                check: entry.check, observation: Fixtures.patroniHealthy(), subject: .node(id: NodeID(node)),
                inventory: Fixtures.patroniInventory())
        }
    }

    /// Users come by names there, and not by addresses.
    static let named: Inventory = {
        var inventory = Fixtures.inventory()
        for index in inventory.sites.indices {
            inventory.sites[index].url = "https://gitlab.\(inventory.sites[index].id).example.com"
        }
        return inventory
    }()

    static let names: [CheckScenario] = {
        var observation = Fixtures.healthy()
        observation.siteRecords = ["tokyo": Fixtures.seen(NameRecord(timeToLive: 60))]
        return [
            CheckScenario(
                check: "site.dns-ttl", observation: observation, subject: .failover(from: "tokyo", to: "seoul"),
                inventory: named)
        ]
    }()

    /// Seoul of Patroni's comes back: at rest, its leader seeded, its replica seeded.
    static let patroniReturn: [CheckScenario] = {
        let (inventory, seeded) = (Fixtures.patroniInventory(), Fixtures.patroniReturned())
        let rest = Fixtures.patroniReturning()
        func scenario(_ check: CheckID, _ observation: Observation, _ subject: Subject) -> CheckScenario {
            CheckScenario(check: check, observation: observation, subject: subject, inventory: inventory)
        }
        return [
            scenario("patroni.standby-settings", rest, .node(id: "seoul-pg-1")),
            scenario("patroni.standby-settings", rest, .node(id: "seoul-pg-2")),
            scenario("patroni.store-at-rest", rest, .site(id: "seoul")),
            scenario("patroni.replica-replaceable", rest, .node(id: "seoul-pg-2")),
            scenario("patroni.replica-follows", seeded, .node(id: "seoul-pg-2")),
            CheckScenario(
                check: "patroni.leader-caught-up", observation: Fixtures.quiesced(),
                subject: .failover(from: "tokyo", to: "seoul")),
        ]
    }()

    private static func rights(_ functions: [String]) -> Observation {
        var observation = Fixtures.healthy()
        observation.put(
            \.rewindRights, RewindRights(permitted: functions, granted: functions), on: "tokyo-pg-1")
        return observation
    }

    static let all = preflight + patroni + names + verifications + patroniReturn
}
