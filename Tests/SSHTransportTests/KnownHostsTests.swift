import Testing

@testable import SSHTransport

/// The reader of known_hosts, line by line as OpenSSH reads it (sshd(8)).
@Suite struct KnownHostsTests {
    private static let first = "AAAAC3NzaC1lZDI1NTE5AAAAIKV8q6Hy3s6qMGuYwKKYRnA+DsuXyGa4qkgMNn5LRR0h"
    private static let second = "AAAAC3NzaC1lZDI1NTE5AAAAIGDLZ3pnBzvYuO2QjDp0CqjCJnTqIzbbCFQzSR5sbXMZ"

    enum Expected: Sendable { case trusted, unknown, mismatch, revoked }

    private func judge(_ text: String, host: String, port: UInt16 = 22) throws -> Expected {
        var hosts = KnownHosts()
        hosts.add(Array(text.utf8), file: "known_hosts")
        let key = HostKey(blob: try #require(Base64.decode(Self.first.utf8)))
        return switch hosts.entry(host: host, port: port).judge(key) {
        case .trusted: .trusted
        case .unknown: .unknown
        case .mismatch: .mismatch
        case .revoked: .revoked
        }
    }

    @Test(arguments: [
        ("plain", "node ssh-ed25519 \(first)", "node", UInt16(22), Expected.trusted),
        ("comment at the end", "node ssh-ed25519 \(first) tom@desk and more words", "node", 22, .trusted),
        ("no final newline, comments, blanks", "# a\n\n   \n#b\nnode ssh-ed25519 \(first)", "node", 22, .trusted),
        ("comma list", "other,node,10.0.0.1 ssh-ed25519 \(first)", "10.0.0.1", 22, .trusted),
        ("port", "[node]:2222 ssh-ed25519 \(first)", "node", 2222, .trusted),
        ("other port", "[node]:2222 ssh-ed25519 \(first)", "node", 2223, .unknown),
        ("an entry without port is for port 22 only", "node ssh-ed25519 \(first)", "node", 2222, .unknown),
        ("an entry with port is not for port 22", "[node]:2222 ssh-ed25519 \(first)", "node", 22, .unknown),
        (
            "wrong key with port, right key without", "[node]:2222 ssh-ed25519 \(second)\nnode ssh-ed25519 \(first)",
            "node", 2222, .mismatch
        ),
        ("wrong key", "node ssh-ed25519 \(second)", "node", 22, .mismatch),
        ("one of two keys", "node ssh-ed25519 \(second)\nnode ssh-ed25519 \(first)", "node", 22, .trusted),
        ("case", "NODE.Example.COM ssh-ed25519 \(first)", "node.example.com", 22, .trusted),
        ("case asked", "node.example.com ssh-ed25519 \(first)", "Node.Example.Com", 22, .trusted),
        ("CRLF", "node ssh-ed25519 \(first)\r\nother ssh-ed25519 \(second)\r\n", "node", 22, .trusted),
        ("CRLF with comment", "node ssh-ed25519 \(first) tom\r\n", "node", 22, .trusted),
        ("star", "*.example.com ssh-ed25519 \(first)", "a.b.example.com", 22, .trusted),
        ("star misses", "*.example.com ssh-ed25519 \(first)", "example.com", 22, .unknown),
        ("question mark", "node-? ssh-ed25519 \(first)", "node-7", 22, .trusted),
        ("question mark is one", "node-? ssh-ed25519 \(first)", "node-77", 22, .unknown),
        ("star with port", "[*.example.com]:2222 ssh-ed25519 \(first)", "a.example.com", 2222, .trusted),
        ("negation", "*.example.com,!bad.example.com ssh-ed25519 \(first)", "bad.example.com", 22, .unknown),
        (
            "negation spares others", "*.example.com,!bad.example.com ssh-ed25519 \(first)", "good.example.com", 22,
            .trusted
        ),
        ("negation first", "!bad.example.com,*.example.com ssh-ed25519 \(first)", "bad.example.com", 22, .unknown),
        ("only a negation", "!bad ssh-ed25519 \(first)", "good", 22, .unknown),
        ("revoked", "@revoked node ssh-ed25519 \(first)", "node", 22, .revoked),
        ("revoked everywhere", "@revoked * ssh-ed25519 \(first)\nnode ssh-ed25519 \(first)", "node", 22, .revoked),
        ("revoked elsewhere", "@revoked other ssh-ed25519 \(first)\nnode ssh-ed25519 \(first)", "node", 22, .trusted),
        (
            "another key is revoked", "@revoked node ssh-ed25519 \(second)\nnode ssh-ed25519 \(first)", "node", 22,
            .trusted
        ),
        ("authority", "@cert-authority * ssh-ed25519 \(first)", "node", 22, .unknown),
        (
            "broken lines before", "node\nnode ssh-ed25519 %%%\n|1|x|y ssh-ed25519 \(first)\nnode ssh-ed25519 \(first)",
            "node", 22, .trusted
        ),
        (
            "a line over 4091 bytes",
            "node ssh-ed25519 \(second) \(String(repeating: "x", count: 9000))\nnode ssh-ed25519 \(first)", "node", 22,
            .trusted
        ),
        ("type and key differ", "node ecdsa-sha2-nistp256 \(first)", "node", 22, .unknown),
        ("unknown marker", "@strange node ssh-ed25519 \(first)", "node", 22, .unknown),
        ("tabs and leading blanks", "  node\tssh-ed25519\t\(first)", "node", 22, .trusted),
        ("IPv6", "[2001:db8::1]:2222 ssh-ed25519 \(first)", "2001:db8::1", 2222, .trusted),
        ("empty", "", "node", 22, .unknown),
    ])
    func aLineMeansWhatSSHSays(row: String, text: String, host: String, port: UInt16, expected: Expected) throws {
        #expect(try judge(text, host: host, port: port) == expected, "\(row)")
    }

    @Test(arguments: [("node", UInt16(22)), ("node", 2222), ("10.0.0.7", 22)])
    func hashedNamesAreFound(host: String, port: UInt16) throws {
        let directory = try TemporaryDirectory()
        let name = KnownHosts.name(host: host, port: port)
        try directory.write("\(name) ssh-ed25519 \(Self.first)\n", to: "hosts")
        try tool("/usr/bin/ssh-keygen", ["-q", "-H", "-f", directory.file("hosts")])
        let text = try directory.read("hosts")
        #expect(text.hasPrefix("|1|"))
        #expect(try judge(text, host: host, port: port) == .trusted)
        #expect(try judge(text, host: host + "x", port: port) == .unknown)
    }

    @Test func everySkippedLineLeavesANote() {
        var hosts = KnownHosts()
        hosts.add(Array("node\n@odd node ssh-ed25519 \(Self.first)\nnode ssh-ed25519 !!\n".utf8), file: "hosts")
        #expect(hosts.notes.count == 3)
        #expect(hosts.notes.first?.hasPrefix("hosts:1:") == true)
        #expect(KnownHosts(files: ["/no/such/known_hosts"]).notes == ["/no/such/known_hosts does not exist"])
    }

    @Test func theTypesAHostIsKnownByAreAskedForFirst() throws {
        var hosts = KnownHosts()
        hosts.add(Array("node ssh-ed25519 \(Self.first)\n".utf8), file: "hosts")
        let other = "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA=="
        hosts.add(Array("other ecdsa-sha2-nistp256 \(other)\n".utf8), file: "hosts")
        #expect(hosts.entry(host: "node", port: 22).preferredTypes.hasPrefix("ssh-ed25519,"))
        #expect(hosts.entry(host: "other", port: 22).preferredTypes.hasPrefix("ecdsa-sha2-nistp256,ssh-ed25519,"))
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"),
    ])
    func base64IsThatOfTheRFC(text: String, encoded: String) {
        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
    }

    @Test(arguments: ["Zg", "Z", "Zg=", "Zg==Zg==", "Z!==", "===="])
    func brokenBase64IsRefused(text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test func aPatternOfManyStarsTakesNoTime() {
        let pattern = Array(String(repeating: "*a", count: 200).utf8)
        #expect(!Wildcard.match(pattern, Array(String(repeating: "a", count: 5000).utf8 + [98])))
    }
}
