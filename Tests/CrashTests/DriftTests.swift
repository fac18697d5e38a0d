import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The world is not what the plan was made from.
@Suite struct DriftTests {
    private static let candidate = Drifted.changes

    private static func expect(_ end: Rig.End, shows change: Drifted, _ rig: Rig) {
        guard case .ended(.refused(let drift)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(
            drift.contains { $0.fact == change.fact && $0.planned == change.planned && $0.now == change.now },
            "\(drift)")
    }

    @Test(arguments: candidate)
    func beforeTheFirstChangeTheRunIsRefusedWithBothValuesAndNothingIsChanged(change: Drifted) async throws {
        let rig = Rig()
        rig.deployment.withState(change.apply)
        Self.expect(await rig.process(), shows: change, rig)
        #expect(rig.deployment.withState { $0.starts.isEmpty })
        // Resuming it changes nothing either.
        Self.expect(await rig.process(), shows: change, rig)
        #expect(rig.deployment.withState { $0.starts.isEmpty })
    }

    @Test(arguments: candidate)
    func beforeThePointOfNoReturnTheRunIsRefusedAndNothingIsPromoted(change: Drifted) async throws {
        let rig = Rig()
        let end = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted("confirm", _) = record.entry {
                rig.deployment.withState(change.apply)
            }
        })
        Self.expect(end, shows: change, rig)
        #expect(rig.promotions.isEmpty)
        #expect(try !rig.state().isPastPointOfNoReturn)
    }

    /// The tool died between its look and its first command; days later the deployment is another.
    @Test(arguments: candidate, [3, 4, 5])
    func afterAPauseThePlanIsComparedAgainBeforeAnythingIsSent(change: Drifted, record: Int) async throws {
        let rig = Rig()
        #expect(await rig.process(dies: Death(kind: .afterWriting, record: record)) == .died)
        let before = rig.deployment.withState { $0.starts }
        rig.deployment.withState(change.apply)
        Self.expect(await rig.process(), shows: change, rig)
        #expect(rig.deployment.withState { $0.starts } == before)
    }

    @Test func aFormerPrimaryThatServesAgainBeforeAResumedPromotionStopsIt() async throws {
        let whole = Rig()
        _ = await whole.process()
        let records = try whole.disk.decoded()
        let promotion = try #require(
            records.firstIndex {
                if case .commandStarted("promote-database", _, 2, _) = $0.entry { true } else { false }
            })
        // Its start is recorded, and it never reached the node.
        let rig = Rig()
        _ = await rig.process(dies: Death(kind: .afterWriting, record: promotion))
        #expect(rig.promotions.isEmpty)
        rig.deployment.withState { state in
            state["tokyo-pg-1"].isBootMasked = false
            state["tokyo-pg-1"].startsAtBoot = true
            state.reboot("tokyo-pg-1")
        }
        let end = await rig.process()
        guard case .ended(.halted(let reason)) = end else {
            Issue.record("\(end)\n\(rig.story)")
            return
        }
        #expect(reason.contains("site.fenced"), "\(reason)")
        #expect(rig.promotions.isEmpty)
        #expect(rig.faults == [])
    }

    struct Impostor: Sendable, CustomTestStringConvertible {
        var node: NodeID
        var says: String
        var apply: @Sendable (inout SimulatedNode) -> Void
        var testDescription: String { "\(node) \(says)" }
    }

    private static let impostors = [
        Impostor(node: "tokyo-rails-1", says: "it belongs to the site seoul") { $0.siteName = "seoul" },
        Impostor(node: "tokyo-pg-1", says: "it belongs to the site seoul") { $0.siteName = "seoul" },
        Impostor(node: "tokyo-pg-1", says: "its system identifier is 9") { $0.systemIdentifier = "9" },
        Impostor(node: "seoul-pg-1", says: "its system identifier is 9") { $0.systemIdentifier = "9" },
    ]

    /// Its machine is the plan's, and its GitLab is not: nothing that is compared beforehand shows it.
    @Test(arguments: impostors)
    func atTheMomentOfTheActTheNodeItselfRefusesWhatIsNotMeantForIt(impostor: Impostor) async throws {
        let rig = Rig()
        rig.deployment.withState { impostor.apply(&$0[impostor.node]) }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains(impostor.says), "\(reason)")
        let started = rig.deployment.withState { $0.starts.keys.filter { $0.hasPrefix("\(impostor.node)/") } }
        #expect(started.isEmpty, "\(started)")
        #expect(rig.promotions.isEmpty)
        // What was put right goes on.
        rig.deployment.withState { state in
            state[impostor.node].siteName = impostor.node.rawValue.hasPrefix("tokyo") ? "tokyo" : "seoul"
            state[impostor.node].systemIdentifier = Fixtures.systemIdentifier
        }
        #expect(await rig.runToTheEnd(processes: 3) == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [])
    }

    @Test func aCheckOfThePlanThatFailsByNowIsShownAndNothingIsChanged() async throws {
        let rig = Rig()
        rig.deployment.withState { $0["seoul-sidekiq-1"].startsAtBoot = false }
        guard case .ended(.notReady(let findings)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(findings.map(\.check) == ["node.starts-at-boot"])
        #expect(rig.deployment.withState { $0.starts.isEmpty })
    }
}
