/// Files that sites have to have in common and that only a person or this tool carries from one to the other. A closed list:
/// nothing else of a node is ever read whole.
package enum SharedFile: String, Sendable, Hashable, Codable, CaseIterable {
    /// What the database is encrypted with (GitLab documentation, Geo configuration, "Manually replicate secret GitLab
    /// values").
    case secrets = "/etc/gitlab/gitlab-secrets.json"
    /// What the primary's PostgreSQL shows to those who connect; no secret (GitLab documentation, Geo database setup).
    case serverCertificate = "/var/opt/gitlab/postgresql/data/server.crt"
}

/// One of ``SharedFile`` on a node.
///
/// Its content goes from that node through the tool's memory to the standard input of a command on another one: it is in no
/// plan, journal, argument, transcript or file on the way.
package struct NodeFile: Sendable, Hashable, Codable {
    package var node: NodeID
    package var file: SharedFile
    package init(node: NodeID, file: SharedFile) {
        self.node = node
        self.file = file
    }

    /// As a person would do it by hand.
    package var shellText: String { "ssh \(RemoteCommand.quoted(node.rawValue)) sudo -n cat \(file.rawValue)" }
}
