import GeoCore
import GeoTestSupport
import Testing

/// Which answers stand in the way depends on what is checked for; silence of the candidate always does.
@Suite struct ProfileTests {
    private func blocking(
        _ profile: CheckProfile, _ observation: Observation, inventory: Inventory = Fixtures.inventory()
    ) -> [String] {
        profile.preflight.flatMap { item -> [String] in
            guard let check = CheckCatalog.check(item.check) else { return ["no check \(item.check)"] }
            let subjects = CheckCatalog.subjects(
                of: check, inventory: inventory, from: "tokyo", to: "seoul", asked: item.subjects)
            return subjects.flatMap { subject -> [String] in
                let context = CheckContext(
                    inventory: inventory, subject: subject, limits: profile.limits[item.check] ?? .init(),
                    from: "tokyo",
                    to: "seoul")
                return check.findings(context, observation).filter { finding in
                    finding.verdict > .warn
                        && profile.acceptance(
                            of: finding, limits: profile.limits[item.check] ?? .init(), in: inventory, from: "tokyo",
                            to: "seoul", observation) == nil
                }.map { "\($0.check) \($0.subject): \($0.summary)" }
            }
        }
    }

    private static let lost: Observation = {
        var observation = Fixtures.healthy()
        observation.powerOff(Fixtures.inventory().site("tokyo")?.nodes.map(\.id) ?? [])
        observation.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        return observation
    }()

    @Test(arguments: CheckProfile.allCases)
    func nothingStandsInTheWayWhereEverythingIsAsItShouldBe(profile: CheckProfile) {
        #expect(blocking(profile, Fixtures.healthy()) == [])
    }

    @Test func aLostPrimaryIsNoObstacleToLeavingIt() {
        #expect(blocking(.unplanned, Self.lost) == [])
        for profile in [CheckProfile.planned, .drill, .reseed] { #expect(blocking(profile, Self.lost).count > 5) }
    }

    /// Whatever is not known of the candidate stands in the way, also while the primary is lost and unknown with it.
    @Test func nothingUnknownOfTheCandidateIsEverAccepted() throws {
        let asked = CheckProfile.unplanned.preflight.reduce(into: ObservationScope()) { scope, item in
            guard let check = CheckCatalog.check(item.check) else { return }
            for subject in CheckCatalog.subjects(
                of: check, inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", asked: item.subjects)
            {
                let context = CheckContext(
                    inventory: Fixtures.inventory(), subject: subject, from: "tokyo", to: "seoul")
                scope.formUnion(check.needs(context))
            }
        }
        let seoul = try #require(Fixtures.inventory().site("seoul"))
        for node in seoul.nodes {
            for probe in asked.probes[node.id] ?? [] {
                let other = Self.lost.changing(node.id) { facts in
                    facts.markUnknown(probe, reason: "made unknown")
                    if probe == .identity { facts.connection = .unknown(reason: "made unknown") }
                }
                // A role needs two of its sources only; what database.yml says is a hint.
                // Several places look at the lost site; one that cannot is no gap while another can.
                guard probe != .railsConfiguration, probe != .views else { continue }
                #expect(!blocking(.unplanned, other).isEmpty, "\(probe) of \(node.id)")
            }
        }
    }

    @Test func aLossThatNobodyElseCouldLookAtStandsInTheWay() {
        var other = Self.lost
        for node in Fixtures.inventory().vantagePoints(at: "tokyo") {
            other.change(node.id) { $0.views = .unknown(reason: "made unknown") }
        }
        #expect(blocking(.unplanned, other).contains { $0.hasPrefix("primary.not-out-of-reach") })
    }

    @Test func aSettingThatTheCandidateDidNotTellIsNotExcusedByTheLossOfThePrimary() {
        var other = Self.lost
        var server = Fixtures.server(isPrimary: false)
        server.settings["hot_standby"] = nil
        other.put(\.server, server, on: "seoul-pg-1")
        #expect(blocking(.unplanned, other).contains { $0.hasPrefix("database.standby-readable") })
    }

    @Test func aPausedReplayStandsInTheWayOfEveryFailover() {
        var other = Self.lost
        other.put(\.database, Fixtures.standby(isReplayPaused: true, receiver: nil), on: "seoul-pg-1")
        #expect(blocking(.unplanned, other).contains { $0.hasPrefix("replication.not-paused") })
    }

    /// No step mends it when the primary is gone: a person has to accept it by name, with its number in the statement.
    @Test func whatGeoWasSetNotToCopyStandsInTheWayAndIsCounted() {
        var selected = Self.lost
        selected.row("seoul", on: "seoul-pg-1") { $0.selectiveSync = "namespaces" }
        selected.registry("uploads") { $0.total -= 7 }
        #expect(blocking(.unplanned, selected).contains { $0.hasPrefix("geo.selective-sync tokyo->seoul: seoul") })
        let loss = LossStatement(inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: selected)
        #expect(loss.leftOut?.contains { $0.hasPrefix("everything outside the selected namespaces") } == true)
        #expect(loss.sentence.contains("at least 7 items, by counts"), "\(loss.sentence)")

        var buckets = Self.lost
        buckets.row("seoul", on: "seoul-pg-1") { $0.syncsObjectStorage = false }
        #expect(
            blocking(.unplanned, buckets).contains { $0.hasPrefix("geo.object-storage tokyo->seoul: Geo does not") })
        let other = LossStatement(inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: buckets)
        #expect(!other.isNothing && other.sentence.contains("what is in object storage, unless its provider copies it"))
        // A primary that lives can still be asked to copy them.
        #expect(blocking(.planned, Fixtures.healthy()) == [])
    }

    @Test func whatIsLossStandsInTheWayOnlyWhereNothingMayBeLost() {
        var observation = Fixtures.healthy()
        observation.registry("uploads") {
            $0.synced -= 1
            $0.verified -= 1
        }
        #expect(blocking(.planned, observation).contains { $0.hasPrefix("geo.complete") })
        #expect(blocking(.unplanned, observation) == [])
        #expect(blocking(.reseed, observation) == [])
    }

    @Test func aReseedAndADrillWantRoomForTheCopy() {
        var observation = Fixtures.healthy()
        var server = Fixtures.server(isPrimary: true)
        server.databaseBytes = 40 << 30
        observation.put(\.server, server, on: "tokyo-pg-1")
        #expect(blocking(.planned, observation) == [])
        for profile in [CheckProfile.reseed, .drill] {
            #expect(blocking(profile, observation).contains { $0.hasPrefix("database.room-for-base-backup") })
        }
    }
}
