/// What a re-seed mends beforehand, each because somebody asked for it (`plan --repair CHECK`).
extension Expansion {
    /// Those on which the step has something to do. A step that nobody asked for is left out, and says how to ask.
    mutating func preparable(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        guard let check = step.action.mends, request.repairs.contains(check) else {
            let way = step.action.mends.map { "plan --repair \($0)" } ?? "no check names it"
            omitted.append(OmittedStep(id: step.id, reason: "nobody asked for it (\(way))"))
            return []
        }
        let known = problems.count
        let needy = needing(step, nodes)
        if needy.isEmpty, problems.count == known {
            problems.append(
                "step \(step.id): \(check) is not met for another reason than the step mends; see geo-failover check"
                    + " --explain \(check), mend it, and plan again")
        }
        return needy
    }

    private mutating func needing(_ step: RunbookStep, _ nodes: [Node]) -> [Node] {
        switch step.action {
        case .preparePrimary:
            return nodes.filter { node in
                switch preparation(of: node) {
                case .success(let edit): return edit != nil
                case .failure(let reason):
                    problems.append("step \(step.id): \(reason.reason)")
                    return false
                }
            }
        case .copySecrets:
            guard let source = sharedFrom, let right = request.observation[source].secretsDigest.value else {
                problems.append("step \(step.id): no Rails node of \(request.from) told its gitlab-secrets.json")
                return []
            }
            return nodes.filter { request.observation[$0.id].secretsDigest.value != right }
        case .copyHostKeys:
            guard let source = sharedFrom, let right = request.observation[source].hostKeys.value, hostKeyKinds != nil
            else {
                problems.append(
                    "step \(step.id): no Rails node of \(request.from) told SSH host keys that can be copied (ED25519,"
                        + " ECDSA, RSA)")
                return []
            }
            return nodes.filter { Set(request.observation[$0.id].hostKeys.value ?? []) != Set(right) }
        default: return nodes
        }
    }

    /// `nil` where one of them is not known, or of a kind that is not copied.
    var hostKeyKinds: [String]? {
        guard let source = sharedFrom, let keys = request.observation[source].hostKeys.value, !keys.isEmpty else {
            return nil
        }
        let kinds = keys.compactMap { $0.split(separator: " ").dropFirst().first }.filter {
            SharedFile.hostKey(ofKind: $0) != nil
        }
        return kinds.count == keys.count ? kinds.map(String.init).sorted() : nil
    }

    /// What a step does to gitlab.rb of a node.
    func edit(_ action: ActionName, of node: Node) -> ConfigurationEdit? {
        switch action {
        case .setExternalURL: edit(of: node)
        case .preparePrimary: if case .success(let edit) = preparation(of: node) { edit } else { nil }
        default: nil
        }
    }

    /// The lines of gitlab.rb that let the primary's node seed the site.
    func preparation(of node: Node) -> Result<ConfigurationEdit?, Unreadable> {
        guard let site = request.inventory.site(request.to) else { return .success(nil) }
        return PrimarySettings.edit(of: node, toSeed: site, in: request.observation, madeAt: request.createdAt)
    }

    /// Whose secrets the data was encrypted with: a Rails node of the primary that answers.
    var sharedFrom: NodeID? {
        let rails = request.inventory.site(request.from)?.nodes(running: .rails) ?? []
        return rails.first { request.observation[$0.id].secretsDigest.value != nil }?.id
    }
}

extension ActionName {
    /// The check that fails where this is needed, for what is done only when somebody asks for it.
    package var mends: CheckID? {
        switch self {
        case .resumeReplay: "replication.not-paused"
        case .preparePrimary: "database.seed-source"
        case .copySecrets: "secrets.equal"
        case .copyHostKeys: "ssh-host-keys.equal"
        case .trustPrimary: "database.trusts-primary"
        default: nil
        }
    }
}
