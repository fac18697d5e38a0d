import GeoCore

/// What is no more, or is only, load-bearing where something else than a planned failover is checked for.
extension NotLoadBearing {
    private static let any: Set<JSONTree.Variant.Change> = [.more, .less, .other, .gone, .fewer]

    static let drill: [Line] = [
        Line(
            path: "server.databaseBytes", changes: [.less, .more], nodes: "tokyo-", hasLimit: true,
            reason: "there is room for it on the disk to copy it to"),
        Line(path: "server.databaseBytes", changes: any, nodes: "seoul-", reason: "the primary's is copied"),
    ]

    /// The data of the site is given up: what it has, and how it stands to the primary, is no question.
    static let reseed: [Line] = [
        Line(path: "operatorMachine.lastCheckAt", changes: any, reason: "is no question of a seed"),
        Line(path: "operatorMachine.lastFinishedRunAt", changes: any, reason: "is no question of a seed"),
        Line(path: "database.role.standby", changes: any, nodes: "seoul-", reason: "its data is given up"),
        Line(path: "database.systemIdentifier", changes: any, reason: "the seed brings the primary's"),
        Line(path: "database.timeline", changes: any, reason: "the seed brings the primary's"),
        Line(
            path: "database.role.primary.state", changes: any, nodes: "tokyo-",
            reason: "is copied as it is"),
        Line(
            path: "configuration", changes: any, hasLimit: true,
            reason: "seeding reconfigures the node, and says how that ended"),
        Line(path: "machine", changes: any, hasLimit: true, reason: "only the C library counts, of databases' nodes"),
        Line(path: "geo.nodes", changes: any, hasLimit: true, reason: "registries are made anew"),
        Line(path: "geo.lastEventID", changes: any, reason: "registries are made anew"),
        Line(path: "geo.isInMaintenanceMode", changes: any, reason: "a base backup changes nothing"),
        Line(path: "server", changes: any, nodes: "tokyo-", hasLimit: true, reason: "is copied as it is"),
    ]

    /// The primary is lost: what could only be compared with it cannot be wrong by comparison.
    static let lost: [Line] = [
        Line(path: "database.systemIdentifier", changes: any, reason: compared),
        Line(path: "database.timeline", changes: any, reason: compared),
        Line(path: "database.serverVersion", changes: any, reason: compared),
        Line(path: "database.role.standby", changes: any, hasLimit: true, reason: counted),
        Line(path: "server.locale", changes: any, reason: compared),
        Line(path: "server.collationVersion", changes: any, reason: compared),
        Line(path: "server.settings", changes: any, hasLimit: true, reason: compared),
        Line(path: "machine", changes: any, reason: compared),
        Line(path: "trustedCertificates", changes: any, reason: compared),
        Line(path: "passwords", changes: any, hasLimit: true, reason: compared),
        Line(path: "tracking", changes: any, reason: counted),
        Line(path: "registryDetails", changes: any, hasLimit: true, reason: counted),
        Line(path: "geo", changes: any, hasLimit: true, reason: counted),
        Line(path: "views", changes: any, hasLimit: true, reason: "three places look, and each sees for itself"),
    ]

    private static let compared = "is compared with the primary's, which nobody knows any more"
    private static let counted = "is loss, which the loss statement counts"
}
