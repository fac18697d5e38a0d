import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// Runs of this version on the simulated deployment, for `ReleasedRuns`. Between them and the ones from the lab they have
/// every kind of record.
enum RecordedRuns {
    static let all: [(name: String, make: @Sendable () async throws -> Rig)] = [
        ("lost-site", lostSite), ("primary-died", primaryDied), ("aborted", aborted), ("way-back", wayBack),
        ("changed-url", changedURL), ("two-signatures", signed), ("taken-over", takenOver),
        ("more-lost", moreLost),
    ]

    /// Where a record of an undisturbed planned failover is.
    private static func index(_ isIt: (JournalEntry) -> Bool) async throws -> Int {
        let whole = try await Story.planned.rig()
        _ = await whole.process()
        return try #require(whole.disk.decoded().firstIndex { isIt($0.entry) })
    }

    /// Two nodes were vouched for or isolated; one of them comes back and is fenced again.
    private static func lostSite() async throws -> Rig {
        let rig = try await Story.unplanned.rig()
        _ = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .stepSucceeded("promote-first-rails", _, _, _) = record.entry {
                rig.deployment.withState { $0.powerOn("tokyo-rails-1") }
            }
        })
        return rig
    }

    /// A planned failover that goes on as an unplanned one, after words for every node of the dead site.
    private static func primaryDied() async throws -> Rig {
        let rig = try await Story.planned.rig()
        _ = await rig.process(watching: { event in
            if case .recorded(let record) = event, case .stepStarted("wait-for-replication", _) = record.entry {
                rig.deployment.withState { state in
                    for node in state.nodes(of: state.from) { state.powerOff(node.node.id) }
                }
            }
        })
        rig.say(try LostSite.words(givingUp: rig))
        _ = await rig.runToTheEnd(processes: 3)
        return rig
    }

    /// Behind a cut link users went on writing after the plan was made.
    private static func moreLost() async throws -> Rig {
        let rig = try LostSite.rig(off: ["tokyo-redis-1"])
        rig.deployment.withState { state in
            state.isReplicationCut = true
            let primary = state.databaseIndex(of: state.from)
            state.nodes[primary].database?.position += 1_000_000
        }
        _ = await rig.process(answers: { $0.isInThePlan ? $0.expected ?? "" : nil })
        _ = await rig.process()
        return rig
    }

    private static func aborted() async throws -> Rig {
        let rig = try await Story.planned.rig()
        _ = await rig.process(answers: { _ in nil })
        try await rig.abandon(undoneBy: "back")
        return rig
    }

    private static func wayBack() async throws -> Rig {
        let rig = try await Story.wayBack.rig()
        _ = await rig.process()
        return rig
    }

    /// Killed once, and with a reconfigure that fails once.
    private static func changedURL() async throws -> Rig {
        let rig = try await Story.changeURL.rig()
        rig.deployment.withState { $0["seoul-rails-2"].failingReconfigures = 1 }
        _ = await rig.process(dies: Death(kind: .halfWritten, record: 20))
        _ = await rig.runToTheEnd(processes: 4)
        return rig
    }

    /// Killed while its hook ran; somebody goes on without it.
    private static func signed() async throws -> Rig {
        let started = try await index { if case .commandStarted("move-traffic", _, _, _) = $0 { true } else { false } }
        let rig = try await Story.planned.rig()
        rig.say(
            ["anna", "ben"].map { person in
                let approval = Approval(
                    plan: rig.file.digest, by: person, at: Fixtures.moment(-600), until: Fixtures.moment(3000),
                    signature: "-----BEGIN SSH SIGNATURE-----")
                return .signed(approval: VerifiedApproval(approval: approval, key: "SHA256:key-of-\(person)"))
            })
        _ = await rig.process(dies: Death(kind: .afterWriting, record: started + 2))
        _ = await rig.process()
        rig.say([.stepSkipped(step: "move-traffic", attempt: 1, reason: "moved by hand", by: rig.person)])
        _ = await rig.process()
        return rig
    }

    /// Nobody waits any more in the middle of a promotion, and somebody ends its command; later the machine is lost, and the
    /// copy that another one goes on from lacks the proofs of waits that the run had gone past.
    private static func takenOver() async throws -> Rig {
        let stopping = try await index {
            if case .commandStarted("stop-database", _, _, _) = $0 { true } else { false }
        }
        let drained = try await index { if case .stepSucceeded("drain-queues", _, _, _) = $0 { true } else { false } }
        let old = try await Story.planned.rig()
        _ = await old.process(dies: Death(kind: .afterWriting, record: stopping + 1))
        let rig = Rig(takingOver: old, behindBy: old.disk.records - drained)
        let interruption = Interruption()
        _ = await rig.process(
            interruption: interruption,
            beforeExchange: { script in
                guard script.key == "promote-first-rails~1~2" else { return }
                for _ in 0..<2 { await interruption.raise() }
            })
        rig.say([
            .commandCancelled(
                step: "promote-first-rails", attempt: 1, index: 2, key: "promote-first-rails~1~2", by: rig.person,
                reason: "it is slow")
        ])
        _ = await rig.runToTheEnd(processes: 3)
        return rig
    }
}
