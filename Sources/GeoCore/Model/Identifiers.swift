/// A name of one kind of thing, so that a node's name is never taken for a site's.
///
/// Encodes as its plain string, also as a dictionary key.
package struct Identifier<Subject>: RawRepresentable, Hashable, Sendable, Codable, CodingKeyRepresentable, Comparable,
    ExpressibleByStringLiteral, CustomStringConvertible
{
    package let rawValue: String

    package init(rawValue: String) { self.rawValue = rawValue }
    package init(_ rawValue: String) { self.rawValue = rawValue }
    package init(stringLiteral value: String) { self.rawValue = value }

    package init(from decoder: any Decoder) throws {
        self.rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }

    package var codingKey: any CodingKey { NameKey(stringValue: rawValue) }
    package init?<T: CodingKey>(codingKey: T) { self.rawValue = codingKey.stringValue }

    package var description: String { rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    // Every fact is found by one. What the standard library has for anything RawRepresentable looks up the type of the raw
    // value each time, in code that is compiled for no type.
    package static func == (left: Self, right: Self) -> Bool { left.rawValue == right.rawValue }
    package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

private struct NameKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

package typealias SiteID = Identifier<Site>
package typealias NodeID = Identifier<Node>
package typealias StepID = Identifier<Step>
package typealias CheckID = Identifier<Check>
package typealias RunID = Identifier<Plan>
