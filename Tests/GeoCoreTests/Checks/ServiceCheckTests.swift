import GeoCore
import GeoTestSupport
import Testing

/// What runs and what waits, the fence, and what a promotion left.
@Suite struct ServiceCheckTests {
    private static func queues(_ queues: [String: Int]) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.queues, queues, on: "tokyo-redis-1") }
    }
    private static func cron(_ node: NodeID, _ jobs: [String: String]) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.cronJobs, jobs, on: node) }
    }

    @Test(arguments: [
        CheckCase("some", "sidekiq.queues", .at("tokyo"), is: .pass, says: ["5 jobs", "default 4"]),
        CheckCase("10000", "sidekiq.queues", .at("tokyo"), is: .pass, change: queues(["default": 10_000])),
        CheckCase(
            "more", "sidekiq.queues", .at("tokyo"), is: .warn, says: ["10001 jobs"], change: queues(["default": 10_001])
        ),
        CheckCase("no queue known", "sidekiq.queues", .at("tokyo"), is: .unknown, change: queues([:])),
        CheckCase(
            "empty but Geo's", "sidekiq.drained", .at("tokyo"), is: .pass, says: ["all 2 queues"],
            change: queues(["default": 0, "mailers": 0, "geo:geo_x": 9])),
        CheckCase(
            "one job", "sidekiq.drained", .at("tokyo"), is: .fail, says: ["1 job waiting", "mailers 1"],
            change: queues(["default": 0, "mailers": 1])),
        CheckCase(
            "no queue at all", "sidekiq.drained", .at("tokyo"), is: .unknown, says: ["no Sidekiq queue at all"],
            change: queues([:])),
        CheckCase("Redis silent", "sidekiq.drained", .at("tokyo"), is: .unknown) { $0 = $0.losing("tokyo-redis-1") },
        CheckCase(
            "only these four", "cron.geo-only", .at("tokyo"), on: Fixtures.quiesced(), is: .pass,
            says: ["other 3 disabled"]),
        CheckCase("another runs", "cron.geo-only", .at("tokyo"), is: .fail, says: ["3 other cron jobs"]),
        CheckCase(
            "one of four off", "cron.geo-only", .at("tokyo"), on: Fixtures.quiesced(), is: .fail,
            says: ["repository_check_worker"],
            change: cron(
                "tokyo-rails-1",
                Fixtures.cronJobs(ordinary: "disabled").merging(["repository_check_worker": "disabled"]) { $1 })),
        CheckCase(
            "one of four not listed", "cron.geo-only", .at("tokyo"), is: .fail,
            change: cron("tokyo-rails-1", ["geo_metrics_update_worker": "enabled", "x": "disabled"])),
        CheckCase(
            "status in other words", "cron.geo-only", .at("tokyo"), is: .fail,
            change: cron("tokyo-rails-1", Fixtures.cronJobs(ordinary: "?"))),
        CheckCase(
            "only Geo's listed", "cron.geo-only", .at("tokyo"), is: .unknown,
            change: cron("tokyo-rails-1", ["repository_check_worker": "enabled"])),
        CheckCase("all run", "cron.running", .at("tokyo"), is: .pass, says: ["all 4 cron jobs"]),
        CheckCase(
            "one off", "cron.running", .at("tokyo"), is: .fail, says: ["stuck_ci_jobs_worker"],
            change: cron(
                "tokyo-rails-1",
                Fixtures.cronJobs(ordinary: "enabled").merging(["stuck_ci_jobs_worker": "disabled"]) { $1 })),
        CheckCase(
            "Geo's may be off", "cron.running", .at("tokyo"), is: .pass,
            change: cron(
                "tokyo-rails-1", Fixtures.cronJobs(ordinary: "enabled").merging(["geo_secondary_x": "disabled"]) { $1 })
        ),
        CheckCase("none listed", "cron.running", .at("tokyo"), is: .unknown, change: cron("tokyo-rails-1", [:])),
    ])
    func emptyIsNotDrainedAndSilentIsNotEmpty(_ line: CheckCase) { line.verify() }

    /// Sharded Sidekiq keeps queues of one name in several Redis, and routing rules make names of their own.
    @Test func everyShardHasToBeDrainedWhateverItsQueuesAreCalled() {
        var inventory = Fixtures.inventory()
        inventory.sites[0].nodes.append(Fixtures.node("tokyo-redis-2", address: "10.77.1.42", [.redis]))
        func drained(_ first: [String: Int], _ second: [String: Int]) -> Verdict {
            var observation = Fixtures.healthy()
            observation.put(\.queues, first, on: "tokyo-redis-1")
            observation.put(\.queues, second, on: "tokyo-redis-2")
            return askCheck("sidekiq.drained", observation, about: .at("tokyo"), inventory: inventory).worst
        }
        #expect(drained(["default": 0], ["default": 0, "shard_catchall_b": 0]) == .pass)
        #expect(drained(["default": 0], ["default": 3]) == .fail)
        #expect(drained(["default": 3], ["default": 0]) == .fail)
        #expect(drained(["default": 0], ["default": 0, "shard_catchall_b": 1]) == .fail)
        #expect(drained([:], ["default": 0]) == .pass)
        #expect(drained([:], [:]) == .unknown)
    }

    @Test(arguments: [
        CheckCase(
            "puma runs", "node.application-stopped", .on("tokyo-rails-1"), on: Fixtures.fenced(), is: .fail,
            says: ["puma"]
        ) {
            $0.service("puma", on: "tokyo-rails-1") { $0.state = .running }
        },
        CheckCase(
            "logrotate may run", "node.application-stopped", .on("tokyo-rails-1"), on: Fixtures.fenced(), is: .pass
        ) {
            $0.service("logrotate", on: "tokyo-rails-1") { $0.state = .running }
        },
        CheckCase(
            "nginx comes back", "node.application-stopped", .on("tokyo-rails-1"), on: Fixtures.fenced(), is: .fail
        ) {
            $0.service("nginx", on: "tokyo-rails-1") { $0.isChanging = true }
        },
        CheckCase(
            "puma not listed", "node.application-stopped", .on("tokyo-rails-1"), on: Fixtures.fenced(), is: .unknown
        ) {
            $0.put(\.services, [.init(name: "gitlab-workhorse", state: .down)], on: "tokyo-rails-1")
        },
        CheckCase("none listed", "node.application-stopped", .on("tokyo-rails-1"), is: .unknown) {
            $0.put(\.services, [], on: "tokyo-rails-1")
        },
        CheckCase(
            "no application there", "node.application-stopped", .on("tokyo-pg-1"), is: .pass,
            says: ["no application service"]),
        CheckCase(
            "one runs", "node.stopped", .on("tokyo-rails-1"), on: Fixtures.fenced(), is: .fail, says: ["logrotate"]
        ) {
            $0.service("logrotate", on: "tokyo-rails-1") { $0.state = .running }
        },
        CheckCase("hangs on TERM", "node.stopped", .on("tokyo-gitaly-1"), on: Fixtures.fenced(), is: .fail) {
            $0.service("gitaly", on: "tokyo-gitaly-1") { $0 = .init(name: "gitaly", state: .running, isChanging: true) }
        },
        CheckCase("none listed", "node.stopped", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .unknown) {
            $0.put(\.services, [], on: "tokyo-pg-1")
        },
        CheckCase("rebooted with runit off", "node.stopped", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass) {
            $0.service("postgresql", on: "tokyo-pg-1") { $0.state = .unsupervised }
            $0.service("logrotate", on: "tokyo-pg-1") { $0.state = .unsupervised }
        },
        CheckCase(
            "one without supervisor", "node.stopped", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .unknown,
            says: ["may live on"]
        ) {
            $0.service("postgresql", on: "tokyo-pg-1") { $0.state = .unsupervised }
        },
        CheckCase("no GitLab there", "node.stopped", .on("tokyo-lb-1"), is: .pass),
    ])
    func stoppedMeansEveryServiceThatIsListed(_ line: CheckCase) { line.verify() }

    private static func ports(_ ports: [Int], on node: NodeID) -> @Sendable (inout Observation) -> Void {
        { $0.put(\.listeningPorts, ports, on: node) }
    }

    @Test(arguments: [
        CheckCase(
            "boots again", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .fail, says: ["after a reboot"]
        ) {
            $0.put(\.startsAtBoot, true, on: "tokyo-pg-1")
        },
        CheckCase(
            "masked", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass,
            says: ["masked at boot and for systemctl"]
        ) {
            $0.put(\.isBootMasked, true, on: "tokyo-pg-1")
        },
        CheckCase(
            "disabled and no more", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass,
            says: ["disabled only", "an upgrade of the package"]
        ) {
            $0.put(\.isBootMasked, false, on: "tokyo-pg-1")
        },
        CheckCase("a service runs", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .fail) {
            $0.service("postgresql", on: "tokyo-pg-1") { $0.state = .running }
        },
        CheckCase(
            "sshd only", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass,
            change: ports([22], on: "tokyo-pg-1")),
        CheckCase(
            "agent of the monitoring", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass,
            change: ports([22, 9100], on: "tokyo-pg-1")),
        CheckCase(
            "no port at all", "node.fenced", .on("tokyo-pg-1"), on: Fixtures.fenced(), is: .pass,
            change: ports([], on: "tokyo-pg-1")),
        CheckCase(
            "load balancer", "node.fenced", .on("tokyo-lb-1"), on: Fixtures.fenced(), is: .pass,
            says: ["runs no GitLab service"]),
        CheckCase("silent", "site.fenced", .at("tokyo"), on: Fixtures.fenced(), is: .unknown) {
            $0 = $0.losing("tokyo-redis-1")
        },
        CheckCase("never fenced", "site.fenced", .at("tokyo"), is: .fail),
        CheckCase(
            "others are refused", "site.fenced", .at("tokyo"), on: Fixtures.fenced(), is: .pass,
            says: ["no port of it answers 3 nodes of other sites"]),
        CheckCase(
            "another is answered", "site.fenced", .at("tokyo"), on: Fixtures.fenced(), is: .fail,
            says: ["port 5432 (postgresql) of tokyo-pg-1 answers seoul-rails-1, whatever the node says"]
        ) {
            $0.put(\.views, Fixtures.views(of: ["tokyo"]), on: "seoul-rails-1")
        },
        CheckCase("nobody else could look", "site.fenced", .at("tokyo"), on: Fixtures.fenced(), is: .pass) {
            for node in ["seoul-pg-1", "seoul-rails-1", "seoul-sidekiq-1", "seoul-lb-1"] as [NodeID] {
                $0.change(node) { $0.views = .unknown(reason: "timed out") }
            }
        },
    ])
    func aFenceHoldsAcrossAReboot(_ line: CheckCase) { line.verify() }

    @Test(arguments: [80, 443, 5432, 6379, 8075, 8080, 8150, 2305, 6432, 8181])
    func anOpenPortOfGitLabBreaksTheFence(_ port: Int) {
        var observation = Fixtures.fenced()
        observation.put(\.listeningPorts, [22, port], on: "tokyo-gitaly-1")
        let findings = askCheck("node.fenced", observation, about: .on("tokyo-gitaly-1"))
        #expect(findings.map(\.verdict) == [.fail])
        #expect(findings.first?.summary.contains("port \(port)") == true)
    }

    @Test func aFencedSiteIsProvenNodeByNode() {
        let findings = askCheck("site.fenced", Fixtures.fenced().losing("tokyo-redis-1"), about: .at("tokyo"))
        #expect(findings.map(\.subject.description) == Fixtures.inventory().site("tokyo")?.nodes.map(\.id.rawValue))
        #expect(findings.filter { $0.verdict == .unknown }.map(\.subject) == [.node(id: "tokyo-redis-1")])
        #expect(findings.filter { $0.verdict == .pass }.count == 6)
        let balancer = Fixtures.fenced().losing("tokyo-lb-1")
        #expect(askCheck("site.fenced", balancer, about: .at("tokyo")).worst == .pass)
    }

    private static let promoted = Fixtures.promoted()

    @Test(arguments: [
        CheckCase(
            "in recovery", "node.promoted", .on("seoul-pg-1"), on: promoted, is: .fail, says: ["still in recovery"]
        ) {
            $0.put(\.database, Fixtures.standby(receiver: nil), on: "seoul-pg-1")
        },
        CheckCase(
            "leftover file", "node.promoted", .on("seoul-pg-1"), on: promoted, is: .pass, says: ["geo-pitr-file (0/3)"]
        ) {
            $0.put(\.pointInTimeFile, .present(text: "0/3"), on: "seoul-pg-1")
        },
        CheckCase(
            "reconfigure failed, exit 0", "node.promoted", .on("seoul-gitaly-1"), on: promoted, is: .fail,
            says: ["stub"]
        ) {
            $0.put(\.attributeFile, .stub, on: "seoul-gitaly-1")
        },
        CheckCase("disk was full", "node.promoted", .on("seoul-sidekiq-1"), on: promoted, is: .fail, says: ["0 bytes"])
        {
            $0.put(\.clusterFile, .empty, on: "seoul-sidekiq-1")
        },
        CheckCase("puma restarts", "node.promoted", .on("seoul-rails-1"), on: promoted, is: .fail) {
            $0.service("puma", on: "seoul-rails-1") { $0 = .init(name: "puma", state: .down, isChanging: true) }
        },
        CheckCase("Chef still runs", "node.promoted", .on("seoul-rails-1"), on: promoted, is: .fail) {
            $0.put(\.changesRunning, ["cinc-client"], on: "seoul-rails-1")
        },
        CheckCase("log cursor runs on", "node.promoted", .on("seoul-sidekiq-1"), on: promoted, is: .pass),
        CheckCase("log cursor is gone", "node.promoted", .on("seoul-sidekiq-1"), on: promoted, is: .pass) {
            $0.service("geo-logcursor", on: "seoul-sidekiq-1") { $0.state = .down }
        },
        CheckCase("tracking database runs on", "node.promoted", .on("seoul-geo-1"), on: promoted, is: .pass),
        CheckCase("logrotate stays down", "node.promoted", .on("seoul-gitaly-1"), on: promoted, is: .pass) {
            $0.service("logrotate", on: "seoul-gitaly-1") { $0.state = .down }
        },
        CheckCase(
            "nothing to promote", "node.promoted", .on("seoul-redis-1"), is: .pass,
            says: ["nothing that a promotion changes"]),
        CheckCase("database unknown", "node.promoted", .on("seoul-pg-1"), on: promoted, is: .unknown) {
            $0.lose(\.database, on: "seoul-pg-1")
        },
        CheckCase("not promoted at all", "node.promoted", .on("seoul-pg-1"), is: .fail),
    ])
    func aPromotionIsWhatCanBeSeenOfIt(_ line: CheckCase) { line.verify() }

    @Test func notOKIsExplainedOnlyByACompleteReconfigure() {
        let lie = TranscriptSummary(saysNotOK: true, lastLines: ["You successfully promoted the current node!"])
        let good = askCheck("node.promoted", Self.promoted, about: .on("seoul-gitaly-1"), transcript: lie)
        #expect(good.map(\.verdict) == [.pass])
        #expect(good.first?.summary.contains("NOT OK") == true)
        var observation = Self.promoted
        observation.put(\.attributeFile, .stub, on: "seoul-gitaly-1")
        #expect(
            askCheck("node.promoted", observation, about: .on("seoul-gitaly-1"), transcript: lie).map(\.verdict) == [
                .fail
            ])
    }

    @Test func aPatroniReplicaIsPromotedWhenItsSiteHasALeader() {
        let inventory = Fixtures.patroniInventory()
        var observation = Fixtures.patroniHealthy()
        let before = askCheck("node.promoted", observation, about: .on("seoul-pg-2"), inventory: inventory)
        #expect(before.map(\.verdict) == [.fail])
        observation.put(\.database, Fixtures.primary(timeline: 2), on: "seoul-pg-1")
        let after = askCheck("node.promoted", observation, about: .on("seoul-pg-2"), inventory: inventory)
        #expect(after.map(\.verdict) == [.pass], "\(after.map(\.summary))")
        #expect(
            askCheck("node.promoted", observation.losing("seoul-pg-1"), about: .on("seoul-pg-2"), inventory: inventory)
                .worst != .pass)
    }
}
