/// Files that sites have to have in common and that only a person or this tool carries from one to the other. A closed list:
/// nothing else of a node is ever read whole.
package enum SharedFile: String, Sendable, Hashable, Codable, CaseIterable {
    /// What the database is encrypted with (GitLab documentation, Geo configuration, "Manually replicate secret GitLab
    /// values").
    case secrets = "/etc/gitlab/gitlab-secrets.json"
    /// What the primary's PostgreSQL shows to those who connect; no secret (GitLab documentation, Geo database setup).
    case serverCertificate = "/var/opt/gitlab/postgresql/data/server.crt"
    // What users' git knows a site by (GitLab documentation, Geo configuration, "Manually replicate the primary site's SSH
    // host keys").
    case hostKeyEd25519 = "/etc/ssh/ssh_host_ed25519_key"
    case publicHostKeyEd25519 = "/etc/ssh/ssh_host_ed25519_key.pub"
    case hostKeyECDSA = "/etc/ssh/ssh_host_ecdsa_key"
    case publicHostKeyECDSA = "/etc/ssh/ssh_host_ecdsa_key.pub"
    case hostKeyRSA = "/etc/ssh/ssh_host_rsa_key"
    case publicHostKeyRSA = "/etc/ssh/ssh_host_rsa_key.pub"

    /// Both halves of a host key, by what `ssh-keygen -l` calls its kind; `nil` for a kind that is not copied.
    package static func hostKey(ofKind kind: some StringProtocol) -> (secret: SharedFile, shown: SharedFile)? {
        switch kind {
        case "ED25519": (.hostKeyEd25519, .publicHostKeyEd25519)
        case "ECDSA": (.hostKeyECDSA, .publicHostKeyECDSA)
        case "RSA": (.hostKeyRSA, .publicHostKeyRSA)
        default: nil
        }
    }
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
