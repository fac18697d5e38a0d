import CLinux
import FoundationEssentials
package import GeoCore
import Glibc

/// Everything about one run in one folder that can be attached to an incident: `plan`, `journal.jsonl`, `transcripts/`.
package struct RunDirectory: Sendable {
    package let run: RunID
    package let path: String

    /// The folder that it lies in, with the other runs of this machine.
    package var parent: String { String(path.dropLast(run.rawValue.count + 1)) }

    package init(run: RunID, under parent: String) {
        self.run = run
        self.path = parent + "/" + run.rawValue
    }

    package var planPath: String { path + "/plan.geoplan" }
    package var journalPath: String { path + "/journal.jsonl" }
    package var lockPath: String { path + "/lock" }
    package func transcriptPath(_ key: String) -> String { "transcripts/" + key + ".txt" }

    /// Makes the folder of a new run and writes its plan.
    ///
    /// - Throws: ``RunDirectoryError/exists`` when a run of that name is there already.
    package func create(plan: PlanFile) throws {
        let parent = parent
        try FileManager.default.createDirectory(
            atPath: parent, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard unsafe mkdir(path, 0o700) == 0 else {
            throw errno == EEXIST ? RunDirectoryError.exists(path) : .system("make \(path)", errno)
        }
        guard unsafe mkdir(path + "/transcripts", 0o700) == 0 else {
            throw RunDirectoryError.system("make \(path)/transcripts", errno)
        }
        try writeAtomically(plan.bytes, to: planPath)
        try Self.syncDirectory(parent)
    }

    /// Takes away the folder of a run that never began. One with a journal stays, whatever it says.
    package func removeUnused() throws {
        guard !FileManager.default.fileExists(atPath: journalPath) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    package func readPlan() throws -> PlanFile { try PlanFile(reading: try Self.read(planPath)) }

    /// What was recorded; nothing for a run that never began.
    ///
    /// - Throws: ``RunDirectoryError/anotherRun`` when the journal is another run's. Nodes know a run by its name: under a
    ///   second name they would start again what they were told to start under the first.
    package func readJournal() throws -> JournalLine.Contents {
        guard FileManager.default.fileExists(atPath: journalPath) else { return .none }
        let contents = try JournalLine.decode(try Self.read(journalPath))
        if let other = contents.records.first(where: { $0.run != run }) {
            throw RunDirectoryError.anotherRun(path, other.run)
        }
        return contents
    }

    /// The journal's bytes without a line that a crash tore.
    package func wholeJournal(_ contents: JournalLine.Contents) throws -> [UInt8] {
        contents.wholeBytes == 0 ? [] : Array(try Self.read(journalPath).prefix(contents.wholeBytes))
    }

    private var pausePath: String { path + "/pause" }

    /// Asks whoever executes the run to halt at the next step, and why.
    package func requestPause(_ reason: String) throws { try writeAtomically(Array(reason.utf8), to: pausePath) }

    /// Why the run has to pause; `nil` when nobody asked for it.
    package func requestedPause() throws -> String? {
        guard FileManager.default.fileExists(atPath: pausePath) else { return nil }
        return String(decoding: try Self.read(pausePath), as: UTF8.self)
    }

    package func clearPause() throws {
        if FileManager.default.fileExists(atPath: pausePath) { try FileManager.default.removeItem(atPath: pausePath) }
    }

    /// Opens the journal for appending, cutting off what a crash tore.
    package func openStore(wholeBytes: Int) throws -> JournalStore {
        let descriptor = unsafe open(journalPath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(journalPath)", errno) }
        guard ftruncate(descriptor, off_t(wholeBytes)) == 0, lseek(descriptor, 0, SEEK_END) >= 0 else {
            let code = errno
            close(descriptor)
            throw RunDirectoryError.system("position \(journalPath)", code)
        }
        try Self.syncDirectory(path)
        let file = OwnedDescriptor(descriptor)
        return JournalStore { line in
            try file.writeAll(line)
            guard fsync(file.number) == 0 else { throw RunDirectoryError.system("sync the journal", errno) }
        }
    }

    /// Holds the run for this process; `nil` when another process on this machine holds it.
    package func lock() throws -> OwnedDescriptor? {
        let descriptor = unsafe open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(lockPath)", errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            if code == EWOULDBLOCK { return nil }
            throw RunDirectoryError.system("lock \(lockPath)", code)
        }
        return OwnedDescriptor(descriptor)
    }

    /// Replaces a file whole, or not at all.
    package func writeAtomically(_ bytes: [UInt8], to target: String) throws {
        let temporary = target + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(temporary)", errno) }
        let file = OwnedDescriptor(descriptor)
        try file.writeAll(bytes)
        guard fsync(descriptor) == 0, unsafe rename(temporary, target) == 0 else {
            throw RunDirectoryError.system("write \(target)", errno)
        }
    }

    package static func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw RunDirectoryError.unreadable(path)
        }
        return [UInt8](data)
    }

    private static func syncDirectory(_ path: String) throws {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw RunDirectoryError.system("open \(path)", errno) }
        let file = OwnedDescriptor(descriptor)
        guard fsync(file.number) == 0 else { throw RunDirectoryError.system("sync \(path)", errno) }
    }
}

/// A file descriptor that is closed when its last user lets go.
package final class OwnedDescriptor: Sendable {
    package let number: Int32
    package init(_ number: Int32) { self.number = number }
    deinit { close(number) }

    func writeAll(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes[done...].withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                throw RunDirectoryError.system("write", errno)
            }
            done += written
        }
    }
}

package enum RunDirectoryError: Error, Sendable, CustomStringConvertible {
    case exists(String)
    case unreadable(String)
    case anotherRun(String, RunID)
    case system(String, Int32)

    package var description: String {
        switch self {
        case .exists(let path): "\(path) exists already"
        case .unreadable(let path): "\(path) cannot be read"
        case .anotherRun(let path, let run):
            "\(path) holds the journal of \(run), so it was copied or renamed; give the folder that name again, or move it out of the way"
        case .system(let what, let code): unsafe "could not \(what): \(String(cString: strerror(code)))"
        }
    }
}
