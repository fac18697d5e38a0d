import FoundationEssentials

/// One check as a file keeps it: what was seen, what was made of it, and what would have been lost.
package struct SavedCheck: Sendable, Hashable, Codable {
    /// Of the file; grows when a member changes its meaning or goes away.
    package static let schema = 1
    package static let type = "saved-check"

    package struct Pair: Sendable, Hashable, Codable {
        package var from: SiteID
        package var to: SiteID
        package var isReady: Bool
        package var findings: [Finding]
        /// `nil` where no loss was asked for: a site that is seeded anew has nothing to lose.
        package var loss: LossStatement?

        package init(from: SiteID, to: SiteID, isReady: Bool, findings: [Finding], loss: LossStatement?) {
            self.from = from
            self.to = to
            self.isReady = isReady
            self.findings = findings
            self.loss = loss
        }
    }

    package var type: String
    package var schema: Int
    package var deployment: String
    package var inventory: DocumentReference
    package var profile: CheckProfile
    package var pairs: [Pair]
    package var observation: Observation

    package init(inventory: Inventory, profile: CheckProfile, pairs: [Pair], observation: Observation) {
        self.type = Self.type
        self.schema = Self.schema
        self.deployment = inventory.deployment
        self.inventory = inventory.source
        self.profile = profile
        self.pairs = pairs
        self.observation = observation
    }

    /// When the look ended that this is about.
    package var at: Timestamp { observation.endedAt }

    /// One JSON object on one line, keys sorted, with its line feed.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// Reads what ``encoded()`` wrote.
    ///
    /// - Throws: ``SavedCheckError`` for any other file, one of another version included.
    package init(reading bytes: [UInt8]) throws(SavedCheckError) {
        struct Head: Decodable {
            var type: String
            var schema: Int
        }
        let data = Data(bytes)
        do {
            let head = try JSONDecoder().decode(Head.self, from: data)
            guard head.type == Self.type else { throw SavedCheckError.anotherKind(head.type) }
            guard head.schema == Self.schema else { throw SavedCheckError.anotherVersion(head.schema) }
            self = try JSONDecoder().decode(SavedCheck.self, from: data)
        } catch let error as SavedCheckError {
            throw error
        } catch {
            throw .unreadable("\(error)")
        }
    }
}

package enum SavedCheckError: Error, Sendable, CustomStringConvertible {
    case anotherKind(String)
    case anotherVersion(Int)
    case unreadable(String)

    package var description: String {
        switch self {
        case .anotherKind(let type): "it holds \(type), not a saved check"
        case .anotherVersion(let schema):
            "it was saved in version \(schema) of the format, and this release reads version \(SavedCheck.schema)"
        case .unreadable(let detail): "it cannot be read as a saved check: \(detail)"
        }
    }
}
