import FoundationEssentials
import GeoCore
import GeoRuntime

/// Files that `check --save` writes and `check --diff` reads.
enum CheckFiles {
    static func load(_ path: String, deployment: String) throws -> SavedCheck {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path) cannot be read: give a file that check --save wrote", .badDocument)
        }
        let saved: SavedCheck
        do throws(SavedCheckError) {
            saved = try SavedCheck(reading: [UInt8](data))
        } catch {
            throw CommandFailure("\(path): \(error)", .badDocument)
        }
        guard saved.deployment == deployment else {
            throw CommandFailure(
                "\(path) is a check of deployment \(saved.deployment), and this is \(deployment)", .badDocument)
        }
        return saved
    }

    static func save(_ check: SavedCheck, to path: String) throws {
        do {
            try DurableFile.replace(path, with: try check.encoded())
        } catch {
            throw CommandFailure("the check could not be saved: \(error)", .unexpected)
        }
    }
}
