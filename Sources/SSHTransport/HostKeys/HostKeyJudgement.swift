extension KnownHosts.Entry {
    /// Every host key type that may be asked for, best first.
    ///
    /// RSA only with SHA-2, which libssh2 has from 1.11; `Algorithms` leaves out what the present one lacks.
    private static let types = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
        "rsa-sha2-256",
    ]

    /// The list for the key exchange: the types that the host is known by come first, so that the comparison is
    /// possible.
    var preferredTypes: String {
        let known = Set(keys.map(\.key.type))
        func isKnown(_ type: String) -> Bool { known.contains(type.hasPrefix("rsa-") ? "ssh-rsa" : type) }
        return (Self.types.filter(isKnown) + Self.types.filter { !isKnown($0) }).joined(separator: ",")
    }

    func judge(_ offered: HostKey) -> KnownHosts.Judgement {
        if let line = revoked.first(where: { $0.key == offered }) { return .revoked(place: line.place) }
        if keys.contains(where: { $0.key == offered }) { return .trusted }
        if let other = keys.first(where: { $0.key.type == offered.type }) {
            return .mismatch(known: other.key, place: other.place)
        }
        return .unknown(self)
    }

    /// The error for a key that is not trusted, or `nil` for one that is.
    func refusal(of offered: HostKey, from destination: SSHDestination) -> SSHError? {
        let name = KnownHosts.name(host: destination.host, port: destination.port)
        func error(_ code: SSHError.Code, _ detail: String, _ hint: String) -> SSHError {
            SSHError(code: code, destination: destination.name, detail: detail, hint: hint)
        }
        switch judge(offered) {
        case .trusted: return nil
        case .revoked(let place):
            return error(
                .hostKeyRevoked, "\(name) offers \(offered.description), which \(place) revokes",
                "do not log in; the node's key is known to be compromised, or was not replaced yet")
        case .mismatch(let known, let place):
            return error(
                .hostKeyMismatch,
                "\(name) offers \(offered.description), but \(place) knows it by \(known.fingerprint)",
                "someone may be in between, or the node was rebuilt: compare with `ssh-keygen -lf` on its console, "
                    + "then remove the old line and add the new key with `inventory trust`")
        case .unknown:
            let trust =
                "compare the fingerprint with `ssh-keygen -lf` on the node's console, then `geo-failover inventory trust`"
            if !keys.isEmpty {
                let types = Set(keys.map(\.key.type)).sorted().joined(separator: ", ")
                return error(
                    .hostKeyUnknown,
                    "\(name) offers \(offered.description); known_hosts has only other types for it (\(types))", trust)
            }
            if let authority = authorities.first {
                return error(
                    .hostKeyUnknown,
                    "\(name) offers \(offered.description); \(authority) trusts an authority, and this library "
                        + "cannot use host certificates", trust + ", or set `transport: openssh`")
            }
            return error(
                .hostKeyUnknown, "\(name) offers \(offered.description); no line of known_hosts names it", trust)
        }
    }
}
