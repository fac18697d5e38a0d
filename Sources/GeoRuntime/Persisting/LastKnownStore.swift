import FoundationEssentials
package import GeoCore
import Glibc

/// `last-known/DEPLOYMENT.json` of the state directory: what the primaries said when they were seen last.
package struct LastKnownStore: Sendable {
    private let directory: String
    private let deployment: String

    /// `deployment` is a name as inventories have them, so that it is a file's name as well.
    package init(under stateDirectory: String, deployment: String) {
        self.directory = stateDirectory + "/last-known"
        self.deployment = deployment
    }

    package var path: String { "\(directory)/\(deployment).json" }

    /// `nil` when nothing was kept yet.
    ///
    /// - Throws: when the file cannot be read, or holds something else; the loss is then measured without it.
    package func load() throws -> LastKnown? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let known = try JSONDecoder().decode(LastKnown.self, from: Data(try RunDirectory.read(path)))
        guard known.schema == LastKnown.schema, known.deployment == deployment else {
            throw LastKnownError.another(path: path, deployment: known.deployment, schema: known.schema)
        }
        return known
    }

    /// Adds what a look saw, and returns when it is on disk. What cannot be read is set aside, never written over.
    ///
    /// - Returns: where an unreadable file was moved to; `nil` when there was none.
    package func learn(from observation: Observation, of inventory: Inventory) throws -> String? {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return try DurableFile.locked("\(directory)/\(deployment).lock") {
            var aside: String?
            var known: LastKnown
            do {
                known = try load() ?? LastKnown(deployment: deployment)
            } catch {
                let other = path + ".unreadable"
                guard unsafe rename(path, other) == 0 else {
                    throw RunDirectoryError.system("move \(path) aside", errno)
                }
                aside = other
                known = LastKnown(deployment: deployment)
            }
            let before = known
            known.learn(from: observation, of: inventory)
            guard known != before else { return aside }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try DurableFile.replace(path, with: [UInt8](try encoder.encode(known)) + [UInt8(ascii: "\n")])
            return aside
        }
    }
}

package enum LastKnownError: Error, Sendable, CustomStringConvertible {
    case another(path: String, deployment: String, schema: Int)

    package var description: String {
        switch self {
        case .another(let path, let deployment, let schema):
            "\(path) is of deployment \(deployment) in version \(schema) of the format"
        }
    }
}
