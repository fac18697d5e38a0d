import GeoCore
import GeoRuntime
import GeoViews

/// The primary died in the middle of a planned failover.
extension RunSession {
    /// Looks anew, tells what is lost, and asks for the word. Nothing is recorded or changed before that.
    func giveUp(
        _ state: RunState, because reason: String, _ arguments: [String], _ live: Live
    ) async throws -> [JournalEntry] {
        let plan = file.plan
        try refuseWithoutReason(state)
        let preflight = Preflight(inventory: plan.inventory, limits: plan.limits, profile: .unplanned)
        let pair = Preflight.Pair(from: plan.from, to: plan.to)
        let managed = (plan.inventory.site(plan.from)?.nodes ?? []).filter(\.isManagedByOmnibus)
        var scope = preflight.scope(from: pair.from.rawValue, to: pair.to.rawValue)
        scope.formUnion(preflight.lossScope(from: pair.from.rawValue, to: pair.to.rawValue))
        scope.ask([.identity], of: managed)
        scope.isolation.formUnion(managed.map(\.id))
        let now = await live.observe(scope)
        let words = try words(arguments, for: managed, now)
        let findings = preflight.findings(pair, now)
        let assessment = Assessment(
            subject: .failover(from: pair.from, to: pair.to), findings: findings, profile: .unplanned,
            accepted: preflight.accepted(findings, pair, now), waivers: plan.waivers)
        guard assessment.isReady else {
            Console.say(FindingsView.text([assessment], now: LiveClock.now(), style: Console.style(forResult: false)))
            throw CommandFailure("\(plan.to) cannot be promoted as it is; nothing was done", .notReady)
        }
        let isProven = plan.steps.contains {
            $0.until?.check.check == "database.zero-loss" && state.hasSucceeded($0.id)
        }
        // What the plan saw of the primary is known on any machine; this one may have heard of it since.
        let memory = CheckMemory(stateDirectory: stateDirectory, deployment: plan.inventory.deployment)
        memory.learn(from: plan.basis, of: plan.inventory)
        let statement = LossStatement(
            inventory: plan.inventory, from: plan.from, to: plan.to, observation: now, lastKnown: memory.load())
        let loss =
            isProven
            ? "That no committed write of the database is lost was proven before it died."
            : "The promise that nothing is lost cannot be kept any more. \(statement.sentence)"
        try await acknowledge(loss)
        let silent = Set(managed.filter { now[$0.id].identity.value == nil }.map(\.id))
        let dropped = GivingUp.dropped(of: state, silent: silent)
        return [.siteGivenUp(by: Settings.actor, reason: reason, loss: loss, dropped: dropped)]
            + (isProven ? [] : [.lossSeen(loss: statement)]) + words.map { .nodeAttested(attestation: $0) }
    }

    private func refuseWithoutReason(_ state: RunState) throws {
        let plan = file.plan
        guard [.planned, .unplanned].contains(plan.scenario) else {
            throw CommandFailure("\(directory.run) leaves no site, so there is none to give up", .refused)
        }
        guard !state.isPastPointOfNoReturn else {
            throw CommandFailure(
                "the point of no return is passed: \(plan.to) is being promoted already\n  \(command)", .refused)
        }
        guard !state.acted.isEmpty else {
            throw CommandFailure(
                "the run changed nothing yet, so that there is nothing to save of it; plan again"
                    + "\n  geo-failover plan unplanned-failover --from \(plan.from) --to \(plan.to)", .refused)
        }
    }

    /// For each node that does not answer: a person's word, or the proof of a fence. One without either stops it.
    private func words(_ arguments: [String], for managed: [Node], _ now: Observation) throws -> [Attestation] {
        var words = try Attestations.of(arguments, site: file.plan.from, in: file.plan.inventory, now)
        var open: [Node] = []
        for node in managed where now[node.id].identity.value == nil && !words.contains(where: { $0.node == node.id }) {
            if let proof = GivingUp.proof(of: node, now) { words.append(proof) } else { open.append(node) }
        }
        guard !open.isEmpty else { return words }
        let fences = open.compactMap { file.plan.inventory.fences(for: $0).first?.run }
            .map { "\n  " + $0.map(RemoteCommand.quoted).joined(separator: " ") }
        let names = open.map(\.id.rawValue)
        throw CommandFailure(
            "\(names.joined(separator: ", ")) \(open.count == 1 ? "does" : "do") not answer, and nothing proves that"
                + " \(open.count == 1 ? "it" : "they") can write nothing; nothing was done."
                + (fences.isEmpty ? "" : "\nIsolate by the inventory's fences, then try again:" + fences.joined())
                + "\nOr have it switched off and say so:"
                + "\n  --attest \(names.joined(separator: ","))='what was done, and by whom'", .refused)
    }

    private func acknowledge(_ loss: String) async throws {
        let (from, to) = (file.plan.from, file.plan.to)
        let text = "This gives \(from) up and goes on to promote \(to). \(loss)"
        guard !isApproved else {
            Console.say(text)
            return
        }
        let question = OperatorPrompt.Question(
            step: "give-up", text: "\(text)\nType the name of the site to promote.", expected: to.rawValue)
        guard await Prompt.ask(question)?.text == to.rawValue else {
            throw CommandFailure("declined; nothing was done", .declined)
        }
    }
}
