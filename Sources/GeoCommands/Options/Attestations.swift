import GeoCore

/// `--attest NODE,NODE=WORDS`: a person's word for nodes that do not answer, kept for each of them.
enum Attestations {
    /// Refuses words for nodes of another site, and for nodes that answer: those are stopped, and seen to be stopped.
    static func of(
        _ arguments: [String], site: SiteID, in inventory: Inventory, _ observation: Observation
    ) throws -> [Attestation] {
        try arguments.flatMap { argument -> [Attestation] in
            guard let equals = argument.firstIndex(of: "=") else {
                throw CommandFailure("--attest takes NODE=WHAT WAS DONE TO IT, and got `\(argument)`", .badDocument)
            }
            let words = argument[argument.index(after: equals)...].split(whereSeparator: \.isNewline)
                .joined(separator: " ").trimmingSpaces
            guard words.count >= 5 else {
                throw CommandFailure(
                    "--attest has to say what was done, so that a reader of the report understands", .badDocument)
            }
            return try argument[..<equals].split(separator: ",").map { name in
                let node = NodeID(String(name).trimmingSpaces)
                try require(node, of: site, in: inventory, observation)
                return Attestation(
                    node: node, words: words, by: "\(Settings.user)@\(Settings.host)", at: LiveClock.now())
            }
        }
    }

    private static func require(
        _ node: NodeID, of site: SiteID, in inventory: Inventory, _ observation: Observation
    ) throws {
        guard inventory.site(of: node)?.id == site else {
            throw CommandFailure("--attest names \(node), which is no node of \(site)", .badDocument)
        }
        guard observation[node].connection.value == nil else {
            throw CommandFailure(
                "\(node) answers, so nobody's word is needed: it is stopped, and seen to be stopped", .refused)
        }
    }
}

/// `--repair CHECK`: a failing check that a step of the runbook mends.
enum Repairs {
    static func of(_ names: [String], _ runbook: Runbook, _ findings: [Finding]) throws -> Set<CheckID> {
        let mended = Dictionary(
            ActionName.allCases.compactMap { action in action.mends.map { ($0, action) } },
            uniquingKeysWith: { first, _ in first })
        let own = mended.filter { runbook.steps.map(\.action).contains($0.value) }.keys.map(\.rawValue).sorted()
        let repairs = Set(
            try names.compactMap { name -> CheckID? in
                let check = CheckID(name)
                guard let action = mended[check], runbook.steps.contains(where: { $0.action == action }) else {
                    throw CommandFailure(
                        "no step of \(runbook.name) mends \(name); its steps can mend"
                            + " \(own.isEmpty ? "nothing" : own.joined(separator: ", "))", .badDocument)
                }
                // The same command again, after a run that was given up, finds some of it done.
                guard findings.contains(where: { $0.check == check && $0.verdict > .pass }) else {
                    Console.say("note: \(name) does not fail, so that no step is made to mend it")
                    return nil
                }
                return check
            })
        // Passwords can be compared only beside equal secrets: what is not known for that alone is known afterwards.
        let isWaiting = findings.contains { $0.check == "passwords.equal" && $0.verdict == .unknown }
        return repairs.contains("secrets.equal") && isWaiting ? repairs.union(["passwords.equal"]) : repairs
    }
}
