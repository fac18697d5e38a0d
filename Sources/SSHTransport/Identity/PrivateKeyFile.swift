internal import CSSHCrypto

/// Reads private key files: OpenSSH's own format (OpenSSH's PROTOCOL.key) and PEM (by libcrypto).
enum PrivateKeyFile {
    enum Failure: Error, Sendable, Equatable {
        case needsPassphrase
        case wrongPassphrase
        case unsupported(String)
        case malformed(String)
    }

    /// A key file has a few KB.
    static let sizeLimit = 1 << 20

    /// `passphrase`: Asked at most once, and only when the key is encrypted.
    static func parse(_ bytes: [UInt8], passphrase: () throws -> [UInt8]?) throws -> PrivateKey {
        let text = String(decoding: bytes, as: UTF8.self)
        if let body = body(of: text, label: "OPENSSH PRIVATE KEY") {
            guard let data = Base64.decode(body.utf8) else { throw Failure.malformed("its base 64 is broken") }
            return try parseOpenSSH(data, passphrase: passphrase)
        }
        if text.contains("-----BEGIN") && text.contains("PRIVATE KEY-----") {
            return try parsePEM(bytes, passphrase: passphrase)
        }
        if text.hasPrefix("ssh-") || text.hasPrefix("ecdsa-") {
            throw Failure.malformed("it is a public key; name the private key's file")
        }
        throw Failure.malformed("it is no private key in OpenSSH's or PEM format")
    }

    private static func body(of text: String, label: String) -> Substring? {
        guard let begin = text.firstRange(of: "-----BEGIN \(label)-----"),
            let end = text[begin.upperBound...].firstRange(of: "-----END \(label)-----")
        else { return nil }
        return text[begin.upperBound..<end.lowerBound]
    }

    // MARK: PEM

    private static func parsePEM(_ bytes: [UInt8], passphrase: () throws -> [UInt8]?) throws -> PrivateKey {
        var why: Int32 = 0
        // A first try without a passphrase tells whether one is needed.
        if let key = unsafe PrivateKey(adopting: geo_ssh_key_from_pem(bytes, bytes.count, nil, 0, &why)) { return key }
        guard Int(why) == GEO_SSH_PEM_NEEDS_PASSPHRASE else {
            throw Failure.malformed("libcrypto finds no usable ed25519, ECDSA or RSA key in it")
        }
        guard var secret = try passphrase() else { throw Failure.needsPassphrase }
        defer { wipe(&secret) }
        let key = unsafe PrivateKey(adopting: geo_ssh_key_from_pem(bytes, bytes.count, secret, secret.count, &why))
        guard let key else { throw Failure.wrongPassphrase }
        return key
    }

    // MARK: OpenSSH

    private static func parseOpenSSH(_ data: [UInt8], passphrase: () throws -> [UInt8]?) throws -> PrivateKey {
        let magic = Array("openssh-key-v1\0".utf8)
        guard data.starts(with: magic) else { throw Failure.malformed("it does not begin with openssh-key-v1") }
        var reader = WireReader(data[magic.count...])
        guard let cipher = reader.text(), let derivation = reader.text(), let options = reader.string(),
            let count = reader.uint32(), reader.string() != nil, var secret = reader.string()
        else { throw Failure.malformed("it is cut off") }
        guard count == 1 else { throw Failure.unsupported("it holds \(count) keys") }
        defer { wipe(&secret) }
        if cipher != "none" {
            guard derivation == "bcrypt" else { throw Failure.unsupported("its key derivation is \(derivation)") }
            guard var phrase = try passphrase() else { throw Failure.needsPassphrase }
            defer { wipe(&phrase) }
            try decrypt(&secret, cipher: cipher, options: options, passphrase: phrase)
        }
        var inner = WireReader(secret)
        guard let first = inner.uint32(), let second = inner.uint32() else { throw Failure.malformed("it is cut off") }
        // The same number twice: the format's own proof that the passphrase was right.
        guard first == second else {
            throw cipher == "none" ? Failure.malformed("its check numbers differ") : Failure.wrongPassphrase
        }
        return try key(from: &inner)
    }

    /// Ciphers that ssh-keygen writes and libcrypto can undo: name, key and block length.
    private static let ciphers: [String: (name: String, key: Int)] = [
        "aes256-ctr": ("AES-256-CTR", 32), "aes192-ctr": ("AES-192-CTR", 24), "aes128-ctr": ("AES-128-CTR", 16),
        "aes256-cbc": ("AES-256-CBC", 32), "aes192-cbc": ("AES-192-CBC", 24), "aes128-cbc": ("AES-128-CBC", 16),
    ]

    private static func decrypt(_ secret: inout [UInt8], cipher: String, options: [UInt8], passphrase: [UInt8]) throws {
        guard let (name, keyLength) = ciphers[cipher] else {
            throw Failure.unsupported("it is encrypted with \(cipher); ssh-keygen -p -Z aes256-ctr changes that")
        }
        var reader = WireReader(options)
        // More rounds than this would take minutes.
        guard let salt = reader.string(), let rounds = reader.uint32(), (1...2000).contains(rounds),
            secret.count % 16 == 0, !secret.isEmpty
        else { throw Failure.malformed("the parameters of its encryption are broken") }
        guard !passphrase.isEmpty else { throw Failure.wrongPassphrase }
        var derived = [UInt8](repeating: 0, count: keyLength + 16)
        defer { wipe(&derived) }
        let isDerived = unsafe geo_ssh_bcrypt_pbkdf(
            passphrase, passphrase.count, salt, salt.count, rounds, &derived, derived.count)
        var key = Array(derived[..<keyLength])
        defer { wipe(&key) }
        let vector = Array(derived[keyLength...])
        guard isDerived == 1, unsafe geo_ssh_decrypt(name, key, vector, &secret, secret.count) == 1 else {
            throw Failure.malformed("it cannot be decrypted")
        }
    }

    private static func key(from reader: inout WireReader) throws -> PrivateKey {
        guard let type = reader.text() else { throw Failure.malformed("it is cut off") }
        let key: PrivateKey?
        switch type {
        case "ssh-ed25519":
            guard reader.string() != nil, var pair = reader.string(), pair.count == 64 else {
                throw Failure.malformed("its ed25519 key is broken")
            }
            defer { wipe(&pair) }
            key = unsafe PrivateKey(adopting: geo_ssh_key_ed25519(pair))
        case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
            guard reader.string() != nil, let point = reader.string(), var scalar = reader.string() else {
                throw Failure.malformed("its ECDSA key is broken")
            }
            defer { wipe(&scalar) }
            let kind =
                type.hasSuffix("256") ? GEO_SSH_KEY_P256 : type.hasSuffix("384") ? GEO_SSH_KEY_P384 : GEO_SSH_KEY_P521
            key = unsafe PrivateKey(
                adopting: geo_ssh_key_ecdsa(Int32(kind), point, point.count, scalar, scalar.count))
        case "ssh-rsa":
            key = try rsaKey(from: &reader)
        case _ where type.hasPrefix("sk-"):
            throw Failure.unsupported(
                "it lives on a hardware token (\(type)); use it through an agent or `transport: openssh`")
        default: throw Failure.unsupported("its type is \(type)")
        }
        guard let key else { throw Failure.malformed("its numbers make no \(type) key") }
        return key
    }

    private static func rsaKey(from reader: inout WireReader) throws -> PrivateKey? {
        var numbers: [[UInt8]] = []
        for _ in 0..<6 {
            guard let number = reader.string() else { throw Failure.malformed("its RSA key is broken") }
            numbers.append(number)
        }
        defer { for index in numbers.indices { wipe(&numbers[index]) } }
        func lend<T>(_ index: Int, _ collected: [geo_ssh_number], _ body: ([geo_ssh_number]) -> T) -> T {
            guard index < numbers.count else { return unsafe body(collected) }
            return unsafe numbers[index].withUnsafeBufferPointer { buffer in
                let number = unsafe geo_ssh_number(bytes: buffer.baseAddress, length: buffer.count)
                return unsafe lend(index + 1, collected + [number], body)
            }
        }
        return unsafe lend(0, []) { n in
            unsafe PrivateKey(adopting: geo_ssh_key_rsa(n[0], n[1], n[2], n[3], n[4], n[5]))
        }
    }

    static func wipe(_ bytes: inout [UInt8]) {
        let count = bytes.count
        unsafe bytes.withUnsafeMutableBytes { unsafe geo_ssh_wipe($0.baseAddress, count) }
    }
}
