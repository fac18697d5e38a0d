import SSHTransport
import Testing

/// Host keys against a real sshd: only a known key is ever talked to.
@Suite struct HostKeyTests {
    @Test func anUnknownNodeIsRefusedWithWhatItOffers() async throws {
        let server = try SSHServer(hostKeys: ["ed25519"])
        let client = try server.client(knownHosts: ["elsewhere \(try server.publicKey("ed25519"))"])
        let failure = await client.failure(on: server.destination)
        let fingerprint = try server.fingerprint("ed25519")
        #expect(failure?.code == .hostKeyUnknown)
        #expect(failure?.detail.contains("ssh-ed25519 \(fingerprint)") == true)
        #expect(failure?.hint.contains("inventory trust") == true)
        #expect(failure?.mayHaveStarted == false)
        await client.close()
    }

    @Test func anotherKeyThanTheKnownOneIsRefusedWithBoth() async throws {
        let server = try SSHServer(hostKeys: ["ed25519"])
        let impostor = try SSHServer(hostKeys: ["ed25519"])
        let client = try server.client(knownHosts: ["\(server.knownHostsName) \(try impostor.publicKey("ed25519"))"])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .hostKeyMismatch)
        #expect(failure?.detail.contains(try server.fingerprint("ed25519")) == true)
        #expect(failure?.detail.contains(try impostor.fingerprint("ed25519")) == true)
        #expect(client.statistics[server.destination] == nil)
        await client.close()
    }

    @Test func aRevokedKeyIsRefusedEvenWhenItIsListedToo() async throws {
        let server = try SSHServer(hostKeys: ["ed25519"])
        let key = try server.publicKey("ed25519")
        let client = try server.client(knownHosts: ["@revoked * \(key)", "\(server.knownHostsName) \(key)"])
        #expect(await client.failure(on: server.destination)?.code == .hostKeyRevoked)
        await client.close()
    }

    @Test(arguments: ["ed25519", "ecdsa"])
    func theKnownTypeIsNegotiatedWhateverElseTheNodeHas(type: String) async throws {
        let server = try SSHServer(hostKeys: ["ed25519", "ecdsa"])
        let client = try server.client(knownHosts: ["\(server.knownHostsName) \(try server.publicKey(type))"])
        #expect(try await client.output("echo in", on: server.destination) == "in\n")
        await client.close()
    }

    @Test func aNodeKnownByAnotherTypeOnlyIsUnknownAndSaysSo() async throws {
        let server = try SSHServer(hostKeys: ["ecdsa"])
        let other = try SSHServer(hostKeys: ["ed25519"])
        let client = try server.client(knownHosts: ["\(server.knownHostsName) \(try other.publicKey("ed25519"))"])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .hostKeyUnknown)
        #expect(failure?.detail.contains("ssh-ed25519") == true)
        await client.close()
    }

    @Test func anAuthorityIsExplained() async throws {
        let server = try SSHServer(hostKeys: ["ed25519"])
        let client = try server.client(knownHosts: ["@cert-authority * \(try server.publicKey("ed25519"))"])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .hostKeyUnknown)
        #expect(failure?.detail.contains("authority") == true)
        #expect(failure?.hint.contains("transport: openssh") == true)
        await client.close()
    }

    @Test(arguments: [
        ("only an RSA host key", ["rsa"], [String]()),
        ("only AEAD ciphers", ["ed25519"], ["Ciphers chacha20-poly1305@openssh.com"]),
        ("only a post-quantum exchange", ["ed25519"], ["KexAlgorithms sntrup761x25519-sha512@openssh.com"]),
        ("only finite-field exchange", ["ed25519"], ["KexAlgorithms diffie-hellman-group14-sha256"]),
    ])
    func aNodeWithoutCommonAlgorithmsIsSentToOpenSSH(what: String, hostKeys: [String], settings: [String]) async throws
    {
        let server = try SSHServer(hostKeys: hostKeys, settings: settings)
        let client = try server.client(knownHosts: ["\(server.knownHostsName) \(try server.publicKey(hostKeys[0]))"])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .noCommonAlgorithm, "\(what): \(String(describing: failure))")
        #expect(failure?.detail.contains("libssh2") == true)
        #expect(failure?.hint.contains("transport: openssh") == true)
        await client.close()
    }
}

extension SSHServer {
    func fingerprint(_ type: String) throws -> String {
        let line = try tool("/usr/bin/ssh-keygen", ["-lf", directory.file("host_\(type).pub")])
        let fields = line.split(separator: " ")
        guard fields.count > 1 else { throw ToolFailure(description: line) }
        return String(fields[1])
    }
}
