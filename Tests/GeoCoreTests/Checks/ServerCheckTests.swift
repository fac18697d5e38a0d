import GeoCore
import GeoTestSupport
import Testing

/// Whether a standby could take over from its primary, by PostgreSQL's own settings and sessions.
@Suite struct ServerCheckTests {
    private static func server(_ node: NodeID, _ change: @escaping @Sendable (inout ServerFacts) -> Void)
        -> @Sendable (inout Observation) -> Void
    {
        { observation in
            guard var facts = observation[node].server.value else { return }
            change(&facts)
            observation.put(\.server, facts, on: node)
        }
    }

    @Test(arguments: [
        CheckCase(
            "parted", "database.same-timeline", is: .fail, says: ["seoul-pg-1 is on timeline 2", "tokyo-pg-1 on 1"]
        ) { $0.put(\.database, Fixtures.standby(timeline: 2), on: "seoul-pg-1") },
        CheckCase("follows the old one", "database.same-timeline", is: .fail, says: ["they have parted"]) {
            $0.put(\.database, Fixtures.primary(timeline: 2), on: "tokyo-pg-1")
        },
        CheckCase("behind and silent", "database.same-timeline", is: .unknown, says: ["streams from nobody"]) {
            $0.put(\.database, Fixtures.primary(timeline: 2), on: "tokyo-pg-1")
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        CheckCase("nobody to ask", "database.same-timeline", is: .unknown) { $0.lose(\.database, on: "seoul-pg-1") },
    ])
    func aTimelineThatPartedIsNoCandidate(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "hot_standby off", "database.standby-readable", is: .fail, says: ["refuses every connection"]
        ) {
            $0.change("seoul-pg-1") {
                $0.markUnknown(
                    .database,
                    reason: "PostgreSQL cannot be reached: \"FATAL: the database system is not accepting connections"
                        + " DETAIL: Hot standby mode is disabled.\"")
            }
        },
        CheckCase("only down", "database.standby-readable", is: .unknown, says: ["cannot be reached"]) {
            $0.change("seoul-pg-1") { $0.markUnknown(.database, reason: "PostgreSQL cannot be reached") }
        },
        CheckCase(
            "off after the next restart", "database.standby-readable", is: .fail, says: ["hot_standby of seoul-pg-1"],
            change: server("seoul-pg-1") { $0.settings["hot_standby"] = "off" }),
        CheckCase(
            "not told", "database.standby-readable", is: .unknown, says: ["did not tell its hot_standby"],
            change: server("seoul-pg-1") { $0.settings["hot_standby"] = nil }),
    ])
    func aStandbyThatAnswersNobodyIsSeen(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "would wait for nobody", "database.standby-settings", is: .warn, says: ["would hang at every write"],
            change: server("seoul-pg-1") { $0.settings["synchronous_standby_names"] = "*" }),
        CheckCase(
            "fewer connections", "database.standby-settings", is: .fail,
            says: ["max_connections is 499 on seoul-pg-1 and 500"],
            change: server("seoul-pg-1") { $0.settings["max_connections"] = "499" }),
        CheckCase(
            "more connections", "database.standby-settings", is: .pass,
            change: server("seoul-pg-1") { $0.settings["max_connections"] = "501" }),
        CheckCase(
            "fewer locks", "database.standby-settings", is: .fail, says: ["max_locks_per_transaction"],
            change: server("tokyo-pg-1") { $0.settings["max_locks_per_transaction"] = "129" }),
        CheckCase(
            "not told", "database.standby-settings", is: .unknown, says: ["max_wal_senders"],
            change: server("seoul-pg-1") { $0.settings["max_wal_senders"] = nil }),
        CheckCase(
            "not a number", "database.standby-settings", is: .unknown,
            change: server("tokyo-pg-1") { $0.settings["max_wal_senders"] = "ten" }),
    ])
    func aStandbySmallerThanItsPrimaryFails(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "changed and not restarted", "database.pending-restart", is: .warn, says: ["max_wal_senders"],
            change: server("seoul-pg-1") { $0.pendingRestart = ["max_wal_senders"] }),
        CheckCase(
            "another C library", "database.collation", is: .fail, says: ["2 versions of the C library"]
        ) { $0.put(\.machine, Fixtures.machine(glibc: "2.31"), on: "seoul-pg-1") },
        CheckCase(
            "indexes of another library", "database.collation", is: .fail, says: ["sorted by C library 2.31"],
            change: server("tokyo-pg-1") { $0.collationVersion = "2.31" }),
        CheckCase("before PostgreSQL 15", "database.collation", is: .pass, says: ["C library 2.36"]) {
            for node in ["tokyo-pg-1", "seoul-pg-1"] as [NodeID] {
                server(node) { $0.collationVersion = nil }(&$0)
            }
        },
        CheckCase("another locale", "database.collation", is: .fail, says: ["2 locales"]) {
            server("seoul-pg-1") { $0.locale = "de_DE.UTF-8 de_DE.UTF-8" }(&$0)
        },
        CheckCase("library not told", "database.collation", is: .unknown) {
            $0.put(\.machine, Fixtures.machine(glibc: nil), on: "seoul-pg-1")
        },
        CheckCase("sorted by bytes", "database.collation", is: .pass, says: ["by bytes"]) {
            for node in ["tokyo-pg-1", "seoul-pg-1"] as [NodeID] {
                server(node) { $0.locale = "C.UTF-8 C.UTF-8" }(&$0)
            }
            $0.put(\.machine, Fixtures.machine(glibc: "2.31"), on: "seoul-pg-1")
        },
    ])
    func whatSortsOtherwiseIsAnotherDatabase(_ line: CheckCase) { line.verify() }

    private static func open(_ seconds: Double) -> @Sendable (inout ServerFacts) -> Void {
        { $0.transactions = [.init(seconds: seconds, user: "gitlab", application: "sidekiq", state: "active")] }
    }

    @Test(arguments: [
        CheckCase(
            "at the limit", "database.long-transactions", is: .pass, says: ["600 s"],
            change: server("tokyo-pg-1", open(600))),
        CheckCase(
            "beyond", "database.long-transactions", is: .warn, says: ["of gitlab (sidekiq, active) on seoul-pg-1"],
            change: server("seoul-pg-1", open(600.1))),
        CheckCase(
            "own limit", "database.long-transactions", limits: ["at_most_seconds": 1], is: .warn),
        CheckCase(
            "prepared", "database.long-transactions", is: .warn, says: ["1 prepared transaction"],
            change: server("tokyo-pg-1") { $0.preparedTransactions = 1 }),
        CheckCase(
            "no slot to spare", "database.room-for-secondaries", is: .warn, says: ["max_replication_slots"],
            change: server("seoul-pg-1") { $0.settings["max_replication_slots"] = "0" }),
        CheckCase(
            "one sender", "database.room-for-secondaries", is: .warn, says: ["max_wal_senders of seoul-pg-1 is 1"],
            change: server("seoul-pg-1") { $0.settings["max_wal_senders"] = "1" }),
        CheckCase(
            "minimal WAL", "database.room-for-secondaries", is: .fail, says: ["wal_level"],
            change: server("seoul-pg-1") { $0.settings["wal_level"] = "minimal" }),
        CheckCase("as it is", "database.seed-source", is: .pass),
        CheckCase(
            "no sender left", "database.seed-source", is: .fail,
            says: ["max_wal_senders of tokyo-pg-1 is 1", "needs 2"]
        ) {
            var server = Fixtures.server(isPrimary: true)
            server.settings["max_wal_senders"] = "1"
            $0.put(\.server, server, on: "tokyo-pg-1")
        },
        CheckCase(
            "slots of others", "database.seed-source", is: .fail, says: ["max_replication_slots of tokyo-pg-1 is 3"]
        ) {
            $0.put(
                \.database,
                Fixtures.primary(slots: ["seoul", "busan", "lima", "oslo"].map { Fixtures.slot($0) }), on: "tokyo-pg-1")
        },
        CheckCase("minimal", "database.seed-source", is: .fail, says: ["nothing can be seeded from it"]) {
            var server = Fixtures.server(isPrimary: true)
            server.settings["wal_level"] = "minimal"
            $0.put(\.server, server, on: "tokyo-pg-1")
        },
        CheckCase(
            "room for a copy", "database.room-for-base-backup", is: .fail, says: ["needs 48 GiB"],
            change: server("tokyo-pg-1") { $0.databaseBytes = 40 << 30 }),
        CheckCase(
            "nobody told the size", "database.room-for-base-backup", is: .unknown
        ) { $0.lose(\.server, on: "tokyo-pg-1") },
    ])
    func whatWouldHoldUpAFailoverIsSaid(_ line: CheckCase) { line.verify() }

    private static func slots(_ slots: DatabaseFacts.Slot...) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.database, Fixtures.primary(slots: slots), on: "tokyo-pg-1") }
    }

    @Test(arguments: [
        CheckCase("in use", "replication.orphaned-slots", is: .pass, says: ["all 1 slot", "full in 11 h"]),
        CheckCase(
            "forgotten, and the disk is full in 11 hours", "replication.orphaned-slots", is: .fail,
            says: ["slot osaka", "holds back 1 GiB", "full in 11 h"],
            change: slots(Fixtures.slot(), Fixtures.slot("osaka", isActive: false, retainedBytes: 1 << 30))),
        CheckCase(
            "forgotten, on a large disk", "replication.orphaned-slots", limits: ["disk_lasts_seconds": 3600],
            is: .warn, change: slots(Fixtures.slot(), Fixtures.slot("osaka", isActive: false))),
        CheckCase(
            "forgotten, at no known rate", "replication.orphaned-slots", is: .warn, says: ["not known"]
        ) {
            slots(Fixtures.slot("osaka", isActive: false, retainedBytes: nil))(&$0)
            server("tokyo-pg-1") { $0.writing = .init(bytes: 0, seconds: 5) }(&$0)
        },
        CheckCase(
            "the candidate's own, while nothing streams", "replication.orphaned-slots", is: .pass,
            change: slots(Fixtures.slot("seoul", isActive: false))),
        CheckCase("disk not told", "replication.orphaned-slots", is: .unknown) {
            $0.lose(\.disks, on: "tokyo-pg-1")
        },
    ])
    func aForgottenSlotIsSaidWithTheTimeThatIsLeft(_ line: CheckCase) { line.verify() }
}

/// Patroni reads no `postgresql['max_wal_senders']`, and runit's PostgreSQL is disabled beside it: those words end with 0 and
/// change nothing.
@Test(arguments: [
    ("database.room-for-secondaries", "patroni['postgresql']['max_wal_senders'] = 2", "gitlab-ctl patroni restart"),
    ("database.pending-restart", "# on seoul-pg-1", "gitlab-ctl patroni restart"),
    ("database.trusts-primary", "root.crt", "install"),
])
func aMemberOfPatroniIsNotTreatedAsASinglePostgreSQL(check: CheckID, says: String, does: String) throws {
    var inventory = Fixtures.patroniInventory()
    inventory.replication = ReplicationAccess(password: .environment(name: "X"))
    var observation = Fixtures.patroniHealthy()
    var server = Fixtures.server(isPrimary: false)
    server.settings["max_wal_senders"] = "1"
    server.pendingRestart = ["max_connections"]
    for node in ["tokyo-pg-1", "tokyo-pg-2", "seoul-pg-1", "seoul-pg-2"] {
        observation.put(\.replicationTrust, TrustFacts(server: "a", root: nil), on: NodeID(node))
    }
    observation.put(\.server, server, on: "seoul-pg-1")
    let remedies = askCheck(check, observation, inventory: inventory).compactMap(\.remedy)
    let remedy = try #require(remedies.first { $0.contains("seoul-pg-1") }, "\(remedies)")
    #expect(remedy.contains(says) && remedy.contains(does), "\(remedy)")
    for other in [" postgresql['", "restart postgresql", "reseed-secondary"] {
        #expect(!remedy.contains(other), "\(remedy)")
    }
}

/// It would print success and restart nothing, and the promotion after it would stop at the point of the pause again.
@Test func whereARecoveryStopsAtAPointPatroniRestartsIt() throws {
    var observation = Fixtures.patroniHealthy()
    observation.put(\.pointInTimeFile, .present(text: "0/3000060"), on: "seoul-pg-1")
    let findings = askCheck(
        "node.promoted", observation, about: .node(id: "seoul-pg-1"), inventory: Fixtures.patroniInventory())
    let remedy = try #require(findings.compactMap(\.remedy).first { $0.contains("geo-pitr-file") }, "\(findings)")
    #expect(remedy.contains("gitlab-ctl patroni restart") && !remedy.contains("restart postgresql"), "\(remedy)")
}
