import GeoCore
import GeoTestSupport
import Testing

/// Whether each node can be reached, told apart, and would take a promotion.
@Suite struct NodeCheckTests {
    @Test(arguments: [
        CheckCase("answered", "node.reachable", .on("tokyo-pg-1"), is: .pass, says: ["within 120 ms"]),
        CheckCase("silent", "node.reachable", .on("tokyo-pg-1"), is: .unknown, says: ["connection timed out"]) {
            $0 = $0.losing("tokyo-pg-1")
        },
        CheckCase("password asked", "node.sudo", .on("tokyo-pg-1"), is: .fail, says: ["refused for geo-ops"]) {
            $0.put(\.privileges, false, on: "tokyo-pg-1")
        },
        CheckCase("sudo unknown", "node.sudo", .on("tokyo-pg-1"), is: .unknown) {
            $0.lose(\.privileges, on: "tokyo-pg-1")
        },
    ])
    func silenceIsNotDownAndNotHealthy(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "one machine under two names", "nodes.distinct", is: .fail,
            says: ["tokyo-pg-1 and seoul-pg-1 reach one machine"]
        ) {
            $0.put(
                \.identity, .init(hostName: "tokyo-pg-1", machineID: "machine-tokyo-pg-1", bootID: "boot"),
                on: "seoul-pg-1")
        },
        CheckCase(
            "cloned image", "nodes.distinct", is: .fail,
            says: ["tokyo-pg-1 and seoul-pg-1 have the same machine id", "cannot tell them apart"]
        ) {
            $0.put(\.identity, .init(hostName: "x", machineID: "machine-tokyo-pg-1", bootID: "2"), on: "seoul-pg-1")
        },
        CheckCase(
            "addresses exchanged", "nodes.distinct", is: .fail,
            says: ["10.77.1.21, which the inventory calls tokyo-pg-1, answers as seoul-pg-1"]
        ) {
            $0.put(
                \.identity, .init(hostName: "seoul-pg-1.lab.test", machineID: "m1", bootID: "boot"), on: "tokyo-pg-1")
        },
        CheckCase(
            "one host name", "nodes.distinct", is: .warn, says: ["tokyo-pg-1 and seoul-pg-1 have the same host name db"]
        ) {
            for (node, machine) in [("tokyo-pg-1", "m1"), ("seoul-pg-1", "m2")] as [(NodeID, String)] {
                $0.put(\.identity, .init(hostName: "db", machineID: machine, bootID: "boot"), on: node)
            }
        },
        CheckCase("all different", "nodes.distinct", is: .pass, says: ["all 15 nodes"]),
        CheckCase("empty machine id", "nodes.distinct", is: .unknown, says: ["empty machine id"]) {
            $0.put(\.identity, .init(hostName: "tokyo-pg-1", machineID: "", bootID: "boot"), on: "tokyo-pg-1")
        },
        CheckCase(
            "identity unknown", "nodes.distinct", is: .unknown, says: ["identity of tokyo-pg-1 is not known"]
        ) { $0.lose(\.identity, on: "tokyo-pg-1") },
    ])
    func twoNamesAreTwoMachines(_ line: CheckCase) { line.verify() }

    @Test func aHostNameUnlikeTheInventorysIsEvidenceOnly() throws {
        var observation = Fixtures.healthy()
        observation.put(\.identity, .init(hostName: "db7", machineID: "m7", bootID: "boot"), on: "tokyo-pg-1")
        let finding = try #require(askCheck("nodes.distinct", observation).first)
        #expect(finding.verdict == .pass)
        #expect(finding.evidence.contains { $0.text == "host name db7 differs from the inventory's tokyo-pg-1" })
    }

    /// A place that can be either: its log cursor and tracking database work only while it is the secondary.
    @Test(arguments: [("tokyo", "seoul", Verdict.pass), ("seoul", "tokyo", Verdict.fail)])
    func servicesOfASecondaryAreNotDemandedOfThePrimary(from: String, to: String, verdict: Verdict) throws {
        var inventory = Fixtures.inventory()
        let sidekiq = try #require(inventory.sites[0].nodes.firstIndex { $0.id == "tokyo-sidekiq-1" })
        let observation = Fixtures.healthy(inventory)
        inventory.sites[0].nodes[sidekiq].components.append(.logcursor)
        let check = try #require(CheckCatalog.check("node.services-up"))
        let finding = try #require(
            check.findings(
                CheckContext(
                    inventory: inventory, subject: .node(id: "tokyo-sidekiq-1"), from: SiteID(from), to: SiteID(to)),
                observation
            ).first)
        #expect(finding.verdict == verdict, "\(finding.summary)")
    }

    private static func clock(_ offset: Int, visit: Int) -> @Sendable (inout Observation) -> Void {
        { observation in
            observation.put(\.clockOffset, offset, on: "tokyo-pg-1")
            observation.put(\.connection, visit, on: "tokyo-pg-1")
        }
    }

    @Test(arguments: [
        CheckCase(
            "at the limit", "node.clock", .on("tokyo-pg-1"), is: .pass, says: ["10000 ms ahead"],
            change: clock(10_000, visit: 0)),
        CheckCase("behind, at the limit", "node.clock", .on("tokyo-pg-1"), is: .pass, change: clock(-10_000, visit: 0)),
        CheckCase(
            "beyond", "node.clock", .on("tokyo-pg-1"), is: .fail, says: ["10001 ms behind"],
            change: clock(-10_001, visit: 0)),
        CheckCase(
            "own limit", "node.clock", .on("tokyo-pg-1"), limits: ["at_most": 50], is: .pass,
            change: clock(40, visit: 20)),
        CheckCase(
            "too slow to tell", "node.clock", .on("tokyo-pg-1"), limits: ["at_most": 50], is: .unknown,
            change: clock(40, visit: 22)),
        CheckCase(
            "beyond for certain", "node.clock", .on("tokyo-pg-1"), limits: ["at_most": 50], is: .fail,
            change: clock(62, visit: 22)),
        CheckCase("visit unknown", "node.clock", .on("tokyo-pg-1"), is: .unknown) {
            $0.lose(\.connection, on: "tokyo-pg-1")
        },
        CheckCase("offset unknown", "node.clock", .on("tokyo-pg-1"), is: .unknown) {
            $0.lose(\.clockOffset, on: "tokyo-pg-1")
        },
    ])
    func clocksAgreeWithinTheirUncertainty(_ line: CheckCase) { line.verify() }

    private static func disk(_ path: String, free: Int, of total: Int) -> @Sendable (inout Observation) -> Void {
        { observation in
            var disks = observation["tokyo-pg-1"].disks.value ?? []
            disks.removeAll { $0.path == path }
            if total >= 0 { disks.append(DiskSpace(path: path, freeBytes: free, totalBytes: total)) }
            observation.put(\.disks, disks, on: "tokyo-pg-1")
        }
    }

    @Test(arguments: [
        CheckCase(
            "least", "node.disk", .on("tokyo-pg-1"), is: .pass, change: disk("/etc/gitlab", free: 1 << 30, of: 10 << 30)
        ),
        CheckCase(
            "too little", "node.disk", .on("tokyo-pg-1"), is: .fail, says: ["/etc/gitlab", "(1073741823 bytes)"],
            change: disk("/etc/gitlab", free: (1 << 30) - 1, of: 10 << 30)),
        CheckCase(
            "5 % of a large disk", "node.disk", .on("tokyo-pg-1"), is: .pass,
            change: disk("/var/opt/gitlab", free: 50 << 30, of: 1000 << 30)),
        CheckCase(
            "less than 5 %", "node.disk", .on("tokyo-pg-1"), is: .warn, says: ["less than 5 %"],
            change: disk("/var/opt/gitlab", free: 49 << 30, of: 1000 << 30)),
        CheckCase(
            "not told", "node.disk", .on("tokyo-pg-1"), is: .unknown, says: ["/opt/gitlab"],
            change: disk("/opt/gitlab", free: 0, of: -1)),
        CheckCase(
            "no size", "node.disk", .on("tokyo-pg-1"), is: .unknown, change: disk("/var/log/gitlab", free: 0, of: 0)),
        CheckCase("own limit", "node.disk", .on("tokyo-pg-1"), limits: ["at_least_bytes": 41 << 30], is: .fail),
        CheckCase("disks unknown", "node.disk", .on("tokyo-pg-1"), is: .unknown) { $0.lose(\.disks, on: "tokyo-pg-1") },
        CheckCase("no GitLab there", "node.disk", .on("tokyo-lb-1"), is: .pass, says: ["runs no GitLab"]),
    ])
    func commandsFindRoomToWrite(_ line: CheckCase) { line.verify() }

    @Test(arguments: [
        CheckCase(
            "expected down", "node.services-up", .on("tokyo-rails-1"), is: .fail, says: ["puma", "down since 3600 s"]
        ) {
            $0.service("puma", on: "tokyo-rails-1") { $0.state = .down }
        },
        CheckCase("on its way", "node.services-up", .on("tokyo-rails-1"), is: .fail, says: ["another state"]) {
            $0.service("puma", on: "tokyo-rails-1") { $0.isChanging = true }
        },
        CheckCase("no supervisor", "node.services-up", .on("tokyo-rails-1"), is: .fail, says: ["runsv"]) {
            $0.service("puma", on: "tokyo-rails-1") { $0.state = .unsupervised }
        },
        CheckCase("optional on its way", "node.services-up", .on("tokyo-rails-1"), is: .fail) {
            $0.service("logrotate", on: "tokyo-rails-1") { $0.isChanging = true }
        },
        CheckCase("optional down", "node.services-up", .on("tokyo-rails-1"), is: .warn, says: ["nginx"]) {
            $0.service("nginx", on: "tokyo-rails-1") { $0.state = .down }
        },
        CheckCase("not listed", "node.services-up", .on("tokyo-rails-1"), is: .fail, says: ["puma is not among"]) {
            $0.put(\.services, [ServiceState(name: "gitlab-workhorse", state: .running)], on: "tokyo-rails-1")
        },
        CheckCase("nothing listed", "node.services-up", .on("tokyo-rails-1"), is: .unknown, says: ["lists no service"])
        {
            $0.put(\.services, [], on: "tokyo-rails-1")
        },
        CheckCase("boot disabled", "node.starts-at-boot", .on("tokyo-pg-1"), is: .fail) {
            $0.put(\.startsAtBoot, false, on: "tokyo-pg-1")
        },
        CheckCase("stub", "node.attributes-good", .on("seoul-rails-1"), is: .fail, says: ["stub"]) {
            $0.put(\.attributeFile, .stub, on: "seoul-rails-1")
        },
        CheckCase("missing", "node.attributes-good", .on("seoul-rails-1"), is: .fail, says: ["never reconfigured"]) {
            $0.put(\.attributeFile, .missing, on: "seoul-rails-1")
        },
        CheckCase(
            "promote runs", "node.no-change-running", .on("seoul-pg-1"), is: .fail, says: ["1 change", "geo promote"]
        ) {
            $0.put(\.changesRunning, ["gitlab-ctl geo promote --force"], on: "seoul-pg-1")
        },
    ])
    func everythingRunsAndNobodyIsAtIt(_ line: CheckCase) { line.verify() }

    private static func file(_ file: ClusterFile, on node: NodeID) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.clusterFile, file, on: node) }
    }

    @Test(arguments: [
        CheckCase(
            "0 bytes", "node.cluster-file", .on("seoul-rails-1"), is: .fail, says: ["0 bytes"],
            change: file(.empty, on: "seoul-rails-1")),
        CheckCase(
            "garbage", "node.cluster-file", .on("tokyo-rails-1"), is: .fail,
            change: file(.invalid(text: "{"), on: "tokyo-rails-1")),
        CheckCase(
            "promoted once, on the primary", "node.cluster-file", .on("tokyo-rails-1"), is: .pass,
            says: ["promoted once"],
            change: file(.valid(text: #"{"geo_secondary":{"enable":false}}"#), on: "tokyo-rails-1")),
        CheckCase(
            "promoted once, on the candidate", "node.cluster-file", .on("seoul-rails-1"), is: .warn,
            says: ["promoted once"],
            change: file(.valid(text: #"{"geo_secondary":{"enable":false}}"#), on: "seoul-rails-1")),
    ])
    func aLeftClusterFileIsJudgedByRole(_ line: CheckCase) { line.verify() }

    @Test func aLeftClusterFileOnAPatroniStandbyWouldPromoteIt() {
        let inventory = Fixtures.patroniInventory()
        var observation = Fixtures.healthy(inventory)
        observation.put(
            \.clusterFile, .valid(text: #"{"patroni":{"standby_cluster":{"enable":false}}}"#), on: "seoul-pg-1")
        let findings = askCheck("node.cluster-file", observation, about: .on("seoul-pg-1"), inventory: inventory)
        #expect(findings.map(\.verdict) == [.fail])
        #expect(findings.first?.summary.contains("would promote the database") == true)
    }

    @Test(arguments: [
        CheckCase("200", "node.ready", .on("seoul-rails-1"), is: .pass),
        CheckCase("503", "node.ready", .on("seoul-rails-1"), is: .fail, says: ["HTTP 503"]) {
            $0.put(\.readiness, 503, on: "seoul-rails-1")
        },
        CheckCase("302", "node.ready", .on("seoul-rails-1"), is: .fail) {
            $0.put(\.readiness, 302, on: "seoul-rails-1")
        },
        CheckCase("404", "node.ready", .on("seoul-rails-1"), is: .warn) {
            $0.put(\.readiness, 404, on: "seoul-rails-1")
        },
        CheckCase("site 200", "site.ready", .at("tokyo"), is: .pass),
        CheckCase("site 502", "site.ready", .at("tokyo"), is: .fail, says: ["HTTP 502"]) {
            $0.siteReadiness["tokyo"] = Fixtures.seen(502)
        },
        CheckCase("site 403", "site.ready", .at("tokyo"), is: .warn, says: ["allow-list"]) {
            $0.siteReadiness["tokyo"] = Fixtures.seen(403)
        },
        CheckCase("site not asked", "site.ready", .at("tokyo"), is: .unknown) { $0.siteReadiness["tokyo"] = nil },
    ])
    func onlyGitLabsOwnYesIsReady(_ line: CheckCase) { line.verify() }
}
