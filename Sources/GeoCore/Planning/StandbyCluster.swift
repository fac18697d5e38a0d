/// What gitlab.rb of a Patroni node says of the cluster that it follows as a secondary's (GitLab documentation, Geo database
/// setup). Host and slot are the operators' to write; a run only turns `enable` on.
package struct StandbyCluster: Sendable, Hashable {
    package static let setting = "patroni['standby_cluster']"

    /// `nil`: not set in one plain line.
    package var host: String?
    package var port: Int?
    package var slot: String?

    /// `lines` are those of ``NodeFacts/geoSettings``.
    package init(_ lines: [String]) {
        self.host = Self.text("host", lines)
        self.slot = Self.text("primary_slot_name", lines)
        self.port = Self.value("port", lines).flatMap { Int($0) }
    }

    /// A literal in quotes.
    private static func text(_ key: String, _ lines: [String]) -> String? {
        guard let value = value(key, lines), let quote = value.first, "'\"".contains(quote), value.last == quote,
            value.count > 2
        else { return nil }
        let inner = value.dropFirst().dropLast()
        // What Ruby would put together is known to nobody here.
        return inner.contains { "'\"\\#".contains($0) } ? nil : String(inner)
    }

    /// What stands behind the one line that sets it, without a comment.
    private static func value(_ key: String, _ lines: [String]) -> String? {
        let heads = SecondarySettings.spellings("\(setting)['\(key)']")
        let values = lines.compactMap { line -> Substring? in
            let text = line.drop { $0 == " " }
            guard let head = heads.first(where: { text.hasPrefix($0) }) else { return nil }
            let rest = text.dropFirst(head.count).drop { $0 == " " }
            return rest.first == "=" ? rest.dropFirst() : nil
        }
        guard values.count == 1 else { return nil }
        let bare = values[0].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
        return String(bare.trimmed)
    }
}

extension Site {
    /// Whether its main database is Patroni's.
    package var runsPatroni: Bool { nodes.contains { $0.runs(.patroni) } }

    /// What has to run on the node before its Patroni does: the agent or server of the store that Patroni keeps its leader in.
    func storeServices(on node: Node) -> [String] {
        runsPatroni && (node.runs(.patroni) || node.runs(.consul)) ? ["consul"] : []
    }

    /// Members that followed one of the others when all of them stopped, and have nothing that it lacks: what they say of
    /// themselves, and how far they came. Empty where the one that led is not known.
    package func followers(in observation: Observation) -> [Node] {
        let seen = nodes(running: .patroni).map { ($0, observation[$0.id].controlData.value) }
        let leading = seen.filter { $0.1.map { !$0.clusterState.contains("recovery") } ?? true }
        guard leading.count == 1, let leader = leading[0].1 else { return [] }
        return seen.compactMap { node, own in
            guard let own, own.clusterState.contains("recovery"), own.systemIdentifier == leader.systemIdentifier,
                own.timeline <= leader.timeline, own.latestCheckpoint <= leader.latestCheckpoint
            else { return nil }
            return node
        }
    }

    /// Addresses and names under which its own nodes reach each other.
    func ownNames(in observation: Observation) -> Set<String> {
        Set(nodes.map(\.access.address)).union(nodes.compactMap { observation[$0.id].identity.value?.hostName })
    }
}
