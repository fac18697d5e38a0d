internal import CLibSSH2

/// What this libssh2 can do, asked once.
///
/// Names that it does not know must not reach it: 1.10 drops them from a list by a `memcpy` over itself, which is
/// undefined (found by the address sanitizer).
enum Algorithms {
    /// Names, best first: no CBC, no SHA-1, no finite-field exchange, which costs 25 times the processor time.
    static let exchanges = known(
        LIBSSH2_METHOD_KEX,
        "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp521,ecdh-sha2-nistp384")
    static let ciphers = known(
        LIBSSH2_METHOD_CRYPT_CS,
        // The last ones from 1.11 on, for nodes that take no others.
        "aes128-ctr,aes192-ctr,aes256-ctr,aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com")
    static let macs = known(
        LIBSSH2_METHOD_MAC_CS,
        "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha2-512")
    private static let hostKeys = supported(LIBSSH2_METHOD_HOSTKEY)

    /// Those host key types of a list that this libssh2 can use, in the list's order.
    static func usable(hostKeys list: String) -> String { filter(list, by: hostKeys) }

    private static func known(_ method: Int32, _ list: String) -> String { filter(list, by: supported(method)) }

    private static func filter(_ list: String, by supported: Set<String>) -> String {
        list.split(separator: ",").filter { supported.contains(String($0)) }.joined(separator: ",")
    }

    private static func supported(_ method: Int32) -> Set<String> {
        guard Session.isReady, let session = unsafe libssh2_session_init_ex(nil, nil, nil, nil) else { return [] }
        defer { unsafe libssh2_session_free(session) }
        var list: UnsafeMutablePointer<UnsafePointer<CChar>?>?
        let count = unsafe libssh2_session_supported_algs(session, method, &list)
        guard let list = unsafe list, count > 0 else { return [] }
        defer { unsafe libssh2_free(session, list) }
        var names: Set<String> = []
        for index in 0..<Int(count) {
            if let name = unsafe list[index] { names.insert(unsafe String(cString: name)) }
        }
        return names
    }
}
