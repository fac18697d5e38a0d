import FoundationEssentials
import GeoCore
import GeoViews

/// The plan that a watch leaves for whoever comes: made as `plan` makes it, from the look that the disaster was called
/// after, without a waiver, a repair or anybody's word. Nothing executes it; `execute` compares it with the world first.
struct PlanDraft {
    /// What came of it, and which commands come next, the first first.
    struct Outcome {
        var path: String?
        /// Why there is no plan.
        var refusal: String?
        var commands: [String]

        var sentence: String? { path.map { "a plan is made: \($0)" } ?? refusal.map { "no plan is made yet: \($0)" } }
    }

    /// As it was read: the shorter limits of a watch are none for a run.
    let inventory: Inventory
    let runbook: Runbook
    let stateDirectory: String

    func make(from: SiteID, to: SiteID, _ observation: Observation) -> Outcome {
        let look = NextCommand.checkUnplanned(from: from, to: to)
        let again = NextCommand.plan(runbook: runbook.name, from: from, to: to)
        let silent = (inventory.site(from)?.nodes ?? []).filter { node in
            node.isManagedByOmnibus && observation[node.id].identity.value == nil
                && inventory.fences(for: node).isEmpty
        }
        let names = silent.map(\.id.rawValue).joined(separator: ",")
        let words = silent.isEmpty ? "" : " --attest \(names)=\(RemoteCommand.quoted("what was done, and by whom"))"
        do {
            let path = try write(try file(from, to, observation))
            return Outcome(path: path, commands: [look, NextCommand.execute(path)])
        } catch let error as CommandFailure {
            return Outcome(refusal: error.message, commands: [look, again + words])
        } catch {
            return Outcome(refusal: "\(error)", commands: [look, again + words])
        }
    }

    private func file(_ from: SiteID, _ to: SiteID, _ observation: Observation) throws -> PlanFile {
        let preflight = Preflight(inventory: inventory, runbook: runbook, profile: runbook.scenario.profile)
        let pair = Preflight.Pair(from: from, to: to)
        let findings = preflight.findings(pair, observation)
        let assessment = Assessment(
            subject: .failover(from: from, to: to), findings: findings, profile: runbook.scenario.profile,
            accepted: preflight.accepted(findings, pair, observation))
        guard assessment.isReady else {
            let blockers = assessment.checks(at: .fail) + assessment.checks(at: .unknown)
            throw CommandFailure("\(to) is not ready: \(blockers.map(\.rawValue).joined(separator: ", "))", .notReady)
        }
        return try PlanFile(
            try PlanCommand.plan(
                PlanRequest(
                    inventory: inventory, runbook: runbook, from: from, to: to, observation: observation,
                    findings: findings, waivers: [],
                    lastKnown: CheckMemory(stateDirectory: stateDirectory, deployment: inventory.deployment).load(),
                    createdAt: LiveClock.now(), createdBy: "\(Settings.user)@\(Settings.host), by a watch",
                    toolVersion: GeoFailover.version)))
    }

    private func write(_ file: PlanFile) throws -> String {
        let directory = stateDirectory + "/plans"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = "\(directory)/\(file.plan.from)-to-\(file.plan.to)-\(RunSession.stamp(file.plan.createdAt)).geoplan"
        try Data(file.bytes).write(to: URL(filePath: path), options: .atomic)
        return path
    }
}
