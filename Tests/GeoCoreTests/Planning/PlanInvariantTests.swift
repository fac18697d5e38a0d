import GeoCore
import GeoTestSupport
import Testing

/// Each promise of a plan: one plan that keeps them all, and for each one that breaks it.
@Suite struct PlanInvariantTests {
    struct Breach: Sendable, CustomTestStringConvertible {
        var invariant: String
        var how: String
        var apply: @Sendable (Plan) -> Plan
        init(_ invariant: String, _ how: String, _ apply: @escaping @Sendable (Plan) -> Plan) {
            self.invariant = invariant
            self.how = how
            self.apply = apply
        }
        var testDescription: String { "\(invariant): \(how)" }
    }

    @Test func thePlanOfTheProcedureKeepsEveryPromise() {
        #expect(PlanInvariants.violations(of: PlanFixture.plan) == [])
        #expect(PlanFixture.plan.pointOfNoReturn == "promote-db")
    }

    static let shape: [Breach] = [
        Breach("two-sites", "from and to are one site") { plan in
            var copy = plan
            copy.to = copy.from
            return copy
        },
        Breach("unique-steps", "a name is used twice") { plan in
            var copy = plan
            copy.steps.append(copy.steps[0])
            return copy
        },
        Breach("known-steps", "waits for a step that does not exist") {
            $0.changing("open") { $0.after.append("nobody") }
        },
        Breach("no-cycles", "waits for itself") { $0.changing("drain") { $0.after.append("drain") } },
        Breach("no-cycles", "waits for one who waits for it") { $0.changing("block") { $0.after.append("confirm") } },
    ]

    static let bounds: [Breach] = [
        Breach("says-what-runs", "no command") { $0.changing("stop-db") { $0.setCommands { $0 = [] } } },
        Breach("says-what-runs", "no program") {
            $0.changing("move") { $0.operation = .hook(name: "dns", arguments: [], timeLimitSeconds: 1) }
        },
        Breach("bounded", "a command without end") {
            $0.changing("block") { $0.setCommands { $0[0].timeLimitSeconds = 0 } }
        },
        Breach("bounded", "a program without end") {
            $0.changing("move") { $0.operation = .hook(name: "dns", arguments: ["x"], timeLimitSeconds: 0) }
        },
        Breach("bounded", "a push without end") {
            $0.changing("push") { $0.operation = .pushCanary(repository: "x", timeLimitSeconds: -1) }
        },
        Breach("bounded", "a wait without end") { $0.changing("drain") { $0.until?.withinSeconds = 0 } },
        Breach("verified", "a wait for nothing") { $0.changing("drain") { $0.until = nil } },
        Breach("verified", "something a person did and nobody looks at") { $0.changing("tell") { $0.until = nil } },
        Breach("verified", "a command that nothing proves") { $0.changing("stop-db") { $0.until = nil } },
        Breach("known-checks", "a check that does not exist") {
            $0.changing("block") { $0.until?.check.check = "site.fine" }
        },
        Breach("named-site", "confirmed with another name") {
            $0.changing("confirm") { $0.operation = .confirmation(question: "?", answer: "yes") }
        },
        Breach("failure-is-seen", "goes on after an outage that failed") {
            $0.changing("stop-db") { $0.onFailure = .continue }
        },
        Breach("failure-is-seen", "asks whether to go on without a proof") {
            $0.changing("prove") { $0.onFailure = .ask }
        },
        Breach("stays-fenced", "starts the former primary in a failover") {
            $0.changing("fence@tokyo-redis-1") { $0.action = .startAndEnable }
        },
        Breach("one-at-a-time", "two commands side by side on one node") {
            $0.changing("write") { $0.after = ["confirm"] }
        },
    ]

    static let places: [Breach] = [
        Breach("right-place", "a node of no site") {
            $0.changing("open") { $0.operation = .commands(commands: [], node: "elsewhere", expected: Self.someone) }
        },
        Breach("right-place", "says one node and acts on another") {
            $0.changing("open") { $0.subject = .node(id: "seoul-rails-2") }
        },
        Breach("right-place", "stops the database of the candidate") { plan in
            plan.changing("stop-db") { $0.move(to: "seoul-pg-1", plan) }
        },
        Breach("promote-only-the-candidate", "promotes the former primary") { plan in
            plan.changing("promote-db") { $0.move(to: "tokyo-pg-1", plan) }
        },
        Breach("promoted-only-if-observed", "expects a machine that nobody saw") {
            $0.changing("promote-db") { step in
                guard case .commands(let commands, let node, _) = step.operation else { return }
                step.operation = .commands(commands: commands, node: node, expected: Self.someone)
            }
        },
        Breach("promoted-only-if-observed", "the node did not answer") { plan in
            var copy = plan
            copy.basis = copy.basis.losing("seoul-pg-1")
            return copy
        },
    ]

    static let fences: [Breach] = [
        Breach("fence-before-promote", "one node is left out") { $0.removing("fence@tokyo-redis-1") },
        Breach("fence-before-promote", "one node is looked at by another check") {
            $0.changing("fence@tokyo-redis-1") { $0.until?.check.check = "node.stopped" }
        },
        Breach("fence-before-promote", "one fence is not waited for") {
            $0.changing("confirm") { $0.after.removeAll { $0 == "fence@tokyo-gitaly-1" } }
        },
        Breach("fence-before-promote", "one fence is only a stop") {
            $0.changing("fence@tokyo-pg-1") { $0.action = .stopApplication }
        },
        Breach("fence-before-promote", "a failed fence would be ignored") {
            $0.changing("fence@tokyo-pg-1") { $0.onFailure = .ask }
        },
        Breach("asked-before-promote", "nobody is asked") { $0.removing("confirm") },
        Breach("asked-before-promote", "asked beside the promotion") { plan in
            plan.changing("promote-db") { $0.after = plan.step("confirm")?.after ?? [] }
        },
        Breach("zero-loss-before-promote", "nothing proves it") { $0.removing("prove") },
        Breach("zero-loss-before-promote", "another check stands there") {
            $0.changing("prove") { $0.until?.check.check = "replication.caught-up" }
        },
        Breach("fence-seen-again", "no look just before") { $0.changing("promote-db") { $0.requires = [] } },
        Breach("fence-seen-again", "a look only until it started") {
            $0.changing("promote-db") {
                $0.requires = $0.requires.map { Requirement(check: $0.check, when: .untilStarted) }
            }
        },
        Breach("nothing-after-fence", "the former primary is touched beside the promotion") {
            $0.changing("block") { $0.after = ["confirm"] }.changing("drain") { $0.after = [] }
        },
    ]

    static let names: [Breach] = [
        Breach("right-place", "a node bears the name of the other site") { plan in
            var copy = plan
            copy.basis.nodes["tokyo-rails-1"]?.configuration = plan.basis["seoul-rails-1"].configuration
            return copy
        }
    ]

    static let order: [Breach] = [
        Breach("database-first", "storage beside the database") {
            $0.changing("promote-data@seoul-gitaly-1") { $0.after = ["confirm"] }
        },
        Breach("database-first", "Rails beside the database") {
            $0.changing("promote-rails") { $0.after = ["confirm"] }
        },
        Breach("data-before-rails", "Rails beside Sidekiq") {
            $0.changing("promote-rails") { $0.after = ["promote-data@seoul-gitaly-1"] }
        },
        Breach("one-rails-node-first", "two Rails nodes at once") { plan in
            plan.changing("promote-rest") { $0.after = plan.step("promote-rails")?.after ?? [] }
        },
        Breach("every-node-promoted", "one node stays a secondary") { $0.removing("promote-geo") },
        Breach("every-node-promoted", "the database stays a standby") { $0.removing("promote-db") },
    ]

    private static let someone = NodeIdentity(hostName: "x", machineID: "y", bootID: "z")

    @Test(arguments: shape + bounds + places + names + fences + order)
    func aPlanThatBreaksIt(breach: Breach) {
        let found = PlanInvariants.violations(of: breach.apply(PlanFixture.plan))
        #expect(found.contains { $0.invariant == breach.invariant }, "\(found)")
        #expect(found.allSatisfy { !$0.detail.isEmpty })
    }

    @Test func anUnplannedFailoverNeedsNoZeroLossProof() {
        var plan = PlanFixture.plan.removing("prove")
        plan.scenario = .unplanned
        #expect(PlanInvariants.violations(of: plan) == [])
    }

    @Test func whatThisReleaseCannotDoIsRefused() {
        let request = PlanFixture.request(PlanFixture.runbook, Fixtures.patroniInventory())
        #expect(throws: PlanRefusal.self) { try Planner.plan(request) }
    }

    @Test func aPlanForANodeThatDidNotAnswerIsRefusedByName() {
        var request = PlanFixture.request()
        request.observation = request.observation.losing("tokyo-redis-1", reason: "no route")
        do throws(PlanRefusal) {
            _ = try Planner.plan(request)
            Issue.record("a plan was made")
        } catch {
            #expect(
                error.reasons.contains { $0.contains("tokyo-redis-1") && $0.contains("no route") }, "\(error.reasons)")
        }
    }
}

extension Step {
    /// The same on another node, with that node's identity.
    fileprivate mutating func move(to node: NodeID, _ plan: Plan) {
        guard case .commands(let commands, _, _) = operation, let identity = plan.basis[node].identity.value else {
            return
        }
        subject = .node(id: node)
        operation = .commands(commands: commands, node: node, expected: identity)
    }
}
