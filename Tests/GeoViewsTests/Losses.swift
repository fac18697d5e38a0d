import GeoCore
import GeoTestSupport

/// Loss statements as the fixtures' deployment would give them, with something to lose and with nothing known.
enum Losses {
    static func statement(_ change: (inout Observation) -> Void = { _ in }) -> LossStatement {
        var observation = Fixtures.healthy()
        change(&observation)
        return LossStatement(inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: observation)
    }

    /// The link is cut, one upload is not copied, three projects were pushed since, one is not verified.
    static let some = statement { observation in
        observation.change("seoul-pg-1") { facts in
            facts.database = Fixtures.seen(
                Fixtures.standby(
                    replayed: LogPosition(bytes: Fixtures.current.bytes - 5_000_000), receiver: nil,
                    secondsSinceLastReplay: 95), on: "seoul-pg-1")
        }
        observation.change("seoul-geo-1") { facts in
            var tracking = Fixtures.tracking(cursorEventID: 4700)
            tracking.registries["uploads"] = RegistryCounts(
                total: 2, synced: 1, failed: 1, verified: 1, verificationFailed: 0)
            facts.tracking = Fixtures.seen(tracking, on: "seoul-geo-1")
            var registry = Fixtures.projectRegistry()
            registry.lacking = [
                .init(project: 3, isSynced: true, isVerified: false, syncedAt: Fixtures.moment(-1700)),
                .init(project: 999, isSynced: false, isVerified: false, syncedAt: nil),
            ]
            registry.lackingCount = 2
            registry.latest =
                registry.latest.filter { $0.project > 3 }
                + [.init(project: 1, isSynced: true, isVerified: true, syncedAt: Fixtures.moment(-900))]
            facts.projectRegistry = Fixtures.seen(registry, on: "seoul-geo-1")
        }
    }

    /// The primary is gone, and so is the tracking database.
    static let unknown = statement { $0 = $0.losing("tokyo-pg-1").losing("seoul-geo-1") }

    /// The primary is gone and was seen ten minutes before, further than the candidate got.
    static let lastSeen: LossStatement = {
        var known = LastKnown(deployment: "lab")
        var before = Fixtures.healthy()
        before.change("tokyo-pg-1") { facts in
            facts.database = .known(
                value: Fixtures.primary(current: LogPosition(bytes: Fixtures.current.bytes + 3_000_000)),
                at: Fixtures.moment(-600), from: "tokyo-pg-1")
            facts.geo = .known(value: Fixtures.geo(lastEventID: 4719), at: Fixtures.moment(-600), from: "tokyo-pg-1")
        }
        known.learn(from: before, of: Fixtures.inventory())
        return LossStatement(
            inventory: Fixtures.inventory(), from: "tokyo", to: "seoul",
            observation: Fixtures.healthy().losing("tokyo-pg-1"), lastKnown: known)
    }()

    static let now = Fixtures.moment(10)
}
