internal import CSSHCrypto

/// A parsed private key that signs.
///
/// Freed once, when nobody holds it; never changes, so any thread may use it.
@safe
final class PrivateKey: @unchecked Sendable {
    enum Kind: Sendable, Hashable {
        case ed25519, p256, p384, p521, rsa

        /// The name of the key's type in blobs and in `authorized_keys`.
        var name: String {
            switch self {
            case .ed25519: "ssh-ed25519"
            case .p256: "ecdsa-sha2-nistp256"
            case .p384: "ecdsa-sha2-nistp384"
            case .p521: "ecdsa-sha2-nistp521"
            case .rsa: "ssh-rsa"
            }
        }
    }

    let kind: Kind
    /// The public key as SSH sends it.
    let publicBlob: [UInt8]
    private let pointer: OpaquePointer

    /// Adopts what the shim made; `nil` when it made nothing, or a key of a type that SSH does not use.
    init?(adopting pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        let kind: Kind? =
            switch Int(unsafe geo_ssh_key_kind(pointer)) {
            case GEO_SSH_KEY_ED25519: .ed25519
            case GEO_SSH_KEY_P256: .p256
            case GEO_SSH_KEY_P384: .p384
            case GEO_SSH_KEY_P521: .p521
            case GEO_SSH_KEY_RSA: .rsa
            default: nil
            }
        guard let kind, let blob = unsafe Self.publicBlob(of: pointer, kind: kind) else {
            unsafe geo_ssh_key_free(pointer)
            return nil
        }
        self.kind = kind
        publicBlob = blob
        unsafe self.pointer = pointer
    }

    deinit { unsafe geo_ssh_key_free(pointer) }

    /// The inner signature, without its type string; `nil` when libcrypto refuses (a broken key).
    func sign(_ data: UnsafeBufferPointer<UInt8>, bits: Int32) -> [UInt8]? {
        var signature = [UInt8](repeating: 0, count: 2048)
        let length = unsafe geo_ssh_sign(pointer, bits, data.baseAddress, data.count, &signature, signature.count)
        return length > 0 ? Array(signature.prefix(Int(length))) : nil
    }

    private static func publicBlob(of pointer: OpaquePointer, kind: Kind) -> [UInt8]? {
        func part(_ which: Int) -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 2100)
            let length = unsafe geo_ssh_key_part(pointer, Int32(which), &buffer, buffer.count)
            return length > 0 ? Array(buffer.prefix(Int(length))) : nil
        }
        var writer = WireWriter()
        writer.string(kind.name)
        if kind == .rsa {
            guard let exponent = part(GEO_SSH_PART_EXPONENT), let modulus = part(GEO_SSH_PART_MODULUS) else {
                return nil
            }
            writer.mpint(exponent)
            writer.mpint(modulus)
        } else {
            guard let point = part(GEO_SSH_PART_POINT) else { return nil }
            if kind != .ed25519 { writer.string(String(kind.name.dropFirst("ecdsa-sha2-".count))) }
            writer.string(point)
        }
        return writer.bytes
    }
}
