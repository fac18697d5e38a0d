import FoundationEssentials
import GeoCore

/// Any JSON, to change facts in it without knowing their types; what no fact can be is refused when it is read back.
enum JSONTree: Codable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONTree].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONTree].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }

    static func of(_ value: some Encodable) throws -> JSONTree {
        try JSONDecoder().decode(JSONTree.self, from: JSONEncoder().encode(value))
    }

    /// `nil` when no value of that type looks like this.
    func read<Value: Decodable>(_: Value.Type) throws -> Value? {
        do {
            return try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(self))
        } catch is DecodingError {
            return nil
        }
    }

    subscript(member: String) -> JSONTree? {
        get { if case .object(let members) = self { members[member] } else { nil } }
        set {
            guard case .object(var members) = self else { return }
            members[member] = newValue
            self = .object(members)
        }
    }

    /// One place of a tree that is something else: where (a list's places by name, else `*`), how, and the tree.
    struct Variant {
        enum Change: Hashable { case more, less, other, gone, fewer }
        var path: String
        var change: Change
        var tree: JSONTree
    }

    /// Every way in which one place of the tree can be something else.
    var variants: [Variant] {
        switch self {
        case .null: return []
        case .bool(let value): return [Variant(path: "", change: .other, tree: .bool(!value))]
        case .integer(let value):
            return Set([0, value + 1, value &* 1000 + 7, 1 << 46, -1]).subtracting([value]).sorted().map {
                Variant(path: "", change: $0 > value ? .more : .less, tree: .integer($0))
            }
        case .number(let value):
            return Set([0, value * 1000 + 7, 1e9, -3600]).subtracting([value]).sorted().map {
                Variant(path: "", change: $0 > value ? .more : .less, tree: .number($0))
            }
        case .text(let value):
            return Self.words.filter { $0 != value }.map { word in
                // Positions and moments have an order; of the words that are neither, the types refuse those that do not fit.
                let isOrdered = Self.isOrdered(word) && Self.isOrdered(value)
                return Variant(
                    path: "", change: !isOrdered ? .other : word > value ? .more : .less, tree: .text(word))
            }
        case .array(let values):
            let fewer = values.isEmpty ? [] : Set([[], Array(values.dropFirst())])
            return fewer.map { Variant(path: "", change: .fewer, tree: .array($0)) }
                + values.indices.flatMap { index in
                    values[index].variants.map { variant in
                        var copy = values
                        copy[index] = variant.tree
                        let place = values[index].name ?? "*"
                        return Variant(path: ".\(place)" + variant.path, change: variant.change, tree: .array(copy))
                    }
                }
        case .object(let members):
            return members.sorted { $0.key < $1.key }.flatMap { key, value in
                [Variant(path: ".\(key)", change: .gone, tree: .object(members.filter { $0.key != key }))]
                    + value.variants.map { variant in
                        Variant(
                            path: ".\(key)" + variant.path, change: variant.change,
                            tree: .object(members.merging([key: variant.tree]) { $1 }))
                    }
            }
        }
    }

    /// What a member of a list is called, so that the row of one site is told from that of another.
    private var name: String? {
        guard case .text(let name)? = self["name"] else { return nil }
        return name
    }

    private static func isOrdered(_ text: String) -> Bool { Timestamp(text) != nil || LogPosition(text) != nil }

    /// One of these is another value of every text that a fact can be; the types refuse the rest.
    private static let words = [
        "other", "", "minimal", "disabled", "0/0", "FF/50000000", "2016-11-21T03:00:00.000Z",
        "2036-11-21T03:00:00.000Z", "down", "stub",
        "missing", "catchup", "shut down", "off", "lost", "Unhealthy", "12.0",
    ]
}
