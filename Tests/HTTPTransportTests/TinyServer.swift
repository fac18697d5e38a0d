import Foundation
import Synchronization

/// An HTTP server on a free port of 127.0.0.1 that answers each connection with fixed bytes, and keeps what it was sent.
///
/// Runs on threads of its own until `stop()`.
final class TinyServer: Sendable {
    struct SystemError: Error { let number = errno }

    enum Answer: Sendable {
        case bytes([UInt8])
        /// One byte after the other, with this many milliseconds in between, until the client goes.
        case drip([UInt8], everyMilliseconds: Int32)
        /// Takes the request and says nothing, until the client goes.
        case silence
        /// Bytes once, then others again and again for as long as they are taken.
        case endless([UInt8], then: [UInt8])
    }

    let port: UInt16
    private let listener: Int32
    private let received = Mutex<[String]>([])
    private let connections = Mutex(0)

    /// The requests so far, complete with their bodies.
    var requests: [String] { received.withLock { $0 } }
    /// Clients whose connection has not ended yet.
    var openConnections: Int { connections.withLock { $0 } }

    var url: String { "http://127.0.0.1:\(port)" }

    convenience init(_ text: String) throws { try self.init(.bytes(Array(text.utf8))) }

    init(_ answer: Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) | listen(listener, 128) | getsockname(listener, pointer, &length)
            }
        }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        guard code == 0 else { throw SystemError() }
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                connections.withLock { $0 += 1 }
                Thread.detachNewThread { [self] in
                    serve(client, answer)
                    close(client)
                    connections.withLock { $0 -= 1 }
                }
            }
            close(listener)
        }
    }

    /// Ends `accept`, whose thread then closes the listener.
    ///
    /// Connections end with their clients.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32, _ answer: Answer) {
        guard let request = Self.readRequest(from: client) else { return }
        received.withLock { $0.append(request) }
        switch answer {
        case .bytes(let bytes): _ = Self.write(bytes, to: client)
        case .silence: break
        case .drip(let bytes, let pause):
            for byte in bytes {
                guard Self.write([byte], to: client), !Self.hasGone(client, withinMilliseconds: pause) else { return }
            }
        case .endless(let first, let bytes):
            guard Self.write(first, to: client) else { return }
            while Self.write(bytes, to: client) {}
            return
        }
        if case .bytes = answer { shutdown(client, Int32(SHUT_WR)) }
        // A client that closes is seen here; one that never does is cut off.
        _ = Self.hasGone(client, withinMilliseconds: 60_000)
    }

    private static func hasGone(_ client: Int32, withinMilliseconds limit: Int32) -> Bool {
        var descriptor = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&descriptor, 1, limit) > 0
    }

    private static func write(_ bytes: [UInt8], to client: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let rest = Array(bytes[sent...])
            let count = unsafe send(client, rest, rest.count, Int32(MSG_NOSIGNAL))
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    /// Headers, and as many bytes of body as they announce.
    private static func readRequest(from client: Int32) -> String? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let announced = text.range(of: "Content-Length: ").map { text[$0.upperBound...].prefix { $0.isNumber } }
                if text[end.upperBound...].utf8.count >= announced.flatMap({ Int($0) }) ?? 0 { return text }
            }
            let count = unsafe recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer.prefix(count)
        }
    }
}
