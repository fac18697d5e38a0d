extension String {
    /// Each key replaced by its value, in one pass from left to right, so that a value is never filled in itself.
    package func replacingOccurrences(_ values: [String: String]) -> String {
        var result = ""
        var rest = self[...]
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            let tail = rest[open...]
            if let match = values.first(where: { tail.hasPrefix($0.key) }) {
                result += match.value
                rest = tail.dropFirst(match.key.count)
            } else {
                result += "{"
                rest = tail.dropFirst()
            }
        }
        return result + rest
    }
}
