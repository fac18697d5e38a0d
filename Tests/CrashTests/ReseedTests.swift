import GeoCore
import GeoRuntime
import GeoTestSupport
import Testing

/// The shipped runbook `reseed-secondary`, after a failover on the simulated deployment.
@Suite struct ReseedTests {
    private static let runbook = ShippedPlan.load("reseed-secondary")

    private static let failover: PlanFile = {
        do {
            return try PlanFile(try Planner.plan(ShippedPlan.request(ShippedPlan.runbook, inventory)))
        } catch {
            fatalError("\(error)")
        }
    }()

    /// What an operator lets the run mend where it fails.
    private static let mended: Set<CheckID> = [
        "secrets.equal", "passwords.equal", "ssh-host-keys.equal", "database.trusts-primary",
    ]

    static func request(
        _ rig: Rig, from: SiteID = Fixtures.seoul, to: SiteID = Fixtures.tokyo
    ) -> PlanRequest {
        var scope = SimulatedState.everything(inventory)
        scope.asksOperator = true
        let basis = rig.deployment.observe(scope)
        let findings = CheckProfile.returning.preflight.flatMap { item -> [Finding] in
            guard let check = CheckCatalog.check(item.check) else { return [] }
            return CheckCatalog.subjects(of: check, inventory: inventory, from: from, to: to, asked: item.subjects)
                .flatMap {
                    check.findings(CheckContext(inventory: inventory, subject: $0, from: from, to: to), basis)
                }
        }
        return PlanRequest(
            inventory: inventory, runbook: runbook, from: from, to: to, observation: basis, findings: findings,
            waivers: [],
            repairs: Set(findings.filter { $0.verdict > .warn }.map(\.check)).intersection(mended),
            createdAt: basis.endedAt,
            createdBy: "t", toolVersion: "t")
    }

    /// After a finished failover to Seoul.
    static func failedOver() async -> Rig {
        let before = Rig(failover)
        #expect(await before.process() == .ended(.finished), "\(before.story)")
        // What a promotion leaves, from an earlier time when Tokyo was promoted.
        before.deployment.withState {
            $0["tokyo-rails-1"].clusterFile = .valid(text: "{}")
            // And what an operator has mended by the run.
            $0["tokyo-rails-1"].secrets = "0ther"
            $0["tokyo-rails-2"].hostKeys = ["SHA256:own ED25519"]
            $0["tokyo-pg-1"].trusts = nil
            $0["tokyo-geo-1"].configuration.write(Digest(of: [0]), to: geoSettings)
        }
        return before
    }

    /// A run that has yet to begin.
    static func rig() async throws -> Rig {
        let before = await failedOver()
        return Rig(try PlanFile(try Planner.plan(request(before))), on: before.deployment, as: "reseed")
    }

    /// What is not as a finished re-seed leaves it.
    static func wrong(_ rig: Rig) -> [String] {
        rig.deployment.withState { state -> [String] in
            var found: [String] = []
            if !state.isWritable(Fixtures.seoul) { found.append("seoul is not writable") }
            let copy = state.database(of: Fixtures.tokyo)
            if copy.isPrimary || !copy.isWhole { found.append("tokyo has no copy") }
            if copy.kept < 1 { found.append("the former database was not kept") }
            if copy.position != state.database(of: Fixtures.seoul).position { found.append("tokyo does not follow") }
            if !state.database(of: Fixtures.seoul).rows.removed.isEmpty { found.append("tokyo has no row") }
            for node in state.nodes(of: Fixtures.tokyo) {
                let name = node.node.id
                if !node.held.isEmpty { found.append("\(name) has \(node.held.sorted()) held down") }
                if node.clusterFile != .absent { found.append("\(name) has a gitlab-cluster.json") }
                guard node.node.isManagedByOmnibus else { continue }
                if node.secrets != "5ec2e75" { found.append("\(name) has other secrets") }
                if node.hostKeys.count != 2 { found.append("\(name) has other host keys") }
                if !node.services.allSatisfy(\.isRunning) || node.isBootMasked {
                    found.append("\(name) does not serve")
                }
                if node.url?.settings.contains(where: { $0.hasSuffix("false") }) == true {
                    found.append("\(name) is no secondary's")
                }
                if !state.isSecondarys(node) || !state.isApplied(node) { found.append("\(name) is not configured") }
                if node.node.runs(.trackingDB), node.tracking != .migrated {
                    found.append("\(name) tracks another time")
                }
            }
            for node in state.nodes(of: Fixtures.seoul) where node.url?.backup != nil {
                found.append("\(node.node.id) was edited")
            }
            return found
        }
    }

    @Test func theFormerPrimaryComesBackAndNothingOfItIsLost() async throws {
        let rig = try await Self.rig()
        let plan = rig.file.plan
        // The operator's machine is none of the simulation's.
        let against = plan.findings.filter {
            $0.verdict > .warn && $0.check != "operator.independent" && !plan.repairs.contains($0.check)
        }
        #expect(against.map(\.summary) == [])
        #expect(plan.pointOfNoReturn == "replicate")
        #expect(
            plan.edits.flatMap(\.edit.lines).map(\.new).contains("geo_logcursor['enable'] = true"), "\(plan.edits)")
        #expect(!plan.edits.flatMap(\.nodes).contains("tokyo-geo-1"))
        guard case .confirmation(let question, let answer)? = plan.step("confirm")?.operation else {
            Issue.record("nobody is asked")
            return
        }
        #expect(answer == "tokyo-pg-1")
        for part in ["tokyo-pg-1 (", "seoul-pg-1 (", "system identifier", "timeline 2", "WRITABLE", "80 MiB"] {
            #expect(question.contains(part), "\(part): \(question)")
        }
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [], "\(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        #expect(rig.deployment.withState { $0["tokyo-rails-1"].clusterFileAside?.file } == .valid(text: "{}"))
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1)
        #expect(rig.deployment.withState { $0["tokyo-pg-1"].archives.allSatisfy { $0.completedAt != nil } })
        #expect(rig.deployment.withState { $0["tokyo-pg-1"].archives.count } == 1)
    }

    @Test func thePasswordIsNeitherInThePlanNorInTheJournal() async throws {
        let rig = try await Self.rig()
        _ = await rig.process()
        for bytes in [rig.file.bytes, rig.disk.bytes] {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("practice"))
        }
        #expect(rig.deployment.withState { $0.history }.contains { $0.contains("replicate-geo-database") })
        #expect(!rig.deployment.withState { $0.history }.contains { $0.contains("practice") })
    }

    @Test func killedAtAnyRecordItComesBackAsIfNothingHadHappened() async throws {
        try await Search.deaths(of: { try await Self.rig() }, one: 27, apart: 9) { rig, death in
            #expect(rig.faults == [] && Self.wrong(rig) == [], "\(Self.wrong(rig)) \(death): \(rig.story)")
            #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 1, "\(death)")
        }
    }

    @Test func afterAnySingleFaultItComesBackOrTheRunSaysWhatIsMissing() async throws {
        try await Search.faults(of: { try await Self.rig() }, one: 23) { rig, fault in
            #expect(rig.faults == [] && Self.wrong(rig) == [], "\(fault) \(rig.faults) \(Self.wrong(rig)) \(rig.story)")
        }
    }

    @Test func beforeTheDatabaseIsReplacedTheWayBackLeavesTheSiteFenced() async throws {
        let rig = try await Self.rig()
        let before = rig.deployment.withState { $0 }
        guard case .ended(.declined) = await rig.process(answers: { _ in "tokyo" }) else {
            Issue.record("the site's name is no node's: \(rig.story)")
            return
        }
        let back = try Self.wayBack(of: rig)
        #expect(await back.process() == .ended(.finished), "\(back.story)")
        #expect(back.faults == [], "\(back.story)")
        let after = back.deployment.withState { $0 }
        for (old, new) in zip(before.nodes, after.nodes) where old.site == Fixtures.tokyo {
            #expect(new.isFenced && new.held == old.held && new.clusterFile == old.clusterFile, "\(new.node.id)")
            #expect(new.url?.lines == old.url?.lines, "\(new.node.id)")
            #expect(new.database?.kept == 0 || new.database == nil)
        }
    }

    static func wayBack(of rig: Rig) throws -> Rig {
        let state = try rig.state()
        #expect(!state.isPastPointOfNoReturn && !state.acted.isEmpty)
        let runbook = try #require(AbortPlanner.runbook(undoing: "reseed", state, digest: rig.file.digest))
        var request = request(rig)
        request.runbook = runbook
        request.inventory = AbortPlanner.inventory(rig.file.plan)
        request.undo = AbortPlanner.undo(state)
        request.findings = []
        return Rig(try PlanFile(try Planner.plan(request)), on: rig.deployment, as: "way-back")
    }

    @Test func aStandbyThatNeverStreamsIsNoSuccessAndNothingStarts() async throws {
        let rig = try await Self.rig()
        rig.deployment.withState { $0["tokyo-pg-1"].streamsNothing = true }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("replicate failed") && reason.contains("no WAL receiver"), "\(reason)")
        #expect(rig.deployment.withState { !$0["tokyo-rails-1"].hasRunningService })
        rig.heal()
        #expect(await rig.process() == .ended(.finished), "\(rig.story)")
        #expect(rig.faults == [] && Self.wrong(rig) == [])
    }

    /// Between two attempts somebody promotes what is to be replaced: the second must not move a primary aside.
    @Test func aCopyThatIsTriedAgainLooksAtTheDirectionAgain() async throws {
        let rig = try await Self.rig()
        rig.deployment.withState { $0["tokyo-pg-1"].streamsNothing = true }
        guard case .ended(.halted) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        let kept = rig.deployment.withState { state in
            state["tokyo-pg-1"].database?.isPrimary = true
            return state.database(of: Fixtures.tokyo).kept
        }
        guard case .ended(.halted(let reason)) = await rig.process() else {
            Issue.record("\(rig.story)")
            return
        }
        #expect(reason.contains("it is a primary, and is not replaced"), "\(reason)")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == kept)
    }

    @Test func theWrongDirectionAndAGoodStandbyAreRefused() async throws {
        func blocking(_ rig: Rig, from: SiteID, to: SiteID) -> Set<CheckID> {
            Set(Self.request(rig, from: from, to: to).findings.filter { $0.verdict >= .fail }.map(\.check))
        }
        let before = await Self.failedOver()
        #expect(blocking(before, from: Fixtures.tokyo, to: Fixtures.seoul).contains("reseed.direction"))
        #expect(
            blocking(before, from: Fixtures.seoul, to: Fixtures.tokyo) == [
                "secrets.equal", "ssh-host-keys.equal", "database.trusts-primary",
            ])
        before.deployment.withState { $0["tokyo-pg-1"].machineID = $0["seoul-pg-1"].machineID }
        #expect(blocking(before, from: Fixtures.seoul, to: Fixtures.tokyo).contains("reseed.direction"))
        let rig = try await Self.rig()
        #expect(await rig.process() == .ended(.finished))
        #expect(blocking(rig, from: Fixtures.seoul, to: Fixtures.tokyo).contains("reseed.direction"))
    }

    /// The repair of a check is no word for what it does not mend.
    @Test func whatARepairDoesNotMendIsFoundBeforeTheDatabaseIsReplaced() async throws {
        let before = await Self.failedOver()
        before.deployment.withState { $0["seoul-sidekiq-1"].secrets = "third" }
        let rig = Rig(try PlanFile(try Planner.plan(Self.request(before))), on: before.deployment, as: "reseed")
        let end = await rig.process()
        #expect(end != .ended(.finished) && "\(end)".contains("seoul-sidekiq-1"), "\(end)")
        #expect(rig.deployment.withState { $0.database(of: Fixtures.tokyo).kept } == 0, "\(rig.story)")
        // With nothing of the site to mend there is no plan.
        before.deployment.withState { $0["tokyo-rails-1"].secrets = $0["seoul-rails-1"].secrets }
        #expect(throws: PlanRefusal.self) { try Planner.plan(Self.request(before)) }
        let plan = rig.file.plan
        let blind = plan.broken(at: "replicate") { step in
            step.requires.removeAll { $0.check.check == "secrets.equal" }
        }
        #expect(blind.contains("mended-before-wipe"))
    }

    @Test func noPlanReplacesADatabaseUnaskedUnseenOrStartsBeforeItStreams() async throws {
        let plan = try await Self.rig().file.plan
        #expect(PlanInvariants.violations(of: plan) == [])
        func broken(_ change: (inout Plan) -> Void) -> Set<String> { plan.broken(change) }
        func without(_ group: StepID) -> Set<String> { plan.broken(without: group) }
        func at(_ group: StepID, _ change: (inout Step) -> Void) -> Set<String> { plan.broken(at: group, change) }
        #expect(broken { $0.scenario = .planned }.contains("reseed-alone"))
        #expect(broken { swap(&$0.from, &$0.to) }.contains("never-the-source"))
        #expect(without("confirm").contains("asked-before-wipe"))
        #expect(without("save-divergence").contains("divergence-saved-first"))
        #expect(without("replicate").contains("one-database-replaced"))
        #expect(without("write-something").contains("standby-before-services"))
        #expect(without("see-it-arrive").contains("standby-before-services"))
        #expect(at("replicate") { $0.requires = [] }.contains("seen-before-wipe"))
        let unproved = at("replicate") { step in step.until?.check.check = "node.returned" }
        #expect(unproved.contains("streams-or-failed"))
        #expect(at("replicate") { $0.reversibility = .changesNothing }.contains("one-database-replaced"))
        #expect(at("start-jobs") { $0.after = ["confirm"] }.contains("standby-before-services"))
        #expect(at("finish-first-rails") { $0.after = ["confirm"] }.contains("standby-before-services"))
        #expect(at("start-storage") { $0.action = .stopAndDisable }.contains("standby-before-services"))
        #expect(at("start-storage") { $0.action = .promoteNode }.contains("reseed-only"))
    }

    @Test func whatCannotBeEditedOrCopiedIsRefusedWithASentence() async throws {
        let before = await Self.failedOver()
        func reasons(_ change: (inout PlanRequest) -> Void) -> [String] {
            var request = Self.request(before)
            change(&request)
            return refusal(of: request)
        }
        #expect(reasons { $0.inventory.replication = nil }.contains { $0.contains("says nothing of replication") })
        #expect(
            reasons { $0.observation.change("tokyo-sidekiq-1") { $0.geoSettings = Fixtures.seen([]) } }
                .contains { $0.contains("geo_secondary['enable'] nowhere") })
        #expect(
            reasons {
                $0.observation.change("tokyo-rails-1") {
                    $0.geoSettings = Fixtures.seen(["roles ['geo_primary_role']"])
                }
            }
            .contains { $0.contains("single-node primary") })
        #expect(
            reasons { request in
                for site in request.inventory.sites.indices {
                    for node in request.inventory.sites[site].nodes.indices
                    where request.inventory.sites[site].nodes[node].id == "tokyo-pg-1" {
                        request.inventory.sites[site].nodes[node].components.append(.rails)
                    }
                }
            }.contains { $0.contains("runs a database beside the application") })
    }
}
