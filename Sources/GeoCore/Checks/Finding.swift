/// The four answers to a question. Unknown is never pass.
package enum Verdict: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    case pass, warn, unknown, fail

    private var severity: Int {
        switch self {
        case .pass: 0
        case .warn: 1
        case .unknown: 2
        case .fail: 3
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }
}

/// What a check or a step speaks about.
package enum Subject: Sendable, Hashable, Codable, CustomStringConvertible {
    case deployment
    case site(id: SiteID)
    case node(id: NodeID)
    /// A failover from one site to another.
    case failover(from: SiteID, to: SiteID)

    package var description: String {
        switch self {
        case .deployment: "deployment"
        case .site(let id): id.rawValue
        case .node(let id): id.rawValue
        case .failover(let from, let to): "\(from)->\(to)"
        }
    }
}

/// A fact as it was seen, kept beside the verdict that it led to.
package struct Evidence: Sendable, Hashable, Codable {
    package var text: String
    /// Where it was seen from, and when; `nil` when it could not be seen.
    package var from: String?
    package var at: Timestamp?
    package init(_ text: String, from: String? = nil, at: Timestamp? = nil) {
        self.text = text
        self.from = from
        self.at = at
    }
}

/// A check's answer about one subject.
package struct Finding: Sendable, Hashable, Codable {
    package var check: CheckID
    package var subject: Subject
    package var verdict: Verdict
    /// One sentence: what was seen, with numbers and units.
    package var summary: String
    package var evidence: [Evidence]
    /// What to do about it: the exact command or edit; `nil` for a pass.
    package var remedy: String?
    /// How far that has come which is waited for; `nil` where no number says it.
    package var progress: Measure?

    package init(
        check: CheckID, subject: Subject, verdict: Verdict, summary: String, evidence: [Evidence] = [],
        remedy: String? = nil, progress: Measure? = nil
    ) {
        self.check = check
        self.subject = subject
        self.verdict = verdict
        self.summary = summary
        self.evidence = evidence
        self.remedy = remedy
        self.progress = progress
    }
}

extension Finding {
    /// Whether something was unknown beside what was worse.
    var hasUnknownRemarks: Bool { evidence.contains { $0.text.hasPrefix(Examination.lesser(.unknown)) } }
}

extension Sequence<Finding> {
    /// The worst verdict among them; unknown for none, since nothing was asked.
    package var worst: Verdict { self.map(\.verdict).max() ?? .unknown }
}
