package import GeoCore

/// Files of settings beside gitlab.rb of a simulated node, by path; a digest stands for what is in each.
package struct SimulatedConfiguration: Sendable {
    package private(set) var files: [String: Digest] = [:]
    /// As they were at the last reconfigure.
    package private(set) var applied: [String: Digest] = [:]
    /// What was there before any run.
    private var original: [String: Digest] = [:]

    /// Of somebody who wrote a file by hand, before any run.
    package mutating func write(_ digest: Digest, to path: ConfigurationPath) {
        files[path.text] = digest
        original[path.text] = digest
    }

    mutating func apply() { applied = settings }

    /// Nothing is gone that somebody else had written.
    var isOriginalKept: Bool { original.values.allSatisfy(Set(files.values).contains) }

    /// Those that a reconfigure loads, and a check sees.
    package var settings: [String: Digest] { files.filter { $0.key.hasSuffix(".rb") } }

    /// Whether a command is about such a file, and not about gitlab.rb.
    static func isMeant(by arguments: [String]) -> Bool {
        arguments.contains { argument in
            argument.hasPrefix("/etc/gitlab/") && argument.contains(".rb")
                && !argument.hasPrefix(ConfigurationPath.main.text)
        }
    }

    mutating func bring(_ digest: Digest, as path: String) { files[path] = digest }

    /// As coreutils do it; the exit status.
    mutating func obey(_ arguments: [String]) -> Int {
        switch arguments.first {
        case "ln":
            guard let digest = files[arguments[1]], files[arguments[2]] == nil else { return 1 }
            files[arguments[2]] = digest
        case "mv":
            guard let digest = files.removeValue(forKey: arguments[2]) else { return 1 }
            files[arguments[3]] = digest
        // Compiles a file, or sees whether it is there.
        default: return (arguments.last.flatMap { files[$0] } != nil) == (arguments[1] != "!") ? 0 : 1
        }
        return 0
    }
}

extension SimulatedState {
    /// gitlab.rb of nodes that get files loads them, and says nothing else of a secondary.
    mutating func loadConfigurations() {
        for site in inventory.sites {
            for node in site.nodes {
                let files = site.configuration(of: node).files
                guard !files.isEmpty else { continue }
                nodes[index(node.id)].url = SimulatedURL(
                    of: site.id, settings: files.map { "from_file '\($0.path.text)'" })
            }
        }
    }

    mutating func configure(_ arguments: [String], _ index: Int) -> Int {
        let status = nodes[index].configuration.obey(arguments)
        if !nodes[index].configuration.isOriginalKept {
            violations.append("\(nodes[index].node.id): a file of settings as it was is gone")
        }
        return status
    }

    private func wanted(_ node: SimulatedNode) -> [ConfigurationFile] {
        inventory.site(node.site)?.configuration(of: node.node).files ?? []
    }

    /// By gitlab.rb and what it loads, or by what was applied of both.
    package func isSecondarys(_ node: SimulatedNode) -> Bool {
        node.url?.settings.contains { $0.hasSuffix("= false") } == false
            && wanted(node).allSatisfy { $0.isInPlace(node.configuration.settings) }
    }

    package func isApplied(_ node: SimulatedNode) -> Bool {
        node.url?.appliedSettings == node.url?.settings && node.configuration.applied == node.configuration.settings
    }

    func appliedSettings(_ node: SimulatedNode) -> [String: Bool] {
        let wanted = wanted(node)
        let names = ["geo_secondary", "geo_logcursor", "geo_postgresql", "patroni['standby_cluster']"]
        return Dictionary(
            uniqueKeysWithValues: names.map { name in
                let isOn =
                    wanted.isEmpty
                    ? node.url?.appliedSettings.contains("\(name)['enable'] = true") == true
                    : wanted.allSatisfy { $0.isInPlace(node.configuration.applied) }
                return (name, isOn)
            })
    }
}
