import GeoCore
import GeoTestSupport
import Testing

/// What a re-seed mends beforehand where it is asked to, and when its copy may begin.
@Suite struct PreparationTests {
    private static func edit(
        _ lines: [String], rules: [AccessRule] = [], settings: [String: String] = [:]
    ) -> Result<ConfigurationEdit?, Unreadable> {
        var observation = Fixtures.returning()
        observation.put(\.geoSettings, lines, on: "tokyo-pg-1")
        observation.put(\.accessRules, rules, on: "tokyo-pg-1")
        observation.change("tokyo-pg-1") { facts in
            guard var server = facts.server.value else { return }
            server.settings.merge(settings) { $1 }
            facts.server = Fixtures.seen(server, on: "tokyo-pg-1")
        }
        let inventory = Fixtures.inventory()
        guard let node = inventory.node("tokyo-pg-1"), let site = inventory.site("seoul") else { return .success(nil) }
        return PrimarySettings.edit(of: node, toSeed: site, in: observation, madeAt: Fixtures.moment())
    }

    private static func new(_ result: Result<ConfigurationEdit?, Unreadable>) -> [String] {
        switch result {
        case .success(let edit): edit?.lines.map(\.new) ?? []
        case .failure(let reason): [reason.reason]
        }
    }

    private static let address = Fixtures.inventory().node("seoul-pg-1")?.access.address ?? "?"

    @Test(arguments: [
        ("postgresql['md5_auth_cidr_addresses'] = ['10.0.0.0/24']", "['10.0.0.0/24', 'A/32']"),
        ("  postgresql[\"md5_auth_cidr_addresses\"] = %w(10.0.0.0/24 10.1.0.0/24) # ours", "10.1.0.0/24 A/32) # ours"),
        ("postgresql['md5_auth_cidr_addresses'] = %w[]", "%w[A/32]"),
        ("postgresql['md5_auth_cidr_addresses'] = []", "['A/32']"),
    ])
    func anAddressIsAddedToTheListThatIsThere(line: String, end: String) {
        let found = Self.new(Self.edit([line]))
        #expect(found.count == 1 && found[0].hasSuffix(end.replacing("A", with: Self.address)), "\(found)")
    }

    @Test func whatIsThereAlreadyIsLeftAlone() {
        #expect(Self.edit([], rules: Fixtures.accessRules) == .success(nil))
    }

    @Test func numbersGrowToWhatIsNeededAndTheServerIsRestarted() throws {
        let lines = ["postgresql['max_wal_senders'] = 1 # few", "postgresql['max_replication_slots'] = 0"]
        let result = Self.edit(
            lines, rules: Fixtures.accessRules, settings: ["max_wal_senders": "1", "max_replication_slots": "0"])
        #expect(
            Self.new(result) == [
                "postgresql['max_replication_slots'] = 1", "postgresql['max_wal_senders'] = 2 # few",
            ])
        let edit = try #require(try result.get())
        let commands = ActionCommands.commands(
            .preparePrimary, on: try #require(Fixtures.inventory().node("tokyo-pg-1")), message: "", timeLimit: 600,
            edit: edit)
        #expect(
            commands.suffix(2).map(\.arguments) == [
                ["gitlab-ctl", "reconfigure"], ["gitlab-ctl", "restart", "postgresql"],
            ])
    }

    @Test(arguments: [
        [], ["postgresql['md5_auth_cidr_addresses'] = addresses"],
        ["postgresql['md5_auth_cidr_addresses'] = ['a']", "postgresql['md5_auth_cidr_addresses'] = ['b']"],
        ["postgresql['md5_auth_cidr_addresses'] = ['a'] + more"],
    ])
    func whatIsNoPlainLineIsForAPerson(lines: [String]) {
        let found = Self.new(Self.edit(lines))
        #expect(found.count == 1 && found[0].contains("write it by hand"), "\(found)")
    }

    private static let windows: [(text: String, second: Int, wait: Double)] = [
        ("22:00-05:00", 23 * 3600, 0), ("22:00-05:00", 4 * 3600 + 3599, 0), ("22:00-05:00", 5 * 3600, 17 * 3600),
        ("01:30-02:00", 0, 5400), ("01:30-02:00", 2 * 3600, 84_600),
    ]

    @Test(arguments: windows)
    func aWindowGoesOverMidnightAndTellsWhenItOpens(text: String, second: Int, wait: Double) throws {
        let window = try #require(CopyWindow(text))
        let moment = Timestamp(milliseconds: Int64(86_400 * 20_000 + second) * 1000)
        #expect(window.secondsUntilOpen(moment) == wait && window.contains(moment) == (wait == 0))
    }

    @Test(arguments: ["", "22:00", "22:00-22:00", "24:00-01:00", "2:00-3:00", "22:00-05:60", "22:00-05:00-06:00"])
    func whatIsNoPartOfADayIsRefused(text: String) { #expect(CopyWindow(text) == nil) }

    @Test func outsideOfTheWindowNoCopyBegins() {
        var inventory = Fixtures.inventory()
        inventory.replication = ReplicationAccess(password: .environment(name: "X"))
        func worst(_ window: String) -> Verdict {
            inventory.replication?.window = CopyWindow(window)
            return askCheck("reseed.window", Fixtures.healthy(), inventory: inventory).worst
        }
        let now = Fixtures.moment()
        let minute = Int(now.milliseconds / 60_000) % 1440
        func text(_ minute: Int) -> String {
            let two = { (number: Int) in (number < 10 ? "0" : "") + "\(number)" }
            let day = (minute + 1440) % 1440
            return "\(two(day / 60)):\(two(day % 60))"
        }
        #expect(worst("\(text(minute - 30))-\(text(minute + 30))") == .pass)
        #expect(worst("\(text(minute + 30))-\(text(minute + 60))") == .fail)
    }

    @Test func aCertificateThatIsMissingIsNoticedBeforeTheCopy() {
        var inventory = Fixtures.inventory()
        inventory.replication = ReplicationAccess(password: .environment(name: "X"))
        func worst(_ server: String?, _ root: String?) -> Verdict {
            var observation = Fixtures.healthy()
            observation.put(\.replicationTrust, TrustFacts(server: server, root: "x"), on: "tokyo-pg-1")
            observation.put(\.replicationTrust, TrustFacts(server: "y", root: root), on: "seoul-pg-1")
            return askCheck("database.trusts-primary", observation, inventory: inventory).worst
        }
        #expect(worst("a", "a") == .pass)
        #expect(worst("a", nil) == .fail)
        #expect(worst(nil, "a") == .fail)
        #expect(worst("a", "b") == .warn)
        inventory.replication?.sslMode = "prefer"
        #expect(worst("a", nil) == .pass)
    }

    @Test func aNodeWithOtherSecretsIsNoticed() {
        var observation = Fixtures.healthy()
        #expect(askCheck("node.secrets-shared", observation, about: .node(id: "seoul-pg-1")).worst == .pass)
        observation.put(\.secretsDigest, "0ther", on: "seoul-pg-1")
        #expect(askCheck("node.secrets-shared", observation, about: .node(id: "seoul-pg-1")).worst == .fail)
    }
}
