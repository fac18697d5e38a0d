import GeoCore
import GeoTestSupport

extension ReseedTests {
    static let geoSettings: ConfigurationPath = {
        guard let path = ConfigurationPath("/etc/gitlab/geo.rb") else { fatalError("no path") }
        return path
    }()

    /// Two sites that are alike: Tokyo can be a secondary, too. The node of its tracking database gets a file for it, the
    /// others have all they need in gitlab.rb.
    static let inventory: Inventory = {
        var inventory = ShippedPlan.inventory
        inventory.replication = ReplicationAccess(password: .environment(name: "REPLICATION"))
        for site in inventory.sites.indices where inventory.sites[site].id == Fixtures.tokyo {
            for node in inventory.sites[site].nodes.indices where inventory.sites[site].nodes[node].runs(.sidekiq) {
                inventory.sites[site].nodes[node].components.append(.logcursor)
            }
            var node = inventory.sites[site].nodes[0]
            node = Node(id: "tokyo-geo-1", components: [.trackingDB], access: node.access)
            node.access.address = "10.77.1.51"
            inventory.sites[site].nodes.append(node)
            // What the rig gives for every reference, with the end of its line.
            let file = ConfigurationFile(
                content: .file(path: "tokyo-geo.rb"), path: geoSettings, digest: Digest(of: Array("practice\n".utf8)))
            inventory.sites[site].secondaryConfiguration = [
                ComponentConfiguration(component: .trackingDB, source: .file(file))
            ]
        }
        return inventory
    }()
}
