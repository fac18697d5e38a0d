/// What a node has to work with.
package struct MachineFacts: Sendable, Hashable, Codable {
    package var processors: Int
    package var memoryBytes: Int
    /// Of the GNU C library, such as `2.36`: its collations decide how PostgreSQL sorts. `nil` where there is another one.
    package var glibc: String?
    /// `ID VERSION_ID` of `/etc/os-release`.
    package var system: String
    /// Worker processes of Puma, by their titles.
    package var pumaWorkers: Int
    package var sidekiqProcesses: Int
    /// The node's own addresses, loopback left out; empty when it told none, `nil` in what an earlier version saved.
    package var addresses: [String]?
    package init(
        processors: Int, memoryBytes: Int, glibc: String?, system: String, pumaWorkers: Int = 0,
        sidekiqProcesses: Int = 0, addresses: [String]? = []
    ) {
        self.processors = processors
        self.memoryBytes = memoryBytes
        self.glibc = glibc
        self.system = system
        self.pumaWorkers = pumaWorkers
        self.sidekiqProcesses = sidekiqProcesses
        self.addresses = addresses
    }
}

/// `/etc/gitlab/gitlab.rb` and when it was last applied. Times are the node's own: they are compared with each other only.
package struct ConfigurationFacts: Sendable, Hashable, Codable {
    package var changedAt: Timestamp
    package var secretsChangedAt: Timestamp?
    /// When the newest node attributes were written, which is the end of a reconfigure; `nil`: never.
    package var reconfiguredAt: Timestamp?
    package var nodeName: Setting
    package var externalURL: Setting
    /// The lines that set `external_url`, as they are in the file; `nil` in what an earlier version saved.
    package var urlLines: [String]?
    package init(
        changedAt: Timestamp, secretsChangedAt: Timestamp? = nil, reconfiguredAt: Timestamp?, nodeName: Setting,
        externalURL: Setting, urlLines: [String]? = nil
    ) {
        self.changedAt = changedAt
        self.secretsChangedAt = secretsChangedAt
        self.reconfiguredAt = reconfiguredAt
        self.nodeName = nodeName
        self.externalURL = externalURL
        self.urlLines = urlLines
    }

    package enum Setting: Sendable, Hashable, Codable {
        case absent
        case text(value: String)
        /// Ruby that has to be run to know its value.
        case computed
    }
}

/// What answers TLS on port 443 of a node.
package struct ServedCertificate: Sendable, Hashable, Codable {
    package var subject: String
    /// DNS names and addresses of the certificate, lower case; `*.example.com` for a wildcard.
    package var names: [String]
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    /// Why GitLab's own OpenSSL on the node does not trust the chain that is served, in its words; `nil`: it does.
    package var mistrust: String?
    package init(
        subject: String, names: [String], notBefore: Timestamp, notAfter: Timestamp, mistrust: String? = nil
    ) {
        self.subject = subject
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.mistrust = mistrust
    }

    /// Whether a client that asks for a host name accepts it: a wildcard stands for one label.
    package func covers(_ host: String) -> Bool {
        let host = host.lowercased()
        return names.contains { name in
            if name == host { return true }
            guard name.hasPrefix("*."), let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
            return host[dot...] == name.dropFirst()
        }
    }
}

/// Where the tool itself runs, and what its memory says.
package struct OperatorFacts: Sendable, Hashable, Codable {
    /// Addresses of the machine's interfaces, loopback left out.
    package var addresses: [String]
    package var machineID: String?
    /// The check before this one that was written down, and whether it said ready.
    package var lastCheckAt: Timestamp?
    /// The last run of any kind that finished.
    package var lastFinishedRunAt: Timestamp?
    /// Nodes that runs of this machine left without a proof of their fence; `nil` in facts of earlier versions.
    package var unproven: [UnprovenNode]?
    /// Failovers that runs of this machine finished, the newest first; `nil` in facts of earlier versions.
    package var failovers: [FinishedFailover]?
    package init(
        addresses: [String], machineID: String? = nil, lastCheckAt: Timestamp? = nil,
        lastFinishedRunAt: Timestamp? = nil, unproven: [UnprovenNode]? = [], failovers: [FinishedFailover]? = []
    ) {
        self.addresses = addresses
        self.machineID = machineID
        self.lastCheckAt = lastCheckAt
        self.lastFinishedRunAt = lastFinishedRunAt
        self.unproven = unproven
        self.failovers = failovers
    }
}

/// A failover that a run of this machine brought to its end.
package struct FinishedFailover: Sendable, Hashable, Codable {
    /// How long nothing is done to the site that was left that cannot be undone: what only it has may still be missed, and
    /// it is the one way back from a promotion that turns out badly.
    package static let observationSeconds = 86_400

    package var deployment: String
    package var run: RunID
    package var from: SiteID
    package var to: SiteID
    package var at: Timestamp

    package init(deployment: String, run: RunID, from: SiteID, to: SiteID, at: Timestamp) {
        self.deployment = deployment
        self.run = run
        self.from = from
        self.to = to
        self.at = at
    }
}

/// A node of a site that a run left, of which nobody saw that it can write nothing; see ``RunStatus/unproven``.
package struct UnprovenNode: Sendable, Hashable, Codable {
    /// `nil`, as the node: the run's record cannot be read, so that nobody knows what it left.
    package var deployment: String?
    package var run: RunID
    package var node: NodeID?
    /// Why it is believed all the same: `tokyo-pg-1: anna@laptop says "pulled the plug"`.
    package var text: String

    package init(deployment: String?, run: RunID, node: NodeID?, text: String) {
        self.deployment = deployment
        self.run = run
        self.node = node
        self.text = text
    }

    package func isOf(_ name: String) -> Bool { deployment == nil || deployment == name }

    package var sentence: String { "NOT PROVEN to be fenced since run \(run): \(text)" }
}

/// Archives of `gitlab-backup` on one node, by their names and times; nothing is opened.
package struct BackupFacts: Sendable, Hashable, Codable {
    package var count: Int
    /// When the newest was written, by the node's own clock; `nil`: there is none.
    package var newestAt: Timestamp?
    package init(count: Int, newestAt: Timestamp?) {
        self.count = count
        self.newestAt = newestAt
    }
}

/// What the resolver's DNS says of a name.
package struct NameRecord: Sendable, Hashable, Codable {
    /// Seconds for which other resolvers may keep the answer; `nil`: DNS has no address under that name.
    package var timeToLive: Int?
    package init(timeToLive: Int?) { self.timeToLive = timeToLive }
}
