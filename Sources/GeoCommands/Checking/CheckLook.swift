import GeoCore
import GeoRuntime
import GeoViews

/// One look at the deployment, and what it means for every failover that was asked about.
struct CheckLook: Sendable {
    /// What one look came to.
    struct Result {
        var report: CheckReport
        var saved: SavedCheck
        var status: ExitStatus
        /// Only where there is a choice: several sites that could take over from one.
        var ranking: CandidateRanking?
    }

    let preflight: Preflight
    let waivers: Waivers
    let from: String?
    let to: String?
    let memory: CheckMemory

    func observe(_ live: Live, progress: Observer.Progress? = nil) async -> Observation {
        var scope = preflight.scope(from: from, to: to)
        scope.formUnion(preflight.lossScope(from: from, to: to))
        return await live.observe(scope, progress: progress)
    }

    /// Judges what was seen, and remembers it for the day on which the primary does not answer.
    func result(of observation: Observation, _ clock: WallClock) throws -> Result {
        let pairs = try preflight.pairs(from: from, to: to, observation)
        // What was known before this look: a primary that answers needs no memory, and one that does not adds nothing.
        let known = preflight.profile == .reseed ? nil : memory.load()
        let assessments = try pairs.map { pair in
            let findings = preflight.findings(pair, observation)
            return Assessment(
                subject: .failover(from: pair.from, to: pair.to), findings: findings, profile: preflight.profile,
                accepted: preflight.accepted(findings, pair, observation),
                waivers: try waivers.bound(to: findings, allPairs: pairs.count > 1))
        }
        let losses =
            preflight.profile == .reseed
            ? []
            : pairs.map {
                LossStatement(
                    inventory: preflight.inventory, from: $0.from, to: $0.to, observation: observation,
                    lastKnown: known)
            }
        memory.remember(observation, of: preflight.inventory)
        let report = CheckReport(
            deployment: preflight.inventory.deployment, profile: preflight.profile, assessments: assessments,
            losses: losses, startedAt: observation.startedAt, endedAt: observation.endedAt, now: clock.now())
        let saved = SavedCheck(
            inventory: preflight.inventory, profile: preflight.profile,
            pairs: zip(pairs, assessments).map { pair, assessment in
                SavedCheck.Pair(
                    from: pair.from, to: pair.to, isReady: assessment.isReady, findings: assessment.findings,
                    loss: losses.first { $0.from == pair.from && $0.to == pair.to })
            }, observation: observation)
        let isChoice = losses.count > 1 && to == nil && Set(pairs.map(\.from)).count == 1
        return Result(
            report: report, saved: saved, status: assessments.contains(where: \.isReady) ? .done : .notReady,
            ranking: isChoice ? preflight.ranking(from: pairs[0].from, observation) : nil)
    }
}

/// What `check` keeps from one time to the next. It has checked also when it cannot remember that, so that is only said.
struct CheckMemory: Sendable {
    let stateDirectory: String
    let deployment: String

    private var store: LastKnownStore { LastKnownStore(under: stateDirectory, deployment: deployment) }

    func load() -> LastKnown? {
        do {
            return try store.load()
        } catch {
            Console.say("note: what the primary said before cannot be read, and is left out of the loss: \(error)")
            return nil
        }
    }

    func remember(_ observation: Observation, of inventory: Inventory) {
        LastCheck.remember(observation.endedAt, in: stateDirectory)
        learn(from: observation, of: inventory)
    }

    /// Keeps what the primary said, also when it was asked for a plan and not for a check.
    func learn(from observation: Observation, of inventory: Inventory) {
        do {
            if let aside = try store.learn(from: observation, of: inventory) {
                Console.say("note: what could not be read was moved to \(aside)")
            }
        } catch {
            Console.say("note: what the primary says could not be kept in \(stateDirectory): \(error)")
        }
    }
}
