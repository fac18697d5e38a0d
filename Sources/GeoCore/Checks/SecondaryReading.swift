/// What the checks of a returning node ask of its configuration, by how it becomes one of a secondary.
extension CheckContext {
    func configuration(of node: Node) -> NodeConfiguration {
        inventory.site(of: node.id)?.configuration(of: node) ?? .switched
    }

    func askSettings(of node: Node, _ scope: inout ObservationScope) {
        scope.ask([.geoSettings, .clusterFile], of: [node])
        if !configuration(of: node).files.isEmpty { scope.ask([.configurationFiles], of: [node]) }
    }

    func askApplied(on node: Node, _ scope: inout ObservationScope) {
        askSettings(of: node, &scope)
        scope.ask([.configuration, .attributes], of: [node])
        if !configuration(of: node).isSwitched { scope.ask([.appliedSettings], of: [node]) }
    }
}

extension Examination {
    /// How the node becomes one of a secondary, and what its gitlab.rb has, where nothing speaks against it; `nil` with
    /// remarks.
    private mutating func readSettings(of node: Node) -> (configuration: NodeConfiguration, lines: [String])? {
        let configuration = context.configuration(of: node)
        guard
            let lines = read(\.geoSettings, "Geo's settings in gitlab.rb", of: node, as: { $0.joined(separator: "; ") })
        else { return nil }
        let objections = SecondarySettings.objections(node, configuration, lines)
        for reason in objections { fail(reason, remedy: Self.remedy(node, configuration)) }
        return objections.isEmpty ? (configuration, lines) : nil
    }

    private mutating func readFiles(of node: Node) -> [String: Digest]? {
        read(\.configurationFiles, "files of settings", of: node, as: { "\($0.count)" })
    }

    /// Before a run: whether it can be done at all. Returns the sentence of a pass.
    mutating func requireWhatMakesASecondary(of node: Node) -> String {
        switch readSettings(of: node)?.configuration {
        case nil: return ""
        case .switched: return "gitlab.rb of \(node.id) can be made that of a secondary"
        case .managed: return "\(node.id) is left to configuration management, and nothing in gitlab.rb is against it"
        case .files(let files):
            _ = readFiles(of: node)
            return "\(node.id) gets \(files.map(\.path.text).joined(separator: " and "))"
        }
    }

    /// Returns the sentence of a pass.
    mutating func requireSecondarySettings(of node: Node) -> String {
        if let file = readClusterFile(of: node), case .valid = file {
            fail(
                "\(node.id) has a gitlab-cluster.json of a promotion, which overrides gitlab.rb",
                remedy: "sudo mv -n \(ActionCommands.clusterFile) \(ActionCommands.clusterFile).before  # on \(node.id)"
            )
        }
        guard let (configuration, lines) = readSettings(of: node) else { return "" }
        switch configuration {
        case .switched:
            for line in SecondarySettings.pending(node, lines) {
                fail(
                    "gitlab.rb of \(node.id) has \(Excerpt.of(line.old.utf8))",
                    remedy: "write \(line.new)  # in /etc/gitlab/gitlab.rb of \(node.id)")
            }
        case .managed: break
        case .files(let files):
            guard let found = readFiles(of: node) else { return "" }
            for file in files where !file.isInPlace(found) {
                fail(
                    "\(file.path.text) of \(node.id) is \(found[file.path.text] == nil ? "not there" : "another file")",
                    remedy: "put \(file.content.shown) there  # on \(node.id)")
            }
        }
        return "the configuration of \(node.id) is that of a secondary"
    }

    private static func remedy(_ node: Node, _ configuration: NodeConfiguration) -> String {
        switch configuration {
        case .switched: "edit /etc/gitlab/gitlab.rb of \(node.id)"
        case .managed: "let configuration management write what a secondary has to /etc/gitlab of \(node.id)"
        case .files: "mend secondary_configuration of the inventory, or /etc/gitlab/gitlab.rb of \(node.id)"
        }
    }

    mutating func requireApplied(on node: Node) {
        let remedy = "sudo gitlab-ctl reconfigure  # on \(node.id)"
        if let facts = readConfiguration(of: node), facts.reconfiguredAt.map({ $0 < facts.changedAt }) ?? true {
            fail("gitlab.rb of \(node.id) was changed after the last reconfigure", remedy: remedy)
        }
        if let file = read(\.attributeFile, "node attributes", of: node, as: \.rawValue), file != .good {
            fail("the last reconfigure of \(node.id) did not come to its end", remedy: remedy)
            return
        }
        guard !context.configuration(of: node).isSwitched,
            let applied = read(
                \.appliedSettings, "what the last reconfigure was told", of: node,
                as: { flags in flags.keys.sorted().filter { flags[$0] == true }.joined(separator: ", ") })
        else { return }
        for name in SecondarySettings.names(of: node) where applied[name] != true {
            fail(
                "the last reconfigure of \(node.id) was not told \(name)['enable'] = true",
                remedy: "write it to what makes \(node.id) one of a secondary; \(remedy)")
        }
    }
}
