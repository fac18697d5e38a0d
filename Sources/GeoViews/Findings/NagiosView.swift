import GeoCore

/// One line as monitoring plugins print it: state, sentence, performance data (Monitoring Plugins development guidelines).
///
/// A number that is not known is `U`, never 0. With several candidates the worst counts: name one with `--to`.
package enum NagiosView {
    /// A plugin's exit code.
    package enum State: Int32, Sendable, Hashable {
        case ok = 0
        case warning = 1
        case critical = 2
        case unknown = 3

        fileprivate var word: String {
            switch self {
            case .ok: "OK"
            case .warning: "WARNING"
            case .critical: "CRITICAL"
            case .unknown: "UNKNOWN"
            }
        }
    }

    package static func state(_ report: CheckReport) -> State {
        let states = report.assessments.map(state)
        return [State.critical, .unknown, .warning].first(where: states.contains) ?? (states.isEmpty ? .unknown : .ok)
    }

    private static func state(_ assessment: Assessment) -> State {
        if assessment.findings.isEmpty { return .unknown }
        if !assessment.checks(at: .fail).isEmpty { return .critical }
        if !assessment.checks(at: .unknown).isEmpty || !assessment.isReady { return .unknown }
        // What a person waived stays in sight.
        let isCovered = assessment.groups.contains(where: \.isWaived)
        return assessment.checks(at: .warn).isEmpty && !isCovered ? .ok : .warning
    }

    package static func line(_ report: CheckReport) -> String {
        let sentences = report.assessments.map { assessment -> String in
            let open = assessment.checks(at: .fail) + assessment.checks(at: .unknown)
            guard !open.isEmpty else { return assessment.headline }
            let more = open.count > 5 ? " and \(open.count - 5) more" : ""
            return "\(assessment.headline): \(open.prefix(5).map(\.rawValue).joined(separator: ", "))\(more)"
        }
        let text = sentences.isEmpty ? "nothing was checked" : sentences.joined(separator: "; ")
        let data = report.assessments.flatMap { performance($0, report) }
        return "GEO-FAILOVER \(state(report).word) - \(harmless(text))"
            + (data.isEmpty ? "" : " | " + data.joined(separator: " "))
    }

    /// When there was no check at all: a bad inventory, for one.
    package static func failure(_ message: String) -> String {
        let lines = Plain.lines(message).filter { !$0.isEmpty }
        return "GEO-FAILOVER \(State.unknown.word) - \(harmless(lines.joined(separator: " ")))"
    }

    /// A bar would end the sentence.
    private static func harmless(_ text: String) -> String { Plain.line(text).replacing("|", with: "/") }

    private static func performance(_ assessment: Assessment, _ report: CheckReport) -> [String] {
        let about = report.assessments.count > 1 ? assessment.name.replacing(" ", with: "") + " " : ""
        func datum(_ name: String, _ value: String?, _ unit: String = "") -> String {
            let label = (about + name).filter { $0 != "'" && $0 != "=" }
            return "'\(label)'=" + (value.map { "\($0)\(unit);;;0" } ?? "U")
        }
        var data = [
            datum("failed", "\(assessment.checks(at: .fail).count)"),
            datum("unknown", "\(assessment.checks(at: .unknown).count)"),
            datum("warnings", "\(assessment.checks(at: .warn).count)"),
            datum("passed", "\(assessment.checks(at: .pass).count)"),
        ]
        guard let loss = report.loss(of: assessment) else { return data }
        let items = loss.items.value.flatMap { items -> Int? in
            let missing = items.map(\.missing.value)
            guard !items.isEmpty, !missing.contains(nil) else { return nil }
            return items.reduce(0) { $0 + $1.notSynced } + missing.compactMap(\.self).reduce(0, +)
        }
        data += [
            datum("wal", loss.bytesNotReplayed.value.map(String.init), "B"),
            datum("time", loss.secondsNotReplayed.value.map { "\(($0 * 1000).rounded() / 1000)" }, "s"),
            datum("events", loss.eventsBehind.value.map(String.init)), datum("items", items.map(String.init)),
            // A replica knows no push that it has not replayed: where that is unknown, so is this.
            datum(
                "projects",
                loss.bytesNotReplayed.value == nil
                    ? nil : loss.projects.value.map { "\($0.projects.count + $0.unlisted)" }),
        ]
        return data
    }
}
