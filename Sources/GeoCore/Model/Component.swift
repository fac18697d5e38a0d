/// What runs on a node, in the inventory's words.
package enum Component: String, Hashable, Sendable, Codable, CaseIterable {
    case rails, sidekiq, logcursor, postgresql, patroni
    case trackingDB = "tracking-db"
    case pgbouncer, consul, gitaly, praefect
    case praefectPostgreSQL = "praefect-postgresql"
    case redis, sentinel, monitoring
    case loadBalancer = "load-balancer"

    /// Whether GitLab's Linux package runs it, and `gitlab-ctl` therefore exists on its node.
    package var isManagedByOmnibus: Bool { self != .loadBalancer }

    /// The runit services that must run on a node of this component, by the names `gitlab-ctl` uses.
    ///
    /// Source: omnibus-gitlab `package/libraries/config/services.rb`. Optional services
    /// (exporters, registry, pages, kas) are left out: their absence is not a fault.
    package var services: [String] {
        switch self {
        case .rails: ["puma", "gitlab-workhorse"]
        case .sidekiq: ["sidekiq"]
        case .logcursor: ["geo-logcursor"]
        case .postgresql, .praefectPostgreSQL: ["postgresql"]
        case .patroni: ["patroni"]
        case .trackingDB: ["geo-postgresql"]
        case .pgbouncer: ["pgbouncer"]
        case .consul: ["consul"]
        case .gitaly: ["gitaly"]
        case .praefect: ["praefect"]
        case .redis: ["redis"]
        case .sentinel: ["sentinel"]
        case .monitoring, .loadBalancer: []
        }
    }

    /// Whether `gitlab-ctl geo promote` has anything to do on a node of this component.
    ///
    /// On all others it prints that no action is required and exits 0 (omnibus-gitlab `geo/promote.rb`).
    package var isPromoted: Bool {
        switch self {
        case .rails, .sidekiq, .logcursor, .postgresql, .patroni, .trackingDB, .gitaly, .praefect: true
        case .pgbouncer, .consul, .praefectPostgreSQL, .redis, .sentinel, .monitoring, .loadBalancer: false
        }
    }
}
