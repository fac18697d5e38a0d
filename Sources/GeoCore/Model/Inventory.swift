/// The deployment as its operators wrote it down: sites by place, their nodes, how to reach them. Roles are observed.
package struct Inventory: Hashable, Sendable, Codable {
    package var deployment: String
    package var objectives: Objectives
    package var database: DatabaseAccess
    /// In the order of the file; at least one, names unique (`GeoDocuments` refuses anything else).
    package var sites: [Site] {
        didSet { positions = Self.positions(sites) }
    }
    /// Programs of the operators' own, by name.
    package var hooks: [String: Hook]
    package var canary: Canary?
    /// Ways to isolate a node that cannot be reached, in the order to try them.
    package var fences: [FenceProgram]
    /// `nil`: whoever executes a plan decides alone.
    package var approvals: ApprovalRule?
    /// How a site's database is copied from the other's; `nil`: nothing can be re-seeded.
    package var replication: ReplicationAccess?
    package var source: DocumentReference
    /// Where each node stands in ``sites``: checks look nodes up by the thousand.
    private var positions: [NodeID: Position]

    private struct Position: Hashable, Sendable {
        var site: Int
        var node: Int
    }

    private enum CodingKeys: CodingKey {
        case deployment, objectives, database, sites, hooks, canary, fences, approvals, replication, source
    }

    package init(
        deployment: String, objectives: Objectives = .init(), database: DatabaseAccess = .init(), sites: [Site],
        hooks: [String: Hook] = [:], canary: Canary? = nil, fences: [FenceProgram] = [],
        approvals: ApprovalRule? = nil, replication: ReplicationAccess? = nil, source: DocumentReference
    ) {
        self.deployment = deployment
        self.objectives = objectives
        self.database = database
        self.sites = sites
        self.hooks = hooks
        self.canary = canary
        self.fences = fences
        self.approvals = approvals
        self.replication = replication
        self.source = source
        self.positions = Self.positions(sites)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            deployment: try container.decode(String.self, forKey: .deployment),
            objectives: try container.decode(Objectives.self, forKey: .objectives),
            database: try container.decode(DatabaseAccess.self, forKey: .database),
            sites: try container.decode([Site].self, forKey: .sites),
            hooks: try container.decode([String: Hook].self, forKey: .hooks),
            canary: try container.decodeIfPresent(Canary.self, forKey: .canary),
            fences: try container.decode([FenceProgram].self, forKey: .fences),
            approvals: try container.decodeIfPresent(ApprovalRule.self, forKey: .approvals),
            replication: try container.decodeIfPresent(ReplicationAccess.self, forKey: .replication),
            source: try container.decode(DocumentReference.self, forKey: .source))
    }

    private static func positions(_ sites: [Site]) -> [NodeID: Position] {
        var found: [NodeID: Position] = [:]
        for (site, value) in sites.enumerated() {
            for (node, value) in value.nodes.enumerated() { found[value.id] = Position(site: site, node: node) }
        }
        return found
    }

    package func site(_ id: SiteID) -> Site? { sites.first { $0.id == id } }
    /// In the order of the file. Makes a new array.
    package var nodes: [Node] { sites.flatMap(\.nodes) }
    package func node(_ id: NodeID) -> Node? { positions[id].map { sites[$0.site].nodes[$0.node] } }
    package func site(of node: NodeID) -> Site? { positions[node].map { sites[$0.site] } }
}

/// A file that a value was made from: where it was and what it said.
package struct DocumentReference: Hashable, Sendable, Codable {
    package var path: String
    package var digest: Digest
    package init(path: String, digest: Digest) {
        self.path = path
        self.digest = digest
    }
}

/// What the operators owe their users. `nil`: no objective was stated.
package struct Objectives: Hashable, Sendable, Codable {
    package var rtoSeconds: Int?
    package var rpoSeconds: Int?
    package init(rtoSeconds: Int? = nil, rpoSeconds: Int? = nil) {
        self.rtoSeconds = rtoSeconds
        self.rpoSeconds = rpoSeconds
    }
}

/// One or more nodes that run one GitLab, in one place.
package struct Site: Hashable, Sendable, Codable {
    package var id: SiteID
    /// Where users and the other site reach it: `https://...`, without a trailing slash.
    package var url: String
    /// `gitlab_rails['geo_node_name']` of the site's nodes: the name of its row in `geo_nodes`.
    package var geoNodeName: String
    /// In the order of the file.
    package var nodes: [Node]
    /// What makes nodes those of a secondary, by component; `nil`: what their gitlab.rb has is turned on.
    package var secondaryConfiguration: [ComponentConfiguration]?

    package init(
        id: SiteID, url: String, geoNodeName: String, nodes: [Node],
        secondaryConfiguration: [ComponentConfiguration]? = nil
    ) {
        self.id = id
        self.url = url
        self.geoNodeName = geoNodeName
        self.nodes = nodes
        self.secondaryConfiguration = secondaryConfiguration
    }

    package func nodes(running components: Component...) -> [Node] {
        nodes.filter { node in components.contains { node.components.contains($0) } }
    }

    /// The nodes whose PostgreSQL holds `gitlabhq_production`.
    package var databaseNodes: [Node] { nodes(running: .postgresql, .patroni) }
}

/// One server.
package struct Node: Hashable, Sendable, Codable {
    package var id: NodeID
    package var components: [Component]
    package var access: NodeAccess

    package init(id: NodeID, components: [Component], access: NodeAccess) {
        self.id = id
        self.components = components
        self.access = access
    }

    package func runs(_ component: Component) -> Bool { components.contains(component) }
    package var isManagedByOmnibus: Bool { components.contains(where: \.isManagedByOmnibus) }
    /// The runit services that the node's components need, each once, in a stable order.
    package var expectedServices: [String] {
        var seen: Set<String> = []
        return components.flatMap(\.services).filter { seen.insert($0).inserted }
    }
    /// The same while its site is the primary: an inventory knows places, and the log cursor and the tracking database
    /// of a place that can be either work only while it is a secondary.
    package var expectedServicesOfPrimary: [String] {
        expectedServices.filter { !Self.secondaryServices.contains($0) }
    }
    package static let secondaryServices: Set<String> = ["geo-logcursor", "geo-postgresql"]
}

/// How a node is reached, with every default of the inventory already applied.
package struct NodeAccess: Hashable, Sendable, Codable {
    package enum Transport: String, Hashable, Sendable, Codable, CaseIterable { case libssh2, openssh }
    package enum Become: String, Hashable, Sendable, Codable, CaseIterable { case sudo, none }

    package var address: String
    package var port: Int
    package var user: String
    package var identity: Identity
    package var knownHosts: String
    /// Bastions from the operator's machine to the node, nearest first.
    package var jump: [JumpHost]
    package var become: Become
    package var transport: Transport
    package var connectTimeLimitSeconds: Int

    package init(
        address: String, port: Int = 22, user: String, identity: Identity, knownHosts: String, jump: [JumpHost] = [],
        become: Become = .sudo, transport: Transport = .libssh2, connectTimeLimitSeconds: Int = 10
    ) {
        self.address = address
        self.port = port
        self.user = user
        self.identity = identity
        self.knownHosts = knownHosts
        self.jump = jump
        self.become = become
        self.transport = transport
        self.connectTimeLimitSeconds = connectTimeLimitSeconds
    }
}

package struct JumpHost: Hashable, Sendable, Codable {
    package var address: String
    package var port: Int
    package var user: String
    package init(address: String, port: Int = 22, user: String) {
        self.address = address
        self.port = port
        self.user = user
    }
}

/// The key that proves who the operator is. `file` is `nil` when only the agent is used.
package struct Identity: Hashable, Sendable, Codable {
    package var file: String?
    package var passphrase: SecretReference?
    package var usesAgent: Bool
    package init(file: String? = nil, passphrase: SecretReference? = nil, usesAgent: Bool = false) {
        self.file = file
        self.passphrase = passphrase
        self.usesAgent = usesAgent
    }
}

/// Where a secret is found; never the secret.
package enum SecretReference: Hashable, Sendable, Codable {
    case environment(name: String)
    case file(path: String)
    case command(arguments: [String])

    /// By kind and name, for people. Arguments of a command could be secrets themselves, so only the program is named.
    package var shown: String {
        switch self {
        case .environment(let name): "env:\(name)"
        case .file(let path): "file:\(path)"
        case .command(let arguments): "command:\(arguments.first ?? "?")"
        }
    }
}

/// How the observer asks PostgreSQL.
package struct DatabaseAccess: Hashable, Sendable, Codable {
    package enum Via: String, Hashable, Sendable, Codable, CaseIterable { case shell, tunnel, direct }
    package var via: Via
    package var user: String?
    package var password: SecretReference?
    package var port: Int
    package var sslMode: String?

    package init(
        via: Via = .shell, user: String? = nil, password: SecretReference? = nil, port: Int = 5432,
        sslMode: String? = nil
    ) {
        self.via = via
        self.user = user
        self.password = password
        self.port = port
        self.sslMode = sslMode
    }
}

/// What the database of a site is copied from the other's with.
package struct ReplicationAccess: Hashable, Sendable, Codable {
    /// Of the user `gitlab_replicator`, the same on all sites.
    package var password: SecretReference
    /// Of the stream that follows the copy. The one that `gitlab-ctl` takes by itself (`verify-full`) fits no certificate
    /// that the package makes: the command succeeds and nothing streams (omnibus-gitlab `geo/replication.rb`).
    package var sslMode: String
    /// How long a data directory that was set aside is kept before `purge remove` removes it; `nil`: ``keptFor``.
    package var keepFormerSeconds: Int?
    /// When of a day a copy may begin; `nil`: always.
    package var window: CopyWindow?
    /// The most that a copy may take; `nil`: as much as it gets.
    package var copyRate: CopyRate?
    /// How much the site that is filled up may fetch at once; `nil`: as GitLab has it.
    package var backfill: BackfillCapacity?
    package init(
        password: SecretReference, sslMode: String = "verify-ca", keepFormerSeconds: Int? = nil,
        window: CopyWindow? = nil, copyRate: CopyRate? = nil, backfill: BackfillCapacity? = nil
    ) {
        self.password = password
        self.sslMode = sslMode
        self.keepFormerSeconds = keepFormerSeconds
        self.window = window
        self.copyRate = copyRate
        self.backfill = backfill
    }

    package var verifiesCertificate: Bool { sslMode.hasPrefix("verify-") }

    /// A week: long enough that a Monday notices what a weekend did.
    package static let keptFor = 7 * 86_400
}

/// A program of the operators' own. `{site}`, `{url}` and `{node}` in arguments stand for the step's subject.
package struct Hook: Hashable, Sendable, Codable {
    package var name: String
    package var run: [String]
    package var timeLimitSeconds: Int
    package init(name: String, run: [String], timeLimitSeconds: Int) {
        self.name = name
        self.run = run
        self.timeLimitSeconds = timeLimitSeconds
    }
}

/// A repository that the tool may push to, to prove that pushes work. `{url}` stands for the site's URL.
package struct Canary: Hashable, Sendable, Codable {
    package var repository: String
    package init(repository: String) { self.repository = repository }
}
