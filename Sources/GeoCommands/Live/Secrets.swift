import FoundationEssentials
import GeoCore
import Glibc

/// Follows a reference to a secret. The secret goes to whoever needs it and is never kept, printed or put in an error.
enum Secrets {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    /// Reads when it is needed, not before.
    static func reader(_ reference: SecretReference) -> @Sendable () throws -> [UInt8] {
        { try read(reference) }
    }

    /// One trailing line feed is not part of the secret.
    static func read(_ reference: SecretReference) throws -> [UInt8] {
        var bytes: [UInt8]
        switch reference {
        case .environment(let name):
            guard let value = Settings.environment(name) else {
                throw Missing(description: "the environment variable \(name) is not set")
            }
            bytes = Array(value.utf8)
        case .file(let path):
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Missing(description: "the secret file \(path) cannot be read")
            }
            bytes = [UInt8](data)
        case .command(let arguments):
            bytes = try output(of: arguments)
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return bytes
    }

    /// Synchronous on purpose: asked once, before anything is connected.
    private static func output(of arguments: [String]) throws -> [UInt8] {
        let line = (["timeout", "60"] + arguments).map(RemoteCommand.quoted).joined(separator: " ") + " </dev/null"
        guard let pipe = unsafe popen(line, "re") else {
            throw Missing(description: "\(arguments[0]) could not be started")
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= ConfigurationFile.bytesAtMost {
            let count = unsafe fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        let status = unsafe pclose(pipe)
        guard status == 0 else { throw Missing(description: "\(arguments[0]) failed, so the secret is not known") }
        return bytes
    }
}
