import GeoCore
import GeoTestSupport
import Testing

/// Whom PostgreSQL lets in to replicate.
@Suite struct AccessCheckTests {
    private static func rules(_ rules: [AccessRule], on node: NodeID = "seoul-pg-1")
        -> @Sendable (inout Observation) -> Void
    {
        { $0.put(\.accessRules, rules, on: node) }
    }

    private static func rule(_ address: String?, _ mask: String?, _ method: String = "md5", users: [String] = ["all"])
        -> AccessRule
    {
        AccessRule(address: address, mask: mask, users: users, method: method)
    }

    @Test(arguments: [
        CheckCase(
            "the network of all", "database.admits-secondaries", is: .pass,
            says: ["pg_hba.conf of seoul lets tokyo-pg-1 replicate"]),
        CheckCase(
            "written before there was anybody to feed", "database.admits-secondaries", is: .warn,
            says: ["pg_hba.conf of seoul-pg-1 does not let tokyo-pg-1 (10.77.1.21) replicate"],
            change: rules([rule("10.77.2.0", "255.255.255.0")])),
        CheckCase("nobody at all", "database.admits-secondaries", is: .warn, change: rules([])),
        CheckCase(
            "everybody", "database.admits-secondaries", is: .pass, change: rules([rule("all", nil)])),
        CheckCase(
            "the address alone", "database.admits-secondaries", is: .pass,
            change: rules([rule("10.77.1.21", "255.255.255.255", "scram-sha-256")])),
        CheckCase(
            "an address without a mask", "database.admits-secondaries", is: .pass,
            change: rules([rule("10.77.1.21", nil)])),
        CheckCase(
            "refused before it is let in", "database.admits-secondaries", is: .warn,
            change: rules([rule("10.77.1.0", "255.255.255.0", "reject"), rule("10.77.0.0", "255.255.0.0")])),
        CheckCase(
            "another user is refused", "database.admits-secondaries", is: .pass,
            change: rules([
                rule("10.77.1.0", "255.255.255.0", "reject", users: ["backup"]), rule("10.77.0.0", "255.255.0.0"),
            ])),
        CheckCase(
            "a name that only the server can look up", "database.admits-secondaries", is: .unknown,
            says: ["which cannot be compared with tokyo-pg-1"], change: rules([rule("pg.example.com", nil)])),
        CheckCase(
            "the server's own networks", "database.admits-secondaries", is: .unknown,
            change: rules([rule("samenet", nil)])),
        CheckCase(
            "let in before any name", "database.admits-secondaries", is: .pass,
            change: rules([rule("10.77.0.0", "255.255.0.0"), rule("pg.example.com", nil)])),
        CheckCase("itself only", "database.admits-secondaries", is: .warn, change: rules([rule("samehost", nil)])),
        CheckCase(
            "of another kind", "database.admits-secondaries", is: .warn, change: rules([rule("::", "::")])),
        CheckCase(
            "a line that PostgreSQL cannot read", "database.admits-secondaries", is: .fail,
            says: ["would not start again"],
            change: rules(
                Fixtures.accessRules
                    + [AccessRule(address: nil, mask: nil, users: [], method: "", error: "invalid connection type")])),
        CheckCase("not told", "database.admits-secondaries", is: .unknown) { $0.lose(\.accessRules, on: "seoul-pg-1") },
    ])
    func whoeverIsToFollowThePromotedDatabaseIsLetIn(_ line: CheckCase) { line.verify() }

    /// With a name in the inventory the node's own addresses count.
    @Test(arguments: [
        (["192.168.0.7", "10.77.1.21"], Verdict.pass), (["192.168.0.7"], .warn), ([], .unknown),
    ])
    func aNodeThatIsKnownByNameTellsItsAddresses(addresses: [String], expected: Verdict) {
        var inventory = Fixtures.inventory()
        for site in inventory.sites.indices {
            for node in inventory.sites[site].nodes.indices where inventory.sites[site].nodes[node].id == "tokyo-pg-1" {
                inventory.sites[site].nodes[node].access.address = "tokyo-pg-1.example.com"
            }
        }
        var observation = Fixtures.healthy()
        var machine = Fixtures.machine()
        machine.addresses = addresses
        observation.put(\.machine, machine, on: "tokyo-pg-1")
        let findings = askCheck("database.admits-secondaries", observation, inventory: inventory)
        #expect(findings.worst == expected, "\(findings.map(\.summary))")
    }

    @Test(arguments: [
        CheckCase(
            "who is to be seeded is not let in", "database.seed-source", is: .fail,
            says: ["pg_hba.conf of tokyo-pg-1 does not let seoul-pg-1"],
            change: rules([rule("10.77.1.0", "255.255.255.0")], on: "tokyo-pg-1")),
        CheckCase(
            "another C library there", "database.seed-source", is: .fail,
            says: ["seoul-pg-1 has C library 2.31, and tokyo-pg-1 has 2.36"]
        ) {
            $0.put(\.machine, Fixtures.machine(glibc: "2.31"), on: "seoul-pg-1")
        },
        CheckCase("none told", "database.seed-source", is: .unknown) {
            $0.put(\.machine, Fixtures.machine(glibc: nil), on: "seoul-pg-1")
        },
    ])
    func aSeedThatWouldBeRefusedOrSortOtherwiseIsSaid(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        ("10.77.1.21", true), ("::1", true), ("fe80::1%eth0", true), ("2001:db8:0:0:0:0:0:1", true),
        ("10.77.1", false), ("10.77.1.256", false), ("1:2", false), ("::1::", false), ("tokyo-pg-1", false),
        ("", false),
        ("1:2:3:4:5:6:7:8:9", false), ("+1.2.3.4", false), ("12345::", false),
    ])
    func onlyAddressesAreAddresses(text: String, isOne: Bool) {
        #expect((NetworkAddress(text) != nil) == isOne)
    }
}
