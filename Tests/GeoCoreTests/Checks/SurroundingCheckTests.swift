import GeoCore
import GeoTestSupport
import Testing

/// Configuration, capacity, names, certificates, and the tool's own place.
@Suite struct SurroundingCheckTests {
    private static func left(deployment: String?) -> OperatorFacts {
        OperatorFacts(
            addresses: [],
            unproven: [
                UnprovenNode(
                    deployment: deployment, run: "move", node: "tokyo-pg-1", text: "tokyo-pg-1: anna says \"off\"")
            ])
    }

    private static func left(secondsAgo: Double, from: SiteID = "seoul", to: SiteID = "tokyo") -> OperatorFacts {
        OperatorFacts(
            addresses: [],
            failovers: [
                FinishedFailover(deployment: "lab", run: "move", from: from, to: to, at: Fixtures.moment(-secondsAgo))
            ])
    }

    private static func configured(
        _ node: NodeID = "seoul-rails-1", changed: Double = -86_400, reconfigured: Double? = -86_000
    ) -> @Sendable (inout Observation) -> Void {
        {
            $0.put(
                \.configuration, Fixtures.configuration(of: "seoul", changed: changed, reconfigured: reconfigured),
                on: node)
        }
    }

    private static func named(
        _ name: ConfigurationFacts.Setting, url: ConfigurationFacts.Setting = .text(value: "http://10.77.2.10")
    ) -> @Sendable (inout Observation) -> Void {
        { observation in
            var facts = Fixtures.configuration(of: "seoul")
            facts.nodeName = name
            facts.externalURL = url
            observation.put(\.configuration, facts, on: "seoul-sidekiq-1")
        }
    }

    @Test(arguments: [
        CheckCase(
            "edited afterwards", "node.reconfigured", .on("seoul-rails-1"), is: .warn,
            says: ["gitlab.rb of seoul-rails-1 was changed 100 s after"], change: configured(changed: -85_900)),
        CheckCase(
            "in the same second", "node.reconfigured", .on("seoul-rails-1"), is: .pass,
            change: configured(changed: -86_000)),
        CheckCase(
            "never", "node.reconfigured", .on("seoul-rails-1"), is: .fail, says: ["never reconfigured"],
            change: configured(reconfigured: nil)),
        CheckCase("unknown", "node.reconfigured", .on("seoul-rails-1"), is: .unknown) {
            $0.lose(\.configuration, on: "seoul-rails-1")
        },
        CheckCase("no GitLab there", "node.reconfigured", .on("seoul-lb-1"), is: .pass, says: ["runs no GitLab"]),
        CheckCase(
            "another name", "site.node-name", .at("seoul"), is: .fail, says: ["takes its site for Seoul"],
            change: named(.text(value: "Seoul"))),
        CheckCase(
            "no name, and the URL is another", "site.node-name", .at("seoul"), is: .fail,
            says: ["since it has no geo_node_name"], change: named(.absent)),
        CheckCase(
            "no name, and the URL is the name", "site.node-name", .at("seoul"), is: .pass,
            change: named(.absent, url: .text(value: "seoul"))),
        CheckCase("no name at all", "site.node-name", .at("seoul"), is: .fail, change: named(.absent, url: .absent)),
        CheckCase("computed", "site.node-name", .at("seoul"), is: .unknown, change: named(.computed)),
    ])
    func configurationIsWhatRuns(_ line: CheckCase) { line.verify() }

    private static func machine(_ node: NodeID, _ facts: MachineFacts) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.machine, facts, on: node) }
    }

    @Test(arguments: [
        CheckCase(
            "at three quarters", "capacity.machines", is: .pass,
            change: machine("seoul-gitaly-1", Fixtures.machine(processors: 6))),
        CheckCase(
            "less", "capacity.machines", is: .warn, says: ["gitaly: 5 processors on seoul, 8 on tokyo"],
            change: machine("seoul-gitaly-1", Fixtures.machine(processors: 5))),
        CheckCase(
            "less memory for the database", "capacity.machines", is: .warn, says: ["database: 16384 MiB of memory"],
            change: machine("seoul-pg-1", Fixtures.machine(memory: 16 << 30))),
        CheckCase(
            "own limit", "capacity.machines", limits: ["at_least_percent": 101], is: .warn),
        CheckCase("unknown", "capacity.machines", is: .unknown) { $0.lose(\.machine, on: "seoul-rails-2") },
    ])
    func aSiteOfHalfTheSizeIsSaidBeforeItIsDown(_ line: CheckCase) { line.verify() }

    @Test func aSiteWithoutAComponentOfThePrimaryFails() {
        var inventory = Fixtures.inventory()
        inventory.sites[1].nodes.removeAll { $0.runs(.gitaly) }
        let findings = askCheck("capacity.machines", Fixtures.healthy(), inventory: inventory)
        #expect(findings.worst == .fail)
        #expect(findings.contains { $0.summary.contains("seoul has no gitaly node, tokyo has 1") })
    }

    @Test(arguments: [
        CheckCase("nowhere", "site.dns", is: .fail, says: ["stands for no address"]) {
            $0.siteAddresses["tokyo"] = Fixtures.seen([])
        },
        CheckCase("to the other site", "site.dns", is: .fail, says: ["leads to seoul-lb-1 of seoul"]) {
            $0.siteAddresses["tokyo"] = Fixtures.seen(["10.77.2.10"])
        },
        CheckCase("resolver silent", "site.dns", is: .unknown) {
            $0.siteAddresses["seoul"] = .unknown(reason: "timed out")
        },
        CheckCase(
            "on a node of the primary", "operator.independent", is: .fail, says: ["this machine is tokyo-rails-1"]
        ) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: ["10.77.1.11"]))
        },
        CheckCase("on a node of the candidate", "operator.independent", is: .pass) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: ["10.77.2.11"]))
        },
        CheckCase("itself unknown", "operator.independent", is: .unknown) {
            $0.operatorMachine = .unknown(reason: "no rights")
        },
        CheckCase("no address at all", "operator.independent", is: .unknown, says: ["no address of its own"]) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: []))
        },
        CheckCase("checked tomorrow", "operator.last-check", is: .warn, says: ["dated 24 h ahead"]) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: [], lastCheckAt: Fixtures.moment(86_400)))
        },
        CheckCase("never checked", "operator.last-check", is: .warn, says: ["no earlier check"]) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: []))
        },
        CheckCase("checked nine days ago", "operator.last-check", is: .warn, says: ["9 days ago"]) {
            $0.operatorMachine = Fixtures.seen(
                OperatorFacts(addresses: [], lastCheckAt: Fixtures.moment(-9 * 86_400)))
        },
        CheckCase("drilled last year", "operator.last-drill", is: .warn, says: ["365 days ago"]) {
            $0.operatorMachine = Fixtures.seen(
                OperatorFacts(addresses: [], lastFinishedRunAt: Fixtures.moment(-365 * 86_400)))
        },
        CheckCase(
            "a node was vouched for", "operator.left-proven", is: .warn,
            says: ["NOT PROVEN to be fenced since run move: tokyo-pg-1: anna says"]
        ) {
            $0.operatorMachine = Fixtures.seen(left(deployment: "lab"))
        },
        CheckCase("of another deployment", "operator.left-proven", is: .pass) {
            $0.operatorMachine = Fixtures.seen(left(deployment: "another"))
        },
        CheckCase("a run that cannot be read", "operator.left-proven", is: .warn, says: ["NOT PROVEN"]) {
            $0.operatorMachine = Fixtures.seen(left(deployment: nil))
        },
        CheckCase("saved by an earlier version", "operator.left-proven", is: .warn, says: ["not looked up"]) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: [], unproven: nil))
        },
        CheckCase("never left", "operator.observation-window", is: .pass),
        CheckCase(
            "left an hour ago", "operator.observation-window", is: .fail,
            says: ["seoul was left at 2026-11-21 02:00:00 UTC; until 2026-11-22 02:00:00 nothing"]
        ) {
            $0.operatorMachine = Fixtures.seen(left(secondsAgo: 3600))
        },
        CheckCase("left two days ago", "operator.observation-window", is: .pass) {
            $0.operatorMachine = Fixtures.seen(left(secondsAgo: 172_800))
        },
        CheckCase("left the other way", "operator.observation-window", is: .pass) {
            $0.operatorMachine = Fixtures.seen(left(secondsAgo: 3600, from: "tokyo", to: "seoul"))
        },
        CheckCase("of an earlier version", "operator.observation-window", is: .warn, says: ["not looked up"]) {
            $0.operatorMachine = Fixtures.seen(OperatorFacts(addresses: [], failovers: nil))
        },
    ])
    func namesAndTheToolsOwnPlace(_ line: CheckCase) { line.verify() }

    @Test func aJumpHostOfThePrimaryIsNoWayToTheCandidate() {
        var inventory = Fixtures.inventory()
        inventory.sites[1].nodes[0].access.jump = [JumpHost(address: "10.77.1.10", user: "geo-ops")]
        let findings = askCheck("operator.independent", Fixtures.healthy(), inventory: inventory)
        #expect(findings.worst == .fail)
        #expect(findings.contains { $0.summary.contains("leads over tokyo-lb-1") })
    }

    // MARK: Certificates

    private static var secure: Inventory {
        var inventory = Fixtures.inventory()
        inventory.sites[0].url = "https://gitlab.tokyo.example.com"
        inventory.sites[1].url = "https://gitlab.seoul.example.com:443/"
        return inventory
    }

    private func certificates(
        _ certificate: Observed<ServedCertificate> = Fixtures.seen(Fixtures.certificate()), ports: [Int] = [22, 443]
    ) -> [Finding] {
        var observation = Fixtures.healthy()
        for node in Self.secure.sites[1].nodes where node.runs(.loadBalancer) {
            observation.put(\.listeningPorts, ports, on: node.id)
            observation.change(node.id) { $0.certificate = certificate }
        }
        return askCheck("certificate.served", observation, inventory: Self.secure)
    }

    @Test func aCertificateHasToBeForTheFutureNameToo() {
        #expect(certificates().worst == .pass)
        let own = Fixtures.certificate(names: ["gitlab.seoul.example.com"])
        #expect(certificates(Fixtures.seen(own)).worst == .warn)
        #expect(certificates(Fixtures.seen(Fixtures.certificate(names: ["gitlab.tokyo.example.com"]))).worst == .fail)
        let wildcard = Fixtures.certificate(names: ["*.seoul.example.com", "*.tokyo.example.com"])
        #expect(certificates(Fixtures.seen(wildcard)).worst == .pass)
        // One label only: `*.example.com` is not for gitlab.seoul.example.com.
        #expect(certificates(Fixtures.seen(Fixtures.certificate(names: ["*.example.com"]))).worst == .fail)
    }

    /// GitLab's own requests from site to site fail by it, and Git's, whatever a browser has in its store.
    @Test func aChainThatGitLabDoesNotTrustIsSaid() {
        var certificate = Fixtures.certificate()
        certificate.mistrust = "20 (unable to get local issuer certificate)"
        let findings = certificates(Fixtures.seen(certificate))
        #expect(findings.worst == .warn)
        #expect(findings.contains { $0.summary.contains("unable to get local issuer certificate") })
    }

    @Test func aCertificateThatEndsIsSaidInTime() {
        #expect(certificates(Fixtures.seen(Fixtures.certificate(days: 14.01))).worst == .pass)
        #expect(certificates(Fixtures.seen(Fixtures.certificate(days: 13.99))).worst == .warn)
        #expect(certificates(Fixtures.seen(Fixtures.certificate(days: 0))).worst == .fail)
        #expect(certificates(Fixtures.seen(Fixtures.certificate(days: -1))).worst == .fail)
    }

    @Test func whatIsNotSeenOfACertificateIsNotKnown() {
        #expect(certificates(.unknown(reason: "garbled")).worst == .unknown)
        let elsewhere = certificates(ports: [22, 80])
        #expect(elsewhere.worst == .unknown)
        #expect(elsewhere.contains { $0.summary.contains("TLS ends somewhere else") })
    }
}
