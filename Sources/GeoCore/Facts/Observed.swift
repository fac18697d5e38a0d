/// An answer that a probe may or may not have got. Unknown always says why, and is never a default value in disguise.
package enum Observed<Value: Sendable & Hashable & Codable>: Sendable, Hashable, Codable {
    /// `from` names the vantage point: the node that answered, or `operator` for the machine the tool runs on.
    case known(value: Value, at: Timestamp, from: String)
    case unknown(reason: String)

    /// No probe of this run asked for it.
    package static var notAsked: Self { .unknown(reason: "not asked") }

    package var value: Value? {
        if case .known(let value, _, _) = self { value } else { nil }
    }

    package var reason: String? {
        if case .unknown(let reason) = self { reason } else { nil }
    }

    package var at: Timestamp? {
        if case .known(_, let at, _) = self { at } else { nil }
    }

    package var from: String? {
        if case .known(_, _, let from) = self { from } else { nil }
    }

    package func map<Other>(_ transform: (Value) -> Other) -> Observed<Other> {
        switch self {
        case .known(let value, let at, let from): .known(value: transform(value), at: at, from: from)
        case .unknown(let reason): .unknown(reason: reason)
        }
    }
}

extension KeyedDecodingContainer {
    /// What a plan or a saved check of an earlier version has no word of was not asked. The compiler's own decoding of types
    /// of this module goes through here.
    func decode<Value>(_ type: Observed<Value>.Type, forKey key: Key) throws -> Observed<Value> {
        try decodeIfPresent(type, forKey: key) ?? .notAsked
    }
}
