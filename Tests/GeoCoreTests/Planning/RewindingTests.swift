import GeoCore
import GeoTestSupport
import Testing

/// When a rewind may be tried instead of a copy: what is not known is never a yes.
@Suite struct RewindingTests {
    /// Seoul is primary on timeline 2, Tokyo is shut down on 1.
    private static func observation(_ change: (inout Observation) -> Void = { _ in }) -> Observation {
        var observation = Fixtures.parted()
        observation.put(\.controlData, Fixtures.controlData("in production", timeline: 2), on: "seoul-pg-1")
        observation.put(\.controlData, Fixtures.controlData("shut down"), on: "tokyo-pg-1")
        change(&observation)
        return observation
    }

    private static func reasons(_ change: (inout Observation) -> Void = { _ in }) throws -> [String] {
        let inventory = Fixtures.inventory()
        let (from, to) = (try #require(inventory.site(Fixtures.seoul)), try #require(inventory.site(Fixtures.tokyo)))
        return Rewinding.reasons(from: from, to: to, in: observation(change))
    }

    private static func control(_ change: (inout ControlData) -> Void) -> (inout Observation) -> Void {
        var control = Fixtures.controlData("shut down")
        change(&control)
        return { [control] in $0.put(\.controlData, control, on: "tokyo-pg-1") }
    }

    @Test func aCleanlyStoppedFormerPrimaryWithChecksumsOrHintsMayBeRewound() throws {
        #expect(try Self.reasons() == [])
        #expect(try Self.reasons(Self.control { $0.rewinding?.hasChecksums = false }) == [])
        #expect(try Self.reasons(Self.control { $0.rewinding?.logsHints = false }) == [])
    }

    @Test func everythingElseIsAReasonAgainstIt() throws {
        let cases: [(says: String, change: (inout Observation) -> Void)] = [
            (
                "neither data page checksums nor wal_log_hints",
                Self.control {
                    $0.rewinding?.hasChecksums = false
                    $0.rewinding?.logsHints = false
                }
            ),
            ("full_page_writes off", Self.control { $0.rewinding?.writesFullPages = false }),
            ("does not tell whether", Self.control { $0.rewinding = nil }),
            ("different major versions", Self.control { $0.rewinding?.catalogVersion = "202107181" }),
            ("not shut down cleanly (in production)", Self.control { $0.clusterState = "in production" }),
            ("different system identifiers", Self.control { $0.systemIdentifier = "9" }),
            ("pg_controldata of tokyo-pg-1: garbled", { $0.lose(\.controlData, on: "tokyo-pg-1") }),
            ("pg_controldata of seoul-pg-1: garbled", { $0.lose(\.controlData, on: "seoul-pg-1") }),
            ("where the histories part is not known", { $0.lose(\.timelines, on: "tokyo-pg-1") }),
            ("the version of PostgreSQL on seoul-pg-1 is not known", { $0.lose(\.database, on: "seoul-pg-1") }),
            (
                "no checkpoint on timeline 2",
                { $0.put(\.controlData, Fixtures.controlData("in production"), on: "seoul-pg-1") }
            ),
        ]
        for (says, change) in cases {
            let found = try Self.reasons(change)
            #expect(found.contains { $0.contains(says) }, "\(says): \(found)")
        }
    }

    @Test func theControlFileIsReadWholeOrNotAtAll() {
        func read(_ text: String) -> ControlData.Rewinding? {
            RecordedAnswer.facts(.controlData, ["control-data": .init(output: text)]).controlData.value?.rewinding
        }
        let text = RecordedAnswer.controlData
        #expect(
            read(text)
                == .init(hasChecksums: false, logsHints: true, writesFullPages: true, catalogVersion: "202209061"))
        #expect(read(text.replacing("version:           0", with: "version:           1"))?.hasChecksums == true)
        for line in ["wal_log_hints setting", "Data page checksum version", "full_page_writes", "Catalog version"] {
            #expect(read(text.replacing(line, with: "something else")) == nil, "\(line)")
        }
        #expect(read(text.replacing("setting:                on", with: "setting:                maybe")) == nil)
    }

    @Test(arguments: [
        ([String](), [String](), Verdict.fail, Verdict.pass),
        (RewindRights.functions, RewindRights.functions, .pass, .fail),
        (Array(RewindRights.functions.dropLast()), Array(RewindRights.functions.dropLast()), .fail, .fail),
        // By a right of everybody or of a superuser, which no step gave or takes.
        (RewindRights.functions, [], .pass, .pass),
    ])
    func rightsAreJudgedByWhatTheServerSays(
        permitted: [String], granted: [String], may: Verdict, mayNot: Verdict
    ) throws {
        var observation = Self.observation()
        observation.put(
            \.rewindRights, RewindRights(permitted: permitted, granted: granted), on: "seoul-pg-1")
        #expect(try Self.verdict("database.rewind-permitted", observation) == may)
        #expect(try Self.verdict("database.rewind-forbidden", observation) == mayNot)
        observation.lose(\.rewindRights, on: "seoul-pg-1")
        #expect(try Self.verdict("database.rewind-permitted", observation) == .unknown)
        #expect(try Self.verdict("database.rewind-forbidden", observation) == .unknown)
    }

    private static func verdict(_ id: CheckID, _ observation: Observation) throws -> Verdict {
        let check = try #require(CheckCatalog.check(id))
        let context = CheckContext(
            inventory: Fixtures.inventory(), subject: .failover(from: Fixtures.seoul, to: Fixtures.tokyo),
            from: Fixtures.seoul, to: Fixtures.tokyo)
        return check.findings(context, observation).worst
    }
}
