import Foundation
import Glibc

/// A unix socket that listens, and answers only when told to.
final class UnixListener: Sendable {
    let path: String
    let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let code = unsafe withUnixAddress(path) { unsafe bind(descriptor, $0, $1) }
        guard code == 0, listen(descriptor, 64) == 0 else { throw ToolFailure(description: "cannot listen on \(path)") }
    }

    deinit { close(descriptor) }

    /// Answers each connection with what it says, on a thread per connection, until the listener is gone.
    func echo() {
        let descriptor = dup(descriptor)
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                Thread.detachNewThread {
                    var buffer = [UInt8](repeating: 0, count: 65_536)
                    while true {
                        let count = unsafe recv(connection, &buffer, buffer.count, 0)
                        guard count > 0, sendAll(connection, buffer[..<count]) else { break }
                    }
                    close(connection)
                }
            }
            close(descriptor)
        }
    }
}

func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
    return unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

/// A blocking unix socket connected to a path.
func connectUnix(_ path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard unsafe withUnixAddress(path, { unsafe connect(descriptor, $0, $1) }) == 0 else {
        close(descriptor)
        throw ToolFailure(description: "cannot connect to \(path): \(errno)")
    }
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return descriptor
}

func sendAll(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}

/// Reads until `count` bytes are there or the other side ends.
func receive(_ descriptor: Int32, count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < count {
        let got = unsafe recv(descriptor, &buffer, min(buffer.count, count - bytes.count), 0)
        guard got > 0 else { break }
        bytes += buffer[..<got]
    }
    return bytes
}

/// A real ssh-agent with keys.
///
/// Ends with its last reference.
final class SSHAgent: Sendable {
    let socketPath: String
    private let process: ChildProcess

    init(_ directory: TemporaryDirectory, keys: [String]) throws {
        socketPath = directory.file("agent")
        process = try ChildProcess("/usr/bin/ssh-agent", ["-D", "-a", socketPath], output: directory.file("agent.log"))
        let deadline = Date(timeIntervalSinceNow: 60)
        while !FileManager.default.fileExists(atPath: socketPath) {
            guard Date() < deadline else { throw ToolFailure(description: "ssh-agent does not start") }
            usleep(5000)
        }
        for key in keys { try tool("/usr/bin/ssh-add", ["-q", key], environment: ["SSH_AUTH_SOCK": socketPath]) }
    }

    deinit {
        process.terminate()
        process.wait()
    }
}

/// A TCP server that says the same line over and over to whoever connects, and then ends.
final class Chatter: Sendable {
    private let listener: Listener
    var port: UInt16 { listener.port }

    init(_ line: String, times: Int) throws {
        listener = try Listener()
        let descriptor = dup(listener.descriptor)
        Thread.detachNewThread {
            let connection = accept(descriptor, nil, nil)
            close(descriptor)
            let text = Array(String(repeating: line, count: 100).utf8)
            for _ in 0..<times / 100 where !sendAll(connection, text[...]) { break }
            close(connection)
        }
    }
}

/// A port whose packets vanish: its queue is full and nobody takes from it, so a connection never comes about.
final class BlackHole: Sendable {
    private let listener: Listener
    private let fillers: [Int32]
    var port: UInt16 { listener.port }

    init() throws {
        listener = try Listener(backlog: 0)
        let port = listener.port
        fillers = (0..<4).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            address.sin_port = port.bigEndian
            _ = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            return descriptor
        }
    }

    deinit { for descriptor in fillers { close(descriptor) } }
}
