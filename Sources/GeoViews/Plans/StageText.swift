import GeoCore

/// A failback in words: the stage that a plan is, and those around it.
enum StageText {
    static func line(_ one: PlanStage.Stage, at index: Int, of stage: PlanStage) -> String {
        let place =
            switch index + 1 {
            case ..<stage.number: "done"
            case stage.number: "THIS PLAN"
            default: one.hold == nil ? "later" : "later, after a hold"
            }
        return "\(index + 1). \(one.title) (\(one.runbook), \(one.from) -> \(one.to)): \(place)"
    }

    /// After a stage: what plans the next one; empty after the last.
    static func next(_ stage: PlanStage) -> [String] {
        stage.next.map {
            ["\(stage.planCommand)  # stage \(stage.number + 1) of \(stage.stages.count): \($0.title)"]
        } ?? []
    }
}
