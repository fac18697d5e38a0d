import GeoCore
import GeoTestSupport
import Testing

/// WAL: whether it flows, how far it got, and the proof that none is left behind.
@Suite struct ReplicationCheckTests {
    private static func standby(_ facts: DatabaseFacts) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.database, facts, on: "seoul-pg-1") }
    }
    private static func primary(_ facts: DatabaseFacts) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.database, facts, on: "tokyo-pg-1") }
    }
    private static func behind(_ bytes: UInt64) -> LogPosition { LogPosition(bytes: Fixtures.current.bytes - bytes) }

    @Test(arguments: [
        CheckCase("streams", "replication.streaming", is: .pass, says: ["last message 0.5 s ago"]),
        CheckCase(
            "no receiver, received = replayed", "replication.streaming", is: .fail, says: ["no WAL receiver"],
            change: standby(Fixtures.standby(receiver: nil))),
        CheckCase(
            "waiting", "replication.streaming", is: .fail, says: ["\"waiting\""],
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(status: "waiting")))),
        CheckCase(
            "silent for 45 s", "replication.streaming", is: .pass,
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: 45)))),
        CheckCase(
            "silent for longer", "replication.streaming", is: .fail, says: ["45.1 s"],
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: 45.1)))),
        CheckCase(
            "never heard", "replication.streaming", is: .unknown,
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: nil)))),
        CheckCase(
            "silence is not a number", "replication.streaming", is: .fail,
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: .nan)))),
        CheckCase(
            "heard in the future", "replication.streaming", is: .unknown, says: ["its clock was set"],
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: -30)))),
        CheckCase(
            "no sender", "replication.streaming", is: .fail, says: ["to nobody"],
            change: primary(Fixtures.primary(senders: []))),
        CheckCase(
            "sender catches up", "replication.streaming", is: .fail, says: ["\"catchup\""],
            change: primary(Fixtures.primary(senders: [Fixtures.sender(state: "catchup")]))),
        CheckCase(
            "behind a translated address", "replication.streaming", is: .pass,
            change: primary(Fixtures.primary(senders: [Fixtures.sender(address: "192.0.2.9")]))),
        CheckCase(
            "known by its slot's name", "replication.streaming", is: .pass,
            change: primary(
                Fixtures.primary(senders: [
                    Fixtures.sender(name: "seoul", address: "192.0.2.9"), Fixtures.sender(address: "192.0.2.8"),
                ]))),
        CheckCase(
            "two strangers", "replication.streaming", is: .unknown, says: ["2 senders"],
            change: primary(
                Fixtures.primary(senders: [
                    Fixtures.sender(address: "192.0.2.9"), Fixtures.sender(address: "192.0.2.8"),
                ]))),
        CheckCase(
            "only its own site's replica", "replication.streaming", is: .fail,
            change: primary(Fixtures.primary(senders: [Fixtures.sender(address: "10.77.1.12")]))),
        CheckCase("roles exchanged", "replication.streaming", on: Fixtures.exchanged(), is: .fail, says: ["writable"]),
    ])
    func streamingTakesBothEndsAndAFreshMessage(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("level", "replication.lag", is: .pass, says: ["0 bytes behind", "while streaming"]),
        CheckCase(
            "at the limit in bytes", "replication.lag", is: .pass,
            change: standby(Fixtures.standby(replayed: behind(16 << 20)))),
        CheckCase(
            "beyond", "replication.lag", is: .fail, says: ["16777217 bytes"],
            change: standby(Fixtures.standby(replayed: behind(16 << 20 + 1)))),
        CheckCase(
            "own limit", "replication.lag", limits: ["at_most_bytes": 0], is: .fail, says: ["1 byte behind"],
            change: standby(Fixtures.standby(replayed: behind(1)))),
        CheckCase(
            "at the limit in seconds", "replication.lag", is: .pass,
            change: standby(Fixtures.standby(replayed: behind(1), secondsSinceLastReplay: 30))),
        CheckCase(
            "beyond in seconds", "replication.lag", is: .fail, says: ["30.1 s"],
            change: standby(Fixtures.standby(replayed: behind(1), secondsSinceLastReplay: 30.1))),
        CheckCase(
            "old but level: the primary is idle", "replication.lag", is: .pass,
            change: standby(Fixtures.standby(secondsSinceLastReplay: 3600))),
        CheckCase(
            "behind, nothing replayed", "replication.lag", is: .unknown,
            change: standby(Fixtures.standby(replayed: behind(1), secondsSinceLastReplay: nil))),
        CheckCase(
            "0 while no receiver runs", "replication.lag", is: .fail, says: ["means nothing"],
            change: standby(Fixtures.standby(receiver: nil))),
        CheckCase(
            "0 while not heard of", "replication.lag", is: .fail,
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(silence: 60)))),
        CheckCase(
            "another lineage", "replication.lag", is: .fail, says: ["cannot be compared"],
            change: standby(Fixtures.standby(systemIdentifier: "9"))),
        CheckCase("caught up", "replication.caught-up", is: .pass),
        CheckCase(
            "one byte short", "replication.caught-up", is: .fail, says: ["1 byte short"],
            change: standby(Fixtures.standby(replayed: behind(1)))),
        CheckCase(
            "past it", "replication.caught-up", is: .pass,
            change: standby(Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes + 8)))),
        CheckCase(
            "another lineage", "replication.caught-up", is: .fail,
            change: standby(Fixtures.standby(systemIdentifier: "9"))),
        CheckCase(
            "another lineage", "database.same-lineage", is: .fail, says: ["2 system identifiers"],
            change: standby(Fixtures.standby(systemIdentifier: "9"))),
        CheckCase(
            "no identifier", "database.same-lineage", is: .unknown,
            change: standby(Fixtures.standby(systemIdentifier: ""))),
        CheckCase(
            "ahead of a primary that was restored", "replication.lag", is: .fail, says: ["ahead of tokyo"],
            change: primary(Fixtures.primary(current: LogPosition(bytes: 4096)))),
        CheckCase(
            "read a moment later", "replication.lag", is: .pass,
            change: primary(Fixtures.primary(current: behind(64 << 20)))),
    ])
    func lagCountsOnlyWhileItStreamsFromTheSameLineage(_ line: CheckCase) { line.verify() }

    private static func slots(_ slots: DatabaseFacts.Slot...) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.database, Fixtures.primary(slots: slots), on: "tokyo-pg-1") }
    }

    @Test(arguments: [
        CheckCase("active", "replication.slot", is: .pass, says: ["slot seoul", "0 bytes"]),
        CheckCase("inactive", "replication.slot", is: .fail, change: slots(Fixtures.slot(isActive: false))),
        CheckCase(
            "lost", "replication.slot", is: .fail, says: ["lost"], change: slots(Fixtures.slot(walStatus: "lost"))),
        CheckCase("before PostgreSQL 13", "replication.slot", is: .pass, change: slots(Fixtures.slot(walStatus: nil))),
        CheckCase(
            "about to lose", "replication.slot", is: .warn, change: slots(Fixtures.slot(walStatus: "unreserved"))),
        CheckCase("missing", "replication.slot", is: .fail, says: ["does not exist"], change: slots()),
        CheckCase(
            "retains 10 GiB", "replication.slot", is: .pass, change: slots(Fixtures.slot(retainedBytes: 10 << 30))),
        CheckCase(
            "retains more", "replication.slot", is: .warn, says: ["10737418241"],
            change: slots(Fixtures.slot(retainedBytes: 10 << 30 + 1))),
        CheckCase(
            "retains nobody knows what", "replication.slot", is: .unknown,
            change: slots(Fixtures.slot(retainedBytes: nil))),
        CheckCase(
            "another site's", "replication.slot", is: .pass, change: slots(Fixtures.slot(), Fixtures.slot("osaka"))),
        CheckCase(
            "none used", "replication.slot", is: .warn, says: ["without a replication slot"],
            change: standby(Fixtures.standby(receiver: Fixtures.receiver(slot: nil)))),
        CheckCase("no receiver", "replication.slot", is: .fail, change: standby(Fixtures.standby(receiver: nil))),
        CheckCase(
            "a slot state of another release", "replication.slot", is: .unknown, says: ["nobody knows here"],
            change: primary(Fixtures.primary(slots: [Fixtures.slot(walStatus: "melting")]))),
    ])
    func aSlotHoldsBackWALForTheCandidateOnly(_ line: CheckCase) { line.verify() }

    private static func pause(_ isPaused: Bool, _ file: PointInTimeFile) -> @Sendable (inout Observation) -> Void {
        { observation in
            observation.put(\.database, Fixtures.standby(isReplayPaused: isPaused), on: "seoul-pg-1")
            observation.put(\.pointInTimeFile, file, on: "seoul-pg-1")
        }
    }

    @Test(arguments: [
        CheckCase("neither", "replication.not-paused", is: .pass, change: pause(false, .absent)),
        CheckCase(
            "paused by gitlab-ctl", "replication.not-paused", is: .fail, says: ["0/3014FB0", "throw away"],
            change: pause(true, .present(text: "0/3014FB0"))),
        CheckCase(
            "paused by hand", "replication.not-paused", is: .fail, says: ["by hand"], change: pause(true, .absent)),
        CheckCase(
            "leftover file", "replication.not-paused", is: .fail, says: ["go back to that position"],
            change: pause(false, .present(text: "0/3014FB0"))),
        CheckCase("paused, file unknown", "replication.not-paused", is: .fail) {
            $0.put(\.database, Fixtures.standby(isReplayPaused: true), on: "seoul-pg-1")
            $0.lose(\.pointInTimeFile, on: "seoul-pg-1")
        },
        CheckCase("nothing to pause", "replication.not-paused", is: .fail, change: standby(Fixtures.primary())),
    ])
    func pauseAndPointInTimeFileMustAgreeOnNeither(_ line: CheckCase) { line.verify() }

    private static func stopped(_ control: ControlData) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.controlData, control, on: "tokyo-pg-1") }
    }

    @Test(arguments: [
        CheckCase(
            "at the checkpoint", "database.zero-loss", on: Fixtures.fenced(), is: .pass,
            says: ["0/50000000", "0 bytes past"]),
        CheckCase(
            "past it", "database.zero-loss", on: Fixtures.fenced(), is: .pass, says: ["120 bytes past"],
            change: standby(Fixtures.standby(replayed: LogPosition(bytes: Fixtures.current.bytes + 120), receiver: nil))
        ),
        CheckCase(
            "one byte short", "database.zero-loss", on: Fixtures.fenced(), is: .fail,
            says: ["0/4FFFFFFF", "1 byte short", "0/50000000"],
            change: standby(Fixtures.standby(replayed: behind(1), receiver: nil))),
        CheckCase(
            "still running", "database.zero-loss", on: Fixtures.fenced(), is: .fail, says: ["in production"],
            change: stopped(Fixtures.controlData("in production"))),
        CheckCase(
            "crashed on the way", "database.zero-loss", on: Fixtures.fenced(), is: .fail,
            change: stopped(Fixtures.controlData("shutting down"))),
        CheckCase(
            "was a standby", "database.zero-loss", on: Fixtures.fenced(), is: .fail,
            change: stopped(Fixtures.controlData("shut down in recovery"))),
        CheckCase(
            "another lineage", "database.zero-loss", on: Fixtures.fenced(), is: .fail,
            change: stopped(Fixtures.controlData("shut down", systemIdentifier: "9"))),
        CheckCase("no lineage", "database.zero-loss", on: Fixtures.fenced(), is: .fail) {
            $0.put(\.controlData, Fixtures.controlData("shut down", systemIdentifier: ""), on: "tokyo-pg-1")
            $0.put(\.database, Fixtures.standby(systemIdentifier: ""), on: "seoul-pg-1")
        },
        CheckCase(
            "candidate on a later timeline", "database.zero-loss", on: Fixtures.fenced(), is: .fail,
            says: ["went its own way"], change: standby(Fixtures.standby(receiver: nil, timeline: 2))),
        CheckCase(
            "candidate last seen on an earlier one", "database.zero-loss", on: Fixtures.fenced(), is: .unknown,
            change: stopped(Fixtures.controlData("shut down", timeline: 2))),
        CheckCase(
            "candidate promoted already", "database.zero-loss", on: Fixtures.promoted(), is: .unknown,
            says: ["can no longer be seen"]),
        CheckCase("before the stop", "database.zero-loss", is: .fail),
        CheckCase("stopped cleanly", "database.stopped-cleanly", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass),
        CheckCase(
            "service restarted", "database.stopped-cleanly", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .fail,
            says: ["runs"]
        ) {
            $0.service("postgresql", on: "tokyo-pg-1") { $0.state = .running }
        },
        CheckCase(
            "immediate shutdown", "database.stopped-cleanly", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .fail,
            says: ["in production"], change: stopped(Fixtures.controlData("in production"))),
        CheckCase(
            "as a standby", "database.stopped-cleanly", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .fail,
            change: stopped(Fixtures.controlData("shut down in recovery"))),
        CheckCase("still in recovery", "database.is-primary", .on("seoul-pg-1"), is: .fail),
        CheckCase("still in recovery", "database.accepts-writes", .on("seoul-pg-1"), is: .fail),
        CheckCase("writes", "database.accepts-writes", .on("tokyo-pg-1"), is: .pass, says: ["0/50000000"]),
        CheckCase("no database there", "database.is-primary", .on("tokyo-redis-1"), is: .unknown),
    ])
    func nothingCommittedIsLeftBehind(_ line: CheckCase) { line.verify() }

    @Test func aPatroniSiteIsJudgedByTheMemberThatIsFedFromOutside() {
        let inventory = Fixtures.patroniInventory()
        func verdict(_ id: CheckID, _ observation: Observation) -> Verdict {
            askCheck(id, observation, inventory: inventory).worst
        }
        let healthy = Fixtures.patroniHealthy()
        for id in ["replication.streaming", "replication.lag", "replication.slot", "replication.not-paused"]
            as [CheckID]
        {
            #expect(verdict(id, healthy) == .pass, "\(askCheck(id, healthy, inventory: inventory).map(\.summary))")
        }
        // The replica streams on from a leader that streams from nobody.
        let cut = healthy.changing("seoul-pg-1") { $0.database = Fixtures.seen(Fixtures.standby(receiver: nil)) }
        #expect(verdict("replication.lag", cut) != .pass)
        #expect(verdict("replication.streaming", cut) != .pass)
        // An unseen member could be the leader.
        #expect(verdict("replication.streaming", healthy.losing("seoul-pg-2")) == .unknown)
        // A replica that is paused says so nowhere else.
        let paused = healthy.changing("seoul-pg-2") {
            $0.database = Fixtures.seen(
                Fixtures.standby(isReplayPaused: true, receiver: Fixtures.receiver(host: "10.77.2.21")))
        }
        #expect(verdict("replication.not-paused", paused) == .fail)
        let torn = healthy.changing("tokyo-pg-2") { $0.database = Fixtures.seen(Fixtures.primary()) }
        #expect(askCheck("deployment.one-primary", torn, about: .deployment, inventory: inventory).worst == .fail)
    }
}
