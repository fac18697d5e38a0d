/// What the findings of a preflight mean together: may the failover start?
package enum Readiness: Sendable, Hashable, Codable {
    case ready
    case readyWithWarnings(warnings: Int)
    case notReady(failed: Int, unknown: Int)

    /// Which answers stand in the way. Fail and unknown always do.
    package struct Policy: Sendable, Hashable, Codable {
        /// Whether a warning blocks as well.
        package var warningsBlock: Bool
        /// Findings that a named person accepted; an invariant's is never among them.
        package var waivers: [Waiver]
        package init(warningsBlock: Bool = false, waivers: [Waiver] = []) {
            self.warningsBlock = warningsBlock
            self.waivers = waivers
        }

        /// The waiver that covers a finding: for this check, this subject, and exactly what was seen.
        package func waiver(for finding: Finding) -> Waiver? {
            if CheckCatalog.check(finding.check)?.isInvariant != false { return nil }
            return waivers.first {
                $0.check == finding.check && $0.subject == finding.subject.description && $0.observed == finding.summary
            }
        }
    }

    /// Nothing asked is not ready: no answer speaks for it. A waived finding counts as a warning.
    package init(of findings: [Finding], policy: Policy = Policy()) {
        var counts: [Verdict: Int] = [:]
        for finding in findings {
            let isWaived = finding.verdict > .warn && policy.waiver(for: finding) != nil
            counts[isWaived ? .warn : finding.verdict, default: 0] += 1
        }
        let warnings = counts[.warn] ?? 0
        let failed = (counts[.fail] ?? 0) + (policy.warningsBlock ? warnings : 0)
        let unknown = (counts[.unknown] ?? 0) + (findings.isEmpty ? 1 : 0)
        if failed > 0 || unknown > 0 {
            self = .notReady(failed: failed, unknown: unknown)
        } else {
            self = warnings > 0 ? .readyWithWarnings(warnings: warnings) : .ready
        }
    }

    package var isReady: Bool {
        if case .notReady = self { false } else { true }
    }
}
