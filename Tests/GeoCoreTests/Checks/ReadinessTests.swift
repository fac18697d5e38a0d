import GeoCore
import GeoTestSupport
import Testing

/// What the findings mean together, and what a failover would lose.
@Suite struct ReadinessTests {
    private static func finding(_ verdict: Verdict, _ check: CheckID = "node.clock") -> Finding {
        Finding(check: check, subject: .on("tokyo-pg-1"), verdict: verdict, summary: "seen \(verdict)")
    }

    private static func waiver(_ verdict: Verdict, _ check: CheckID = "node.clock", subject: String = "tokyo-pg-1")
        -> Waiver
    {
        Waiver(
            check: check, subject: subject, reason: "known", by: "mia", at: Fixtures.moment(),
            observed: "seen \(verdict)")
    }

    @Test(arguments: [
        ([Verdict.pass], Readiness.ready), ([.pass, .warn, .warn], .readyWithWarnings(warnings: 2)),
        ([.pass, .fail, .warn], .notReady(failed: 1, unknown: 0)),
        ([.pass, .unknown], .notReady(failed: 0, unknown: 1)),
        ([], .notReady(failed: 0, unknown: 1)),
    ])
    func failAndUnknownBlockAndWarnDoesNot(_ verdicts: [Verdict], _ expected: Readiness) {
        #expect(Readiness(of: verdicts.map { Self.finding($0) }) == expected)
    }

    @Test func aWaiverCoversOnlyWhatWasSeenOfWhomAndNoInvariant() {
        func ready(_ finding: Finding, _ waiver: Waiver) -> Bool {
            Readiness(of: [finding], policy: .init(waivers: [waiver])).isReady
        }
        #expect(ready(Self.finding(.fail), Self.waiver(.fail)))
        #expect(
            Readiness(of: [Self.finding(.fail)], policy: .init(waivers: [Self.waiver(.fail)]))
                == .readyWithWarnings(warnings: 1))
        #expect(!ready(Self.finding(.fail), Self.waiver(.unknown)))
        #expect(!ready(Self.finding(.fail), Self.waiver(.fail, "node.disk")))
        #expect(!ready(Self.finding(.fail), Self.waiver(.fail, subject: "seoul-pg-1")))
        #expect(!ready(Self.finding(.fail, "site.fenced"), Self.waiver(.fail, "site.fenced")))
        #expect(!ready(Self.finding(.fail, "no.such-check"), Self.waiver(.fail, "no.such-check")))
        #expect(!Readiness(of: [Self.finding(.warn)], policy: .init(warningsBlock: true)).isReady)
    }

    private func loss(_ observation: Observation, _ change: (inout Observation) -> Void = { _ in }) -> LossStatement {
        var observation = observation
        change(&observation)
        return LossStatement(inventory: Fixtures.inventory(), from: "tokyo", to: "seoul", observation: observation)
    }

    @Test func aHealthyDeploymentWouldLoseNothing() {
        let loss = loss(Fixtures.healthy())
        #expect(loss.isNothing)
        #expect(loss.gaps == [])
        #expect(loss.bytesNotReplayed.value == 0)
        #expect(loss.secondsNotReplayed.value == 0)
        #expect(loss.eventsBehind.value == 0)
        #expect(loss.items.value?.map(\.dataType).sorted() == Fixtures.items.keys.sorted())
        #expect(loss.lastReplayedAt.value == Fixtures.moment(-6))
    }

    @Test func lossIsCountedPerKind() {
        let loss = loss(Fixtures.healthy()) {
            $0.put(
                \.database,
                Fixtures.standby(
                    replayed: LogPosition(bytes: Fixtures.current.bytes - 4096), secondsSinceLastReplay: 12),
                on: "seoul-pg-1")
            $0.registry("uploads") { $0 = .init(total: 2, synced: 1, failed: 1, verified: 0, verificationFailed: 0) }
            $0.tracking { $0.cursorEventID = 4700 }
        }
        #expect(!loss.isNothing)
        #expect(loss.bytesNotReplayed.value == 4096)
        #expect(loss.secondsNotReplayed.value == 12)
        #expect(loss.eventsBehind.value == 11)
        let uploads = loss.items.value?.first { $0.dataType == "uploads" }
        #expect(uploads?.notSynced == 1)
        #expect(uploads?.missing.value == 1)
        #expect(uploads?.notVerified == 1)
    }

    @Test func aDeadPrimaryLeavesUnknownsAndNeverZeros() {
        let loss = loss(Fixtures.healthy().losing("tokyo-pg-1"))
        #expect(!loss.isNothing)
        #expect(loss.bytesNotReplayed.value == nil)
        #expect(loss.secondsNotReplayed.value == nil)
        #expect(loss.eventsBehind.value == nil)
        #expect(loss.lastReplayedAt.value == Fixtures.moment(-6))
        #expect(loss.items.value?.allSatisfy { $0.missing.value == nil && $0.notSynced == 0 } == true)
        #expect(loss.gaps.count == 3 + Fixtures.items.count + 1)
        #expect(loss.gaps.allSatisfy { $0.contains("connection timed out") })
    }

    @Test func whatGrewOrCannotBeCountedAnyMoreIsMoreThanWasTold() {
        let told = loss(Fixtures.healthy())
        #expect(!told.exceeds(told))
        let grown = loss(Fixtures.healthy()) {
            $0.put(
                \.database, Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes - 8)),
                on: "seoul-pg-1")
        }
        #expect(grown.exceeds(told) && !told.exceeds(grown))
        let dead = loss(Fixtures.healthy().losing("tokyo-pg-1"))
        #expect(dead.exceeds(told))
        // That nobody could count was told: it is the same now.
        #expect(!dead.exceeds(dead) && !told.exceeds(dead))
        let item = loss(Fixtures.healthy()) {
            $0.registry("uploads") { $0 = .init(total: 2, synced: 1, failed: 1, verified: 1, verificationFailed: 0) }
        }
        #expect(item.exceeds(told))
    }

    @Test func aCleanlyStoppedPrimarySaysWhatIsMissing() {
        #expect(loss(Fixtures.fenced()).bytesNotReplayed.value == 0)
        let short = loss(Fixtures.fenced()) {
            $0.put(
                \.database, Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes - 8), receiver: nil),
                on: "seoul-pg-1")
        }
        #expect(short.bytesNotReplayed.value == 8)
    }

    @Test(arguments: [
        { @Sendable (observation: inout Observation) in observation = observation.losing("seoul-geo-1") },
        { @Sendable (observation: inout Observation) in observation = observation.losing("seoul-pg-1") },
        { @Sendable (observation: inout Observation) in observation = observation.aged(bySeconds: 300) },
        { @Sendable (observation: inout Observation) in observation.tracking { $0.registries = [:] } },
        { @Sendable (observation: inout Observation) in observation.row("tokyo", on: "tokyo-pg-1") { $0.status = nil }
        },
        { @Sendable (observation: inout Observation) in observation.geo(on: "tokyo-pg-1") { $0.lastEventID = nil } },
    ])
    func anyUnknownInputIsAGap(_ change: @Sendable (inout Observation) -> Void) {
        let loss = loss(Fixtures.healthy(), change)
        #expect(!loss.isNothing)
        #expect(!loss.gaps.isEmpty)
    }

    @Test func anUnknownSiteIsAGapEverywhere() {
        let loss = LossStatement(
            inventory: Fixtures.inventory(), from: "tokyo", to: "atlantis", observation: Fixtures.healthy())
        #expect(loss.gaps.count == 5)
        #expect(!loss.isNothing)
    }
}
