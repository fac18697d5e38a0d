import Glibc

/// A TCP listener on 127.0.0.1 that nobody serves.
///
/// The kernel completes connections for it; no byte ever comes back.
final class SilentServer: Sendable {
    struct SystemError: Error { let number = errno }

    let port: UInt16
    private let descriptors: [Int32]

    /// `swallowing` fills the queue first, so that the kernel drops the packets of further connections.
    init(swallowing: Bool = false) throws {
        let listener = try Self.newSocket()
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        unsafe try Self.onSocketAddress(&address) { unsafe bind(listener, $0, $1) }
        guard listen(listener, swallowing ? 0 : 64) == 0 else { throw SystemError() }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe try Self.onSocketAddress(&address) { address, _ in unsafe getsockname(listener, address, &length) }
        port = UInt16(bigEndian: address.sin_port)

        var descriptors = [listener]
        for _ in 0..<(swallowing ? 8 : 0) {
            let client = try Self.newSocket(flags: Int32(SOCK_NONBLOCK.rawValue))
            descriptors.append(client)
            // In progress, or refused a place in the queue: both are what is wanted.
            _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    unsafe connect(client, pointer, length)
                }
            }
        }
        self.descriptors = descriptors
    }

    func stop() { descriptors.forEach { close($0) } }

    private static func newSocket(flags: Int32 = 0) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags, 0)
        guard descriptor >= 0 else { throw SystemError() }
        return descriptor
    }

    private static func onSocketAddress(
        _ address: inout sockaddr_in, _ call: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe call($0, size) }
        }
        guard code == 0 else { throw SystemError() }
    }
}
