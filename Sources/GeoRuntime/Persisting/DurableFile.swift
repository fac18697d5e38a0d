import CLinux
import Glibc

/// Files of the operator that are replaced whole: a reader finds the old contents or the new, also after a power cut.
package enum DurableFile {
    /// Returns when the new contents would survive a power cut. Several processes may do it at once: one of them is last.
    package static func replace(_ path: String, with bytes: [UInt8]) throws {
        let temporary = "\(path).\(getpid()).new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(temporary)", errno) }
        let file = OwnedDescriptor(descriptor)
        do {
            try file.writeAll(bytes)
            guard fsync(file.number) == 0, unsafe rename(temporary, path) == 0 else {
                throw RunDirectoryError.system("write \(path)", errno)
            }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let directory = parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent
        let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(directory)", errno) }
        let file = OwnedDescriptor(descriptor)
        guard fsync(file.number) == 0 else { throw RunDirectoryError.system("sync \(directory)", errno) }
    }

    /// Runs the body while no other process on this machine holds the same lock file. Waits at most about five seconds.
    package static func locked<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(path)", errno) }
        let file = OwnedDescriptor(descriptor)
        for attempt in 0... {
            if flock(file.number, LOCK_EX | LOCK_NB) == 0 { break }
            guard errno == EWOULDBLOCK || errno == EINTR, attempt < 100 else {
                throw RunDirectoryError.system("lock \(path)", errno)
            }
            usleep(50_000)
        }
        return try body()
    }
}
