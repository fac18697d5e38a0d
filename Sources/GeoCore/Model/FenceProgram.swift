/// A program of the operators' own that isolates a node which cannot be reached over SSH: by the hypervisor, the power
/// supply, the network or the storage.
///
/// Both vectors are without a shell; `{node}`, `{address}`, `{site}` and `{url}` in them stand for the node and its
/// site. Either may be run any number of times.
package struct FenceProgram: Hashable, Sendable, Codable {
    package var name: String
    /// Isolates. Its exit status is a claim and proves nothing.
    package var run: [String]
    /// Looks, and changes nothing: exit status 0 only when the node can write nothing any more, 1 when it can.
    /// Anything else, or no answer in time, is not known.
    package var prove: [String]
    /// Of each of the two.
    package var timeLimitSeconds: Int
    /// The sites and nodes it is for; both empty: every node.
    package var sites: [SiteID]
    package var nodes: [NodeID]

    package init(
        name: String, run: [String], prove: [String], timeLimitSeconds: Int, sites: [SiteID] = [], nodes: [NodeID] = []
    ) {
        self.name = name
        self.run = run
        self.prove = prove
        self.timeLimitSeconds = timeLimitSeconds
        self.sites = sites
        self.nodes = nodes
    }

    package func covers(_ node: NodeID, of site: SiteID) -> Bool {
        (sites.isEmpty && nodes.isEmpty) || sites.contains(site) || nodes.contains(node)
    }

    /// The program for one node, with nothing left to fill in.
    package func filled(for node: Node, of site: Site) -> FenceProgram {
        let values = [
            "{node}": node.id.rawValue, "{address}": node.access.address, "{site}": site.id.rawValue, "{url}": site.url,
        ]
        var filled = self
        filled.run = run.map { $0.replacingOccurrences(values) }
        filled.prove = prove.map { $0.replacingOccurrences(values) }
        return filled
    }
}

extension Inventory {
    /// What can isolate a node, in the order to try it, ready to run.
    package func fences(for node: Node) -> [FenceProgram] {
        guard let site = site(of: node.id) else { return [] }
        return fences.filter { $0.covers(node.id, of: site.id) }.map { $0.filled(for: node, of: site) }
    }
}

/// A named person's word that a node which does not answer can write nothing any more. It is no proof: every later
/// output says whose word it is, and what can be seen outranks it.
package struct Attestation: Hashable, Sendable, Codable {
    package var node: NodeID
    /// What was done, in the person's own words.
    package var words: String
    package var by: String
    package var at: Timestamp

    package init(node: NodeID, words: String, by: String, at: Timestamp) {
        self.node = node
        self.words = words
        self.by = by
        self.at = at
    }
}
