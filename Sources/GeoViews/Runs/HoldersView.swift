package import GeoCore

/// Who holds the nodes of a deployment.
package enum HoldersView {
    package static func text(_ holders: [NodeHolder], style: Style) -> String {
        var page = Page(style)
        let leases = holders.compactMap { holder -> (node: NodeID, lease: Lease)? in
            if case .answered(let lease?, _, _) = holder.state { (holder.node, lease) } else { nil }
        }
        let runs = Dictionary(grouping: leases, by: \.lease.run).sorted { $0.key < $1.key }
        if runs.isEmpty { page.say("Nobody holds a node that answered.", tone: .good) }
        for (_, members) in runs {
            // The most recent word of the holder, wherever it was heard.
            guard let newest = members.min(by: { $0.lease.ageSeconds < $1.lease.ageSeconds }) else { continue }
            page.say(
                "\(members.count) of \(holders.count) nodes are held by \(newest.lease.sentence), epoch \(newest.lease.epoch).",
                tone: .strong, hanging: 2)
            page.say(members.map(\.node.rawValue).joined(separator: ", "), indent: 2, tone: .faint)
        }
        let copies = holders.flatMap { holder -> [(run: RunID, bytes: Int, node: NodeID)] in
            guard case .answered(_, _, let runs) = holder.state else { return [] }
            return runs.map { ($0.key, $0.value, holder.node) }
        }
        for (run, some) in Dictionary(grouping: copies, by: \.run).sorted(by: { $0.key < $1.key }) {
            // A node that was replaced as a place for copies has an old one.
            let longest = some.map(\.bytes).max()
            let places = some.filter { $0.bytes == longest }
            page.say("The journal of \(run) is also on \(places.map(\.node.rawValue).joined(separator: " and ")):")
            page.literal("geo-failover resume \(run) --from-node \(places[0].node)", indent: 2)
        }
        for holder in holders {
            if case .unknown(let reason) = holder.state {
                page.say("\(holder.node): not known, \(reason)", indent: 2, lead: "-", tone: .bad)
            }
        }
        return page.text
    }

    package static func json(_ holders: [NodeHolder]) -> [String] {
        holders.map { JSONLine.of(.holder, HolderBody($0)) }
    }
}

private struct HolderBody: Encodable {
    var node: String
    var epoch: Int?
    var run: String?
    var holder: String?
    var lastHeardSecondsAgo: Int?
    var reason: String?
    var copies: [String]?

    init(_ holder: NodeHolder) {
        self.node = holder.node.rawValue
        switch holder.state {
        case .answered(let lease, let epoch, let copies):
            self.copies = copies.keys.map(\.rawValue).sorted()
            self.epoch = epoch
            self.run = lease?.run.rawValue
            self.holder = lease?.holder.token
            self.lastHeardSecondsAgo = lease?.ageSeconds
        case .unknown(let reason): self.reason = reason
        }
    }
}
