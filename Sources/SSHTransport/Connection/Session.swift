internal import CLibSSH2
internal import Glibc

/// One libssh2 session over a wire.
///
/// Not copyable, so it is freed exactly once; it closes its wire first, so freeing never waits.
@safe
struct Session: ~Copyable {
    private let pointer: OpaquePointer
    private let wire: Wire

    /// libssh2's set-up is not thread safe; a static is initialised once.
    static let isReady: Bool = libssh2_init(0) == 0

    /// The version at run time, such as "1.10.0".
    static var version: String {
        guard let text = unsafe libssh2_version(0) else { return "unknown" }
        return unsafe String(cString: text)
    }

    /// From 1.11 on RSA keys sign with SHA-2 by themselves.
    static var signsRSAWithSHA2: Bool { unsafe libssh2_version(0x010b00) != nil }

    /// `nil` when there is no memory for a session.
    init?(over wire: Wire) {
        guard Self.isReady else { return nil }
        let context = unsafe Unmanaged.passUnretained(wire).toOpaque()
        guard let pointer = unsafe libssh2_session_init_ex(nil, nil, nil, context) else { return nil }
        unsafe self.pointer = pointer
        self.wire = wire
        unsafe libssh2_session_set_blocking(pointer, 0)

        let receive: @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int32, WireContext?) -> Int = {
            _, buffer, length, _, context in
            guard let wire = unsafe context?.pointee else { return -Int(ECONNRESET) }
            let bytes = unsafe UnsafeMutableRawBufferPointer(start: buffer, count: length)
            return unsafe Unmanaged<Wire>.fromOpaque(wire).takeUnretainedValue().receive(into: bytes)
        }
        let send: @convention(c) (Int32, UnsafeRawPointer?, Int, Int32, WireContext?) -> Int = {
            _, buffer, length, _, context in
            guard let wire = unsafe context?.pointee else { return -Int(ECONNRESET) }
            let bytes = unsafe UnsafeRawBufferPointer(start: buffer, count: length)
            return unsafe Unmanaged<Wire>.fromOpaque(wire).takeUnretainedValue().send(bytes)
        }
        unsafe libssh2_session_callback_set(
            pointer, LIBSSH2_CALLBACK_RECV, unsafeBitCast(receive, to: UnsafeMutableRawPointer.self))
        unsafe libssh2_session_callback_set(
            pointer, LIBSSH2_CALLBACK_SEND, unsafeBitCast(send, to: UnsafeMutableRawPointer.self))
    }

    deinit {
        wire.close()
        // On a closed wire nothing would block, so one call does; more are a belt.
        for _ in 0..<10 where unsafe libssh2_session_free(pointer) != LIBSSH2_ERROR_EAGAIN { return }
    }

    // MARK: Setting up

    /// Asks for algorithms by name, never for the defaults; false when libssh2 knows none of a kind.
    func prefer(hostKeys: String) -> Bool {
        let preferences: [(Int32, String)] = [
            (LIBSSH2_METHOD_KEX, Algorithms.exchanges),
            (LIBSSH2_METHOD_HOSTKEY, Algorithms.usable(hostKeys: hostKeys)),
            (LIBSSH2_METHOD_CRYPT_CS, Algorithms.ciphers), (LIBSSH2_METHOD_CRYPT_SC, Algorithms.ciphers),
            (LIBSSH2_METHOD_MAC_CS, Algorithms.macs), (LIBSSH2_METHOD_MAC_SC, Algorithms.macs),
            (LIBSSH2_METHOD_COMP_CS, "none"), (LIBSSH2_METHOD_COMP_SC, "none"),
        ]
        return preferences.allSatisfy { unsafe libssh2_session_method_pref(pointer, $0.0, $0.1) == 0 }
    }

    /// What this library can do, for the error that says that it is not enough.
    static var abilities: String {
        let newer = signsRSAWithSHA2
        return "libssh2 \(version) can do key exchange by curve25519 or ECDH, host keys of type ed25519 or ECDSA"
            + (newer ? " or RSA with SHA-2" : "") + ", ciphers aes*-ctr, MACs hmac-sha2-256 and -512"
            + (newer ? "" : " (not -etm)")
    }

    func handshake(descriptor: Int32) -> Int32 { unsafe libssh2_session_handshake(pointer, descriptor) }

    /// The server's version line; `nil` before it came.
    var banner: String? {
        guard let text = unsafe libssh2_session_banner_get(pointer) else { return nil }
        return unsafe String(cString: text)
    }

    var hostKey: HostKey? {
        var length = 0
        var type: Int32 = 0
        guard let bytes = unsafe libssh2_session_hostkey(pointer, &length, &type), length > 0 else { return nil }
        return HostKey(blob: unsafe UnsafeRawBufferPointer(start: bytes, count: length).map { $0 })
    }

    /// The library's words for its last error, copied at once.
    var lastError: String {
        var text: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        let code = unsafe libssh2_session_last_error(pointer, &text, &length, 0)
        guard let text = unsafe text, length > 0 else { return "libssh2 error \(code)" }
        return unsafe String(cString: text)
    }

    var lastCode: Int32 { unsafe libssh2_session_last_errno(pointer) }

    // MARK: Living

    /// One try to log in with a public key; the signer may ask to be called again.
    func authenticate(user: String, signer: Signer) -> Int32 {
        var context: UnsafeMutableRawPointer? = unsafe Unmanaged.passUnretained(signer).toOpaque()
        let blob = signer.blob
        return unsafe libssh2_userauth_publickey(pointer, user, blob, blob.count, Signer.callback, &context)
    }

    /// Opens a channel; `nil` means look at `lastCode`, which may be EAGAIN.
    func open(type: String, payload: [UInt8]?) -> OpaquePointer? {
        let window = Channel.window
        let packet = UInt32(LIBSSH2_CHANNEL_PACKET_DEFAULT)
        guard let payload else {
            return unsafe libssh2_channel_open_ex(pointer, type, UInt32(type.utf8.count), window, packet, nil, 0)
        }
        return unsafe payload.withUnsafeBytes { bytes in
            unsafe libssh2_channel_open_ex(
                pointer, type, UInt32(type.utf8.count), window, packet,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
        }
    }

    /// Asks for a sign of life.
    ///
    /// The answer is swallowed by libssh2 and seen by the wire.
    func sendKeepalive() {
        var next: Int32 = 0
        unsafe libssh2_keepalive_config(pointer, 1, 2)
        unsafe libssh2_keepalive_send(pointer, &next)
    }

    /// Says goodbye; the wire must be flushed after it.
    func disconnect() { unsafe libssh2_session_disconnect_ex(pointer, 11, "done", "") }
}

/// What libssh2 hands to a callback: where the session keeps its wire.
typealias WireContext = UnsafeMutablePointer<UnsafeMutableRawPointer?>
