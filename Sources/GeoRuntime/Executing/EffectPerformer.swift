import GeoCore

/// Performs one effect. Holds a copy of the run's state as it was when the effect was decided; writes nothing.
struct EffectPerformer: Sendable {
    let ports: ExecutionPorts
    let journal: Journal
    let interruption: Interruption
    let state: RunState

    var plan: Plan { state.plan }

    func perform(_ effect: Effect) async -> EffectResult {
        switch effect {
        case .none, .halt, .finish: .advance
        case .checkDrift(let step, let moment): await checkDrift(step, moment)
        case .checkRequirements(let step, let attempt, let requirements):
            await checkRequirements(step, attempt, requirements)
        case .decide(let step, let attempt, let index, let condition):
            await decide(step, attempt, index, condition)
        case .run(let step, let attempt, let index, let key): await run(step, attempt, index, key)
        case .runLocally(let step, let attempt): await runLocally(step, attempt)
        case .ask(let step, let attempt): await ask(step, attempt)
        case .askWhetherToSkip(let step, let attempt, let reason): await askWhetherToSkip(step, attempt, reason)
        case .verify(let step, let attempt): await verify(step, attempt)
        case .settle(let step, let attempt): await settle(step, attempt)
        }
    }

    // MARK: Looking

    private func checkDrift(_ step: StepID, _ moment: DriftMoment) async -> EffectResult {
        var scope = LoadBearing.scope(plan)
        // Where nothing could be stopped before, the promotion itself is the first change.
        let references = moment == .firstChange || state.acted.isEmpty ? preflight : []
        for reference in references { scope.formUnion(needs(reference)) }
        let now = await ports.observe(scope)
        let drift = LoadBearing.drift(
            plan, now: now, at: moment == .firstChange ? .firstChange : .pointOfNoReturn,
            attestations: state.attestations, isGivenUp: state.givenUp != nil)
        let entry = JournalEntry.driftChecked(before: step, drift: drift)
        guard drift.isEmpty else { return .verdict(.refused(drift: drift), [entry]) }
        let blocking = references.flatMap { findings($0, now) }.filter {
            $0.verdict >= .unknown && !isAccepted($0, now)
        }
        if !blocking.isEmpty { return .verdict(.notReady(findings: blocking), []) }
        return .entries([entry])
    }

    /// The checks that the plan was made under: asked again before the first change.
    private var preflight: [CheckReference] {
        var seen: Set<CheckReference> = []
        return plan.findings.map { finding in
            CheckReference(
                check: finding.check, subject: finding.subject, limits: plan.limits[finding.check] ?? .init())
        }.filter { seen.insert($0).inserted }
    }

    /// By a person, by what the plan is for, or because a step of the plan mends it.
    private func isAccepted(_ finding: Finding, _ now: Observation) -> Bool {
        if isWaived(finding) || plan.repairs.contains(finding.check) { return true }
        return state.scenario.profile.acceptance(
            of: finding, limits: plan.limits[finding.check] ?? .init(), in: plan.inventory, from: plan.from,
            to: plan.to, now) != nil
    }

    private func isWaived(_ finding: Finding) -> Bool {
        plan.waivers.contains { $0.covers(finding) }
    }

    private func checkRequirements(_ step: StepID, _ attempt: Int, _ requirements: [Requirement]) async -> EffectResult
    {
        var scope = ObservationScope()
        for requirement in requirements { scope.formUnion(needs(requirement.check)) }
        let now = await ports.observe(scope)
        var (isCommandStarted, hasBegun) = (false, false)
        if case .running(let running) = state.progress(of: step) {
            isCommandStarted = running.isCommandStarted
            hasBegun = plan.step(step)?.hasBegun(running) ?? false
        }
        let answers = requirements.flatMap {
            findings($0.check, now, hasBegun: hasBegun, isTriedAgain: state.acted.contains(step))
        }
        let blocking = answers.filter { $0.verdict >= .unknown && !isWaived($0) }
        guard !blocking.isEmpty || answers.isEmpty else { return .advance }
        let reason =
            blocking.first.map { "\($0.check) of \($0.subject): \($0.summary)" }
            ?? "its requirements could not be looked at"
        if isCommandStarted {
            return .entries([
                .stepLeftInDoubt(step: step, attempt: attempt, reason: "it must not go on: \(reason)")
            ])
        }
        return .entries([
            .stepFailed(step: step, attempt: attempt, reason: "it must not start: \(reason)", findings: blocking)
        ])
    }

    private func decide(_ step: StepID, _ attempt: Int, _ index: Int, _ condition: RemoteCommand.Condition) async
        -> EffectResult
    {
        guard let node = plan.step(step)?.node.flatMap(plan.inventory.node) else {
            preconditionFailure("\(step) has commands and no node")
        }
        var scope = ObservationScope()
        scope.ask([.attributes, .clusterFile], of: [node])
        let facts = await ports.observe(scope)[node.id]
        func answer<Value>(_ fact: Observed<Value>, _ isNeeded: (Value) -> Bool, _ because: String) -> EffectResult {
            switch fact {
            case .known(let value, _, _) where isNeeded(value): .advance
            case .known: .entries([.commandSkipped(step: step, attempt: attempt, index: index, because: because)])
            case .unknown(let reason):
                .entries([
                    .stepFailed(
                        step: step, attempt: attempt, reason: "whether a command is needed cannot be seen: \(reason)",
                        findings: [])
                ])
            }
        }
        switch condition {
        case .attributeFileIsStub: return answer(facts.attributeFile, { $0 != .good }, "the attribute file is whole")
        case .clusterFileIsEmpty:
            return answer(facts.clusterFile, { $0 == .empty }, "gitlab-cluster.json is not empty")
        case .always, .previousSaysNotOK, .previousFailed: return .advance
        }
    }

    // MARK: Proving

    /// Polls until the check holds. The first look is immediate; then the pauses grow from 0.2 to 5 seconds, and to a minute
    /// where the limit is hours.
    private func verify(_ stepID: StepID, _ attempt: Int) async -> EffectResult {
        guard let step = plan.step(stepID), let until = step.until else { return .advance }
        let began = ports.clock.uptime()
        var pause = Duration.milliseconds(200)
        // What may take days is not asked for every five seconds: each look is a few hundred processes on the nodes.
        let longest = Duration.seconds(min(60, max(5, until.withinSeconds / 720)))
        while true {
            let answers = await look(until.check, transcript(stepID))
            if !answers.isEmpty, answers.worst <= .warn {
                return .entries([.stepSucceeded(step: stepID, attempt: attempt, how: .performed, findings: answers)])
            }
            let worst = answers.max { $0.verdict < $1.verdict }
            ports.announce(.waiting(step: stepID, finding: worst))
            let spent = ports.clock.seconds(since: began)
            if spent >= Double(until.withinSeconds) {
                let seen = worst.map { "\($0.check) of \($0.subject): \($0.summary)" } ?? "nothing was seen"
                return .entries([
                    .stepFailed(
                        step: stepID, attempt: attempt,
                        reason: "not proven within \(until.withinSeconds) s: \(seen)", findings: answers)
                ])
            }
            if await interruption.level >= .finishWhatIsInFlight, step.operation == .wait {
                return .entries([
                    .stepLeftInDoubt(step: stepID, attempt: attempt, reason: "the operator interrupted the wait")
                ])
            }
            if Task.isCancelled { return .advance }
            // Nothing is under way in a step that only waits: an interrupt ends it at once, and a resume looks again.
            if case .wait = step.operation, await interruption.level > .none {
                return .entries([
                    .stepLeftInDoubt(step: stepID, attempt: attempt, reason: "the operator stopped waiting for it")
                ])
            }
            await ports.clock.sleep(min(pause, .seconds(max(0.05, Double(until.withinSeconds) - spent))))
            pause = min(pause * 3 / 2, longest)
        }
    }

    private func settle(_ stepID: StepID, _ attempt: Int) async -> EffectResult {
        guard let step = plan.step(stepID), let until = step.until else { return .advance }
        let answers = await look(until.check, nil)
        return .entries([
            ExecutionStateMachine.settle(
                step, attempt: attempt, findings: answers, ranThrough: state.ranThrough.contains(stepID))
        ])
    }

    private func transcript(_ step: StepID) -> TranscriptSummary? {
        if case .running(let running) = state.progress(of: step) { running.lastTranscript } else { nil }
    }

    private func look(_ reference: CheckReference, _ transcript: TranscriptSummary?) async -> [Finding] {
        let now = await ports.observe(needs(reference))
        return findings(reference, now, transcript)
    }

    private func context(_ reference: CheckReference, _ transcript: TranscriptSummary?) -> CheckContext {
        var context = CheckContext(
            inventory: plan.inventory, subject: reference.subject, limits: reference.limits, from: plan.from,
            to: plan.to, transcript: transcript)
        context.names = reference.names
        context.attestations = state.attestations
        context.cronJobsLeftOff = plan.cronJobsLeftOff ?? []
        return context
    }

    private func needs(_ reference: CheckReference) -> ObservationScope {
        CheckCatalog.check(reference.check)?.needs(context(reference, nil)) ?? ObservationScope()
    }

    private func findings(
        _ reference: CheckReference, _ observation: Observation, _ transcript: TranscriptSummary? = nil,
        hasBegun: Bool = false, isTriedAgain: Bool = false
    ) -> [Finding] {
        guard let check = CheckCatalog.check(reference.check) else {
            return [
                Finding(
                    check: reference.check, subject: reference.subject, verdict: .unknown,
                    summary: "this release has no such check")
            ]
        }
        var context = context(reference, transcript)
        context.hasBegun = hasBegun
        context.isTriedAgain = isTriedAgain
        return check.findings(context, observation)
    }
}
