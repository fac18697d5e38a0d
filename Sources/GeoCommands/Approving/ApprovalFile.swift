import FoundationEssentials
package import GeoCore
import GeoRuntime

/// `PLAN.approval-NAME`: what one person carries back.
package enum ApprovalFile {
    private struct Body: Codable {
        var type: String
        var schema: Int
        var approval: Approval
    }

    private static let type = "geo-failover.approval"
    private static let largest = 64 << 10

    /// One for the plan, and one for each of the words that a person signs.
    package static func path(of plan: String, by principal: String, words: String? = nil) -> String {
        "\(plan).approval-\(principal)" + (words.map { "+\(Digest(of: Array($0.utf8)).short)" } ?? "")
    }

    static func write(_ approval: Approval, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let bytes = try encoder.encode(Body(type: type, schema: 1, approval: approval))
        do {
            try (bytes + Data("\n".utf8)).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandFailure("the approval could not be written to \(path): \(error)", .unexpected)
        }
    }

    package static func read(_ path: String) throws -> Approval {
        guard let data = FileManager.default.contents(atPath: path), data.count <= largest else {
            throw CommandFailure("the approval \(path) cannot be read", .badDocument)
        }
        do {
            let body = try JSONDecoder().decode(Body.self, from: data)
            guard body.type == type, body.schema == 1 else {
                throw CommandFailure("\(path) is no approval that this release reads", .badDocument)
            }
            return body.approval
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(path) is no approval of geo-failover: \(error)", .badDocument)
        }
    }

    /// Those that lie beside a plan, by name.
    static func beside(_ plan: String) throws -> [String] {
        let url = URL(filePath: plan)
        let folder = url.deletingLastPathComponent().path
        let start = url.lastPathComponent + ".approval-"
        return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(start) }.sorted().map {
            folder + "/" + $0
        }
    }
}
