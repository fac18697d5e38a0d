/// A copy that is kept below a rate: what the plan says of it, and when there is none
/// ([0024](../../../docs/decisions/0024-a-copy-with-a-rate.md)).
extension Expansion {
    /// What both programs that make a standby need to know; `nil` where it was not seen.
    func standby(of site: Site) -> StandbyTarget? {
        guard let source = sourceNode, let access = request.inventory.replication,
            let system = systemIdentifier(of: source.id)
        else { return nil }
        return StandbyTarget(
            source: source.access.address, slot: Reseeding.slot(of: site), sslMode: access.sslMode,
            systemIdentifier: system)
    }

    private func systemIdentifier(of source: NodeID) -> String? {
        let facts = request.observation[source]
        return facts.database.value?.systemIdentifier ?? facts.controlData.value?.systemIdentifier
    }

    func limitedCopy(to site: Site) -> LimitedCopyProgram? {
        guard let rate = request.inventory.replication?.copyRate else { return nil }
        return standby(of: site).map { LimitedCopyProgram($0, rate: rate) }
    }

    /// In words, and how long the copy of the source's data directory takes at it; `nil`: no rate. A size that is not known is
    /// no size.
    func limit(of node: Node) -> (seconds: Int?, text: String)? {
        guard let rate = request.inventory.replication?.copyRate, let source = sourceNode else { return nil }
        guard !node.runs(.patroni) else {
            return (nil, "copy_rate is not kept: Patroni copies as its own settings say (basebackup: max-rate).")
        }
        switch request.observation[source.id].dataDirectoryBytes {
        case .known(let bytes, _, _):
            let seconds = rate.seconds(for: bytes)
            let text =
                "It copies at most \(rate): \(Quantity.bytes(bytes)) of \(source.id) take about \(Quantity.about(seconds))."
            return (seconds, text)
        case .unknown(let reason):
            return (
                nil, "It copies at most \(rate); how long that takes is unknown: the size of \(source.id): \(reason)."
            )
        }
    }

    /// Says the rate in the step that copies, and expects as long as it takes; or why that cannot be.
    mutating func keepRate(_ made: inout Step, of node: Node, _ timeLimit: Int) {
        guard [.replicateDatabase, .seedStandbyLeader].contains(made.action), let limit = limit(of: node),
            let rate = request.inventory.replication?.copyRate, let source = sourceNode
        else { return }
        made.why += " " + limit.text
        guard made.action == .replicateDatabase else { return }
        if systemIdentifier(of: source.id) == nil {
            problems.append(
                "step \(made.group): which database \(source.id) has is not known, and a copy with a rate is made of no"
                    + " other; without copy_rate it is not compared")
        }
        guard let seconds = limit.seconds else { return }
        made.expectedSeconds = max(made.expectedSeconds, seconds)
        guard seconds > timeLimit else { return }
        let bytes = request.observation[source.id].dataDirectoryBytes.value ?? 0
        let other = CopyRate.slowest(for: bytes, within: timeLimit).map { "copy_rate: \($0.written) or more" }
        problems.append(
            "step \(made.group): at \(rate), \(Quantity.bytes(bytes)) of \(source.id) take about"
                + " \(Quantity.about(seconds)), and the step has \(Quantity.about(timeLimit)): write"
                + " \(other.map { "\($0), or " } ?? "")a longer time_limit in the runbook, and plan again")
    }
}

extension RemoteCommand {
    /// As `gitlab-ctl` copies a database.
    package var isUnlimitedCopy: Bool { arguments.starts(with: ["gitlab-ctl", "replicate-geo-database"]) }
    var isLimitedCopy: Bool { arguments.contains(LimitedCopyProgram.text) }
}

extension PlanInvariants {
    /// Where the inventory has a rate nothing is copied without it, not even after a copy with it has failed.
    static func rateViolations(_ wipe: Step, _ plan: Plan) -> [InvariantViolation] {
        guard wipe.action == .replicateDatabase, case .commands(let commands, _, _) = wipe.operation else { return [] }
        let rate = plan.inventory.replication?.copyRate
        let limited = commands.filter(\.isLimitedCopy)
        let isKept =
            rate == nil
            ? limited.isEmpty
            : limited.count == 1 && limited[0].arguments.last == rate?.argument
                && limited[0].exitStatus == .mustBeZero && !commands.contains(where: \.isUnlimitedCopy)
        if isKept { return [] }
        return [
            .init(
                invariant: "rate-kept", step: wipe.id,
                detail: "does not copy the database at the inventory's rate (\(rate?.description ?? "none"))")
        ]
    }
}
