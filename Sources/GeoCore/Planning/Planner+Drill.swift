/// A failover that is practised: real in every step, with what the promoted site sends to others held back.
extension Planner {
    /// The release whose `gitlab-ctl geo promote` knows `--enable-silent-mode` (omnibus-gitlab, CHANGELOG 16.5).
    private static let silentSince = (major: 16, minor: 5)

    /// Why there is no drill of this; each with what to do.
    static func drillProblems(_ request: PlanRequest) -> [String] {
        guard request.isDrill else { return [] }
        guard request.runbook.scenario == .planned else {
            return [
                "--drill is for a planned failover: the runbook \(request.runbook.name) is \(request.runbook.scenario.rawValue)."
                    + " Practise with planned-failover, or plan without --drill in earnest"
            ]
        }
        let promoted = request.inventory.site(request.to)?.nodes.filter {
            $0.components.contains(where: \.isPromoted)
        }
        return (promoted ?? []).compactMap { node in
            let version = request.observation[node.id].gitlabVersion
            guard let text = version.value else {
                return
                    "--drill: the GitLab version of \(node.id) is not known (\(version.reason ?? "no reason")), and"
                    + " promotion in Silent Mode needs 16.5. Make it answer, and plan again"
            }
            guard isSilentModeKnown(text) else {
                return
                    "--drill: \(node.id) runs GitLab \(text), whose promotion knows no Silent Mode: the promoted site"
                    + " would send mail and call webhooks. Upgrade to 16.5 or later, or plan without --drill"
            }
            return nil
        }
    }

    private static func isSilentModeKnown(_ version: String) -> Bool {
        let numbers = version.split(separator: ".").prefix(2).map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return false }
        return (major, minor) >= (silentSince.major, silentSince.minor)
    }
}

/// What makes a plan a drill: it says so, it promotes in Silent Mode, and nobody writes before that is seen to be on.
extension PlanInvariants {
    static func drillViolations(of plan: Plan) -> [InvariantViolation] {
        plan.steps.compactMap { step in
            guard case .commands(let commands, _, _) = step.operation else { return nil }
            let promotions = commands.filter {
                $0.arguments.starts(with: ["gitlab-ctl", "geo", "promote"])
            }
            let isSilent = { (command: RemoteCommand) in
                command.arguments.contains(ActionCommands.silently)
            }
            if plan.isDrill ? !promotions.allSatisfy(isSilent) : promotions.contains(where: isSilent) {
                return .init(
                    invariant: "drill-is-silent", step: step.id,
                    detail: plan.isDrill
                        ? "promotes without Silent Mode in a drill"
                        : "promotes in Silent Mode, and the plan is no drill")
            }
            guard plan.isDrill, step.action == .disableMaintenanceMode,
                !step.requires.contains(where: { $0.check.check == "site.silent" && $0.when == .always })
            else { return nil }
            return .init(
                invariant: "drill-is-silent", step: step.id,
                detail: "lets users write in a drill without a look whether Silent Mode is on")
        }
    }
}
