internal import CSHA256
internal import CSSHCrypto

/// A host's public key as SSH sends it, with what people compare it by.
struct HostKey: Hashable, Sendable {
    let blob: [UInt8]

    /// The type in the blob, such as "ssh-ed25519".
    var type: String {
        var reader = WireReader(blob)
        return reader.text() ?? "unknown"
    }

    /// As `ssh-keygen -l` prints it.
    var fingerprint: String { "SHA256:" + Base64.encode(Digest.sha256(blob), padded: false) }

    var description: String { "\(type) \(fingerprint)" }
}

enum Digest {
    static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(unsafe geo_sha256(bytes, bytes.count, &digest) == 1, "libcrypto has no SHA-256")
        return digest
    }

    static func hmacSHA1(key: [UInt8], _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        precondition(
            unsafe geo_ssh_hmac_sha1(key, key.count, bytes, bytes.count, &digest) == 1, "libcrypto has no HMAC-SHA-1")
        return digest
    }
}
