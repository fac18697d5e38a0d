import GeoCore

/// Limits of checks with their units.
enum LimitText {
    static func of(_ value: Int, _ unit: LimitDefault.Unit) -> String {
        switch unit {
        case .seconds: DurationText.of(value)
        case .bytes: ByteText.of(value)
        case .milliseconds: "\(value) ms"
        case .percent: "\(value) %"
        case .count: "\(value)"
        }
    }

    /// `at_most_seconds 30 s, at_most_bytes 16 MiB`, by the check's catalogue entry; empty for no limits.
    static func of(_ limits: Limits, of check: CheckID) -> String {
        let units = CheckCatalog.check(check)?.limits ?? []
        return limits.values.sorted { $0.key < $1.key }.map { name, value in
            let unit = units.first { $0.name == name }?.unit
            return "\(name) \(unit.map { of(value, $0) } ?? "\(value)")"
        }.joined(separator: ", ")
    }

    static func brackets(_ limits: Limits, of check: CheckID) -> String {
        limits.values.isEmpty ? "" : " [\(of(limits, of: check))]"
    }
}

enum ObjectiveText {
    /// `RTO 1h, RPO 5m`; `none stated` for none.
    static func of(_ objectives: Objectives) -> String {
        let rto = objectives.rtoSeconds.map { "RTO \(DurationText.of($0))" }
        let rpo = objectives.rpoSeconds.map { "RPO \(DurationText.of($0))" }
        let stated = [rto, rpo].compactMap(\.self)
        return stated.isEmpty ? "none stated" : stated.joined(separator: ", ")
    }
}
