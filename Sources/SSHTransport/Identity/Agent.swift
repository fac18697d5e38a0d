internal import CLinux
internal import Glibc

/// A conversation with an ssh-agent (draft-ietf-sshm-ssh-agent), without blocking the loop.
///
/// Own code, because libssh2 before 1.11 asks an agent for RSA signatures with SHA-1 only, and blocks.
final class Agent {
    struct Identity: Sendable {
        var blob: [UInt8]
        var comment: String
    }

    private let descriptor: Int32
    private let socketPath: String
    private static let answerLimit = 256 * 1024
    private static let identityLimit = 64
    /// An agent may ask its owner for a confirmation; then the call's own deadline counts.
    private enum Message { static let list: UInt8 = 11, identities: UInt8 = 12, sign: UInt8 = 13, signed: UInt8 = 14 }

    private init(descriptor: Int32, socketPath: String) {
        self.descriptor = descriptor
        self.socketPath = socketPath
    }

    deinit { close(descriptor) }

    static func connect(_ socketPath: String, for call: Call) async throws(SSHError) -> Agent {
        guard let descriptor = UnixSocket.make() else { throw failure(socketPath, Files.describe(errno), call) }
        let agent = Agent(descriptor: descriptor, socketPath: socketPath)
        let code = UnixSocket.connect(descriptor, socketPath)
        guard code == 0 else { throw failure(socketPath, Files.describe(code), call) }
        return agent
    }

    private static func failure(_ path: String, _ reason: String, _ call: Call) -> SSHError {
        SSHError(
            code: .badIdentity, destination: call.destination,
            detail: "the ssh-agent at \(path) cannot be used: \(reason)",
            hint: "start it (`ssh-agent`), add the key (`ssh-add`), or name a key file", phase: call.phase)
    }

    func identities(for call: Call) async throws(SSHError) -> [Identity] {
        let answer = try await ask([Message.list], for: call)
        var reader = WireReader(answer)
        guard reader.byte() == Message.identities, let count = reader.uint32() else {
            throw Self.failure(socketPath, "it does not list its keys", call)
        }
        var identities: [Identity] = []
        for _ in 0..<min(Int(count), Self.identityLimit) {
            guard let blob = reader.string(), let comment = reader.text() else {
                throw Self.failure(socketPath, "its list of keys is cut off", call)
            }
            // Certificates and hardware keys need what this library cannot do.
            let type = HostKey(blob: blob).type
            if !type.contains("-cert-v01") && !type.hasPrefix("sk-") {
                identities.append(Identity(blob: blob, comment: comment))
            }
        }
        return identities
    }

    /// The inner signature, or `nil` when the agent refuses.
    func sign(_ data: [UInt8], with identity: Identity, for call: Call) async throws(SSHError) -> [UInt8]? {
        var writer = WireWriter()
        writer.byte(Message.sign)
        writer.string(identity.blob)
        writer.string(data)
        // Flags: 2 asks for rsa-sha2-256, 4 for rsa-sha2-512; other keys ignore them.
        writer.uint32(HostKey(blob: identity.blob).type == "ssh-rsa" ? (Signer.bits(for: data) == 256 ? 2 : 4) : 0)
        let answer = try await ask(writer.bytes, for: call)
        var reader = WireReader(answer)
        guard reader.byte() == Message.signed, let signature = reader.string() else { return nil }
        var inner = WireReader(signature)
        guard inner.string() != nil else { return nil }
        return inner.string()
    }

    private func ask(_ message: [UInt8], for call: Call) async throws(SSHError) -> [UInt8] {
        guard let token = EventLoop.shared.watch(descriptor, Waker(call)) else {
            throw Self.failure(socketPath, Files.describe(errno), call)
        }
        defer { EventLoop.shared.forget(descriptor, token: token) }
        var writer = WireWriter()
        writer.string(message)
        var waiting = writer.bytes[...]
        while !waiting.isEmpty {
            let count = unsafe waiting.withUnsafeBytes {
                unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { waiting = waiting.dropFirst(count) } else { try await waitUnlessBroken(call) }
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        while answer.count <= Self.answerLimit {
            var reader = WireReader(answer)
            if let body = reader.string() { return body }
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 { break }
            if count > 0 { answer += buffer[..<count] } else { try await waitUnlessBroken(call) }
        }
        throw Self.failure(socketPath, "it ended the conversation", call)
    }

    private func waitUnlessBroken(_ call: Call) async throws(SSHError) {
        guard errno == EAGAIN || errno == EINTR else { throw Self.failure(socketPath, Files.describe(errno), call) }
        try await call.wait()
    }
}

/// Unix sockets by path.
enum UnixSocket {
    static func make() -> Int32? {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        return descriptor >= 0 ? descriptor : nil
    }

    /// 0 or an errno.
    ///
    /// A local socket connects at once or not at all.
    static func connect(_ descriptor: Int32, _ path: String) -> Int32 {
        unsafe withAddress(path) { unsafe Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
    }

    /// Binds and listens: 0 or an errno.
    static func listen(_ descriptor: Int32, _ path: String) -> Int32 {
        unsafe withAddress(path) { address, length in
            unsafe bind(descriptor, address, length) == 0 && Glibc.listen(descriptor, 16) == 0 ? 0 : errno
        }
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { return ENAMETOOLONG }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
