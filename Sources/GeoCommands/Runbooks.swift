import FoundationEssentials
import GeoCore
import GeoDocuments

/// Every runbook in the usual folders.
enum Runbooks {
    static func all() throws -> [Runbook] {
        for directory in Settings.runbookDirectories where FileManager.default.fileExists(atPath: directory) {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".yaml") }
            if !names.isEmpty { return try names.sorted().map { try Documents.runbook("\(directory)/\($0)") } }
        }
        throw CommandFailure("no folder named `runbooks` was found", .badDocument)
    }
}
