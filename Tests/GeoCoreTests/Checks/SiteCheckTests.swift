import GeoCore
import GeoTestSupport
import Testing

/// What must be equal on both sites, and which of them is what.
@Suite struct SiteCheckTests {
    @Test(arguments: [
        CheckCase(
            "patch differs", "gitlab.versions-equal", is: .fail, says: ["2 versions", "19.3.1-ee.0 on seoul-redis-1"]
        ) {
            $0.put(\.gitlabVersion, "19.3.1-ee.0", on: "seoul-redis-1")
        },
        CheckCase("edition differs", "gitlab.versions-equal", is: .fail) {
            $0.put(\.gitlabVersion, "19.3.0-ce.0", on: "seoul-pg-1")
        },
        CheckCase("one node silent", "gitlab.versions-equal", is: .unknown) { $0 = $0.losing("seoul-gitaly-1") },
        CheckCase("a difference outweighs silence", "gitlab.versions-equal", is: .fail) {
            $0 = $0.losing("seoul-gitaly-1")
            $0.put(\.gitlabVersion, "19.3.1-ee.0", on: "seoul-redis-1")
        },
        CheckCase("on Sidekiq", "secrets.equal", is: .fail, says: ["1 node", "seoul-sidekiq-1"]) {
            $0.put(\.secretsDigest, "other", on: "seoul-sidekiq-1")
        },
        CheckCase("on Redis only", "secrets.equal", is: .warn, says: ["seoul-redis-1"]) {
            $0.put(\.secretsDigest, "other", on: "seoul-redis-1")
        },
        CheckCase("keys differ", "ssh-host-keys.equal", is: .fail, says: ["seoul-rails-2"]) {
            $0.put(\.hostKeys, ["SHA256:own"], on: "seoul-rails-2")
        },
        CheckCase("a key is missing", "ssh-host-keys.equal", is: .fail) {
            $0.put(\.hostKeys, ["SHA256:shared-ecdsa"], on: "seoul-rails-2")
        },
        CheckCase("another order", "ssh-host-keys.equal", is: .pass) {
            $0.put(\.hostKeys, ["SHA256:shared-ed25519", "SHA256:shared-ecdsa"], on: "seoul-rails-2")
        },
        CheckCase("no keys", "ssh-host-keys.equal", is: .unknown) {
            for node in ["tokyo-rails-1", "tokyo-rails-2", "seoul-rails-1", "seoul-rails-2"] as [NodeID] {
                $0.put(\.hostKeys, [], on: node)
            }
        },
        CheckCase("other nodes' keys may differ", "ssh-host-keys.equal", is: .pass) {
            $0.put(\.hostKeys, ["x"], on: "seoul-pg-1")
        },
        CheckCase("major differs", "postgresql.versions-equal", is: .fail, says: ["15 on", "16 on"]) {
            $0.put(\.database, Fixtures.standby(version: 160_004), on: "seoul-pg-1")
        },
        CheckCase("minor differs", "postgresql.versions-equal", is: .pass) {
            $0.put(\.database, Fixtures.standby(version: 150_001), on: "seoul-pg-1")
        },
    ])
    func bothSitesAreTheSameInWhatTheyShare(_ line: CheckCase) { line.verify() }

    /// After a failover with three sites the one that was left is fenced, and the third may be failed over to.
    @Test func aFencedThirdSiteIsNoSecondPrimaryAndASilentOneIsUnknown() {
        let node = Fixtures.node("osaka-pg-1", address: "10.77.4.21", [.postgresql])
        var inventory = Fixtures.inventory()
        inventory.sites.append(
            Site(id: "osaka", url: "https://osaka.example.com", geoNodeName: "osaka", nodes: [node]))
        var observation = Fixtures.healthy()
        observation.change(node.id) { facts in
            facts.connection = Fixtures.seen(3, on: "osaka-pg-1")
            facts.markUnknown(.database, reason: "psql: connection refused")
            facts.services = Fixtures.seen(Fixtures.services(node, .down), on: "osaka-pg-1")
            facts.startsAtBoot = Fixtures.seen(false, on: "osaka-pg-1")
            facts.isBootMasked = Fixtures.seen(true, on: "osaka-pg-1")
            facts.listeningPorts = Fixtures.seen([22], on: "osaka-pg-1")
        }
        func verdict(_ change: (inout NodeFacts) -> Void) -> Verdict {
            askCheck(
                "deployment.one-primary", observation.changing("osaka-pg-1", change), about: .deployment,
                inventory: inventory
            ).worst
        }
        #expect(verdict { _ in } == .pass)
        #expect(verdict { $0.startsAtBoot = Fixtures.seen(true, on: "osaka-pg-1") } == .unknown)
        #expect(verdict { $0.listeningPorts = .notAsked } == .unknown)
        #expect(verdict { $0.database = Fixtures.seen(Fixtures.primary(), on: "osaka-pg-1") } == .fail)
    }

    @Test(arguments: [
        CheckCase(
            "one", "deployment.one-primary", .deployment, is: .pass, says: ["tokyo is the only primary of 2 sites"]),
        CheckCase(
            "two writable", "deployment.one-primary", .deployment, is: .fail,
            says: ["TWO WRITABLE SITES", "tokyo and seoul"]
        ) {
            $0.put(\.database, Fixtures.primary(timeline: 2), on: "seoul-pg-1")
        },
        CheckCase("none", "deployment.one-primary", .deployment, is: .fail, says: ["no site"]) {
            $0.put(\.database, Fixtures.standby(), on: "tokyo-pg-1")
        },
        CheckCase("the other is silent", "deployment.one-primary", .deployment, is: .unknown) {
            $0 = $0.losing("seoul-pg-1")
        },
        CheckCase("the primary is silent", "deployment.one-primary", .deployment, is: .unknown) {
            $0 = $0.losing("tokyo-pg-1")
        },
        CheckCase("two in a table", "deployment.one-primary", .deployment, is: .fail, says: ["names 2 primaries"]) {
            $0.row("seoul", on: "tokyo-pg-1") { $0.isPrimary = true }
        },
        CheckCase("none in a table", "deployment.one-primary", .deployment, is: .fail, says: ["names 0 primaries"]) {
            $0.row("tokyo", on: "seoul-pg-1") { $0.isPrimary = false }
        },
    ])
    func thereIsExactlyOneWriter(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("primary by all", "site.role", .at("tokyo"), is: .pass, says: ["tokyo is primary by all 3 sources"]),
        CheckCase(
            "secondary by all", "site.role", .at("seoul"), is: .pass, says: ["seoul is secondary by all 5 sources"]),
        CheckCase(
            "half promoted", "site.role", .at("seoul"), is: .fail,
            says: ["PostgreSQL of seoul: primary", "geo_nodes of tokyo: secondary"]
        ) {
            $0.put(\.database, Fixtures.primary(timeline: 2), on: "seoul-pg-1")
        },
        CheckCase("own table disagrees", "site.role", .at("seoul"), is: .fail) {
            $0.row("seoul", on: "seoul-pg-1") { $0.isPrimary = true }
        },
        CheckCase("the other's table disagrees", "site.role", .at("tokyo"), is: .fail) {
            $0.row("tokyo", on: "seoul-pg-1") { $0.isPrimary = false }
        },
        CheckCase(
            "the hint disagrees", "site.role", .at("seoul"), is: .fail, says: ["database.yml of seoul-rails-1: primary"]
        ) {
            $0.put(\.hasTrackingDatabaseConfigured, false, on: "seoul-rails-1")
        },
        CheckCase("one source silent", "site.role", .at("tokyo"), is: .pass, says: ["2 sources"]) {
            $0.lose(\.geo, on: "seoul-pg-1")
        },
        CheckCase("two silent", "site.role", .at("tokyo"), is: .unknown, says: ["only 1 source"]) {
            $0.lose(\.geo, on: "seoul-pg-1")
            $0.lose(\.geo, on: "tokyo-pg-1")
        },
        CheckCase("the hint is no second source", "site.role", .at("seoul"), is: .unknown) {
            $0.lose(\.geo, on: "seoul-pg-1")
            $0.lose(\.geo, on: "tokyo-pg-1")
        },
        CheckCase("its database dead, two tables left", "site.role", .at("seoul"), is: .unknown) {
            $0 = $0.losing("seoul-pg-1")
        },
        CheckCase(
            "roles exchanged", "site.role", .at("tokyo"), on: Fixtures.exchanged(), is: .fail,
            says: ["needs it to be primary"]),
    ])
    func aRoleNeedsTwoSourcesAndNoDissent(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "in recovery", "site.is-primary", .at("seoul"), on: Fixtures.promoted(), is: .fail, says: ["in recovery"]
        ) {
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        CheckCase(
            "geo_nodes unchanged", "site.is-primary", .at("seoul"), on: Fixtures.promoted(), is: .fail,
            says: ["tokyo primary, not seoul"]
        ) {
            $0.put(\.geo, Fixtures.geo(primary: "tokyo"), on: "seoul-pg-1")
        },
        CheckCase(
            "two primaries", "site.is-primary", .at("seoul"), on: Fixtures.promoted(), is: .fail,
            says: ["seoul primary"]
        ) {
            $0.row("tokyo", on: "seoul-pg-1") { $0.isPrimary = true }
        },
        CheckCase(
            "no primary", "site.is-primary", .at("seoul"), on: Fixtures.promoted(), is: .fail, says: ["no primary"]
        ) {
            $0.put(\.geo, Fixtures.geo(primary: nil), on: "seoul-pg-1")
        },
        CheckCase(
            "Rails thinks otherwise", "site.is-primary", .at("seoul"), on: Fixtures.promoted(), is: .fail,
            says: ["\"secondary\""]
        ) {
            $0.put(\.railsRole, "secondary", on: "seoul-rails-1")
        },
        CheckCase("Rails misconfigured", "rails.role-primary", .on("seoul-rails-2"), on: Fixtures.promoted(), is: .fail)
        {
            $0.put(\.railsRole, "misconfigured", on: "seoul-rails-2")
        },
    ])
    func aPromotedSiteIsPrimaryByAllThree(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase("no geo entry", "rails.tracking-database", .at("seoul"), is: .fail, says: ["seoul-rails-2"]) {
            $0.put(\.hasTrackingDatabaseConfigured, false, on: "seoul-rails-2")
        },
        CheckCase("already on", "site.maintenance-mode", .at("tokyo"), on: Fixtures.quiesced(), is: .warn),
        CheckCase("still off", "site.read-only", .at("tokyo"), is: .fail, says: ["users can write"]),
        CheckCase(
            "still on", "site.maintenance-off", .at("seoul"), on: Fixtures.fenced(), is: .fail,
            says: ["users cannot write"]),
        CheckCase(
            "Silent Mode on at the start", "site.maintenance-mode", .at("tokyo"), is: .warn, says: ["Silent Mode"]
        ) {
            $0.put(\.geo, Fixtures.geo(silent: true), on: "tokyo-pg-1")
        },
        CheckCase(
            "Silent Mode on at the end", "site.maintenance-off", .at("seoul"), on: Fixtures.promoted(), is: .warn,
            says: ["Silent Mode", "no mail"]
        ) {
            $0.put(\.geo, Fixtures.geo(primary: "seoul", silent: true), on: "seoul-pg-1")
        },
        CheckCase(
            "read-only and silent", "site.maintenance-off", .at("seoul"), on: Fixtures.promoted(), is: .fail,
            says: ["users cannot write"]
        ) {
            $0.put(\.geo, Fixtures.geo(primary: "seoul", maintenanceMode: true, silent: true), on: "seoul-pg-1")
        },
        CheckCase(
            "a drill that is heard", "site.silent", .at("seoul"), on: Fixtures.promoted(), is: .fail,
            says: ["sends mail"]
        ) {
            $0.put(\.geo, Fixtures.geo(primary: "seoul", silent: false), on: "seoul-pg-1")
        },
        CheckCase(
            "no such setting", "site.silent", .at("seoul"), on: Fixtures.promoted(), is: .unknown, says: ["too old"]),
        CheckCase("own database silent", "site.read-only", .at("tokyo"), on: Fixtures.quiesced(), is: .unknown) {
            $0.lose(\.geo, on: "tokyo-pg-1")
        },
    ])
    func theSitesOwnDatabaseSaysWhetherUsersCanWrite(_ line: CheckCase) { line.verify() }
}
