import GeoCore
import GeoRuntime

/// What a re-seed puts into files of settings is shown beside what the nodes have there now.
extension PlanCommand {
    /// Reads the files of the nodes that are to get others, which takes the right to execute. Empty for other runbooks.
    ///
    /// - Throws: ``CommandFailure`` when one cannot be read, or is not what was seen of it a moment ago.
    func configurationChanges(
        _ inventory: Inventory, _ runbook: Runbook, _ site: SiteID, _ observation: Observation
    ) async throws -> [ConfigurationChange] {
        guard runbook.scenario == .reseed, let site = inventory.site(site) else { return [] }
        let wanted = site.nodes.flatMap { node in
            // What is not known of a node, or cannot be read here, keeps the plan from being made anyway.
            let found = observation[node.id].configurationFiles.value
            return site.configuration(of: node).files.filter { file in
                file.digest != nil && found.map { !file.isInPlace($0) } == true
            }.map { (node: node, file: $0) }
        }
        guard !wanted.isEmpty else { return [] }
        return try await Live.with(inventory, stateDirectory: state.path) { live in
            var changes: [ConfigurationChange] = []
            for (node, file) in wanted {
                let old: [UInt8]?
                switch await live.jobs.configuration(file.path, on: node) {
                case .success(let bytes): old = bytes
                case .failure(let reason):
                    throw CommandFailure(
                        "no plan was made: what becomes of \(file.path.text) on \(node.id) cannot be shown: \(reason)",
                        .notReady)
                }
                let seen = observation[node.id].configurationFiles.value?[file.path.text]
                guard seen == old.map({ Digest(of: $0) }) else {
                    throw CommandFailure(
                        "no plan was made: \(file.path.text) on \(node.id) changed while it was looked at; plan again",
                        .notReady)
                }
                let new = try ConfigurationFiles.text(of: file)
                changes.append(ConfigurationChange(node: node.id, path: file.path, from: old, to: new))
            }
            return changes
        }
    }
}
