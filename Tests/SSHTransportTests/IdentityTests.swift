import Foundation
import SSHTransport
import Testing

/// Every kind of key that operators have, against a real sshd.
@Suite struct IdentityTests {
    struct Key: Sendable, CustomTestStringConvertible {
        var type: String
        var bits: Int?
        var passphrase = ""
        var more: [String] = []
        var testDescription: String {
            "\(type) \(bits ?? 0) \(passphrase.isEmpty ? "plain" : "encrypted") \(more.joined(separator: " "))"
        }
    }

    private static let keys: [Key] = [
        Key(type: "ed25519"), Key(type: "ecdsa", bits: 256), Key(type: "ecdsa", bits: 384),
        Key(type: "ecdsa", bits: 521),
        Key(type: "rsa", bits: 2048), Key(type: "rsa", bits: 3072),
        Key(type: "rsa", bits: 2048, more: ["-m", "PEM"]), Key(type: "rsa", bits: 2048, more: ["-m", "PKCS8"]),
        Key(type: "ecdsa", bits: 256, more: ["-m", "PEM"]), Key(type: "ecdsa", bits: 384, more: ["-m", "PKCS8"]),
        Key(type: "ed25519", passphrase: "correct horse"), Key(type: "rsa", bits: 2048, passphrase: "battery"),
        Key(type: "ecdsa", bits: 521, passphrase: "staple", more: ["-a", "3"]),
        Key(type: "ed25519", passphrase: "cbc phrase", more: ["-Z", "aes256-cbc"]),
        Key(type: "ed25519", passphrase: "short key", more: ["-Z", "aes128-ctr"]),
        Key(type: "rsa", bits: 2048, passphrase: "pem phrase", more: ["-m", "PEM"]),
        Key(type: "ecdsa", bits: 256, passphrase: "pkcs8", more: ["-m", "PKCS8"]),
    ]

    @Test(arguments: keys) func everyKindOfKeyLogsIn(key: Key) async throws {
        let server = try SSHServer()
        let path = server.directory.file("extra")
        try SSHServer.makeKey(path, type: key.type, bits: key.bits, passphrase: key.passphrase, more: key.more)
        try server.authorize(path + ".pub")
        let passphrase = Array(key.passphrase.utf8)
        let client = try server.client(identities: [.file(path) { passphrase }])
        #expect(try await client.output("echo in", on: server.destination) == "in\n")
        await client.close()
    }

    @Test(arguments: [["-m", "RFC4716"], ["-m", "PEM"], ["-m", "PKCS8"]])
    func aWrongPassphraseIsSaidBeforeAnythingIsSent(format: [String]) throws {
        let directory = try TemporaryDirectory()
        try SSHServer.makeKey(directory.file("key"), type: "rsa", bits: 2048, passphrase: "right", more: format)
        let error = #expect(throws: SSHError.self) {
            try SSHClient(
                SSHConfiguration(
                    identities: [.file(directory.file("key")) { Array("wrong-secret".utf8) }], knownHostsFiles: []))
        }
        #expect(error?.code == .badIdentity)
        #expect(error?.detail == "the passphrase of the private key is wrong")
        #expect(error?.description.contains("wrong-secret") == false)
    }

    @Test func anEncryptedKeyWithoutPassphraseIsSaid() throws {
        let directory = try TemporaryDirectory()
        try SSHServer.makeKey(directory.file("key"), type: "ed25519", passphrase: "right")
        let error = #expect(throws: SSHError.self) {
            try SSHClient(SSHConfiguration(identities: [.file(directory.file("key"))], knownHostsFiles: []))
        }
        #expect(error?.code == .badIdentity)
        #expect(error?.detail.contains("encrypted") == true)
    }

    @Test func aFailingPassphraseClosureDoesNotLeakItsText() throws {
        struct Vault: Error, CustomStringConvertible { var description: String { "token s3cr3t expired" } }
        let directory = try TemporaryDirectory()
        try SSHServer.makeKey(directory.file("key"), type: "ed25519", passphrase: "right")
        let error = #expect(throws: SSHError.self) {
            try SSHClient(
                SSHConfiguration(identities: [.file(directory.file("key")) { throw Vault() }], knownHostsFiles: []))
        }
        #expect(error?.code == .badIdentity)
        #expect(error?.description.contains("s3cr3t") == false)
    }

    @Test(arguments: [
        ("missing", "does not exist"), ("public", "public key"), ("garbage", "no private key"), ("cut", "base 64"),
        ("shared", "others may read"),
    ])
    func aKeyFileThatCannotBeUsedSaysWhy(kind: String, expected: String) throws {
        let directory = try TemporaryDirectory()
        try SSHServer.makeKey(directory.file("key"), type: "ed25519")
        switch kind {
        case "public": try directory.write(try directory.read("key.pub"), to: kind)
        case "garbage": try directory.write("hello\n", to: kind)
        case "cut":
            var lines = try directory.read("key").split(separator: "\n").map(String.init)
            lines[1].removeLast(3)
            try directory.write(lines.joined(separator: "\n"), to: kind)
        case "shared": try directory.write(try directory.read("key"), to: kind, mode: 0o644)
        default: break
        }
        let error = #expect(throws: SSHError.self) {
            try SSHClient(SSHConfiguration(identities: [.file(directory.file(kind))], knownHostsFiles: []))
        }
        #expect(error?.code == .badIdentity)
        #expect(error?.detail.contains(expected) == true, "\(String(describing: error))")
    }

    @Test func aRefusedKeyNamesWhatWasTried() async throws {
        let server = try SSHServer()
        try SSHServer.makeKey(server.directory.file("other"), type: "ed25519")
        let client = try server.client(identities: [.file(server.directory.file("other"))])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .authenticationRefused)
        #expect(failure?.detail.contains("ssh-ed25519 SHA256:") == true)
        #expect(failure?.mayHaveStarted == false)
        await client.close()
    }

    @Test func theNextKeyIsTriedWhenOneIsRefused() async throws {
        let server = try SSHServer()
        try SSHServer.makeKey(server.directory.file("other"), type: "ecdsa", bits: 256)
        let client = try server.client(
            identities: [.file(server.directory.file("other")), .file(server.directory.file("user"))])
        #expect(try await client.output("echo in", on: server.destination) == "in\n")
        await client.close()
    }

    @Test(arguments: [Key(type: "ed25519"), Key(type: "ecdsa", bits: 256), Key(type: "rsa", bits: 2048)])
    func anAgentSigns(key: Key) async throws {
        let server = try SSHServer()
        let path = server.directory.file("extra")
        try SSHServer.makeKey(path, type: key.type, bits: key.bits)
        try server.authorize(path + ".pub")
        let agent = try SSHAgent(server.directory, keys: [path])
        let client = try server.client(identities: [.agent(socketPath: agent.socketPath)])
        #expect(try await client.output("echo in", on: server.destination) == "in\n")
        await client.close()
    }

    @Test func anAgentThatIsNotThereIsNamed() async throws {
        let server = try SSHServer()
        let client = try server.client(identities: [.agent(socketPath: server.directory.file("no-agent"))])
        let failure = await client.failure(on: server.destination)
        #expect(failure?.code == .badIdentity)
        #expect(failure?.detail.contains("no-agent") == true)
        await client.close()
    }

    @Test func aSilentAgentEndsAtTheTimeLimit() async throws {
        let server = try SSHServer()
        let listener = try UnixListener(server.directory.file("mute"))
        let client = try server.client(identities: [.agent(socketPath: listener.path)])
        let failure = await client.failure(on: server.destination, timeLimit: .seconds(2))
        #expect(failure?.code == .timedOut)
        #expect(failure?.phase == .authentication)
        await client.close()
    }
}
