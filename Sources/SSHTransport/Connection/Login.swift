internal import CLibSSH2
internal import Glibc

/// What a log-in is made with.
enum Credential: Sendable {
    case key(PrivateKey, path: String)
    case agent(socketPath: String)
}

extension Connection {
    /// A peer may say this much before the key exchange is done; a real one needs about 4 KB.
    private static let preludeLimit = 256 * 1024
    /// sshd's MaxAuthTries is 6 by default.
    private static let attemptLimit = 6

    /// Exchanges keys and compares the host key.
    ///
    /// Nothing but the version line and the exchange is said to a host that is not trusted.
    func shakeHands(knownHosts: KnownHosts, descriptor: Int32, for call: Call) async throws(SSHError) {
        call.phase = .handshake
        let entry = knownHosts.entry(host: destination.host, port: destination.port)
        guard session.prefer(hostKeys: entry.preferredTypes) else {
            throw failure(.localFailure, "libssh2 \(Session.version) does not know the algorithms asked for", call)
        }
        wire.receivedLimit = Self.preludeLimit
        while true {
            let code = session.handshake(descriptor: descriptor)
            if code == 0 { break }
            guard code == LIBSSH2_ERROR_EAGAIN else { throw handshakeError(code, call) }
            guard wire.isAlive else { throw handshakeError(LIBSSH2_ERROR_SOCKET_RECV, call) }
            try await call.wait()
        }
        wire.receivedLimit = .max
        guard let offered = session.hostKey else { throw failure(.protocolFailure, "the node sent no host key", call) }
        if let refusal = entry.refusal(of: offered, from: destination) { throw refusal }
    }

    private func failure(_ code: SSHError.Code, _ detail: String, _ call: Call, hint: String = "") -> SSHError {
        SSHError(code: code, destination: destination.name, detail: detail, hint: hint, phase: call.phase)
    }

    private func handshakeError(_ code: Int32, _ call: Call) -> SSHError {
        guard let banner = session.banner else {
            return failure(
                .protocolFailure,
                "the node ended the connection before it said who it is (\(wire.failure ?? session.lastError))",
                call,
                hint: "sshd does so when too many log-ins are under way (MaxStartups), or no sshd is behind the port")
        }
        if code == LIBSSH2_ERROR_KEX_FAILURE || code == LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE
            || code == LIBSSH2_ERROR_METHOD_NONE
        {
            return failure(
                .noCommonAlgorithm, "no algorithms in common with \(banner): \(Session.abilities)", call,
                hint: "set `transport: openssh` for this node; `ssh -vv` shows what it offers")
        }
        return failure(.protocolFailure, "the key exchange failed: \(wire.failure ?? session.lastError)", call)
    }

    /// `ssh` would have offered the certificate that lies beside a key; libssh2 can offer none.
    private func certificateHint(_ credentials: [Credential]) -> String {
        for case .key(_, let path) in credentials where unsafe access("\(path)-cert.pub", R_OK) == 0 {
            return "; if the node asks for the certificate \(path)-cert.pub, set `transport: openssh` for it"
        }
        return ""
    }

    /// Logs in with the first credential that the node accepts.
    func logIn(with credentials: [Credential], for call: Call) async throws(SSHError) {
        call.phase = .authentication
        var refused: [String] = []
        for credential in credentials where refused.count < Self.attemptLimit {
            switch credential {
            case .key(let key, let path):
                if try await tryToLogIn(Signer(key: key), for: call) { return }
                refused.append("\(path) (\(HostKey(blob: key.publicBlob).description))")
            case .agent(let socketPath):
                let agent = try await Agent.connect(socketPath, for: call)
                for identity in try await agent.identities(for: call) where refused.count < Self.attemptLimit {
                    let signer = Signer(means: .agent, publicBlob: identity.blob)
                    if try await tryToLogIn(signer, agent: agent, identity: identity, for: call) { return }
                    refused.append("agent key \(identity.comment) (\(HostKey(blob: identity.blob).description))")
                }
            }
        }
        let tried = refused.isEmpty ? "there was no key to offer" : "refused: " + refused.joined(separator: ", ")
        throw failure(
            .authenticationRefused, "\(destination.user)@\(destination.host) lets none of the keys in; \(tried)", call,
            hint: "add a public key to the user's authorized_keys, or name the right key and user in the inventory"
                + certificateHint(credentials))
    }

    /// One key.
    ///
    /// False when the node refuses it and another may be tried.
    private func tryToLogIn(
        _ signer: Signer, agent: Agent? = nil, identity: Agent.Identity? = nil, for call: Call
    ) async throws(SSHError) -> Bool {
        while true {
            let code = session.authenticate(user: destination.user, signer: signer)
            switch code {
            case 0: return true
            case LIBSSH2_ERROR_EAGAIN:
                if let request = signer.request, let agent, let identity {
                    guard let signature = try await agent.sign(request, with: identity, for: call) else { return false }
                    signer.provide(signature: signature)
                } else {
                    guard wire.isAlive else { throw loginEnded(call) }
                    try await call.wait()
                }
            case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: return false
            default: throw loginEnded(call)
            }
        }
    }

    private func loginEnded(_ call: Call) -> SSHError {
        failure(
            .authenticationRefused,
            "the node ended the connection during log-in (\(wire.failure ?? session.lastError))", call,
            hint: "too many keys offered (MaxAuthTries), or the account is closed: see the node's auth log")
    }
}
