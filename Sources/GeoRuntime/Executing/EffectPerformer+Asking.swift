import GeoCore

/// Questions to the operator. What they cost is looked at anew first: a plan may be hours old.
extension EffectPerformer {
    func ask(_ stepID: StepID, _ attempt: Int) async -> EffectResult {
        guard let step = plan.step(stepID) else { return .advance }
        var question: OperatorPrompt.Question
        var loss: LossStatement?
        switch step.operation {
        case .confirmation(let text, let answer):
            let cost = state.givenUp.map { "\(plan.from) was given up. \($0.loss) " } ?? ""
            question = .init(step: stepID, text: cost + text, expected: answer)
            if let new = await newLoss() {
                loss = new.now
                question.text = "Now, other than when it was planned: \(new.now.sentence)\n\(question.text)"
                question.isInThePlan = !new.isMore
            }
        case .manual(let instructions): question = .init(step: stepID, text: instructions, expected: nil)
        case .commands, .isolation, .hook, .pushCanary, .wait: return .advance
        }
        let seen = loss.map { [JournalEntry.lossSeen(loss: $0)] } ?? []
        guard let answer = await ports.prompt.ask(question) else {
            let why =
                question.isInThePlan
                ? "nobody is there to answer; resume on a terminal, or with --approve"
                : "more is lost than what was approved, and nobody is there to accept it; \(loss?.sentence ?? "")"
                    + " Resume on a terminal, or with --approve once more"
            return .entries(seen + [.stepFailed(step: stepID, attempt: attempt, reason: why, findings: [])])
        }
        if let expected = question.expected, answer.text != expected {
            let failed = JournalEntry.stepFailed(
                step: stepID, attempt: attempt, reason: "declined: the answer was not `\(expected)`", findings: [])
            return .verdict(.declined(step: stepID), seen + [failed])
        }
        return .entries(
            seen + [.answered(step: stepID, attempt: attempt, answer: answer.text, by: actor, how: answer.how)])
    }

    /// What is lost now, where it is not what the operator was told, and whether it is more; `nil` when nothing is given
    /// up, or nothing changed.
    private func newLoss() async -> (now: LossStatement, isMore: Bool)? {
        guard let told = state.toldLoss, let from = plan.inventory.site(plan.from),
            let to = plan.inventory.site(plan.to)
        else { return nil }
        var lastKnown = plan.lastKnown ?? LastKnown(deployment: plan.inventory.deployment)
        lastKnown.learn(from: plan.basis, of: plan.inventory)
        let now = LossStatement(
            inventory: plan.inventory, from: plan.from, to: plan.to,
            observation: await ports.observe(LossStatement.scope(from: from, to: to)), lastKnown: lastKnown)
        let isMore = now.exceeds(told)
        return isMore || now.parts != told.parts ? (now, isMore) : nil
    }

    /// Asks whether to go on without a step that failed. Whatever is not the step's name halts the run.
    func askWhetherToSkip(_ stepID: StepID, _ attempt: Int, _ reason: String) async -> EffectResult {
        let question = OperatorPrompt.Question(
            step: stepID,
            text: "\(stepID) failed: \(reason)\nType \(stepID) to go on without it; anything else halts the run.",
            expected: nil)
        let answer = await ports.prompt.ask(question)
        guard let answer, answer.text == stepID.rawValue else {
            return .verdict(.halted(reason: "\(stepID) failed: \(reason)"), [])
        }
        return .entries([
            .stepSkipped(step: stepID, attempt: attempt, reason: "asked after its failure, \(answer.how)", by: actor)
        ])
    }

    private var actor: Actor { state.actor ?? Actor(user: "?", host: "?") }
}
