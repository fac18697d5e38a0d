import FoundationEssentials

/// A plan as bytes: a header line with the digest, then the plan as JSON. The digest is of every byte after the header.
package struct PlanFile: Sendable {
    package let plan: Plan
    package let digest: Digest
    package let bytes: [UInt8]

    private struct Header: Codable {
        var type: String
        var schema: Int
        var digest: String
    }

    private static let type = "geo-failover.plan"

    package init(_ plan: Plan) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let payload = [UInt8](try encoder.encode(plan)) + [UInt8(ascii: "\n")]
        let digest = Digest(of: payload)
        let lineEncoder = JSONEncoder()
        lineEncoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let header = try lineEncoder.encode(Header(type: Self.type, schema: plan.schema, digest: digest.text))
        self.plan = plan
        self.digest = digest
        self.bytes = [UInt8](header) + [UInt8(ascii: "\n")] + payload
    }

    /// Reads a plan; refuses one that was changed by as little as a byte.
    package init(reading bytes: [UInt8]) throws(PlanFileError) {
        guard let lineEnd = bytes.firstIndex(of: UInt8(ascii: "\n")) else { throw .notAPlan }
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(bytes[..<lineEnd]))
        } catch {
            throw .notAPlan
        }
        guard header.type == Self.type else { throw .notAPlan }
        guard header.schema == Plan.currentSchema else { throw .otherSchema(found: header.schema) }
        let payload = bytes[(lineEnd + 1)...]
        let digest = Digest(of: payload)
        guard digest.text == header.digest else { throw .edited(written: header.digest, found: digest.text) }
        do {
            self.plan = try JSONDecoder().decode(Plan.self, from: Data(payload))
        } catch {
            throw .unreadable(detail: String(describing: error))
        }
        self.digest = digest
        self.bytes = bytes
    }
}

package enum PlanFileError: Error, Sendable, Hashable, CustomStringConvertible {
    case notAPlan
    case otherSchema(found: Int)
    case edited(written: String, found: String)
    case unreadable(detail: String)

    package var description: String {
        switch self {
        case .notAPlan: "this is not a plan of geo-failover: the first line is not its header"
        case .otherSchema(let found):
            "the plan has format \(found), and this release reads \(Plan.currentSchema): plan again with this release"
        case .edited(let written, let found):
            "the plan was changed after it was made: it says \(written), its content is \(found). Nothing was done. Plan again"
        case .unreadable(let detail): "the plan cannot be read: \(detail)"
        }
    }
}
