internal import Glibc

/// Small files that are read once: keys and known_hosts.
enum Files {
    enum Failure: Error, Sendable {
        case missing
        case unreadable(String)
    }

    struct Content: Sendable {
        var bytes: [UInt8]
        /// Group or others may read it.
        var isShared: Bool
    }

    /// Reads a regular file of at most `limit` bytes; blocks, so never on the loop.
    static func read(_ path: String, limit: Int) throws(Failure) -> Content {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missing }
            throw .unreadable(describe(errno))
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(describe(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is not a regular file") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(describe(errno)) }
            if count == 0 {
                return Content(bytes: bytes, isShared: status.st_mode & 0o077 != 0)
            }
            bytes += buffer[..<count]
        }
        throw .unreadable("it has more than \(limit) bytes")
    }

    /// The system's words for an `errno`.
    static func describe(_ code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
